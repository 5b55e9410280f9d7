//! Alerts on their way: each channel by itself, one alert at a time and not more than one in a second, so that a channel that
//! is down, or slow, delays nothing else.

use crate::alert::{AlertError, Attempt, Channel, Failure};
use crate::backoff;
use crate::desks::Breaker;
use crate::ledger::records::{AlertOutcome, ClaimedAlert};
use crate::ledger::states::EffectEvent;
use crate::ledger::{Handle, Ledger, LedgerError};
use crate::policy::alert::{AlertChannel, Window};
use crate::policy::names::AlertName;
use handoffd_kit::secret::SecretTrouble;
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What channels take: Slack, for one, a message a second.
const PACE: SignedDuration = SignedDuration::from_secs(1);
/// How long an alert is tried before a person is asked: what it tells is old by then.
const LONG_ENOUGH: SignedDuration = SignedDuration::from_hours(24);
/// So many answered tries of one alert keep its place at the head of its channel, as all that never left do: they wait as long as the
/// channel is down, and the oldest goes first when it is back. One that is not taken after that may have something of its own.
const ITS_TURNS: u32 = 30;
/// How soon an alert is repeated whose answer was lost.
const ONCE_MORE: SignedDuration = SignedDuration::from_secs(5);
/// How far apart its repetitions come at the most while the channel answers nothing: each of them may arrive.
const APART: SignedDuration = SignedDuration::from_hours(1);

/// The open channels, by name.
#[derive(Clone, Default)]
pub struct Alerts(Arc<BTreeMap<AlertName, Outlet>>);

/// One open channel.
pub struct Outlet {
    channel: Arc<dyn Channel>,
    policy: AlertChannel,
    rest: Mutex<Rest>,
}

/// When a channel is left alone.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    breaker: Breaker,
    /// It named an instant.
    until: Option<Timestamp>,
    /// It has just been sent to.
    paced: Option<Timestamp>,
    /// It last answered something.
    answered: Option<Timestamp>,
}

impl Alerts {
    /// These channels. One of the policy that is not open is left out: what it is told waits for a person.
    pub fn new(open: BTreeMap<AlertName, Arc<dyn Channel>>, policy: &BTreeMap<AlertName, AlertChannel>) -> Self {
        let outlet = |(name, channel): (AlertName, Arc<dyn Channel>)| {
            let policy = policy.get(&name)?.clone();
            Some((name, Outlet { channel, policy, rest: Mutex::default() }))
        };
        Self(Arc::new(open.into_iter().filter_map(outlet).collect()))
    }

    /// Their names.
    pub fn names(&self) -> Vec<AlertName> {
        self.0.keys().cloned().collect()
    }

    /// One of them.
    pub fn get(&self, name: &AlertName) -> Option<&Outlet> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&AlertName, &Outlet)> {
        self.0.iter()
    }

    /// Secrets that could not be read again, by channel and key.
    pub fn secret_troubles(&self) -> Vec<(AlertName, &'static str, SecretTrouble)> {
        let of = |(name, outlet): (&AlertName, &Outlet)| {
            let name = name.clone();
            let secrets = outlet.channel.secrets().into_iter();
            secrets.filter_map(move |(key, secret)| Some((name.clone(), key, secret.trouble()?)))
        };
        self.iter().flat_map(of).collect()
    }
}

impl Outlet {
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What sends.
    pub fn channel(&self) -> &dyn Channel {
        &*self.channel
    }

    /// Whether it is told now.
    pub fn window(&self, now: Timestamp) -> Window {
        self.policy.window(now)
    }

    /// Until when nothing is sent to it because it was sent to a moment ago: what is due waits for that.
    pub fn paced_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest().paced.filter(|until| *until > now)
    }

    /// Until when nothing is sent to it because it does not answer, or said so.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let rest = *self.rest();
        rest.until.into_iter().chain(rest.breaker.rests_until(now)).filter(|until| *until > now).max()
    }

    /// Since when it has not answered.
    pub fn silent_since(&self) -> Option<Timestamp> {
        self.rest().breaker.silent_since()
    }

    /// It was just sent to.
    fn took(&self, now: Timestamp) {
        self.rest().paced = Some(now + PACE);
    }

    /// It was answered: it is there.
    fn answered(&self, now: Timestamp) {
        let mut rest = self.rest();
        rest.breaker.answered();
        rest.answered = Some(now);
    }

    /// Whether it has answered anything since then, as far as this process knows.
    fn answered_since(&self, then: Timestamp) -> bool {
        self.rest().answered.is_some_and(|answered| answered >= then)
    }

    /// It was not answered, or has too much to do. Gives when it is asked again.
    fn failed(&self, error: &AlertError, now: Timestamp, jitter: f64) -> Timestamp {
        let mut rest = self.rest();
        let again = rest.breaker.failed(now, jitter);
        if let Failure::Again(Some(named)) = error.failure {
            rest.until = rest.until.max(Some(named));
            return again.max(named);
        }
        again
    }
}

/// What sends alerts.
#[derive(Clone)]
pub struct AlertDelivery {
    /// Where they are remembered.
    pub ledger: Handle,
    /// The channels.
    pub alerts: Alerts,
    /// Time and chance.
    pub seams: Seams,
}

impl AlertDelivery {
    /// Takes the next alert of each of these channels that has one due.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn claim(&self, names: Vec<AlertName>, now: Timestamp) -> Result<Vec<ClaimedAlert>, LedgerError> {
        let window = |name: AlertName| self.alerts.get(&name).map(|outlet| (outlet.window(now), name));
        let channels: Vec<(Window, AlertName)> = names.into_iter().filter_map(window).collect();
        let claim = move |ledger: &mut Ledger| {
            let all = channels.iter().map(|(window, name)| ledger.claim_due_alert(name, *window, now));
            Ok(all.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        self.ledger.call(claim).await
    }

    /// Sends a claimed alert, and records what came of it.
    ///
    /// # Errors
    /// Only the ledger's: what a channel does wrong is recorded.
    pub async fn deliver(&self, claimed: ClaimedAlert) -> Result<(), LedgerError> {
        let Some(outlet) = self.alerts.get(&claimed.record.channel) else { return Ok(()) };
        let now = self.seams.clock.now();
        outlet.took(now);
        // A receiver that knows repetitions by their key need not be told of one.
        let repeats = outlet.channel.knows_repetitions();
        let attempt = Attempt { now, repeated: claimed.record.lost_at.is_some() && !repeats };
        let answer = outlet.channel.send(&claimed.record.alert, attempt).await;
        let now = self.seams.clock.now();
        let outcome = match answer {
            Ok(receipt) => {
                outlet.answered(now);
                accepted(&claimed, receipt, now)
            }
            Err(error) => {
                let again = match error.failure {
                    Failure::Refused | Failure::Gone => {
                        outlet.answered(now);
                        if self.renewed(outlet).await { Some(now) } else { None }
                    }
                    _ => Some(outlet.failed(&error, now, self.seams.random.fraction())),
                };
                let heard = claimed.record.lost_at.is_some_and(|lost| outlet.answered_since(lost));
                let channel = Standing { repeats, heard, again };
                failed(&claimed, &error, channel, now, self.seams.random.fraction())
            }
        };
        say(&claimed, &outcome);
        self.ledger.call(move |ledger| ledger.record_alert(&outcome)).await
    }

    /// Whether one of the channel's secrets is another one now than what was just refused.
    async fn renewed(&self, outlet: &Outlet) -> bool {
        let mut renewed = false;
        for (_, secret) in outlet.channel.secrets() {
            renewed |= secret.renew(&secret.current(), self.seams.clock.now()).await;
        }
        renewed
    }
}

fn outcome(claimed: &ClaimedAlert, event: EffectEvent, at: Timestamp) -> AlertOutcome {
    let alert = claimed.record.id;
    AlertOutcome {
        alert,
        event,
        at,
        receipt: None,
        reason: None,
        next_step: None,
        may_have_arrived: false,
        stops: false,
    }
}

fn accepted(claimed: &ClaimedAlert, receipt: String, now: Timestamp) -> AlertOutcome {
    AlertOutcome { receipt: Some(receipt), ..outcome(claimed, EffectEvent::Accepted, now) }
}

/// How a channel stands that has not taken an alert.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// It knows a repetition by its key.
    repeats: bool,
    /// It has answered something since the answer to this alert was lost: it is not its silence that costs the answers.
    heard: bool,
    /// When it is asked again; of what was refused, only where its secret has been replaced since.
    again: Option<Timestamp>,
}

/// What a failure means for an alert.
fn failed(
    claimed: &ClaimedAlert,
    error: &AlertError,
    Standing { repeats, heard, again }: Standing,
    now: Timestamp,
    jitter: f64,
) -> AlertOutcome {
    // One that was answered with an error may have been taken all the same. Where nothing tells a repetition apart it is no
    // reason to call the next try one.
    let may_have_arrived = match error.failure {
        Failure::Lost => true,
        Failure::Again(_) => repeats,
        Failure::NotSent | Failure::Refused | Failure::Gone => false,
    };
    let because = |event, step: &str| AlertOutcome {
        reason: Some(error.words.clone()),
        next_step: Some(error.next_step.clone().unwrap_or_else(|| step.to_owned())),
        may_have_arrived,
        ..outcome(claimed, event, now)
    };
    let old = claimed.record.tried_at.is_some_and(|first| now.duration_since(first) >= LONG_ENOUGH);
    let asked_again = again.unwrap_or(now);
    let later = match error.failure {
        // What never left keeps its turn however long the channel is away: it gets everything in its order when it is back.
        Failure::NotSent => asked_again,
        Failure::Again(_) if claimed.attempt <= ITS_TURNS => asked_again,
        _ => asked_again.max(now + backoff::after(claimed.attempt, jitter)),
    };
    match (error.failure, again) {
        (Failure::Refused | Failure::Gone, Some(now)) => {
            because(EffectEvent::TryAgain(now), "nothing: its secret was replaced")
        }
        (Failure::Refused, None) => {
            let channel = &claimed.record.channel;
            let step = format!("correct [alerts.{channel}], then `handoffd reload` and `handoffd parked retry`");
            because(EffectEvent::Park, &step)
        }
        (Failure::Gone, None) => AlertOutcome { stops: true, ..because(EffectEvent::Park, "take the channel out") },
        (Failure::Lost, _) if !repeats && claimed.record.lost_at.is_none() => {
            because(EffectEvent::Lost(now + ONCE_MORE), "nothing: it is repeated once, with the same key in its text")
        }
        (Failure::Lost, _) if !repeats && heard => {
            let words = format!("{}; its answer was lost twice", error.words);
            let parked = because(
                EffectEvent::Park,
                "look whether it has arrived; then `handoffd parked drop`, or `handoffd parked retry`",
            );
            AlertOutcome { reason: Some(words), ..parked }
        }
        _ if old => because(
            EffectEvent::Park,
            "see why the channel was not reached for a day; then `handoffd parked retry`, or `handoffd parked drop`",
        ),
        (Failure::Lost, _) if !repeats => {
            let later = asked_again.max(now + backoff::growing(claimed.attempt, APART, jitter));
            because(
                EffectEvent::Lost(later),
                "nothing: the channel answers nothing at all, and it is repeated until it does",
            )
        }
        _ => because(EffectEvent::TryAgain(later), "nothing: it is tried again"),
    }
}

/// One line for what was told, and for what stopped.
fn say(claimed: &ClaimedAlert, outcome: &AlertOutcome) {
    let what = match outcome.event {
        EffectEvent::Accepted => "alert.sent",
        EffectEvent::Park => "alert.parked",
        _ => return,
    };
    let alert = &claimed.record.alert;
    tracing::info!(
        desk = %alert.desk, case.id = %alert.ticket, handoff.id = %alert.handoff, alert.channel = %claimed.record.channel,
        alert.key = %alert.key, rule.id = %alert.rule, "{what}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::records::AlertRecord;
    use crate::ledger::samples::at;
    use crate::ledger::states::EffectState;
    use crate::plan::alert::Alert;

    fn claimed(attempt: u32, lost: bool) -> ClaimedAlert {
        let record = AlertRecord {
            id: 1,
            channel: "room".into(),
            alert: Alert::test(&"room".into(), 1, at(0)),
            state: EffectState::InFlight { attempt },
            created_at: at(0),
            tried_at: Some(at(0)),
            lost_at: lost.then(|| at(0)),
            receipt: None,
            reason: None,
            next_step: None,
        };
        ClaimedAlert { record, attempt }
    }

    fn error(failure: Failure) -> AlertError {
        AlertError { failure, words: "no such hook".into(), next_step: None }
    }

    fn standing(repeats: bool, again: Option<Timestamp>) -> Standing {
        Standing { repeats, heard: true, again }
    }

    fn event(claimed: &ClaimedAlert, failure: Failure, repeats: bool, now: Timestamp) -> EffectEvent {
        failed(claimed, &error(failure), standing(repeats, Some(now)), now, 0.5).event
    }

    #[test]
    fn a_lost_answer_is_repeated_once_and_where_the_key_is_known_as_often_as_it_takes() {
        assert_eq!(event(&claimed(1, false), Failure::Lost, false, at(1)), EffectEvent::Lost(at(6)));
        assert_eq!(event(&claimed(2, true), Failure::Lost, false, at(9)), EffectEvent::Park);
        assert!(matches!(event(&claimed(2, true), Failure::Lost, true, at(9)), EffectEvent::TryAgain(_)));
    }

    #[test]
    fn the_one_repetition_is_not_spent_on_a_channel_that_answers_nothing_at_all() {
        let silent = |attempt, now| {
            let channel = Standing { repeats: false, heard: false, again: Some(now) };
            failed(&claimed(attempt, true), &error(Failure::Lost), channel, now, 0.5)
        };
        let waits: Vec<SignedDuration> = (2..40)
            .map(|attempt| match silent(attempt, at(9)).event {
                EffectEvent::Lost(again) => again.duration_since(at(9)),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(waits.windows(2).all(|two| two[0] <= two[1]), "rarer and rarer: {waits:?}");
        assert!(waits.last().is_some_and(|longest| *longest <= APART * 2));
        assert_eq!(silent(40, at(0) + LONG_ENOUGH).event, EffectEvent::Park, "not for longer than a day");
    }

    #[test]
    fn what_may_have_arrived_is_remembered_whatever_follows() {
        let arrived = |failure, repeats| {
            failed(&claimed(1, false), &error(failure), standing(repeats, Some(at(1))), at(1), 0.5).may_have_arrived
        };
        assert!(arrived(Failure::Lost, true) && arrived(Failure::Lost, false));
        assert!(arrived(Failure::Again(None), true), "a trigger that was answered with 500");
        assert!(!arrived(Failure::NotSent, true) && !arrived(Failure::Refused, true));
    }

    #[test]
    fn what_is_not_reached_waits_as_long_as_its_channel_and_up_to_a_day() {
        let wait = |failure, attempt| match event(&claimed(attempt, false), failure, false, at(1)) {
            EffectEvent::TryAgain(again) => again.duration_since(at(1)),
            other => panic!("{other:?}"),
        };
        // It keeps its place: nothing that came later overtakes it.
        assert!((1..=10 * ITS_TURNS).all(|attempt| wait(Failure::NotSent, attempt).is_zero()));
        // What was answered again and again may have something of its own.
        assert!((1..=ITS_TURNS).all(|attempt| wait(Failure::Again(None), attempt).is_zero()));
        assert!(wait(Failure::Again(None), ITS_TURNS + 1) > SignedDuration::ZERO);
        assert_eq!(event(&claimed(99, false), Failure::NotSent, false, at(0) + LONG_ENOUGH), EffectEvent::Park);
    }

    #[test]
    fn what_is_refused_waits_for_a_person_with_the_channels_words_unless_its_secret_was_replaced() {
        let refused = failed(&claimed(1, false), &error(Failure::Refused), standing(false, None), at(1), 0.5);
        assert_eq!((&refused.event, refused.stops), (&EffectEvent::Park, false));
        assert_eq!(refused.reason.as_deref(), Some("no such hook"));
        assert!(refused.next_step.is_some_and(|step| step.contains("[alerts.room]") && step.contains("reload")));
        assert!(failed(&claimed(1, false), &error(Failure::Gone), standing(false, None), at(1), 0.5).stops);
        let renewed = failed(&claimed(1, false), &error(Failure::Refused), standing(false, Some(at(1))), at(1), 0.5);
        assert_eq!(renewed.event, EffectEvent::TryAgain(at(1)));
    }
}
