//! Every move of ours is a handoff's, goes the way that this handoff says, and covers no decision of anybody else; what was
//! given back stays back. Held by the helpdesk's journal: who moved what when, and what changed in between.

use crate::checker::{Scene, ours, story};
use crate::promises::queue_of;
use crate::tally::Tally;
use handoffd::ledger::records::HandoffRecord;
use handoffd::ledger::states::HandoffState;
use handoffd::ledger::{HandoffFilter, Ledger};
use handoffd::plan::{carries_out, puts_back};
use handoffd::policy::proposal::HandoffKind;
use handoffd_kit::id::TicketId;
use handoffd_kit::mark::Mark;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::{Effect, Journal};
use handoffd_sandbox::seed::BOT;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// All handoffs of a ticket, oldest first.
pub fn handoffs_of(ledger: &Ledger, ticket: TicketNo) -> Vec<HandoffRecord> {
    let filter =
        HandoffFilter { limit: Some(usize::MAX), ticket: Some(TicketId::from(ticket.0)), ..HandoffFilter::default() };
    let mut handoffs = ledger.handoffs(&filter).expect("readable");
    handoffs.sort_by_key(|one| one.created_at);
    handoffs
}

/// What a move of ours was for.
struct Move<'a> {
    effect: &'a Effect,
    mark: Mark,
    handoff: HandoffRecord,
}

impl Move<'_> {
    /// Whether it carries its handoff out; else it puts the case back.
    fn is_forward(&self) -> bool {
        carries_out(self.mark.number)
    }

    /// Whether it is a way that its handoff allows.
    fn is_its_way(&self) -> bool {
        let (handoff, proposal) = (&self.handoff, &self.handoff.proposal);
        let (from, to) = (queue_of(proposal.from.as_ref()), queue_of(Some(&proposal.to)));
        let way = (self.effect.from.as_deref(), self.effect.to.as_deref());
        if self.is_forward() {
            return way == (Some(from), Some(to));
        }
        // What the last team of a chain rejects goes to whoever gave it first; an undo takes back the last step alone.
        let giver = proposal.giver().map(|giver| giver.team);
        let back = match handoff.state {
            HandoffState::Rejected => queue_of(giver.as_ref()),
            HandoffState::Undone => from,
            _ => return false,
        };
        puts_back(self.mark.number) && way == (Some(to), Some(back))
    }
}

fn of_move<'a>(journal: &Journal, ledger: &Ledger, effect: &'a Effect) -> Option<Move<'a>> {
    cause_of(journal, ledger, effect).map(|(mark, handoff)| Move { effect, mark, handoff })
}

/// The handoff that something of ours was done for, by the mark that was written with it, or in the call before it.
pub fn cause_of(journal: &Journal, ledger: &Ledger, effect: &Effect) -> Option<(Mark, HandoffRecord)> {
    let marks_of = |other: &Effect| Mark::in_text(other.text.as_deref()?);
    let same = journal.of(effect.ticket).filter(|other| other.change == effect.change).find_map(marks_of);
    let moves = |mark: &Mark| carries_out(mark.number) || puts_back(mark.number);
    let before = || {
        let ours = ours(journal).filter(|other| other.ticket == effect.ticket && other.change < effect.change);
        ours.filter_map(marks_of).filter(|mark| mark.rule != "command").filter(moves).last()
    };
    let mark = same.or_else(before)?;
    let handoff = handoffs_of(ledger, effect.ticket).into_iter().find(|one| one.id == mark.handoff)?;
    Some((mark, handoff))
}

/// What happened to a ticket until then, a line each.
pub fn so_far(journal: &Journal, ticket: TicketNo, until: Timestamp) -> Vec<String> {
    let told = |one: &Effect| {
        let mark = one.text.as_deref().and_then(Mark::in_text).map(|mark| mark.key()).unwrap_or_default();
        format!("{} {} {} {:?} {:?} {mark}", one.at, one.by, one.what, one.from, one.to)
    };
    journal.of(ticket).filter(|one| one.at <= until).map(told).collect()
}

/// Every move of ours goes its handoff's way, from where the case lay, and nobody has decided otherwise since the decision.
pub fn nobody_overruled(journal: &Journal, ledger: &Ledger, unseen: SignedDuration) -> Vec<String> {
    let mut wrong = Vec::new();
    for effect in ours(journal).filter(|effect| effect.what == "queue") {
        let Effect { ticket, from, to, at, .. } = effect;
        let moved = || format!("{} was moved from {from:?} to {to:?} at {at}", ticket.0);
        let Some(by) = of_move(journal, ledger, effect) else {
            wrong.push(format!("{}, by no handoff: {:?}", moved(), story(ledger, *ticket)));
            continue;
        };
        // Somebody moved the case between our comparing read and the write's arrival.
        let slipped =
            |other: &Effect| other.by != BOT && other.what == "queue" && other.at <= *at && *at <= other.at + unseen;
        let unknown_then = unseen.is_positive() && journal.of(*ticket).any(slipped);
        if !(by.is_its_way() || unknown_then) {
            let story = story(ledger, *ticket);
            let so_far = so_far(journal, *ticket, *at);
            wrong.push(format!("{}, which is not the way of {}: {story:?} {so_far:#?}", moved(), by.mark.key()));
        }
        let decided = by.handoff.proposal.decided_at;
        let between = |other: &&Effect| other.by != BOT && decided < other.at && other.at + unseen < *at;
        let covered = journal.of(*ticket).filter(between).find(|other| decides(other, &by.handoff));
        if let Some(other) = covered.filter(|_| by.is_forward()) {
            wrong.push(format!(
                "{}, decided at {decided}, over {} by {} at {}",
                moved(),
                other.what,
                other.by,
                other.at
            ));
        }
    }
    wrong
}

/// Whether a change ends the decision behind a handoff: of team, owner, status, or a fact that its rule matched.
fn decides(change: &Effect, handoff: &HandoffRecord) -> bool {
    let proposal = &handoff.proposal;
    // The way back rests on no facts.
    let by_facts = matches!(proposal.kind, HandoffKind::Route | HandoffKind::Escalate);
    matches!(change.what, "queue" | "owner" | "status") || by_facts && is_matched_by(proposal.rule.as_str(), change)
}

/// Whether a change is of a fact that this rule of the simulation's policy looks at.
pub fn is_matched_by(rule: &str, change: &Effect) -> bool {
    match rule {
        "refund-over-limit" => changes_label(change, "refund") || changes_amount(change),
        "premium-outage" => changes_label(change, "outage"),
        "crash" => changes_label(change, "crash"),
        "seen" => changes_label(change, "seen"),
        _ => false,
    }
}

fn changes_amount(change: &Effect) -> bool {
    change.what == "field"
        && change.to.as_deref().is_some_and(|to| to.starts_with("Refund (EUR)") || to.starts_with("refund_eur"))
}

/// Labels that a rule does not ask for say nothing to it.
fn changes_label(change: &Effect, label: &str) -> bool {
    let has = |line: &Option<String>| line.as_deref().unwrap_or_default().split(' ').any(|word| word == label);
    change.what == "tags" && has(&change.from) != has(&change.to)
}

/// Whether a person said that a case goes there: asked for it, or said yes to it.
fn on_a_word(handoff: &HandoffRecord) -> bool {
    handoff.proposal.asked.is_some() || handoff.approved_by.is_some()
}

/// What the receiving team gave back, what was undone, rejected or contested stays back: the same team gets it again only
/// after a fact that the rule matches has changed, or on somebody's word.
pub fn given_back_stays_back(scene: &Scene<'_>, journal: &Journal, tally: &mut Tally) -> Vec<String> {
    let mut wrong = Vec::new();
    for no in scene.tickets {
        let mut paths = Paths::default();
        for effect in journal.of(*no) {
            wrong.extend(paths.follow(scene, journal, effect, tally));
        }
        wrong.extend(no_is_no(scene.ledger, journal, *no, tally));
    }
    wrong
}

/// The paths from Support of one ticket, while its journal is read.
#[derive(Default)]
struct Paths {
    /// Queues that a handoff brought the case into where it still is.
    there: BTreeSet<String>,
    /// Queues that have given the case back, with what has changed since.
    closed: BTreeMap<String, Vec<Effect>>,
}

impl Paths {
    fn follow(&mut self, scene: &Scene<'_>, journal: &Journal, effect: &Effect, tally: &mut Tally) -> Option<String> {
        match (effect.what, effect.by.as_str()) {
            ("queue", BOT) => return self.our_move(scene, journal, effect, tally),
            ("queue", _) => {
                let from = effect.from.clone().unwrap_or_default();
                let had_it = self.there.remove(&from);
                if had_it && effect.to.as_deref() == Some("Support") {
                    tally.count("cases given back by a person", 1);
                    self.closed.insert(from, Vec::new());
                }
            }
            (_, BOT) => {}
            _ => self.closed.values_mut().for_each(|since| since.push(effect.clone())),
        }
        None
    }

    fn our_move(&mut self, scene: &Scene<'_>, journal: &Journal, effect: &Effect, tally: &mut Tally) -> Option<String> {
        let by = of_move(journal, scene.ledger, effect)?;
        let (from, to) = (effect.from.clone()?, effect.to.clone()?);
        if !by.is_forward() {
            self.there.remove(&from);
            tally.count("cases put back on a word", 1);
            self.closed.insert(from, Vec::new());
            return None;
        }
        if by.handoff.proposal.kind == HandoffKind::Back {
            self.there.remove(&from);
            tally.count("cases handed back as done", 1);
            self.closed.insert(from, Vec::new());
            return None;
        }
        if from != "Support" {
            self.there.remove(&from);
            return None;
        }
        self.there.insert(to.clone());
        let since = self.closed.remove(&to)?;
        let rule = by.handoff.proposal.rule.as_str();
        if on_a_word(&by.handoff) || since.iter().any(|change| is_matched_by(rule, change)) {
            tally.count("closed paths opened", 1);
            return None;
        }
        let (no, at) = (effect.ticket.0, effect.at);
        let (story, so_far) = (story(scene.ledger, effect.ticket), so_far(journal, effect.ticket, at));
        Some(format!("{no} went to {to} again at {at}, by {}: {story:?} {so_far:#?}", by.mark.key()))
    }
}

/// What a reviewer said no to, or what was given up before it was sent, is not decided again by itself.
fn no_is_no(ledger: &Ledger, journal: &Journal, no: TicketNo, tally: &mut Tally) -> Vec<String> {
    let handoffs = handoffs_of(ledger, no);
    let unsent = |one: &HandoffRecord| one.sent_at.is_none() && one.state == HandoffState::Rejected;
    let mut wrong = Vec::new();
    for (at, said_no) in handoffs.iter().enumerate().filter(|(_, one)| unsent(one)) {
        tally.count("reviews answered with no", 1);
        let same_way = |one: &&HandoffRecord| {
            (&one.proposal.from, &one.proposal.to) == (&said_no.proposal.from, &said_no.proposal.to) && !on_a_word(one)
        };
        let Some(again) = handoffs.iter().skip(at + 1).find(same_way) else { continue };
        let between = |change: &&Effect| {
            change.by != BOT && said_no.created_at < change.at && change.at <= again.proposal.decided_at
        };
        if !journal.of(no).filter(between).any(|change| is_matched_by(again.proposal.rule.as_str(), change)) {
            wrong.push(format!("{} was decided after a no: {:?}", again.id, story(ledger, no)));
        }
    }
    wrong
}

/// The last thing that somebody else did to a ticket.
pub fn last_change(journal: &Journal, no: TicketNo, counts: impl Fn(&Effect) -> bool) -> Option<Timestamp> {
    journal.of(no).filter(|effect| effect.by != BOT && counts(effect)).map(|effect| effect.at).max()
}
