//! The checker: a model of its own, which knows the promises and reads the helpdesk's journal, never the daemon's mind.

use crate::helpdesk::Kind;
use crate::lost::nothing_lost;
use crate::moves::{given_back_stays_back, nobody_overruled};
use crate::news::News;
use crate::promises::{commands_answered_once, commands_of, nobody_still_asked, nothing_in_shadow};
use crate::rooms::{Told, everybody_is_told};
use crate::switches::{Pause, nothing_while_paused};
use crate::tally::Tally;
use crate::versions::{InForce, versions_are_kept};
use handoffd::ledger::records::{EffectRecord, HandoffRecord, Purpose};
use handoffd::ledger::states::{EffectState, HandoffState};
use handoffd::ledger::{HandoffFilter, Ledger};
use handoffd_kit::mark::Mark;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::{Effect, Journal};
use handoffd_sandbox::seed::BOT;
use handoffd_sandbox::ticket::Visibility;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A ticket that is parked because it changed five times changed about so often, by all that show a change twice.
const OFTEN: usize = 3;
/// How much earlier than its look a change of this ticket may have happened that the look met.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// A broken promise, with what replays it.
#[derive(Debug)]
pub struct Broken {
    seed: u64,
    what: String,
}

impl Broken {
    /// This promise was broken on this seed.
    pub fn new(seed: u64, what: impl Into<String>) -> Self {
        Self { seed, what: what.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {0}: {1} (replay: HANDOFFD_SIM_SEED={0} cargo test --test simulation seeds)",
            self.seed, self.what
        )
    }
}

/// What is checked.
pub struct Scene<'a> {
    /// Which helpdesk.
    pub kind: Kind,
    /// How it was heard of.
    pub news: News,
    /// The helpdesk.
    pub sandbox: &'a Sandbox,
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The day's tickets.
    pub tickets: &'a [TicketNo],
    /// Which version of the policy was in force when.
    pub in_force: &'a InForce,
    /// What was paused when.
    pub pauses: &'a [Pause],
    /// What was told outside the helpdesk.
    pub told: &'a [Told],
    /// When a life of the daemon ended.
    pub ends: &'a [Timestamp],
    /// From when until when the ledger could not be written.
    pub ailing: &'a [(Timestamp, Timestamp)],
}

/// Everything that must hold when the day is over and the desk has been healthy for hours.
pub fn check(seed: u64, scene: &Scene<'_>, tally: &mut Tally) -> Vec<Broken> {
    let Scene { kind, sandbox, ledger, tickets, in_force, .. } = scene;
    let journal = sandbox.journal();
    let mut wrong = Vec::new();
    wrong.extend(nothing_doubled(&journal));
    wrong.extend(nothing_internal_went_out(&journal));
    wrong.extend(nobody_overruled(&journal, ledger, kind.unseen()));
    wrong.extend(given_back_stays_back(scene, &journal, tally));
    wrong.extend(nothing_in_shadow(&journal, in_force));
    wrong.extend(versions_are_kept(&journal, ledger, in_force, tally));
    wrong.extend(nothing_while_paused(scene, &journal, tally));
    wrong.extend(everybody_is_told(scene, tally));
    wrong.extend(commands_answered_once(&journal, scene, tally));
    wrong.extend(nobody_still_asked(sandbox, ledger, tickets, tally));
    wrong.extend(everything_ended(&journal, ledger, tally));
    wrong.extend(notes_agree(&journal, ledger, tickets));
    wrong.extend(tickets.iter().flat_map(|no| nothing_lost(scene, &journal, *no, tally)));
    let public = ours(&journal).filter(|effect| effect.visibility == Some(Visibility::Public));
    tally.count("public replies", public.count() as u64);
    for asked in &journal.requests {
        if let Some(fault) = asked.fault {
            tally.count(format!("fault {fault}"), 1);
        }
        tally.count("conflicts met", u64::from(asked.status == Some(409)));
    }
    wrong.into_iter().map(|what| Broken::new(seed, what)).collect()
}

pub fn ours(journal: &Journal) -> impl Iterator<Item = &Effect> {
    journal.effects.iter().filter(|effect| effect.by == BOT)
}

pub fn marks(journal: &Journal) -> impl Iterator<Item = (&Effect, Mark)> {
    ours(journal).filter_map(|effect| Some((effect, Mark::in_text(effect.text.as_deref()?)?)))
}

/// Each effect of a handoff shows once on the helpdesk.
fn nothing_doubled(journal: &Journal) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (_, mark) in marks(journal) {
        *seen.entry(mark.key()).or_default() += 1;
    }
    let doubled = seen.into_iter().filter(|(_, times)| *times > 1);
    let mut wrong: Vec<String> = doubled.map(|(key, times)| format!("{key} stands {times} times")).collect();
    let mut replies: BTreeMap<TicketNo, u32> = BTreeMap::new();
    for effect in ours(journal).filter(|effect| effect.visibility == Some(Visibility::Public)) {
        *replies.entry(effect.ticket).or_default() += 1;
    }
    // quiet_for is a day: one message for each ticket, whatever bounced.
    let loud = replies.into_iter().filter(|(_, times)| *times > 1);
    wrong.extend(loud.map(|(ticket, times)| format!("the customer of {} was written to {times} times", ticket.0)));
    wrong
}

/// A note with a mark is internal; what is public is the signed wording and nothing else.
fn nothing_internal_went_out(journal: &Journal) -> Vec<String> {
    let public = ours(journal).filter(|effect| effect.visibility == Some(Visibility::Public));
    let wording =
        |text: &str| text.contains("are now looking at this. You will hear from us by") && !text.contains("handoffd");
    public
        .filter(|effect| !effect.text.as_deref().is_some_and(wording))
        .map(|effect| format!("public on {}: {:?}", effect.ticket.0, effect.text))
        .collect()
}

/// The handoffs of a ticket, in short.
pub fn story(ledger: &Ledger, ticket: TicketNo) -> Vec<String> {
    let of = HandoffFilter { ticket: Some(ticket.0.to_string().as_str().into()), ..HandoffFilter::default() };
    let short = |one: &HandoffRecord| {
        let (state, rule, detail) = (one.state.name(), &one.proposal.rule, one.detail.as_deref().unwrap_or_default());
        let effects: Vec<String> =
            one.effects.iter().map(|effect| format!("{} {}", effect.number, effect.state.name())).collect();
        format!("{} {rule} {state} ({detail}) {effects:?}", one.id)
    };
    ledger.handoffs(&of).expect("readable").iter().map(short).collect()
}

/// Hours after the last fault nothing is on its way any more; what is parked says why and what to do.
fn everything_ended(journal: &Journal, ledger: &Ledger, tally: &mut Tally) -> Vec<String> {
    let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
    let mut wrong = Vec::new();
    for handoff in ledger.handoffs(&all).expect("readable") {
        tally.count(format!("handoffs {}", handoff.state.name()), 1);
        tally.count(format!("by {}", handoff.proposal.rule), 1);
        if handoff.proposal.chained.is_some() {
            tally.count("handoffs that went on because nobody claimed the case", 1);
        }
        if handoff.claimed.is_some() {
            tally.count("handoffs claimed", 1);
        }
        let reminds = |effect: &&EffectRecord| effect.purpose == Purpose::Reminder && effect.state == EffectState::Done;
        if handoff.effects.iter().any(|effect| reminds(&effect)) {
            tally.count("reminders written", 1);
        }
        if matches!(handoff.state, HandoffState::Sending | HandoffState::Verifying | HandoffState::Asking) {
            let parked = handoff.effects.iter().any(|effect| matches!(effect.state, EffectState::Parked { .. }));
            if !parked {
                wrong.push(format!("{} is still {}: {:?}", handoff.id, handoff.state.name(), handoff.effects));
            }
        }
        for effect in &handoff.effects {
            let parked = matches!(effect.state, EffectState::Parked { .. });
            tally.count("parked", u64::from(parked));
            wrong.extend(changed_too_seldom(journal, &handoff, effect));
            if parked && (effect.reason.is_none() || effect.next_step.is_none()) {
                wrong.push(format!("{} is parked without reason or next step", effect.write.mark.key()));
            }
            // What comes after one that waits for a person waits with it.
            let before = |other: &EffectRecord| other.purpose == effect.purpose && other.number < effect.number;
            let waits = |other: &EffectRecord| before(other) && matches!(other.state, EffectState::Parked { .. });
            let behind = handoff.effects.iter().any(waits) && matches!(effect.state, EffectState::Due { .. });
            if !parked && !behind && !effect.state.is_over() {
                wrong.push(format!("{} is {} in the end", effect.write.mark.key(), effect.state.name()));
            }
        }
    }
    wrong
}

/// What is parked because its ticket changed too often: did it?
fn changed_too_seldom(journal: &Journal, handoff: &HandoffRecord, effect: &EffectRecord) -> Option<String> {
    let often = effect.reason.as_deref().is_some_and(|why| why.contains("times between our reading and our writing"));
    let on = |no: TicketNo| handoff.proposal.ticket.as_str() == no.0.to_string();
    // From the first decision to the last one, which no change in the eyes of the desk outdates.
    let (first, last) = (handoff.created_at - LATE, handoff.proposal.decided_at + LATE);
    let between = |one: &&Effect| on(one.ticket) && (first..=last).contains(&one.at);
    let changes: BTreeSet<_> = journal.effects.iter().filter(between).map(|one| one.change).collect();
    let parked = matches!(effect.state, EffectState::Parked { .. }) && often && changes.len() < OFTEN;
    parked
        .then(|| format!("{} is parked ({:?}) after {} changes", effect.write.mark.key(), effect.reason, changes.len()))
}

/// What the ledger calls done stands on the helpdesk, and nothing stands there that it does not know.
fn notes_agree(journal: &Journal, ledger: &Ledger, tickets: &[TicketNo]) -> Vec<String> {
    let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
    let on_desk: Vec<String> = marks(journal).map(|(_, mark)| mark.key()).collect();
    let mut wrong = Vec::new();
    let mut known = Vec::new();
    for handoff in ledger.handoffs(&all).expect("readable") {
        for effect in &handoff.effects {
            let key = effect.write.mark.key();
            let has_note =
                matches!(&effect.write.change, handoffd_kit::desk::DeskChange::Update(update) if update.note.is_some());
            if effect.state == EffectState::Done && has_note && !on_desk.contains(&key) {
                wrong.push(format!("{key} is done in the ledger and nowhere on the helpdesk"));
            }
            known.push((key, effect.state.clone()));
        }
    }
    let commands = commands_of(ledger, tickets);
    for key in &on_desk {
        // The answer to a command is known by its command.
        if key.split_once('/').is_some_and(|(id, _)| commands.contains_key(id)) {
            continue;
        }
        match known.iter().find(|(known, _)| known == key) {
            None => wrong.push(format!("{key} stands on the helpdesk and is not in the ledger")),
            Some((_, EffectState::Due { .. } | EffectState::InFlight { .. })) => {
                wrong.push(format!("{key} stands on the helpdesk and is not known to be done"));
            }
            Some(_) => {}
        }
    }
    wrong
}
