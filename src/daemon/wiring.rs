//! From a checked configuration to a wired house. Everything that can fail without touching a desk fails here, at once.

use super::house::{House, Pace};
use crate::config::{Config, Problems, secrets};
use crate::ledger::Handle;
use crate::ledger::policies::Kept;
use crate::policy::clocks::ClockName;
use crate::policy::rules::{CustomerClock, Escalation, Policy};
use crate::registry;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::{Seams, SettingProblem};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads the secrets and opens every desk.
///
/// # Errors
/// Missing secrets, and what connectors find wrong in their settings: all of it, each at its place.
pub fn open_desks(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    seams: &Seams,
) -> Result<BTreeMap<DeskId, Arc<dyn Desk>>, Problems> {
    let (settings, mut problems) = secrets::resolve(config, env)?;
    let mut desks = BTreeMap::new();
    for (id, settings) in settings {
        let Some(desk) = config.desks.get(&id) else { continue };
        match registry::open(&desk.connector, settings, seams.clone()) {
            Ok(desk) => {
                problems.extend(config.setting_problems(&id, &unsupported(&config.policy, &id, desk.capabilities())));
                desks.insert(id, desk);
            }
            Err(wrong) => problems.extend(config.setting_problems(&id, &wrong)),
        }
    }
    if problems.has_errors() { Err(problems) } else { Ok(desks) }
}

/// What the policy asks of a desk that it cannot do.
pub fn unsupported(policy: &Policy, desk: &DeskId, capabilities: &Capabilities) -> Vec<SettingProblem> {
    let given = |clock: ClockName| {
        clock == ClockName::Internal
            || capabilities.sla_clocks
            || policy.targets.iter().any(|target| target.length(clock).is_some())
    };
    let routes = policy.routes.iter().filter(|route| route.desk == *desk).map(|route| &route.rule);
    let escalations = escalations_on(policy, desk).map(|rule| &rule.rule);
    let mut problems = Vec::new();
    for rule in routes.chain(escalations) {
        if let Some(clock) = rule.clocks().into_iter().find(|clock| !given(*clock)) {
            problems.push(SettingProblem {
                key: "connector".into(),
                problem: format!("this helpdesk has no clocks of its own, and rule \"{}\" looks at {clock}", rule.name),
                help: format!("add a [targets.NAME] with {clock} = \"…\", or leave the clock out of the rule"),
            });
        }
    }
    problems.extend(escalations_on(policy, desk).flat_map(|rule| cannot_pause(policy, rule, capabilities)));
    problems
}

fn escalations_on<'p>(policy: &'p Policy, desk: &DeskId) -> impl Iterator<Item = &'p Escalation> {
    policy.escalations.iter().filter(move |rule| policy.teams.get(&rule.to).is_some_and(|team| team.desk == *desk))
}

/// A rule that stops the customer's clock where nothing can be stopped.
fn cannot_pause(policy: &Policy, rule: &Escalation, capabilities: &Capabilities) -> Option<SettingProblem> {
    let CustomerClock::Pause { status, .. } = &rule.clock.customer else { return None };
    let name = &rule.rule.name;
    let problem = |problem: String, help: String| Some(SettingProblem { key: "connector".into(), problem, help });
    let Some(pausing) = capabilities.pausing(status) else {
        let words: Vec<&str> = capabilities.pausing.iter().map(|pausing| pausing.word).collect();
        let help = match words.is_empty() {
            true => "write clock.customer = \"continue\" on the rule".to_owned(),
            false => format!("write one of its own on the rule: {}", words.join(", ")),
        };
        return problem(format!("rule \"{name}\" pauses by the status {status}, which stops no clock here"), help);
    };
    let stands = policy.targets.iter().any(|target| target.paused_in.contains(&pausing.means));
    if capabilities.sla_clocks || stands {
        return None;
    }
    let words = format!("rule \"{name}\" pauses a clock, and none stands still: the helpdesk has no clocks of its own");
    problem(words, format!("add paused_in = [\"{}\"] to a [targets.NAME] with a resolution", pausing.means.name()))
}

/// Wires a house from a configuration, its open desks and its ledger.
pub fn wire(config: &Config, desks: BTreeMap<DeskId, Arc<dyn Desk>>, ledger: Handle, seams: Seams) -> House {
    let every = |poll| SignedDuration::try_from(poll).unwrap_or(SignedDuration::from_secs(30));
    let pace = Pace {
        verify_after: config.daemon.verify_after,
        polls: config.desks.iter().map(|(id, desk)| (id.clone(), every(desk.poll))).collect(),
        keep_raw: config.daemon.keep_raw,
    };
    let kept = Kept { meaning: config.meaning.text(), text: config.text().to_owned() };
    House { kept: Some(Arc::new(kept)), ..House::new(ledger, desks, Arc::new(config.policy.clone()), seams, pace) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::testing::Stage;
    use crate::policy::targets::Target;
    use crate::policy::testing;
    use crate::policy::timing::BeforeBreach;

    #[test]
    fn a_clock_that_neither_the_desk_nor_a_target_gives_is_refused() {
        let mut policy = testing::policy();
        policy.escalations.push(testing::escalation("late", "clocks.next_reply.state == 'breached'", "billing"));
        let mut rule = testing::escalation("near", "", "billing");
        let breach = |clock| Some(BeforeBreach { clock, by: SignedDuration::from_mins(5) });
        rule.rule.times.before_breach = breach(ClockName::Resolution);
        policy.escalations.push(rule.clone());
        rule.rule.times.before_breach = breach(ClockName::Internal);
        policy.escalations.push(rule);
        let stage = Stage::new(testing::policy());
        let mut capabilities = stage.desk.capabilities().clone();
        let told = |policy: &Policy, capabilities: &Capabilities| -> Vec<String> {
            unsupported(policy, &"acme".into(), capabilities).into_iter().map(|problem| problem.problem).collect()
        };
        let problems = told(&policy, &capabilities);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].contains("\"late\" looks at next_reply")
                && problems[1].contains("\"near\" looks at resolution")
        );
        let wait = |hours| Some(SignedDuration::from_hours(hours).into());
        policy.targets.push(Target {
            name: "standard".into(),
            when: Vec::new(),
            hours: None,
            first_reply: None,
            next_reply: wait(2),
            resolution: wait(8),
            paused_in: Vec::new(),
        });
        assert_eq!(told(&policy, &capabilities), Vec::<String>::new());
        policy.targets.clear();
        capabilities.sla_clocks = true;
        assert_eq!(told(&policy, &capabilities), Vec::<String>::new());
    }
}
