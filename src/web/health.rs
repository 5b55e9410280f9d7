//! How the daemon is: one word, and a reason with its next step for everything that is not as it should be. Pure.

use super::figures::Figures;
use super::reloads;
use super::standing::Standing;
use crate::ledger::policies::Choice;
use crate::ledger::records::{Switch, SwitchOn};
use crate::ledger::{DeskWaits, Failing};
use crate::policy::lull::WITHOUT_NEWS;
use crate::policy::names::RuleName;
use handoffd_kit::id::DeskId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How long a due look may wait before that is a reason.
const LOOK_WAITS: SignedDuration = SignedDuration::from_mins(5);
/// How long a write may be tried again before that is a reason.
const WRITE_TRIED: SignedDuration = SignedDuration::from_mins(15);
/// How many of its polls a desk may miss before that is a reason, at least [`POLL_LAGS`].
const POLLS_MISSED: i32 = 5;
/// A poll's lag below this is none.
const POLL_LAGS: SignedDuration = SignedDuration::from_mins(2);

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be. Of a reason: worth knowing.
    Ok,
    /// Works, but something waits for a person or is late.
    Degraded,
    /// Something does not work until a person acts.
    Failing,
}

/// One reason, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How bad.
    pub level: Status,
    /// Which desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// Which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What is the matter.
    pub what: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What to do.
    pub next_step: String,
}

/// The answer of `/healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The worst of the reasons.
    pub status: Status,
    /// Every reason, the worst first.
    pub reasons: Vec<Reason>,
}

impl Reason {
    pub(super) fn new(level: Status, what: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { level, desk: None, rule: None, what: what.into(), since: None, next_step: next_step.into() }
    }

    fn desk(mut self, desk: &DeskId) -> Self {
        self.desk = Some(desk.to_string());
        self
    }

    fn rule(mut self, rule: &RuleName) -> Self {
        self.rule = Some(rule.to_string());
        self
    }

    fn about(self, switch: &Switch) -> Self {
        match switch {
            Switch::All => self,
            Switch::Desk(desk) => self.desk(desk),
            Switch::Rule(rule) => self.rule(rule),
        }
    }

    pub(super) fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }
}

/// What stands now, judged.
pub(super) fn health(standing: &Standing, now: Timestamp) -> Health {
    let mut reasons: Vec<Reason> = standing.figures.iter().flat_map(|figures| reasons(figures, now)).collect();
    reasons.extend(ledger(standing));
    reasons.extend(reloads::reasons(&standing.loaded));
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.level));
    let status = reasons.iter().map(|reason| reason.level).max().unwrap_or(Status::Ok);
    Health { status, reasons }
}

/// Why the ledger cannot be written, or tells nothing.
fn ledger(standing: &Standing) -> Option<Reason> {
    let unread = || standing.figures.as_ref().err().map(|why| Failing { since: None, why: why.clone() });
    let Failing { since, why } = standing.failing.clone().or_else(unread)?;
    let place = standing.ledger.display();
    let what = if standing.ledger.as_os_str().is_empty() { why.to_string() } else { format!("{why} ({place})") };
    let end = "repair that and start handoffd again: nothing is taken in or written without its ledger";
    let next = why.remedy(&standing.ledger).unwrap_or_else(|| end.to_owned());
    Some(Reason { since, ..Reason::new(Status::Failing, what, next) })
}

fn reasons(figures: &Figures, now: Timestamp) -> Vec<Reason> {
    let mut reasons = desks(figures);
    reasons.extend(late(figures, now));
    reasons.extend(waiting(figures));
    reasons.extend(super::channels::reasons(figures));
    reasons.extend(figures.absent.iter().map(|waits| absent(waits, now)));
    reasons.extend(policy(figures));
    reasons.extend(figures.switches.iter().map(switched));
    if figures.shadow {
        let what = "shadow mode: handoffs are decided and recorded, nothing is written";
        let next = "read `handoffd handoffs list --would`, then set [daemon] mode = \"live\" when you agree";
        reasons.push(Reason::new(Status::Ok, what, next));
    }
    reasons
}

fn desks(figures: &Figures) -> Vec<Reason> {
    let trouble = figures.troubles.iter().map(|trouble| {
        let stopped = if trouble.writes_stopped { "; its writes are stopped" } else { "" };
        Reason::new(Status::Failing, format!("{}{stopped}", trouble.what), &trouble.next_step)
            .desk(&trouble.desk)
            .since(trouble.since)
    });
    let silent = figures.silent.iter().map(|(desk, silence)| {
        let (what, next) = if silence.answers {
            ("the desk's answers cannot be read", "look at [desks.NAME] url: something else may answer there, a login page or a proxy; it is tried again by itself")
        } else {
            ("the desk does not answer", "nothing, if the desk is down: everything keeps and goes on by itself; else look at the network")
        };
        Reason::new(Status::Degraded, format!("{what}: {}", silence.words), next).desk(desk).since(silence.since)
    });
    let people = figures.rosters.iter().map(|(desk, team, trouble)| {
        let what = format!("who works in {team} cannot be read: {}", trouble.what);
        Reason::new(Status::Degraded, what, &trouble.next_step).desk(desk).since(trouble.since)
    });
    let gone = figures.queues_gone.iter().map(|(desk, queue, since)| {
        let what = format!("the desk shows no queue {} any more, which the policy hands off to", queue.shown());
        let next =
            "bring it back or correct it under [teams], then `handoffd check --online`; fallbacks are used meanwhile";
        Reason::new(Status::Degraded, what, next).desk(desk).since(*since)
    });
    let secrets = figures.secrets.iter().map(|(desk, key, trouble)| {
        let what = format!("the secret {key} cannot be read again, the one from before is used: {}", trouble.what);
        let next = "put it back where the configuration points, or correct the configuration, then `handoffd reload`; it is tried again by itself";
        Reason::new(Status::Degraded, what, next).desk(desk).since(trouble.since)
    });
    trouble.chain(silent).chain(people).chain(gone).chain(secrets).collect()
}

fn late(figures: &Figures, now: Timestamp) -> Vec<Reason> {
    let lagging = figures.polls.iter().filter_map(|poll| {
        let patience = (poll.every * POLLS_MISSED).max(POLL_LAGS);
        let lag = now.duration_since(poll.last);
        if lag <= patience {
            return None;
        }
        let what = format!("its changes ({}) have not been read for {} s", poll.stream, lag.as_secs());
        let next = "look at the other reasons of this desk; webhooks, where there are any, are still taken in";
        Some(Reason::new(Status::Degraded, what, next).desk(&poll.desk).since(poll.last))
    });
    let no_news = figures.no_news.iter().map(|(desk, since, within)| {
        let what = format!("nothing new has come of the desk for longer than {within}");
        Reason::new(Status::Degraded, what, WITHOUT_NEWS).desk(desk).since(*since)
    });
    let mut late: Vec<Reason> = lagging.chain(no_news).collect();
    if let Some(oldest) = figures.counts.oldest_look.filter(|oldest| now.duration_since(*oldest) > LOOK_WAITS) {
        let what = "tickets wait longer than they should to be looked at";
        let next = "nothing, while it catches up after an outage; else raise [desks.NAME] budget";
        late.push(Reason::new(Status::Degraded, what, next).since(oldest));
    }
    let tried = figures.counts.tried.iter().filter(|(_, (_, since))| now.duration_since(*since) > WRITE_TRIED);
    late.extend(tried.map(|(desk, (count, since))| {
        let what = format!("writes that were tried and are still to do: {count}");
        let next = "nothing, if the desk was down; else see `handoffd handoffs list --state sending`, then `handoffd handoffs show` with the desk's words";
        Reason::new(Status::Degraded, what, next).desk(desk).since(*since)
    }));
    late
}

fn waiting(figures: &Figures) -> Vec<Reason> {
    let parked = figures.counts.parked.iter().map(|((desk, rule), (count, since))| {
        let what = format!("writes that wait for a person: {count}");
        Reason::new(Status::Degraded, what, "handoffd parked list").desk(desk).rule(rule).since(*since)
    });
    let stuck = figures.counts.case_troubles.iter().map(|(desk, (count, since))| {
        let what = format!("cases that cannot be looked at: {count}");
        Reason::new(Status::Degraded, what, "handoffd parked list").desk(desk).since(*since)
    });
    // A limit that is used up and keeps nothing waiting is no trouble.
    let held = figures.over_limit.iter().map(|over| (over, figures.waiting_for_place(over)));
    let over = held.filter(|(_, waits)| *waits > 0).map(|(over, waits)| {
        let what = format!("{} handoffs in an hour, {} are allowed: {waits} more wait", over.count, over.limit);
        let next = "see whether so many are right; then wait, or raise [policy] limits";
        let reason = Reason::new(Status::Degraded, what, next).desk(&over.desk);
        over.rule.iter().fold(reason, Reason::rule)
    });
    let unclaimed = figures.counts.unclaimed.iter().map(|(rule, (count, since))| {
        let what = format!("handoffs that nobody has taken on in time: {count}");
        Reason::new(Status::Degraded, what, "handoffd owners list").rule(rule).since(*since)
    });
    let unanswered = figures.counts.reviews_late.iter().map(|(rule, (count, since))| {
        let what = format!("reviews that nobody has answered in time: {count}");
        Reason::new(Status::Degraded, what, "handoffd reviews list").rule(rule).since(*since)
    });
    let lost = figures.counts.lost_owners.iter().map(|(desk, (count, since))| {
        let what = format!("cases whose owner is gone: {count}");
        Reason::new(Status::Degraded, what, "handoffd owners list").desk(desk).since(*since)
    });
    let mut waiting: Vec<Reason> =
        parked.chain(stuck).chain(over).chain(unclaimed).chain(unanswered).chain(lost).collect();
    if figures.counts.overdue_tasks > 0 {
        let what = format!("tasks of agents before that are overdue: {}", figures.counts.overdue_tasks);
        waiting.push(Reason::new(Status::Ok, what, "handoffd owners list"));
    }
    if figures.reviews_open() > 0 {
        let what = format!("handoffs that wait for a person's yes or no: {}", figures.reviews_open());
        waiting.push(Reason::new(Status::Ok, what, "handoffd reviews list"));
    }
    waiting
}

/// What waits for a desk that is not configured.
fn absent(waits: &DeskWaits, now: Timestamp) -> Reason {
    let desk = &waits.desk;
    let what = format!("the desk is not in the configuration, and waiting for it are {}", waits.shown());
    let next = format!(
        "configure [desks.{desk}] again, then `handoffd reload`: all of it goes on by itself; or give it up: `{}`",
        waits.give_up()
    );
    Reason { since: waits.since.filter(|since| *since <= now), ..Reason::new(Status::Degraded, what, next).desk(desk) }
}

/// What somebody who answers for the policy has to do.
fn policy(figures: &Figures) -> Vec<Reason> {
    let unsigned = figures.unsigned.iter().map(|rule| {
        let next = format!("the second reviewer reads it and signs: handoffd policy approve {rule} --as NAME");
        let what = "the rule says live, is sensitive, and stays in shadow: its second reviewer has not signed this version of it";
        // Where nothing is written anyway, it is only what comes next.
        let level = if figures.shadow { Status::Ok } else { Status::Degraded };
        Reason::new(level, what, next).rule(rule)
    });
    let untold = figures.unsigned_messages.iter().map(|message| {
        let what = format!(
            "the message {message} was signed, and is not in its present wording: customers are told nothing by it"
        );
        let next = format!("one of its signers reads it and signs: handoffd policy approve {message} --as NAME");
        let level = if figures.shadow { Status::Ok } else { Status::Degraded };
        Reason::new(level, what, next)
    });
    let unheard = figures.unheard.iter().map(|rule| {
        let what = "the rule asks a person, and nobody hears of it: no alert channel is told of its reviews, and nobody is reminded";
        let next = "name a channel on the receiving team or the rule, or write when people are reminded: reviews = { answer_within = \"8h\", remind_every = \"2h\" }; until then look at `handoffd reviews list`";
        Reason::new(Status::Ok, what, next).rule(rule)
    });
    let overdue = figures.overdue.iter().map(|day| {
        let next = "look through the policy with its owner, then set [policy] review_by to the next date";
        Reason::new(Status::Degraded, format!("the policy should have been looked at again by {day}"), next)
    });
    unsigned.chain(untold).chain(unheard).chain(overdue).chain(chosen(figures)).collect()
}

/// A policy that a person put in the place of the file's.
fn chosen(figures: &Figures) -> Option<Reason> {
    let Choice { version, instead_of, by, reason, at } = figures.chosen.as_ref()?;
    let (what, next) = if figures.policy == *version {
        (
            format!("the policy {version} runs in place of the file's {instead_of}, as {by} said: {reason}"),
            "correct the file, then `handoffd reload`: one that says something else runs again; handoffd policy diff shows the difference",
        )
    } else {
        let running = &figures.policy;
        (
            format!("the policy {running} runs, and {by} put {version} in the place of the file's: {reason}"),
            "`handoffd reload`",
        )
    };
    Some(Reason { since: Some(*at), ..Reason::new(Status::Degraded, what, next) })
}

fn switched(on: &SwitchOn) -> Reason {
    let SwitchOn { switch, by, why, at } = on;
    let what = match switch {
        Switch::All => "everything",
        Switch::Desk(_) => "the desk",
        Switch::Rule(_) => "the rule",
    };
    let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let (level, next) = match by.as_str() {
        SwitchOn::US => {
            (Status::Failing, format!("see `handoffd parked list`, and when it is put right: {}", switch.resume()))
        }
        _ => (Status::Degraded, switch.resume()),
    };
    Reason::new(level, format!("{what} is paused by {by}{why}"), next).about(switch).since(*at)
}

#[cfg(test)]
mod tests {
    use super::super::figures::{OverLimit, PollFigure};
    use super::*;
    use crate::desks::Silence;
    use crate::ledger::LedgerError;
    use crate::ledger::records::DeskTrouble;
    use handoffd_kit::desk::QueueSpec;
    use handoffd_kit::secret::SecretTrouble;

    fn health(figures: &Result<Figures, LedgerError>, now: Timestamp) -> Health {
        super::health(&standing(figures, None), now)
    }

    fn standing(figures: &Result<Figures, LedgerError>, failing: Option<Failing>) -> Standing {
        let ledger = "/var/lib/handoffd/handoffd.db".into();
        Standing {
            figures: figures.clone(),
            failing,
            failed: std::collections::BTreeMap::new(),
            ledger,
            policy: "p1".into(),
            shadow: false,
            loaded: reloads::Loaded::default(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("instant")
    }

    fn trouble() -> DeskTrouble {
        DeskTrouble {
            desk: "acme".into(),
            what: "right missing: tickets:write".into(),
            next_step: "grant it".into(),
            since: at(5),
            writes_stopped: true,
        }
    }

    #[test]
    fn a_quiet_house_is_ok_and_has_nothing_to_say() {
        assert_eq!(health(&Ok(Figures::default()), at(0)), Health { status: Status::Ok, reasons: Vec::new() });
    }

    #[test]
    fn shadow_mode_is_said_and_is_no_fault() {
        let health = health(&Ok(Figures { shadow: true, ..Figures::default() }), at(0));
        assert_eq!((health.status, health.reasons.len()), (Status::Ok, 1));
    }

    #[test]
    fn a_signature_that_is_missing_degrades_only_what_would_write() {
        let waiting = |shadow| Figures { shadow, unsigned: vec!["refund".into()], ..Figures::default() };
        assert_eq!(health(&Ok(waiting(false)), at(0)).status, Status::Degraded);
        let shadow = health(&Ok(waiting(true)), at(0));
        assert_eq!(shadow.status, Status::Ok);
        assert!(shadow.reasons.iter().any(|reason| reason.rule.as_deref() == Some("refund")), "{shadow:?}");
    }

    #[test]
    fn a_message_that_is_not_signed_any_more_is_said() {
        let health = health(&Ok(Figures { unsigned_messages: vec!["escalated".into()], ..Figures::default() }), at(0));
        assert_eq!(health.status, Status::Degraded);
        assert!(health.reasons[0].next_step.contains("policy approve escalated"), "{health:?}");
    }

    #[test]
    fn that_nobody_hears_of_a_rule_s_reviews_is_said_and_is_no_fault() {
        let health = health(&Ok(Figures { unheard: vec!["refund".into()], ..Figures::default() }), at(0));
        assert_eq!((health.status, health.reasons[0].rule.as_deref()), (Status::Ok, Some("refund")));
        assert!(health.reasons[0].next_step.contains("remind_every"), "{health:?}");
    }

    #[test]
    fn a_policy_in_place_of_the_file_s_is_said_until_it_is_over() {
        let choice = Choice {
            version: "aaaa".into(),
            instead_of: "bbbb".into(),
            by: "lead (uid 7)".into(),
            reason: "too many".into(),
            at: at(1),
        };
        for (policy, next) in [("aaaa", "correct the file"), ("bbbb", "`handoffd reload`")] {
            let figures = Figures { policy: policy.into(), chosen: Some(choice.clone()), ..Figures::default() };
            let health = health(&Ok(figures), at(5));
            assert_eq!(health.status, Status::Degraded);
            let [reason] = health.reasons.as_slice() else { panic!("one reason: {health:?}") };
            assert!(reason.next_step.starts_with(next) && reason.what.contains("too many"), "{reason:?}");
            assert_eq!(reason.since, Some(at(1)));
        }
    }

    #[test]
    fn a_ledger_that_tells_nothing_or_cannot_be_written_is_failing_and_says_what_to_do() {
        let error = health(&Err(LedgerError::Corrupt("page 7".into())), at(0));
        assert_eq!(error.status, Status::Failing);
        assert!(error.reasons[0].next_step.contains("start handoffd again"));
        let causes = [
            (LedgerError::Full, "make room"),
            (LedgerError::Busy, "fuser -v"),
            (LedgerError::Unwritable("disk I/O error".into()), "is mounted"),
        ];
        for (why, remedy) in causes {
            let figures = if why == LedgerError::Busy { Err(why.clone()) } else { Ok(Figures::default()) };
            let standing = standing(&figures, Some(Failing { since: Some(at(3)), why }));
            let health = super::health(&standing, at(9));
            assert_eq!((health.status, standing.is_ready()), (Status::Failing, false));
            let [reason] = health.reasons.as_slice() else { panic!("one reason: {health:?}") };
            assert_eq!(reason.since, Some(at(3)));
            for words in [remedy, "/var/lib/handoffd/handoffd.db", "without a restart", "503"] {
                assert!(reason.next_step.contains(words), "{words}: {reason:?}");
            }
        }
    }

    #[test]
    fn every_reason_names_what_it_is_about_and_the_worst_comes_first() {
        let mut figures = Figures { troubles: vec![trouble()], ..Figures::default() };
        figures.silent.push(("other".into(), Silence { since: at(1), answers: true, words: "no JSON".into() }));
        let (switch, by) = (Switch::Rule("refund".into()), "lead (uid 7)".to_owned());
        figures.switches.push(SwitchOn { switch, by, why: None, at: at(2) });
        figures.over_limit.push(OverLimit { rule: None, desk: "acme".into(), count: 200, limit: 200 });
        figures.over_limit.push(OverLimit { rule: Some("used-up".into()), desk: "acme".into(), count: 9, limit: 9 });
        figures.counts.place_waits.insert(("acme".into(), "refund".into()), 2);
        figures.counts.parked.insert(("acme".into(), "refund".into()), (3, at(3)));
        figures.counts.case_troubles.insert("acme".into(), (1, at(3)));
        figures.unsigned.push("refund".into());
        figures.queues_gone.push(("acme".into(), QueueSpec::Name("Billing".into()), at(2)));
        let since = Some(at(6));
        let unread = SecretTrouble { what: "no such file".into(), since: at(5) };
        figures.secrets.push(("acme".into(), "login.token", unread));
        figures.absent.push(DeskWaits { desk: "gone".into(), looks: 3, handoffs: 1, effects: 2, since });
        figures.overdue = Some(jiff::civil::date(2026, 1, 1));
        figures.counts.oldest_look = Some(at(0));
        figures.counts.tried.insert("acme".into(), (2, at(4)));
        let every = SignedDuration::from_secs(30);
        figures.polls.push(PollFigure { desk: "acme".into(), stream: "tickets".into(), every, last: at(0) });
        let health = health(&Ok(figures), at(1_000));
        assert_eq!(health.status, Status::Failing);
        assert_eq!(health.reasons.len(), 14);
        assert_eq!(health.reasons[0].desk.as_deref(), Some("acme"));
        assert!(health.reasons.windows(2).all(|two| two[0].level >= two[1].level));
        assert!(health.reasons.iter().all(|reason| !reason.next_step.is_empty()));
        let about = |reason: &&Reason| reason.desk.is_some() || reason.rule.is_some();
        assert_eq!(health.reasons.iter().filter(about).count(), 12, "all but the waiting looks and the overdue policy");
    }

    #[test]
    fn a_poll_is_late_only_after_several_were_missed() {
        let every = SignedDuration::from_secs(60);
        let polls = vec![PollFigure { desk: "acme".into(), stream: "tickets".into(), every, last: at(0) }];
        let figures = Ok(Figures { polls, ..Figures::default() });
        assert_eq!(health(&figures, at(299)).status, Status::Ok);
        assert_eq!(health(&figures, at(301)).status, Status::Degraded);
    }
}
