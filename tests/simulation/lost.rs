//! Nothing is lost: every ticket was looked at after its last change, and one that matches a rule in the end, by a model of
//! the rules that is the checker's own, is asked about, or the ledger says why not, and the day's journal bears it out.

use crate::checker::{Scene, story};
use crate::moves::{handoffs_of, is_matched_by, last_change, so_far};
use crate::news::News;
use crate::promises::queue_of;
use crate::tally::Tally;
use handoffd::ledger::records::HandoffRecord;
use handoffd::ledger::states::{EffectState, HandoffState};
use handoffd::policy::proposal::HandoffKind;
use handoffd::policy::verdict::Risk;
use handoffd_kit::id::TicketId;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::{Asked, Effect, Journal, Kind};
use handoffd_sandbox::seed::{BOT, REFUND_EUR};
use handoffd_sandbox::ticket::{Status, Ticket};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// However the day goes, by then a look has seen where a case lies: longer than all outages of a day together.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_hours(5);

/// A rule that must act on a ticket as it is now, and where it would take it.
struct Wanted {
    rule: &'static str,
    from: &'static str,
    to: &'static str,
}

/// What is wrong about one ticket.
pub fn nothing_lost(scene: &Scene<'_>, journal: &Journal, no: TicketNo, tally: &mut Tally) -> Vec<String> {
    let Some(ticket) = scene.sandbox.ticket(no).filter(|ticket| ticket.end.is_none()) else { return Vec::new() };
    let verdict = scene.ledger.last_verdict(&"acme".into(), &TicketId::from(no.0)).expect("readable");
    let Some((decided_at, verdict)) = verdict else { return vec![format!("ticket {} was never decided", no.0)] };
    // The look that hears a command decides nothing else.
    let heard = scene.ledger.commands(&"acme".into(), &TicketId::from(no.0)).expect("readable");
    let looked_at = heard.iter().map(|command| command.heard_at).chain([decided_at]).max().unwrap_or(decided_at);
    let missed = |counts: fn(&Effect) -> bool| last_change(journal, no, counts).is_some_and(|at| looked_at < at);
    let mut wrong = Vec::new();
    if missed(|effect| effect.what != "tags") || missed(|_| true) && scene.kind.shows_labels() {
        wrong.push(format!("ticket {} was not looked at since its last change: last at {looked_at}", no.0));
    } else if scene.news == News::Posted && last_change(journal, no, |_| true) > last_read(journal, no) {
        let so_far = so_far(journal, no, Timestamp::MAX);
        wrong.push(format!("ticket {} was not read since its last change: {so_far:#?}", no.0));
    } else if missed(|_| true) {
        tally.count("labels not told of", 1);
        return wrong;
    }
    for wanted in wanted(scene, journal, &ticket) {
        tally.count(format!("still matched by {}", wanted.rule), 1);
        let result = result_of(&verdict, wanted.rule);
        tally.count(format!("left because {result}"), 1);
        if let Err(why) = is_explained(scene, journal, no, &wanted, &result) {
            let story = story(scene.ledger, no);
            let said = trace_of(&verdict, wanted.rule).map(ToString::to_string).unwrap_or_default();
            let so_far = so_far(journal, no, Timestamp::MAX);
            let what = format!("ticket {} matches {} and lies there, {result}: {why}", no.0, wanted.rule);
            wrong.push(format!("{what}: {story:?} {said} {so_far:#?}"));
        }
    }
    wrong
}

/// When a ticket was read last. A look that began before a change may end after it: that is no look at it.
fn last_read(journal: &Journal, no: TicketNo) -> Option<Timestamp> {
    let answered = |asked: &&Asked| asked.kind == Kind::Read && asked.fault.is_none_or(|fault| fault == "slow");
    let reads = journal.requests.iter().filter(|asked| asked.ticket == Some(no)).filter(answered);
    reads.map(|asked| asked.at).max()
}

/// The rules of the simulation's policy, told once more.
fn wanted(scene: &Scene<'_>, journal: &Journal, ticket: &Ticket) -> Vec<Wanted> {
    let open = matches!(ticket.status, Status::New | Status::Open | Status::Pending | Status::OnHold);
    let name = |desk: &handoffd_sandbox::store::Helpdesk| Some(desk.queues.get(&ticket.queue?)?.name.clone());
    let rule = |rule, from, to| Wanted { rule, from, to };
    match scene.sandbox.with(|desk| name(desk)).as_deref().filter(|_| open) {
        Some("Support") => {
            let tag = |tag: &str| ticket.tags.contains(tag);
            let amount = ticket.field(REFUND_EUR).and_then(|amount| amount.parse::<f64>().ok()).unwrap_or(0.0);
            let login = scene.sandbox.with(|desk| desk.person(ticket.requester).map(|person| person.login.clone()));
            let premium = login.is_some_and(|login| login.ends_with("@premium.example"));
            let refund = (tag("refund") && amount > 500.0).then(|| rule("refund-over-limit", "Support", "Billing"));
            let outage = (tag("outage") && premium).then(|| rule("premium-outage", "Support", "Tier 2"));
            let crash = tag("crash").then(|| rule("crash", "Support", "Tier 2"));
            [refund, outage, crash].into_iter().flatten().collect()
        }
        Some("Incoming") if !journal.of(ticket.no).any(|effect| effect.what == "queue") => {
            let invoice = ticket.subject.contains("invoice");
            vec![if invoice {
                rule("invoices", "Incoming", "Billing")
            } else {
                rule("everything-else", "Incoming", "Support")
            }]
        }
        _ => Vec::new(),
    }
}

/// What the last look says of a rule, in one word.
fn result_of(verdict: &Value, rule: &str) -> String {
    match trace_of(verdict, rule).map(|trace| &trace["result"]) {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(with)) => with.keys().next().cloned().unwrap_or_default(),
        _ => format!("not asked ({})", verdict["outcome"]),
    }
}

fn trace_of<'a>(verdict: &'a Value, rule: &str) -> Option<&'a Value> {
    verdict["trace"].as_array()?.iter().find(|trace| trace["rule"] == rule)
}

/// Whether what the last look says is so.
fn is_explained(
    scene: &Scene<'_>,
    journal: &Journal,
    no: TicketNo,
    wanted: &Wanted,
    result: &str,
) -> Result<(), &'static str> {
    let handoffs = handoffs_of(scene.ledger, no);
    let held = || {
        let listed = scene.ledger.would(Some(&wanted.rule.into()), None, usize::MAX).expect("readable");
        listed.iter().any(|would| would.proposal.ticket.as_str() == no.0.to_string() && !would.released)
    };
    match result {
        "fires" | "agrees" if handoffs.iter().any(waits) => Ok(()),
        "fires" | "agrees" => Err("nobody is asked about it and nothing is parked"),
        "path_closed" => is_closed(journal, no, wanted, &handoffs),
        "held" if held() => Ok(()),
        "held" => Err("nothing waits for a release"),
        _ => Err("that is no reason"),
    }
}

/// Whether a handoff waits for a person.
fn waits(one: &HandoffRecord) -> bool {
    let parked = || one.effects.iter().any(|effect| matches!(effect.state, EffectState::Parked { .. }));
    one.state == HandoffState::InReview || one.state == HandoffState::Sending && parked()
}

/// Whether somebody has said no on this way or nobody took it on in time, and nothing that the rule looks at has changed long after that.
fn is_closed(journal: &Journal, no: TicketNo, wanted: &Wanted, handoffs: &[HandoffRecord]) -> Result<(), &'static str> {
    let way = |one: &&HandoffRecord| {
        (queue_of(one.proposal.from.as_ref()), queue_of(Some(&one.proposal.to))) == (wanted.from, wanted.to)
    };
    let went_on = |one: &HandoffRecord| {
        let for_it =
            |other: &HandoffRecord| other.proposal.chained.as_ref().is_some_and(|chained| chained.of == one.id);
        handoffs.iter().any(for_it)
    };
    let handed_back = |one: &HandoffRecord| {
        let back = |other: &HandoffRecord| {
            other.proposal.kind == HandoffKind::Back && other.proposal.from.as_ref() == Some(&one.proposal.to)
        };
        handoffs.iter().any(back)
    };
    let refused = |one: &&HandoffRecord| ended_with_no(one) || went_on(one) || handed_back(one);
    // A no to rules that want different teams is a no to each of them.
    let disagrees = |one: &&HandoffRecord| {
        let about = |risk: &Risk| matches!(risk, Risk::Disagreement(rules) if rules.iter().any(|(rule, _)| rule.as_str() == wanted.rule));
        one.state == HandoffState::Rejected && one.risks.iter().any(about)
    };
    let on_the_way = handoffs.iter().filter(|one| way(one) || disagrees(one));
    let said_no = on_the_way.filter(refused).map(|one| one.created_at).max();
    let came = journal.of(no).filter(|effect| effect.what == "queue" && effect.to.as_deref() == Some(wanted.from));
    let since = said_no.ok_or("nobody has said no")?.max(came.map(|effect| effect.at).max().unwrap_or_default());
    let changed =
        |effect: &Effect| effect.by != BOT && since + SEEN_WITHIN < effect.at && is_matched_by(wanted.rule, effect);
    if journal.of(no).any(changed) { Err("a fact has changed since") } else { Ok(()) }
}

fn ended_with_no(one: &HandoffRecord) -> bool {
    use HandoffState as S;
    let detail = one.detail.as_deref().unwrap_or_default();
    match one.state {
        S::Bounced | S::Contested | S::Rejected | S::Undone => true,
        S::Withdrawn => ["given up by", "rejected by", "stopped halfway"].iter().any(|words| detail.contains(words)),
        _ => false,
    }
}
