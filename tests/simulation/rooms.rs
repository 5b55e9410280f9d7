//! The rooms that people are told in outside the helpdesk, with faults of their own, and what must hold of them: each alert
//! comes at least once, and a second time only where nobody could know of the first.

use crate::checker::Scene;
use crate::tally::Tally;
use bytes::Bytes;
use fastrand::Rng;
use handoffd::ledger::records::{AlertRecord, HandoffRecord};
use handoffd::ledger::states::EffectState;
use handoffd::ledger::{HandoffFilter, Ledger};
use handoffd::policy::proposal::HandoffKind;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::transport::TransportError;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the environment names the room of the second line.
pub const SLACK: &str = "https://hooks.slack.com/services/T0/B0/simulated";
/// The secret that billing's room checks signatures with.
pub const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A record is written so soon after an answer, where the ledger can be written.
const RECORDED: SignedDuration = SignedDuration::from_secs(60);
/// What had left before a switch to shadow may arrive so late.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// All of them. Clones are one.
#[derive(Clone)]
pub struct Rooms(Arc<Mutex<State>>);

struct State {
    clock: ManualClock,
    random: Rng,
    /// How often each thing goes wrong.
    rate: f64,
    away: (Timestamp, Timestamp),
    quiet_from: Timestamp,
    told: Vec<Told>,
}

/// A message that came in.
#[derive(Clone, Debug)]
pub struct Told {
    key: String,
    at: Timestamp,
    /// When the daemon got the answer that it was taken.
    heard: Option<Timestamp>,
}

/// What a room answers.
pub type Taken = Result<Response<Bytes>, TransportError>;

impl Rooms {
    /// As they are on a day that begins then, until nothing goes wrong any more.
    pub fn new(clock: ManualClock, mut random: Rng, quiet_from: Timestamp) -> Self {
        let from = clock.now() + SignedDuration::from_mins(random.i64(60..1_200));
        let away = (from, from + SignedDuration::from_mins(random.i64(5..90)));
        let rate = random.f64() * 0.06;
        Self(Arc::new(Mutex::new(State { clock, random, rate, away, quiet_from, told: Vec::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request is for one of them.
    pub fn are_at(host: Option<&str>) -> bool {
        matches!(host, Some("hooks.slack.com" | "rooms.acme.example"))
    }

    /// A request comes. Gives its answer, and its number if it was taken.
    pub fn take(&self, request: &Request<Bytes>) -> (Taken, Option<usize>) {
        self.state().take(request)
    }

    /// The daemon has got the answer.
    pub fn heard(&self, number: usize) {
        let mut state = self.state();
        let now = state.clock.now();
        state.told[number].heard = Some(now);
    }

    /// Everything that came in.
    pub fn told(&self) -> Vec<Told> {
        self.state().told.clone()
    }
}

impl State {
    fn take(&mut self, request: &Request<Bytes>) -> (Taken, Option<usize>) {
        let now = self.clock.now();
        let answer = |status: u16| Ok(Response::builder().status(status).body(Bytes::from("ok")).expect("an answer"));
        let lost = || Err(TransportError::Lost("closed before the answer".into()));
        let wrong = now < self.quiet_from;
        if wrong && self.away.0 <= now && now < self.away.1 {
            return (Err(TransportError::NotSent("refused".into())), None);
        }
        let fails = |random: &mut Rng, rate: f64| wrong && random.f64() < rate;
        if fails(&mut self.random, self.rate) {
            return (answer(self.random.choice([429, 500, 503]).unwrap_or(500)), None);
        }
        if fails(&mut self.random, self.rate) {
            return (lost(), None);
        }
        self.told.push(Told { key: key_of(request.body()), at: now, heard: None });
        if fails(&mut self.random, self.rate) {
            return (lost(), None);
        }
        (answer(200), Some(self.told.len() - 1))
    }
}

/// The key of an alert stands in its text, for people; in a message for machines by itself.
fn key_of(body: &[u8]) -> String {
    let message: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let text = message["text"].as_str().and_then(|text| text.rsplit_once("[handoffd "));
    let key = text.map(|(_, mark)| mark.trim_end_matches(']')).or(message["data"]["key"].as_str());
    key.expect("a key").to_owned()
}

/// Who is told of what is carried out, by a model of the policy that is the checker's own.
fn told_of(handoff: &HandoffRecord) -> Option<&'static str> {
    match handoff.proposal.to.as_str() {
        _ if handoff.proposal.kind != HandoffKind::Escalate => None,
        "billing" => Some("billing-room"),
        "second-line" => Some("tier2-room"),
        _ => None,
    }
}

/// Whoever is to be told is told, once where that can be known.
pub fn everybody_is_told(scene: &Scene<'_>, tally: &mut Tally) -> Vec<String> {
    let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    for one in scene.told {
        told.entry(one.key.clone()).or_default().push(one.clone());
    }
    let mut wrong = Vec::new();
    let alerts = alerts_of(scene.ledger, &mut wrong);
    for alert in &alerts {
        let came = told.get(&alert.alert.key).map_or(&[][..], Vec::as_slice);
        tally.count(format!("alerts {}", alert.state.name()), 1);
        tally.count("alerts repeated", u64::from(came.len() > 1));
        wrong.extend(is_well(scene, alert, came));
    }
    let known = |key: &String| alerts.iter().any(|alert| alert.alert.key == *key);
    wrong.extend(told.keys().filter(|key| !known(key)).map(|key| format!("{key} was told, and nobody planned it")));
    let shadow = |at: Timestamp| scene.in_force.is_shadow(at) && scene.in_force.is_shadow(at - LATE);
    let in_shadow = scene.told.iter().filter(|one| shadow(one.at));
    wrong.extend(in_shadow.map(|one| format!("{} was told in shadow, at {}", one.key, one.at)));
    wrong
}

/// All alerts of handoffs; each that was carried out has one.
fn alerts_of(ledger: &Ledger, wrong: &mut Vec<String>) -> Vec<AlertRecord> {
    let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
    let mut alerts = Vec::new();
    for handoff in ledger.handoffs(&all).expect("readable") {
        let of = ledger.alerts_of(&handoff.id).expect("readable");
        let key = told_of(&handoff).map(|channel| format!("{}/handoff@{channel}", handoff.id));
        let key = key.filter(|_| handoff.sent_at.is_some());
        if let Some(key) = key.filter(|key| !of.iter().any(|alert| alert.alert.key == *key)) {
            wrong.push(format!("nobody is told of {key}, which was carried out"));
        }
        alerts.extend(of);
    }
    alerts
}

/// What is wrong with an alert that came so often.
fn is_well(scene: &Scene<'_>, alert: &AlertRecord, came: &[Told]) -> Option<String> {
    let key = &alert.alert.key;
    match alert.state {
        EffectState::Done if came.is_empty() => return Some(format!("{key} is done, and nobody was told")),
        EffectState::Parked { .. } if alert.reason.is_none() || alert.next_step.is_none() => {
            return Some(format!("{key} is parked without reason or next step"));
        }
        EffectState::Dropped if alert.reason.is_none() => return Some(format!("{key} is dropped without a reason")),
        EffectState::Done | EffectState::Parked { .. } | EffectState::Dropped => {}
        _ => return Some(format!("{key} is {} in the end", alert.state.name())),
    }
    let knew = |two: &[Told]| two[0].heard.is_some_and(|heard| !was_forgotten(scene, heard, two[1].at));
    let again = came.windows(2).find(|two| knew(two))?;
    Some(format!("{key} was told again, although it was known to be told: {again:?}"))
}

/// Whether a life ended before it could write down what it had heard.
fn was_forgotten(scene: &Scene<'_>, heard: Timestamp, until: Timestamp) -> bool {
    let ailed = |ended: Timestamp| {
        scene.ailing.iter().any(|(from, to)| *from <= heard + RECORDED && heard <= *to && ended >= heard)
    };
    let ends = scene.ends.iter().filter(|ended| heard <= **ended && **ended <= until);
    ends.copied().any(|ended| ended <= heard + RECORDED || ailed(ended))
}
