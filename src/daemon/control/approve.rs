//! A person's yes. The ticket is read again: team, owner, status and matched facts as they were → the effects are planned
//! against it and stored in the approving transaction; else the review ends as stale, and a note on the ticket says so.

use super::execute::may_not;
use super::{CommandError, Reply};
use crate::cases::chosen;
use crate::cases::examine::planned_signature;
use crate::cases::overtaken::overtaken;
use crate::cases::review::{Still, as_shown, compare};
use crate::cases::work::{ReadCase, Trouble};
use crate::daemon::house::House;
use crate::desks::Station;
use crate::ledger::Act;
use crate::ledger::records::{HandoffRecord, ReviewAnswer, Switch};
use crate::ledger::states::HandoffState;
use crate::plan::review::yes;
use crate::plan::{PlannedEffect, approved_effects, stale_note};
use crate::policy::names::TeamName;
use crate::policy::offer::{self, Offer, offers};
use crate::policy::proposal::Proposal;
use crate::policy::reviewers::{Who, may_approve};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{PartKind, PartSet};
use jiff::SignedDuration;

/// How soon the answers to a person who waits should come.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn approve(
    house: &House,
    id: &str,
    to: Option<TeamName>,
    who: &str,
    act: Act,
) -> Result<Reply, CommandError> {
    let asked = id.to_owned();
    let (handoff, switches) =
        house.ledger.call(move |ledger| Ok((ledger.handoff(&asked)?, ledger.switches()?))).await?;
    if handoff.state != HandoffState::InReview {
        let state = handoff.state.name().replace('_', " ");
        return Err(CommandError::Refused(format!("handoff {id} is not in review but {state}")));
    }
    let proposal = &handoff.proposal;
    let offers = offers(proposal, &handoff.risks);
    if to.is_none() && offers.len() > 1 {
        let words = format!("rules want different teams for {id}: say which one is meant, nothing is done");
        return Err(CommandError::Wrong(format!("{words}. Accepted: {}", by_order(&offers))));
    }
    let named = to.map(|team| named(house, &handoff, &offers, &team)).transpose()?;
    if let Some(team) = named.filter(|team| *team != proposal.to) {
        return choose(house, &handoff, &team, who, act).await;
    }
    may_approve(&house.policy, proposal, &Who::named(who))
        .map_err(|why| with_choice(may_not(proposal, who, &why), &offers))?;
    if switches.iter().any(|on| on.switch.stops(proposal)) {
        return Err(CommandError::Refused(format!("{id} is paused: `handoffd resume` first, then approve")));
    }
    let station = station(house, &proposal.desk)?;
    let mut read = read(house, station, proposal).await?;
    match judge(house, station, &handoff, &mut read).await? {
        Still::Waits(why) => Err(CommandError::Refused(format!("{id} cannot be sent now: {why}; approve it later"))),
        Still::Stale(why) => end_as_stale(house, station, &handoff, &read, &why, act).await,
        Still::Same(fresh) => {
            let look = house.cases.look(station, &proposal.desk, &read, None);
            let reviewed = as_shown(proposal, *fresh);
            let signature = planned_signature(&look, &reviewed);
            let yes = yes(&reviewed, &act.by, act.at, act.reason.as_deref());
            let planned = approved_effects(&reviewed, id, look.capabilities, look.head, signature, &yes);
            send(house, &handoff, planned, reviewed, act).await
        }
    }
}

/// The team on offer that an order names.
fn named(
    house: &House,
    review: &HandoffRecord,
    offers: &[Offer<'_>],
    team: &TeamName,
) -> Result<TeamName, CommandError> {
    offer::chosen(&house.policy, &review.proposal.desk, offers, team.as_str()).map_err(|known| {
        let words = format!("{} is about {known}, and not about {team}: nothing is done", review.id);
        CommandError::Wrong(format!("{words}. Accepted: {}", by_order(offers)))
    })
}

/// A refusal, with how each of the teams is chosen where there are several.
fn with_choice(error: CommandError, offers: &[Offer<'_>]) -> CommandError {
    match error {
        CommandError::Refused(words) if offers.len() > 1 => {
            CommandError::Refused(format!("{words}. Rules want different teams here: {}", by_order(offers)))
        }
        other => other,
    }
}

/// How each of the teams is chosen by an order.
fn by_order(offers: &[Offer<'_>]) -> String {
    offers.iter().map(|offer| format!("--to {}", offer.to)).collect::<Vec<_>>().join(", ")
}

/// A yes to another of the teams that rules want, of whoever may decide for that one.
async fn choose(
    house: &House,
    review: &HandoffRecord,
    team: &TeamName,
    who: &str,
    act: Act,
) -> Result<Reply, CommandError> {
    let (id, asked) = (&review.id, chosen::about(review, team));
    let offers = offers(&review.proposal, &review.risks);
    may_approve(&house.policy, &asked, &Who::named(who))
        .map_err(|why| with_choice(may_not(&asked, who, &why), &offers))?;
    let station = station(house, &asked.desk)?;
    let mut read = read(house, station, &asked).await?;
    if let Some(why) = overtaken_now(house, station, review, &mut read).await? {
        return end_as_stale(house, station, review, &read, &why, act).await;
    }
    read.record.memory.chosen = Some(team.clone());
    let deadline = house.seams.clock.now() + AT_ONCE;
    let update = house.cases.conclude(station, &asked.desk, &mut read, None, deadline).await?;
    let fresh = chosen::proposed(review, update.verdict.as_ref(), team)
        .map_err(|why| CommandError::Refused(format!("{id} cannot go to {team}: {why}")))?;
    // Whose request it carries out is known only now.
    may_approve(&house.policy, &fresh, &Who::named(who)).map_err(|why| may_not(&fresh, who, &why))?;
    let look = house.cases.look(station, &asked.desk, &read, None);
    let answer = chosen::answer(&look, review, *fresh, act.by, act.reason);
    let (touched, new) = (answer.effects.len(), answer.handoff.clone());
    house.ledger.call(move |ledger| ledger.approve(&answer)).await?;
    let said = format!("{new} takes the place of {id} and is approved: {}/{} goes to {team}", asked.desk, asked.ticket);
    Ok(Reply::new(said, touched))
}

impl Switch {
    /// Whether this switch stops that handoff.
    fn stops(&self, proposal: &Proposal) -> bool {
        match self {
            Self::All => true,
            Self::Desk(desk) => desk == &proposal.desk,
            Self::Rule(rule) => rule == &proposal.rule,
        }
    }
}

pub(super) fn station<'a>(house: &'a House, desk: &DeskId) -> Result<&'a Station, CommandError> {
    let missing = || CommandError::Refused(format!("the desk {desk} is not in the configuration any more"));
    house.desks.get(desk).ok_or_else(missing)
}

/// Reads the ticket's head now, with what the ledger knows.
pub(super) async fn read(house: &House, station: &Station, proposal: &Proposal) -> Result<ReadCase, CommandError> {
    let deadline = house.seams.clock.now() + AT_ONCE;
    let read = house.cases.begin(station, &proposal.desk, &proposal.ticket, None, deadline).await;
    read.map_err(|trouble| match trouble {
        Trouble::Desk(error) => error.into(),
        Trouble::Ledger(error) => error.into(),
    })
}

/// Reads the history, where the desk has one and it was not read yet.
pub(super) async fn read_history(house: &House, station: &Station, read: &mut ReadCase) -> Result<(), DeskError> {
    if station.desk.capabilities().readable_history && read.parts.history.is_none() {
        let deadline = house.seams.clock.now() + AT_ONCE;
        let parts = station.desk.parts(&read.head, PartSet::of(&[PartKind::History]), deadline).await?;
        read.parts.merge(parts);
    }
    Ok(())
}

/// What somebody has decided otherwise since the question, if anything.
async fn overtaken_now(
    house: &House,
    station: &Station,
    handoff: &HandoffRecord,
    read: &mut ReadCase,
) -> Result<Option<String>, CommandError> {
    // Nothing at all has changed since the look that asked: no call is needed to know it.
    if read.record.last_version.as_ref() != Some(&read.head.version) {
        read_history(house, station, read).await?;
    }
    Ok(overtaken(&house.cases.look(station, &handoff.proposal.desk, read, None), handoff))
}

async fn judge(
    house: &House,
    station: &Station,
    handoff: &HandoffRecord,
    read: &mut ReadCase,
) -> Result<Still, CommandError> {
    if let Some(why) = overtaken_now(house, station, handoff, read).await? {
        return Ok(Still::Stale(why));
    }
    let proposal = &handoff.proposal;
    let deadline = house.seams.clock.now() + AT_ONCE;
    let update = house.cases.conclude(station, &proposal.desk, read, None, deadline).await?;
    Ok(compare(handoff, update.verdict.as_ref(), &house.policy))
}

async fn send(
    house: &House,
    handoff: &HandoffRecord,
    effects: Vec<PlannedEffect>,
    proposal: Proposal,
    act: Act,
) -> Result<Reply, CommandError> {
    let Act { by, reason, at } = act;
    let touched = effects.len();
    let proposal = Some(Box::new(proposal));
    let answer = ReviewAnswer { handoff: handoff.id.clone(), by, reason, at, effects, proposal, chosen: None };
    house.ledger.call(move |ledger| ledger.approve(&answer)).await?;
    let proposal = &handoff.proposal;
    let said = format!("{} is approved: {}/{} goes to {}", handoff.id, proposal.desk, proposal.ticket, proposal.to);
    Ok(Reply::new(said, touched))
}

async fn end_as_stale(
    house: &House,
    station: &Station,
    handoff: &HandoffRecord,
    read: &ReadCase,
    why: &str,
    act: Act,
) -> Result<Reply, CommandError> {
    let note = read
        .head
        .ending
        .is_none()
        .then(|| stale_note(&handoff.proposal, &handoff.id, why, station.desk.capabilities(), &read.head, act.at));
    let (id, reason) = (handoff.id.clone(), why.to_owned());
    house.ledger.call(move |ledger| ledger.end_stale_review(&id, &reason, note.clone(), act.at)).await?;
    house.wake.call();
    let words = format!(
        "{} was not sent: {why}. The review ends as stale, with a note on the ticket; the case is decided anew",
        handoff.id
    );
    Err(CommandError::Refused(words))
}
