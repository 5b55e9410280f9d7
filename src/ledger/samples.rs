//! Sample values and short ways for tests, of the ledger and of what stands above it.

use super::open::Ledger;
use super::people::Act;
use super::records::{
    Busy, CaseUpdate, ClaimedEffect, EffectOutcome, Look, NewHandoff, NewLook, ReceivedWebhook, Recorded, ReviewAnswer,
    StayChange,
};
use super::states::{EffectEvent, HandoffState};
use crate::plan::PlannedEffect;
use crate::policy::alert::AlertPlan;
use crate::policy::case::Stay;
use crate::policy::proposal::{ClockPlan, CustomerPlan, HandoffKind, OwnerPlan, Proposal};
use crate::policy::rules::{Limits, Mode};
use crate::policy::verdict::{Outcome, Risk, StayReason, Verdict};
use handoffd_kit::desk::{DeskChange, PublicReply, QueueSpec, Receipt, Update, WordingSignature, Write};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{PublicText, TicketHead};
use jiff::{SignedDuration, Timestamp};

/// Seconds after a fixed instant.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000, 0) + SignedDuration::from_secs(seconds)
}

pub(crate) fn ledger() -> Ledger {
    Ledger::in_memory().expect("in memory")
}

pub(crate) fn head(ticket: &str, version: &str) -> TicketHead {
    TicketHead::unknown(ticket.into(), version.into())
}

pub(crate) fn look(ticket: &str, due: Timestamp) -> NewLook {
    NewLook { ticket: ticket.into(), due, head: None }
}

pub(crate) fn webhook(
    desk: &str,
    delivery: Option<&str>,
    body: &str,
    tickets: &[&str],
    at: Timestamp,
) -> ReceivedWebhook {
    ReceivedWebhook {
        desk: desk.into(),
        delivery: delivery.map(str::to_owned),
        body_hash: format!("hash of {}", body.chars().take(40).collect::<String>()),
        body: body.as_bytes().to_vec(),
        looks: tickets.iter().map(|ticket| look(ticket, at)).collect(),
        others: Vec::new(),
        at,
    }
}

pub(crate) fn looks_due(ledger: &Ledger, now: Timestamp) -> Vec<Look> {
    ledger.due_looks(now, 100, &Busy::default()).expect("looks")
}

/// A proposal to move ticket `ticket` from frontline to billing.
pub(crate) fn proposal(ticket: &str, rule: &str, episode: &str, facts: &str) -> Proposal {
    Proposal {
        desk: "acme".into(),
        ticket: ticket.into(),
        kind: HandoffKind::Escalate,
        rule: rule.into(),
        rule_version: "r1".into(),
        policy_version: "p1".into(),
        mode: Mode::Live,
        episode: episode.into(),
        from: Some("frontline".into()),
        from_queue: None,
        to: "billing".into(),
        to_queue: QueueSpec::Name("Billing".into()),
        trigger: None,
        reason: "A refund above the limit".into(),
        needs: None,
        also: Vec::new(),
        instead_of: None,
        weak_triage_within: None,
        asked: None,
        facts: vec![("ticket.fields.refund_eur".into(), "600".into())],
        facts_hash: facts.into(),
        package: None,
        owner: OwnerPlan::queue("the queue Billing".into()),
        clock: ClockPlan::runs_on(),
        customer: CustomerPlan::Nothing { because: "nothing changes for them".into() },
        review: None,
        chained: None,
        alert: AlertPlan::default(),
        opened_at: None,
        decided_at: at(0),
        deadline: at(900),
    }
}

/// Two effects: the transfer, and a word to the customer. Both expect `version`.
pub(crate) fn planned(handoff: &str, ticket: &str, version: &str) -> Vec<PlannedEffect> {
    let transfer = Update { queue: Some(QueueSpec::Name("Billing".into())), ..Update::default() };
    let signature =
        WordingSignature { message: "escalated".into(), wording: "w1".into(), signer: "ops@acme.example".into() };
    let reply = PublicReply { text: PublicText("Billing looks at this".into()), signature };
    let effect = |number, label: &str, change| PlannedEffect {
        number,
        label: label.into(),
        write: Write {
            ticket: ticket.into(),
            change,
            mark: Mark { handoff: handoff.into(), number, rule: "refund".into(), version: "r1".into() },
            expected: Some(version.into()),
            decided_on: None,
            first_tried: None,
            deadline: at(900),
        },
    };
    vec![effect(1, "transfer", DeskChange::Update(transfer)), effect(2, "customer message", DeskChange::Reply(reply))]
}

/// A finished look that found nothing.
pub(crate) fn nothing_found(ticket: &str, now: Timestamp) -> CaseUpdate {
    let verdict = Verdict {
        outcome: Outcome::Stay(StayReason::NoRule),
        trace: Vec::new(),
        would: Vec::new(),
        again_at: None,
        clock_differences: Vec::new(),
    };
    CaseUpdate {
        version: Some("v1".into()),
        raw: "{}".into(),
        verdict: Some(verdict),
        ..CaseUpdate::nothing("acme".into(), ticket.into(), true, Limits::default(), now)
    }
}

/// A handoff with this id, sending.
pub(crate) fn sending(id: &str, ticket: &str, version: &str) -> NewHandoff {
    NewHandoff {
        id: id.into(),
        proposal: proposal(ticket, "refund", "e1", "facts"),
        state: HandoffState::Sending,
        risks: Vec::new(),
        effects: planned(id, ticket, version),
        ask_until: None,
        replaces: None,
        needs_place: true,
    }
}

/// The same, to be reviewed first.
pub(crate) fn in_review(id: &str, ticket: &str) -> NewHandoff {
    let risks = vec![Risk::Always];
    NewHandoff { state: HandoffState::InReview, risks, effects: Vec::new(), ..sending(id, ticket, "v1") }
}

/// Records a handoff as a look would.
pub(crate) fn decide(ledger: &mut Ledger, handoff: NewHandoff, now: Timestamp) -> Recorded {
    let ticket = handoff.proposal.ticket.to_string();
    let update = CaseUpdate { handoff: Some(handoff), ..nothing_found(&ticket, now) };
    ledger.record_case(&update).expect("recorded")
}

/// What becomes of an effect, and nothing else.
pub(crate) fn outcome(effect: i64, event: EffectEvent, now: Timestamp) -> EffectOutcome {
    EffectOutcome::new(effect, event, now)
}

/// An effect that the desk took.
pub(crate) fn accepted(claimed: &ClaimedEffect, version: &str, now: Timestamp) -> EffectOutcome {
    let receipt = Receipt {
        id: format!("audit of {}", claimed.effect.write.mark.key()),
        version: Some(version.into()),
        head: Some(Box::new(head(claimed.effect.write.ticket.as_str(), version))),
    };
    EffectOutcome {
        next_expects: receipt.version.clone(),
        receipt: Some(receipt),
        verify_at: Some(now + SignedDuration::from_secs(60)),
        ..outcome(claimed.effect.id, EffectEvent::Accepted, now)
    }
}

/// Claims what is due, with nothing else in work.
pub(crate) fn claim(ledger: &mut Ledger, now: Timestamp) -> Option<ClaimedEffect> {
    ledger.claim_due_effect(now, &Busy::default()).expect("claimed")
}

/// A person's act.
pub(crate) fn act(now: Timestamp) -> Act {
    Act { by: "lead@acme.example (root)".into(), reason: Some("because".into()), at: now }
}

/// A person's answer to a review.
pub(crate) fn answer(handoff: &str, effects: Vec<PlannedEffect>, now: Timestamp) -> ReviewAnswer {
    let Act { by, reason, at } = act(now);
    ReviewAnswer { handoff: handoff.into(), by, reason, at, effects, proposal: None, chosen: None }
}

/// A stay with a team.
pub(crate) fn stay(team: &str, episode: &str, since: Timestamp, by_handoff: Option<&str>) -> StayChange {
    StayChange {
        stay: Some(Stay { team: team.into(), episode: episode.into(), since }),
        by_handoff: by_handoff.map(str::to_owned),
        by: None,
    }
}

impl Ledger {
    /// Damages rows, as a torn page would.
    pub(crate) fn garble(&mut self, sql: &str) -> super::Result<()> {
        self.connection.execute(sql, [])?;
        Ok(())
    }

    /// How SQLite goes about this, line by line.
    pub(crate) fn plan(&self, sql: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("sql");
        let (mut lines, mut plan) = (statement.raw_query(), Vec::new());
        while let Some(line) = lines.next().expect("plan") {
            plan.push(line.get(3).expect("words"));
        }
        plan
    }

    /// Another case has begun a handoff of this rule.
    pub(crate) fn taken_place(&mut self, rule: &str, now: Timestamp) -> super::Result<()> {
        let mut handoff = sending("h-other", "other", "v1");
        handoff.proposal.rule = rule.into();
        handoff.effects.clear();
        self.record_case(&CaseUpdate { handoff: Some(handoff), ..nothing_found("other", now) })?;
        self.connection.execute("DELETE FROM looks", [])?;
        Ok(())
    }
}

/// Another program that has the ledger's file open.
pub(crate) struct Stranger(std::sync::Arc<std::sync::Mutex<rusqlite::Connection>>);

impl Stranger {
    pub(crate) fn on(path: &std::path::Path) -> Self {
        let connection = rusqlite::Connection::open(path).expect("open");
        Self(std::sync::Arc::new(std::sync::Mutex::new(connection)))
    }

    /// Takes the write lock when it is called.
    pub(crate) fn locks(&self) -> impl FnOnce() + Send + 'static {
        let connection = self.0.clone();
        move || connection.lock().expect("no panic").execute_batch("BEGIN IMMEDIATE").expect("locked")
    }

    pub(crate) fn lets_go(&self) {
        self.0.lock().expect("no panic").execute_batch("ROLLBACK").expect("free");
    }
}
