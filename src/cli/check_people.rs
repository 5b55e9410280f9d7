//! `check --online`, the people: whether those whom the policy names can own cases where it says, and whether there is
//! anybody to choose from.

use crate::policy::names::PersonName;
use crate::policy::rules::{Assign, Policy};
use crate::policy::teams::Team;
use handoffd_kit::capability::Roster;
use handoffd_kit::desk::{Desk, Finding, Member, Severity};
use handoffd_kit::id::DeskId;
use handoffd_kit::model::Role;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What is to be said about the people of a desk's teams.
pub async fn people(policy: &Policy, id: &DeskId, desk: &dyn Desk) -> Vec<Finding> {
    let mut findings = Vec::new();
    for team in policy.rostered_teams().filter(|team| team.desk == *id) {
        if desk.capabilities().roster == Roster::None {
            findings.extend(mute(policy, team));
            continue;
        }
        match desk.members(&team.queue, Timestamp::MAX).await {
            Ok(members) => findings.extend(judge(policy, team, &members)),
            Err(error) => findings.push(Finding {
                severity: if assigns(policy, team) { Severity::Error } else { Severity::Warning },
                what: format!("team {}: who works there cannot be read: {error}", team.name),
                next_step: error.next_step.unwrap_or_else(|| unread(policy, team).to_owned()),
            }),
        }
    }
    findings
}

/// What owners of this team's cases the rules name.
fn assigned<'a>(policy: &'a Policy, team: &'a Team) -> impl Iterator<Item = &'a Assign> {
    let rules = policy.escalations.iter().filter(|escalation| escalation.to == team.name);
    rules.flat_map(|escalation| [&escalation.owner.assign, &escalation.owner.fallback])
}

/// Whether a rule gives this team's cases another owner than the queue.
fn assigns(policy: &Policy, team: &Team) -> bool {
    assigned(policy, team).any(|assign| *assign != Assign::Queue)
}

/// What holds until a team's people can be read.
fn unread(policy: &Policy, team: &Team) -> &'static str {
    if assigns(policy, team) {
        "let the login read the queue's members; until it can, its cases go to the queue"
    } else {
        "let the login read the queue's members; until it can, any agent but those known as the giving side claims a case"
    }
}

fn chooses(policy: &Policy, team: &Team) -> bool {
    assigned(policy, team).any(|assign| matches!(assign, Assign::Turn | Assign::Load))
}

fn mute(policy: &Policy, team: &Team) -> Option<Finding> {
    chooses(policy, team).then(|| Finding {
        severity: Severity::Warning,
        what: format!("team {}: this desk does not tell who works there, so nobody can be chosen", team.name),
        next_step: "write owner.assign = \"queue\" or a person's name for the rules that go there".into(),
    })
}

fn judge(policy: &Policy, team: &Team, members: &[Member]) -> Vec<Finding> {
    let active = members.iter().filter(|member| member.active && member.person.role != Role::Us).count();
    let mut findings = vec![Finding {
        severity: if active == 0 && chooses(policy, team) { Severity::Error } else { Severity::Fine },
        what: format!("team {}: {active} people can be given cases", team.name),
        next_step: "add active agents to its queue, or assign to the queue".into(),
    }];
    let named = assigned(policy, team).filter_map(|assign| match assign {
        Assign::Person(name) => Some((name, Severity::Error)),
        Assign::Queue | Assign::Turn | Assign::Load => None,
    });
    let lead = team.lead.iter().map(|name| (name, Severity::Warning));
    let mut told: BTreeSet<&PersonName> = BTreeSet::new();
    for (name, severity) in named.chain(lead) {
        if told.insert(name)
            && let Some(why) = cannot(policy, team, name, members)
        {
            let next_step =
                "correct the person's identity in [people.NAME], or their membership on the desk".to_owned();
            findings.push(Finding { severity, what: format!("team {}: {why}", team.name), next_step });
        }
    }
    findings
}

/// Why a person cannot own cases of a team.
fn cannot(policy: &Policy, team: &Team, name: &PersonName, members: &[Member]) -> Option<String> {
    let person = policy.people.get(name)?;
    let is = |member: &&Member| person.is_on(&team.desk, &member.person.id, member.person.email.as_deref());
    match members.iter().find(is) {
        Some(member) if member.active => None,
        Some(_) => Some(format!("{name} is not active on the desk")),
        None => Some(format!("{name} is no member of its queue {}", team.queue.shown())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::testing::member;
    use crate::policy::testing;

    #[test]
    fn named_people_who_cannot_own_cases_and_teams_without_anybody_are_found() {
        let mut policy = testing::policy();
        let mut rule = testing::escalation("refund", "has_tag('refund')", "billing");
        rule.owner.assign = Assign::Person("billing-lead".into());
        rule.owner.fallback = Assign::Turn;
        policy.escalations.push(rule);
        let team = &policy.teams[&"billing".into()];
        let severities = |members: &[Member]| -> Vec<Severity> {
            judge(&policy, team, members).into_iter().map(|finding| finding.severity).collect()
        };
        assert_eq!(severities(&[member("4711")]), [Severity::Fine]);
        assert_eq!(severities(&[member("21")]), [Severity::Fine, Severity::Error]);
        let gone = Member { active: false, ..member("4711") };
        assert_eq!(severities(&[gone]), [Severity::Error, Severity::Error]);
        assert!(mute(&policy, team).is_some());
    }
}
