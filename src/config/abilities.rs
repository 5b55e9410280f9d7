//! What connectors say of a configuration before any desk is open: keys of a desk's own tables that nobody knows, ids that
//! cannot be any, and what a rule asks of a helpdesk that it cannot do. No secret and no network are needed for it.

use super::desks::{Desks, Reading};
use super::found::{At, Found};
use super::scalar::shown;
use super::secrets;
use super::walk::Section;
use crate::policy::clocks::ClockName;
use crate::policy::rules::{ClockDecision, CustomerClock, Rule};
use crate::policy::targets::Target;
use crate::registry;
use handoffd_kit::capability::{Capabilities, IdForm};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::SettingProblem;
use std::ops::Range;

/// What a desk of this table can do; reports what its connector finds wrong in the table. Every secret has a stand-in.
pub(super) fn of_desk(found: &mut Found<'_>, id: &DeskId, reading: &Reading) -> Option<Capabilities> {
    let desk = &reading.config;
    let settings = secrets::stand_in(id, desk);
    for SettingProblem { key, problem, help } in registry::wrong_settings(&desk.connector, &settings) {
        // What could not be read is missing for the connector; it was reported for what it is.
        if !reading.lost(&key) {
            found.mismatch(&desk.place(&key), format!("[desks.{id}] {key}: {problem}"), help);
        }
    }
    registry::capabilities(&desk.connector, &settings)
}

/// Reports a queue's id that this desk cannot have.
pub(super) fn check_queue(found: &mut Found<'_>, desk: &Capabilities, queue: &QueueSpec, span: &Range<usize>) {
    if let QueueSpec::Id(id) = queue {
        check_id(found, desk.queue_id, id, "a queue's id", desk, span);
    }
}

/// Reports a user's id that this desk cannot have.
pub(super) fn check_user(found: &mut Found<'_>, desk: &Capabilities, id: &At<&str>) {
    check_id(found, desk.user_id, id.value, "a user's id", desk, &id.span);
}

fn check_id(found: &mut Found<'_>, form: IdForm, id: &str, what: &str, desk: &Capabilities, span: &Range<usize>) {
    if !form.fits(id) {
        let message = format!("\"{}\" is not {what} on a {} desk", shown(id), desk.connector);
        found.error(span, message, "it is a number there: write its digits in quotes, such as \"4711\"");
    }
}

/// What a rule is held against: the desk that it acts on, and our own clocks.
#[derive(Clone, Copy)]
pub(super) struct Reach<'a> {
    desk: &'a Capabilities,
    targets: &'a [Target],
}

impl<'a> Reach<'a> {
    /// `None`: one of the two could not be read, so that nothing can be said.
    pub fn of(desks: &'a Desks, desk: Option<&DeskId>, targets: Option<&'a [Target]>) -> Option<Self> {
        Some(Self { desk: desks.get(desk?)?.capabilities.as_ref()?, targets: targets? })
    }

    /// Reports clocks that a rule looks at and nobody gives.
    pub fn check_clocks(&self, found: &mut Found<'_>, section: &Section<'_>, rule: &Rule) {
        let Some(clock) = rule.clocks().into_iter().find(|clock| !self.gives(*clock)) else { return };
        let near = rule.times.before_breach.is_some_and(|before| before.clock == clock);
        let span = section.key_span(if near { "before_breach" } else { "when" });
        let message =
            format!("rule \"{}\" looks at {clock}, and a {} desk has no clocks", rule.name, self.desk.connector);
        let help = format!("add a [targets.NAME] with {clock} = \"…\", or leave the clock out of the rule");
        found.mismatch(&span, message, help);
    }

    /// Reports a rule that waits for something of which only a history says since when it has been so.
    pub fn check_history(&self, found: &mut Found<'_>, section: &Section<'_>, rule: &Rule) {
        if self.desk.readable_history || rule.times.in_status_for.is_none() {
            return;
        }
        let (name, connector) = (&rule.name, self.desk.connector);
        let message =
            format!("rule \"{name}\" waits in a status, and a {connector} desk keeps no history that says since when");
        let help = "use idle_for, held_for, silent_for or open_for, which it can tell".to_owned();
        found.mismatch(&section.key_span("in_status_for"), message, help);
    }

    fn gives(&self, clock: ClockName) -> bool {
        let ours = self.targets.iter().any(|target| target.length(clock).is_some());
        clock == ClockName::Internal || self.desk.sla_clocks || ours
    }

    /// Reports a rule that stops the customer's clock where nothing can be stopped.
    pub fn check_pause(&self, found: &mut Found<'_>, rule: &Rule, clock: &At<ClockDecision>) {
        let CustomerClock::Pause { status, .. } = &clock.value.customer else { return };
        let (name, connector) = (&rule.name, self.desk.connector);
        let Some(pausing) = self.desk.pausing(status) else {
            let words: Vec<String> = self.desk.pausing.iter().map(|pausing| format!("\"{}\"", pausing.word)).collect();
            let help = match words.is_empty() {
                true => "write clock.customer = \"continue\" on the rule".to_owned(),
                false => format!("write clock.customer = {{ pause = {}, at_most = \"1d\" }}", words.join(" or ")),
            };
            let status = shown(status);
            let message = format!(
                "rule \"{name}\" pauses by the status \"{status}\", which stops no clock on a {connector} desk"
            );
            return found.mismatch(&clock.span, message, help);
        };
        let stands = self.targets.iter().any(|target| target.paused_in.contains(&pausing.means));
        if !self.desk.sla_clocks && !stands {
            let message = format!(
                "rule \"{name}\" pauses a clock, and none stands still: a {connector} desk has no clocks of its own"
            );
            let word = pausing.means.name();
            found.mismatch(
                &clock.span,
                message,
                format!("add paused_in = [\"{word}\"] to a [targets.NAME] with a resolution"),
            );
        }
    }
}
