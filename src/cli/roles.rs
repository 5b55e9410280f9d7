//! Who was what while a team had a case: responsible, accountable, consulted, informed. Told from what the ledger recorded of
//! its owners and of the handoff that brought it there. Pure.

use crate::ledger::records::{EffectRecord, HandoffRecord, Purpose, Span, SpanOf};
use crate::ledger::states::EffectState;
use crate::plan;
use crate::policy::rules::CustomerFacing;
use handoffd_kit::desk::DeskChange;
use jiff::SignedDuration;
use serde::Serialize;

/// The roles of one stay with a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Roles {
    /// Who did the work: its owners in that time, else the team.
    pub responsible: Vec<String>,
    /// Which team answered for its clocks.
    pub accountable: Option<String>,
    /// Who was asked: the agent before, with what was left to them, and who said yes to the handoff.
    pub consulted: Vec<String>,
    /// Who was told: the customer, the lead of a team that did not take it on.
    pub informed: Vec<String>,
}

/// How far apart one instant may be told: a desk counts whole seconds by its own clock, we count milliseconds by ours.
const PRECISION: SignedDuration = SignedDuration::from_secs(2);
/// The same where no history told it: an owner is then seen with the next look.
const SEEN: SignedDuration = SignedDuration::from_mins(2);

/// The roles in one stay of a team; none for an owner's span, or where no team of ours had it.
pub fn roles(stay: &Span, spans: &[Span], handoffs: &[HandoffRecord]) -> Option<Roles> {
    let team = stay.id.as_ref().filter(|_| stay.of == SpanOf::Team)?;
    let owners: Vec<&Span> = spans.iter().filter(|span| span.of == SpanOf::Owner).collect();
    let in_it = owners.iter().enumerate().filter(|(at, owner)| is_in(owner, owners.get(at + 1).copied(), stay));
    let mut ids: Vec<&String> = Vec::new();
    let mut responsible: Vec<String> = Vec::new();
    for (_, owner) in in_it {
        let Some(id) = owner.id.as_ref().filter(|id| !ids.contains(id)) else { continue };
        ids.push(id);
        responsible.extend(known_as(owner, spans).map(str::to_owned));
    }
    if responsible.is_empty() {
        responsible.push(team.clone());
    }
    let handoff = stay.handoff.as_ref().and_then(|id| handoffs.iter().find(|handoff| handoff.id == *id));
    let accountable = handoff.and_then(|handoff| handoff.proposal.accountable()).map(ToString::to_string);
    Some(Roles {
        responsible,
        accountable: accountable.or_else(|| Some(team.clone())),
        consulted: handoff.map(consulted).unwrap_or_default(),
        informed: handoff.map(informed).unwrap_or_default(),
    })
}

/// What somebody is called, by the latest span that tells their name: some desks tell now the name, now only the login.
pub fn known_as<'s>(span: &'s Span, spans: &'s [Span]) -> Option<&'s str> {
    let id = span.id.as_deref()?;
    let theirs = |other: &&Span| other.of == span.of && other.id.as_deref() == Some(id);
    let mut names = spans.iter().rev().filter(theirs).filter_map(|other| other.name.as_deref());
    Some(names.find(|name| *name != id).unwrap_or(id))
}

/// Whether somebody owned the case during a stay: not only as long as it takes to tell that they had it just before, or have it
/// just after. `next`: who owned it then.
fn is_in(owner: &Span, next: Option<&Span>, stay: &Span) -> bool {
    let slack = |span: &Span| if span.change.is_some() || span.handoff.is_some() { PRECISION } else { SEEN };
    let ended = owner.until.is_some_and(|until| until <= stay.from);
    let is_over = stay.until.is_some_and(|until| until <= owner.from);
    let had_it = owner.from < stay.from
        && owner.until.is_some_and(|until| until.duration_since(stay.from) <= next.map_or(PRECISION, slack));
    let gets_it = stay.until.is_some_and(|until| {
        until.duration_since(owner.from) <= PRECISION
            && owner.from.duration_since(stay.from) > PRECISION
            && owner.until.is_none_or(|owned| owned > until)
    });
    !(ended || is_over || had_it || gets_it)
}

fn consulted(handoff: &HandoffRecord) -> Vec<String> {
    let owner = &handoff.proposal.owner;
    let before = owner.previous.clone().or_else(|| handoff.proposal.from.as_ref().map(ToString::to_string));
    let asked = before.filter(|_| owner.previous_task.is_some());
    asked.into_iter().chain(handoff.approved_by.clone()).collect()
}

fn informed(handoff: &HandoffRecord) -> Vec<String> {
    let done = |is: fn(&EffectRecord) -> bool| {
        handoff.effects.iter().any(|effect| effect.state == EffectState::Done && is(effect))
    };
    let customer = done(|effect| matches!(effect.write.change, DeskChange::Reply(_)));
    let lead = done(|effect| effect.purpose == Purpose::Reminder && !plan::review::NUMBERS.contains(&effect.number));
    let proposal = &handoff.proposal;
    let stays_in_touch = proposal.owner.customer_facing == CustomerFacing::Previous;
    let previous = proposal.owner.previous.clone().filter(|_| stays_in_touch && proposal.owner.previous_task.is_none());
    let lead = lead.then(|| format!("the lead of {}", proposal.to));
    customer.then(|| "the customer".to_owned()).into_iter().chain(previous).chain(lead).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::samples::{accepted, at, claim, decide, ledger, sending};
    use crate::policy::rules::Accountable;

    fn span(of: SpanOf, id: &str, from: i64, until: Option<i64>, handoff: Option<&str>) -> Span {
        Span {
            of,
            id: Some(id.into()),
            name: None,
            from: at(from),
            until: until.map(at),
            change: None,
            by: None,
            handoff: handoff.map(str::to_owned),
        }
    }

    fn handoff(ledger: &mut crate::ledger::Ledger) -> HandoffRecord {
        ledger.handoff("h1").expect("a handoff")
    }

    #[test]
    fn owners_of_the_time_are_responsible_else_the_team_is() {
        let stay = span(SpanOf::Team, "billing", 10, Some(20), None);
        let spans = [
            span(SpanOf::Owner, "before", 0, Some(10), None),
            span(SpanOf::Owner, "21", 10, Some(15), None),
            span(SpanOf::Owner, "22", 15, None, None),
        ];
        let found = roles(&stay, &spans, &[]).expect("a team's");
        assert_eq!(found.responsible, ["21", "22"]);
        assert_eq!((found.accountable.as_deref(), found.consulted.len()), (Some("billing"), 0));
        assert_eq!(roles(&stay, &spans[..1], &[]).expect("a team's").responsible, ["billing"]);
        assert_eq!(roles(&spans[0], &spans, &[]), None);
    }

    #[test]
    fn who_had_it_just_before_or_has_it_just_after_is_not_named() {
        let at_millis =
            |millis| jiff::Timestamp::from_millisecond(at(0).as_millisecond() + millis).expect("an instant");
        let mut stay = span(SpanOf::Team, "billing", 0, None, Some("h1"));
        (stay.from, stay.until) = (at_millis(10_350), Some(at_millis(20_350)));
        let owner = |id: &str, from: i64, until: Option<i64>, change: Option<&str>| {
            let mut owner = span(SpanOf::Owner, id, from, until, None);
            owner.change = change.map(str::to_owned);
            owner
        };
        // Told by the desk, in whole seconds by its clock.
        let spans = [
            owner("before", 0, Some(11), Some("1")),
            owner("21", 11, Some(20), Some("2")),
            owner("after", 20, None, Some("3")),
        ];
        assert_eq!(roles(&stay, &spans, &[]).expect("a team's").responsible, ["21"]);
        // Only seen, with our next look.
        let spans = [owner("before", 0, Some(15), None), owner("21", 15, None, None)];
        assert_eq!(roles(&stay, &spans, &[]).expect("a team's").responsible, ["21"]);
        // Who kept it is named.
        let spans = [owner("before", 0, None, None)];
        assert_eq!(roles(&stay, &spans, &[]).expect("a team's").responsible, ["before"]);
        let spans = [owner("before", 0, Some(19), Some("1")), owner("after", 19, None, Some("2"))];
        assert_eq!(roles(&stay, &spans, &[]).expect("a team's").responsible, ["before"]);
    }

    #[test]
    fn one_person_under_two_names_is_named_once() {
        let stay = span(SpanOf::Team, "billing", 0, Some(100), None);
        let mut spans = [span(SpanOf::Owner, "chen", 0, Some(50), None), span(SpanOf::Owner, "chen", 50, None, None)];
        spans[1].name = Some("Chen Example".into());
        assert_eq!(roles(&stay, &spans, &[]).expect("a team's").responsible, ["Chen Example"]);
        assert_eq!(known_as(&spans[0], &spans), Some("Chen Example"));
    }

    #[test]
    fn the_handoff_says_who_answers_who_was_asked_and_who_was_told() {
        let mut ledger = ledger();
        let mut new = sending("h1", "1", "v1");
        new.proposal.clock.accountable = Accountable::From;
        new.proposal.owner.previous = Some("First Agent".into());
        new.proposal.owner.previous_task = Some("Answer questions".into());
        decide(&mut ledger, new, at(0));
        let stay = span(SpanOf::Team, "billing", 10, None, Some("h1"));
        let found = roles(&stay, &[], &[handoff(&mut ledger)]).expect("a team's");
        assert_eq!(found.accountable.as_deref(), Some("frontline"));
        assert_eq!((found.consulted, found.informed.len()), (vec!["First Agent".to_owned()], 0));
        // The transfer, then the word to the customer.
        for version in ["v2", "v3"] {
            let effect = claim(&mut ledger, at(1)).expect("an effect");
            ledger.record_outcome(&accepted(&effect, version, at(1))).expect("recorded");
        }
        let found = roles(&stay, &[], &[handoff(&mut ledger)]).expect("a team's");
        assert_eq!(found.informed, ["the customer"]);
    }
}
