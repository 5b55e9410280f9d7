//! The promises about what people order: a command is answered once, nothing is written in shadow, nobody is asked for ever.

use crate::checker::{Scene, marks, ours, story};
use crate::tally::Tally;
use crate::versions::InForce;
use handoffd::ledger::commands::CommandRecord;
use handoffd::ledger::states::EffectState;
use handoffd::ledger::{HandoffFilter, Ledger};
use handoffd::policy::names::TeamName;
use handoffd_kit::id::TicketId;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Journal;
use handoffd_sandbox::ticket::Status;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// A write that had left before a restart may arrive so late.
const LATE: SignedDuration = SignedDuration::from_secs(60);

fn all_of(ticket: Option<TicketNo>) -> HandoffFilter {
    let ticket = ticket.map(|no| TicketId::from(no.0));
    HandoffFilter { limit: Some(usize::MAX), ticket, ..HandoffFilter::default() }
}

/// The commands that were heard, by id.
pub fn commands_of(ledger: &Ledger, tickets: &[TicketNo]) -> BTreeMap<String, (TicketNo, CommandRecord)> {
    let of = |no: &TicketNo| {
        let heard = ledger.commands(&"acme".into(), &TicketId::from(no.0)).expect("readable");
        heard.into_iter().map(|command| (command.id.clone(), (*no, command))).collect::<Vec<_>>()
    };
    tickets.iter().flat_map(of).collect()
}

/// Where a team's cases lie; without a team, where new ones do.
pub fn queue_of(team: Option<&TeamName>) -> &'static str {
    match team.map(TeamName::as_str) {
        None => "Incoming",
        Some("frontline") => "Support",
        Some("billing") => "Billing",
        Some(_) => "Tier 2",
    }
}

/// Nothing of ours is written while the master switch is in shadow.
pub fn nothing_in_shadow(journal: &Journal, in_force: &InForce) -> Vec<String> {
    let within = |at: jiff::Timestamp| in_force.is_shadow(at) && in_force.is_shadow(at - LATE);
    ours(journal)
        .filter(|effect| within(effect.at))
        .map(|effect| format!("{} was written to in shadow, at {}: {}", effect.ticket.0, effect.at, effect.what))
        .collect()
}

/// Each command is answered once at the most; one that was refused is answered as long as its ticket takes notes.
pub fn commands_answered_once(journal: &Journal, scene: &Scene<'_>, tally: &mut Tally) -> Vec<String> {
    let Scene { sandbox, ledger, tickets, in_force, .. } = scene;
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    for (_, mark) in marks(journal).filter(|(_, mark)| mark.rule == "command" && mark.number == 1) {
        *answers.entry(mark.handoff).or_default() += 1;
    }
    let acts = ledger.acts(1, usize::MAX).expect("readable");
    let mut wrong = Vec::new();
    for (id, (no, command)) in commands_of(ledger, tickets) {
        tally.count(format!("commands {} {}", command.verb, command.outcome), 1);
        let answered = answers.remove(&id).unwrap_or(0);
        if answered > 1 {
            wrong.push(format!("command {id} ({}) on {} was answered {answered} times", command.verb, no.0));
        }
        let takes_notes =
            sandbox.ticket(no).is_some_and(|ticket| ticket.end.is_none() && ticket.status != Status::Closed);
        // A review that was approved too late says so in a note of its own; in shadow nobody is answered.
        let silent = in_force.may_be_shadow(command.heard_at) || command.words.contains("ends as stale");
        // One that the helpdesk refused was parked, and a person gave it up.
        let given_up = acts.iter().any(|act| act.what == "drop" && act.about == format!("{id}/1"));
        if command.outcome == "refused" && answered == 0 && takes_notes && !silent && !given_up {
            wrong.push(format!("command {id} on {} was refused and not answered: {}", no.0, command.words));
        }
    }
    wrong.extend(answers.into_keys().map(|id| format!("an answer to {id}, which nobody gave")));
    wrong
}

/// Hours after the last time an agent could be asked, no ticket still says that somebody is.
pub fn nobody_still_asked(sandbox: &Sandbox, ledger: &Ledger, tickets: &[TicketNo], tally: &mut Tally) -> Vec<String> {
    let mut wrong = Vec::new();
    for no in tickets {
        let handoffs = ledger.handoffs(&all_of(Some(*no))).expect("readable");
        let asked = handoffs.iter().filter(|handoff| handoff.ask_until.is_some());
        tally.count("askings", asked.clone().count() as u64);
        // What a person gave up, or the desk refused, stays as it is.
        let given_up = |state: &EffectState| !matches!(state, EffectState::Done);
        let left = asked.flat_map(|handoff| &handoff.effects).any(|effect| given_up(&effect.state));
        let ticket = sandbox.ticket(*no).expect("the ticket");
        let takes = ticket.end.is_none() && ticket.status != Status::Closed;
        if takes && !left && ticket.tags.contains("handoffd-asking") {
            wrong.push(format!("ticket {} still says that somebody is asked: {:?}", no.0, story(ledger, *no)));
        }
    }
    wrong
}
