//! Alerts on a whole house, over HTTP to strict receivers on loopback: what is told, once and in its order; a channel that is
//! down beside one that is up; a crash between sending and the answer; and what ends an incident.

use super::control::{Command, Order, Target, execute};
use super::testing::{Stage, asking, sending};
use crate::alert::open;
use crate::config::AlertSettings;
use crate::delivery::alerts::Alerts;
use crate::ledger::Ledger;
use crate::ledger::records::{AlertRecord, Switch};
use crate::ledger::states::EffectState;
use crate::plan::alert::{About, Alert, PlannedAlert};
use crate::policy::alert::{AlertChannel, ChannelKind, Occasion, Outside};
use crate::policy::due::Wait;
use crate::policy::lull::NewsWithin;
use crate::policy::names::AlertName;
use crate::policy::rules::{ClaimDecision, Policy, Unclaimed};
use crate::policy::testing;
use crate::web::pages;
use axum::body::{Body, to_bytes};
use handoffd_kit::clock::Clock;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Person, Role, What};
use handoffd_kit::settings::{Seams, Setting};
use handoffd_kit::transport::{HttpTransport, Transport};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use receiver::{Answer, Receiver};
use std::pin::pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[allow(dead_code, reason = "the channels' own tests use all of it")]
#[path = "../../tests/alerts/receiver.rs"]
mod receiver;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A channel at an address.
fn settings(kind: ChannelKind, url: &str) -> AlertSettings {
    let base = url.rsplit_once("/in/").map_or(url, |(base, _)| base).to_owned();
    let secret = |text: &str| Setting::Secret(text.into());
    let keys = match kind {
        ChannelKind::PagerDuty => vec![("key", secret("k")), ("api", Setting::Text(base))],
        ChannelKind::Webhook => vec![("url", secret(url)), ("secret", secret(SECRET))],
        _ => vec![("url", secret(url))],
    };
    let settings = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    AlertSettings { kind, settings, to: Vec::new(), allow_private: true }
}

/// A policy whose billing is told by these channels of everything.
fn telling(policy: Policy, channels: &[(&str, ChannelKind)]) -> Policy {
    let mut policy = policy;
    for (name, kind) in channels {
        let tells = Occasion::ALL.to_vec();
        let channel = AlertChannel { kind: *kind, tells, hours: None, outside: Outside::Wait };
        policy.alerts.channels.insert(AlertName::from(*name), channel);
        policy.teams.get_mut(&"billing".into()).expect("a team").alert.push(AlertName::from(*name));
    }
    policy
}

/// A refund goes to billing, which has two hours before its lead is asked.
fn waiting() -> Policy {
    let mut policy = sending();
    let within = Wait::from(SignedDuration::from_hours(2));
    policy.escalations[0].owner.claim = Some(ClaimDecision { within, unclaimed: vec![Unclaimed::Lead] });
    policy.teams.get_mut(&"billing".into()).expect("team").lead = Some("billing-lead".into());
    policy
}

/// Opens the policy's channels at these addresses.
fn opened(stage: Stage, addresses: &[(&str, &str)]) -> Stage {
    let http: Arc<dyn Transport> = Arc::new(HttpTransport::new(1));
    let seams = Seams { transport: http.clone(), ..stage.house.seams.clone() };
    let channels = &stage.house.policy.alerts.channels;
    let open = addresses.iter().map(|(name, url)| {
        let name = AlertName::from(*name);
        let channel =
            open(settings(channels[&name].kind, url), &seams, &http).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        (name, channel)
    });
    let alerts = Alerts::new(open.collect(), channels);
    let Stage { house, desk, clock } = stage;
    Stage { house: super::house::House { alerts, ..house }, desk, clock }
}

/// Does something, and lets the second pass that a channel has between two alerts.
async fn paced(stage: &Stage, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => return,
            () = tokio::task::yield_now() => {}
        }
        let soon = stage.clock.now() + SignedDuration::from_secs(1);
        if let Some(next) = stage.clock.next_wait().filter(|next| *next <= soon) {
            stage.clock.set(next);
        }
    }
}

async fn look(stage: &Stage) {
    paced(stage, stage.look()).await;
}

async fn later(stage: &Stage, span: SignedDuration) {
    stage.clock.advance(span);
    paced(stage, stage.run()).await;
}

async fn alerts(stage: &Stage) -> Vec<AlertRecord> {
    let handoff = stage.handoffs().await.remove(0).id;
    stage.house.ledger.call(move |ledger| ledger.alerts_of(&handoff)).await.expect("alerts")
}

/// The alerts of the handoff, without its id: key and state.
async fn told(stage: &Stage) -> Vec<(String, &'static str)> {
    let short =
        |record: &AlertRecord| record.alert.key.split_once('/').map_or(String::new(), |(_, rest)| rest.to_owned());
    alerts(stage).await.iter().map(|record| (short(record), record.state.name())).collect()
}

fn row(key: &str, state: &'static str) -> (String, &'static str) {
    (key.to_owned(), state)
}

/// An agent of billing takes it.
async fn claim(stage: &Stage) {
    let owner = Person { id: "22".into(), name: Some("Second Agent".into()), email: None, role: Role::Agent };
    let what = What::Owner { from: None, to: Some("22".into()) };
    stage.desk.agent(stage.clock.now(), what, |head| head.owner = Fact::Known(Some(owner)));
    look(stage).await;
}

async fn order(stage: &Stage, command: Command) -> String {
    let order = Order { command, by: "admin".into() };
    execute(&stage.house, order, "tester").await.unwrap_or_else(|error| panic!("{error}")).said
}

async fn health(stage: &Stage) -> serde_json::Value {
    let request = http::Request::get("/healthz").body(Body::empty()).expect("a request");
    let answer = TowerToHyperService::new(pages(stage.house.web(1_000))).call(request).await.expect("infallible");
    serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn a_team_is_told_once_that_it_has_a_case_and_an_incident_ends_with_the_claim() {
    let (room, pager) = (Receiver::answering([]).await, Receiver::answering([]).await);
    let policy = telling(sending(), &[("room", ChannelKind::Mattermost), ("pager", ChannelKind::PagerDuty)]);
    let stage = opened(Stage::new(policy), &[("room", &room.url), ("pager", &pager.url)]);
    look(&stage).await;
    let text = room.got()[0].json()["text"].as_str().expect("text").to_owned();
    for words in ["42 was handed to billing", "frontline → billing", "6000", "handoff"] {
        assert!(text.replace('\\', "").contains(words), "{words}: {text}");
    }
    // The subject and the customer's words of the case: none of them leaves.
    for secret in ["Refund please", "charged twice", "eva@customer.example"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let triggered = pager.got()[0].json();
    assert_eq!(triggered["event_action"], "trigger");
    later(&stage, MINUTE * 2).await;
    assert_eq!((room.got().len(), pager.got().len()), (1, 1), "once");
    claim(&stage).await;
    later(&stage, MINUTE).await;
    assert_eq!((room.got().len(), pager.got().len()), (1, 2));
    let resolved = pager.got()[1].json();
    assert_eq!((&resolved["event_action"], &resolved["dedup_key"]), (&"resolve".into(), &triggered["dedup_key"]));
    let all = [row("handoff@room", "done"), row("handoff@pager", "done"), row("handoff@pager-closed", "done")];
    assert_eq!(told(&stage).await, all);
}

#[tokio::test]
async fn a_channel_that_is_down_holds_up_nothing_and_health_says_so() {
    let (dead, room) = (Receiver::nobody().await, Receiver::answering([]).await);
    let policy = telling(waiting(), &[("dead", ChannelKind::Webhook), ("room", ChannelKind::Mattermost)]);
    let stage = opened(Stage::new(policy), &[("dead", &dead), ("room", &room.url)]);
    look(&stage).await;
    for _ in 0..70 {
        later(&stage, MINUTE * 2).await;
    }
    assert_eq!(room.got().len(), 2, "handed over, and not claimed");
    assert_eq!(stage.desk.ticket().written.len(), 2, "note and reminder: the helpdesk waited for nothing");
    let health = health(&stage).await;
    assert_eq!(health["status"], "degraded");
    let said = health["reasons"].to_string();
    assert!(said.contains("the alert channel dead takes nothing: "), "{said}");
    assert!(said.contains("handoffd alerts test dead"), "{said}");
}

#[tokio::test]
async fn a_crash_between_sending_and_the_answer_is_repeated_once_with_the_same_key_and_says_so() {
    let room = Receiver::answering([Answer::Silence, Answer::Status(200, "", "ok")]).await;
    let stage = opened(Stage::new(telling(sending(), &[("room", ChannelKind::Mattermost)])), &[("room", &room.url)]);
    tokio::select! {
        () = stage.look() => panic!("it waits for an answer"),
        () = room.has(1) => {}
    }
    assert!(matches!(alerts(&stage).await[0].state, EffectState::InFlight { attempt: 1 }));
    assert_eq!(stage.house.recover().await.expect("recovered"), 1);
    later(&stage, MINUTE).await;
    later(&stage, MINUTE).await;
    let texts: Vec<String> = room
        .got()
        .iter()
        .map(|got| got.json()["text"].as_str().expect("text").replace('\\', "").replace("@\u{2060}", "@"))
        .collect();
    let key = alerts(&stage).await[0].alert.key.clone();
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().all(|text| text.contains(&key)), "{key}: {texts:?}");
    assert!(!texts[0].contains("may have arrived") && texts[1].contains("may have arrived"), "{texts:?}");
    assert_eq!(told(&stage).await, [row("handoff@room", "done")]);
}

#[tokio::test]
async fn an_incident_whose_begin_may_have_arrived_ends_with_the_claim() {
    for lost in [Answer::Cut, Answer::Status(500, "", "oops")] {
        let pager = Receiver::answering([lost.clone()]).await;
        let stage =
            opened(Stage::new(telling(sending(), &[("pager", ChannelKind::PagerDuty)])), &[("pager", &pager.url)]);
        look(&stage).await;
        assert_eq!((pager.got().len(), told(&stage).await), (1, vec![row("handoff@pager", "due")]), "{lost:?}");
        claim(&stage).await;
        later(&stage, MINUTE).await;
        let actions: Vec<_> = pager.got().iter().map(|got| got.json()["event_action"].clone()).collect();
        assert_eq!(actions, ["trigger", "resolve"], "{lost:?}");
        assert_eq!(pager.got()[0].json()["dedup_key"], pager.got()[1].json()["dedup_key"]);
        assert_eq!(told(&stage).await, [row("handoff@pager", "dropped"), row("handoff@pager-closed", "done")]);
    }
}

#[tokio::test]
async fn a_channel_that_answers_nothing_for_a_while_costs_no_alert() {
    let room = Receiver::answering(std::iter::repeat_n(Answer::Cut, 6)).await;
    let stage = opened(Stage::new(telling(sending(), &[("room", ChannelKind::Slack)])), &[("room", &room.url)]);
    look(&stage).await;
    for _ in 0..10 {
        later(&stage, MINUTE).await;
    }
    assert_eq!(told(&stage).await, [row("handoff@room", "done")]);
    let said: Vec<bool> =
        room.got().iter().map(|got| got.json().to_string().contains("may have arrived before")).collect();
    assert_eq!(said, [false, true, true, true, true, true, true], "every repetition says that it may be one");
}

#[tokio::test]
async fn an_answer_that_is_lost_twice_while_the_channel_answers_others_waits_for_a_person() {
    let room = Receiver::answering([Answer::Cut, Answer::Status(200, "", "ok"), Answer::Cut]).await;
    let stage = opened(Stage::new(telling(sending(), &[("room", ChannelKind::Slack)])), &[("room", &room.url)]);
    look(&stage).await;
    // Another alert of the channel, which stands for itself, is taken meanwhile.
    let now = stage.clock.now();
    let about = About::Digest { week: "from a to b".into(), lines: Vec::new() };
    let alert = Alert::digest(&"room".into(), jiff::civil::date(2027, 1, 4), about, now);
    let planned = vec![PlannedAlert { channel: "room".into(), alert }];
    let send = move |ledger: &mut Ledger| {
        let due = ledger.digest_due("weekly", now)?;
        ledger.send_digest("weekly", (due, now + MINUTE * 60 * 24), &planned, now)
    };
    stage.house.ledger.call(send).await.expect("planned");
    paced(&stage, stage.run()).await;
    assert_eq!(room.got().len(), 2, "the other one");
    for _ in 0..5 {
        later(&stage, MINUTE).await;
    }
    assert_eq!((room.got().len(), told(&stage).await), (3, vec![row("handoff@room", "parked")]));
    let parked = alerts(&stage).await.remove(0);
    assert!(parked.reason.is_some_and(|why| why.contains("lost twice")) && parked.next_step.is_some());
}

#[tokio::test]
async fn a_refusal_is_parked_with_the_channels_words_and_goes_out_when_a_person_says_so() {
    let room = Receiver::answering([Answer::Status(404, "", "no_service")]).await;
    let stage = opened(Stage::new(telling(sending(), &[("room", ChannelKind::Slack)])), &[("room", &room.url)]);
    look(&stage).await;
    for _ in 0..3 {
        later(&stage, MINUTE).await;
    }
    let parked = alerts(&stage).await.remove(0);
    assert_eq!((room.got().len(), parked.state.name()), (1, "parked"));
    assert!(parked.reason.is_some_and(|why| why.contains("HTTP 404: no_service")));
    let said = health(&stage).await["reasons"].to_string();
    assert!(said.contains("alerts of the channel room that wait for a person: 1"), "{said}");
    let target = Target::Alert { key: parked.alert.key };
    let said = order(&stage, Command::Retry { target: target.clone() }).await;
    assert!(said.contains("one alert is"), "{said}");
    later(&stage, MINUTE).await;
    assert_eq!((room.got().len(), told(&stage).await), (2, vec![row("handoff@room", "done")]));
    let again = Order { command: Command::Drop { target, reason: "over".into() }, by: "admin".into() };
    assert!(execute(&stage.house, again, "tester").await.is_err(), "nothing is parked any more");
}

#[tokio::test]
async fn a_receiver_that_wants_no_more_is_not_sent_to_until_a_person_says_so() {
    let hook = Receiver::answering([Answer::Status(410, "", "bye")]).await;
    let stage = opened(Stage::new(telling(waiting(), &[("hook", ChannelKind::Webhook)])), &[("hook", &hook.url)]);
    look(&stage).await;
    for _ in 0..65 {
        later(&stage, MINUTE * 2).await;
    }
    assert_eq!(hook.got().len(), 1, "not asked again");
    assert_eq!(told(&stage).await, [row("handoff@hook", "parked"), row("unclaimed-1@hook", "parked")]);
    order(&stage, Command::Retry { target: Target::All { desk: None, rule: None } }).await;
    later(&stage, MINUTE).await;
    later(&stage, MINUTE).await;
    assert_eq!(told(&stage).await, [row("handoff@hook", "done"), row("unclaimed-1@hook", "done")]);
}

#[tokio::test]
async fn whoever_decides_is_told_how_to_answer_and_the_answer_ends_the_incident() {
    let (room, pager) = (Receiver::answering([]).await, Receiver::answering([]).await);
    let policy = telling(asking(), &[("room", ChannelKind::Slack), ("pager", ChannelKind::PagerDuty)]);
    let stage = opened(Stage::new(policy), &[("room", &room.url), ("pager", &pager.url)]);
    look(&stage).await;
    let handoff = stage.handoffs().await.remove(0).id;
    let said = room.got()[0].json().to_string();
    assert!(
        said.contains("waits for a yes or no") && said.contains(&format!("handoffd reviews show {handoff}")),
        "{said}"
    );
    let reason = "frontline may".to_owned();
    order(&stage, Command::Reject { handoff: handoff.clone(), reason }).await;
    later(&stage, MINUTE).await;
    let events: Vec<String> =
        pager.got().iter().map(|got| got.json()["event_action"].as_str().expect("an action").to_owned()).collect();
    assert_eq!((events, room.got().len()), (vec!["trigger".to_owned(), "resolve".to_owned()], 1));
}

#[tokio::test]
async fn outside_of_its_hours_a_channel_waits_and_what_is_over_by_then_is_not_told() {
    let room = Receiver::answering([]).await;
    let mut policy = telling(sending(), &[("room", ChannelKind::Slack)]);
    policy.alerts.channels.get_mut(&"room".into()).expect("a channel").hours = Some(testing::office_hours());
    let claimed = opened(Stage::new(policy.clone()), &[("room", &room.url)]);
    // At 20:00 in Berlin nobody is there.
    claimed.clock.advance(SignedDuration::from_hours(7));
    look(&claimed).await;
    assert_eq!((room.got().len(), told(&claimed).await), (0, vec![row("handoff@room", "due")]));
    claim(&claimed).await;
    later(&claimed, SignedDuration::from_hours(13)).await;
    assert_eq!((room.got().len(), told(&claimed).await), (0, vec![row("handoff@room", "dropped")]));

    let waits = opened(Stage::new(policy), &[("room", &room.url)]);
    waits.clock.advance(SignedDuration::from_hours(7));
    look(&waits).await;
    later(&waits, SignedDuration::from_hours(12)).await;
    assert_eq!(room.got().len(), 0, "at 8:00");
    later(&waits, SignedDuration::from_hours(1)).await;
    assert_eq!((room.got().len(), told(&waits).await), (1, vec![row("handoff@room", "done")]), "at 9:00");
}

#[tokio::test]
async fn a_pause_holds_alerts_too_and_shadow_tells_nobody() {
    let room = Receiver::answering([]).await;
    let stage = opened(Stage::new(telling(asking(), &[("room", ChannelKind::Slack)])), &[("room", &room.url)]);
    let shadow = telling(asking(), &[("room", ChannelKind::Slack)]);
    order(&stage, Command::Switch { switch: Switch::All, on: true }).await;
    look(&stage).await;
    assert_eq!(room.got().len(), 0, "nothing is decided while everything is paused");
    order(&stage, Command::Switch { switch: Switch::All, on: false }).await;
    later(&stage, MINUTE).await;
    assert_eq!(room.got().len(), 1);

    let mut shadow = shadow;
    shadow.mode = crate::policy::rules::Mode::Shadow;
    let silent = opened(Stage::new(shadow), &[("room", &room.url)]);
    look(&silent).await;
    later(&silent, MINUTE).await;
    assert_eq!(room.got().len(), 1);
}

#[tokio::test]
async fn what_is_parked_is_told_and_told_again_when_it_is_parked_again() {
    let ops = Receiver::answering([]).await;
    let stage = opened(Stage::new(telling(sending(), &[("ops", ChannelKind::Mattermost)])), &[("ops", &ops.url)]);
    stage.park().await;
    later(&stage, MINUTE).await;
    assert_eq!(told(&stage).await, [row("parked-1-1@ops", "done")]);
    let text = ops.got()[0].json()["text"].as_str().expect("text").replace('\\', "");
    assert!(text.contains("handoffd parked list") && !text.contains("no such group"), "{text}");
    stage.desk.ticket().refuses = true;
    order(&stage, Command::Retry { target: Target::All { desk: None, rule: None } }).await;
    later(&stage, MINUTE).await;
    assert_eq!(told(&stage).await.len(), 2);
    assert_eq!(ops.got().len(), 2);
}

#[tokio::test]
async fn alerts_of_a_channel_that_is_not_configured_any_more_wait_for_a_person() {
    let policy = telling(sending(), &[("gone", ChannelKind::Slack)]);
    let stage = Stage::new(policy);
    look(&stage).await;
    assert_eq!(told(&stage).await, [row("handoff@gone", "due")]);
    stage.house.recover().await.expect("recovered");
    let parked = alerts(&stage).await.remove(0);
    assert_eq!(parked.state.name(), "parked");
    assert!(parked.next_step.is_some_and(|step| step.contains("[alerts.gone]") && step.contains("reload")));
    let stop = CancellationToken::new();
    let until = super::pipeline::Until::NothingDueBy(stage.clock.now());
    stage.house.run(until, &stop).await.expect("ran");
}

#[tokio::test]
async fn that_a_channel_does_not_get_through_is_told_once_by_another_and_never_by_itself() {
    let room = Receiver::answering([Answer::Status(404, "", "no_service")]).await;
    let ops = Receiver::answering([]).await;
    let mut policy = telling(sending(), &[("room", ChannelKind::Slack), ("ops", ChannelKind::Slack)]);
    policy.teams.get_mut(&"billing".into()).expect("team").alert = vec!["room".into()];
    policy.alerts.operators = vec!["room".into(), "ops".into()];
    let stage = opened(Stage::new(policy), &[("room", &room.url), ("ops", &ops.url)]);
    look(&stage).await;
    for _ in 0..6 {
        later(&stage, MINUTE).await;
    }
    assert_eq!((room.got().len(), told(&stage).await), (1, vec![row("handoff@room", "parked")]));
    let about = |handoff: &'static str| stage.house.ledger.call(move |ledger| ledger.alerts_of(handoff));
    let told = about("alert-channel").await.expect("read");
    assert_eq!(told.iter().map(|record| record.channel.as_str()).collect::<Vec<_>>(), ["ops"]);
    assert_eq!(ops.got().len(), 1, "once");
    let said = String::from_utf8_lossy(&ops.got()[0].body).into_owned();
    assert!(said.contains("An alert of the channel room waits for a person") && said.contains("parked list"), "{said}");
}

/// What operators are told of desks: the alert's key without the instant, and its state.
async fn lulls(stage: &Stage) -> Vec<(String, &'static str)> {
    let records = stage.house.ledger.call(|ledger| ledger.alerts_of("lull")).await.expect("read");
    let word = |record: &AlertRecord| {
        let (thread, close) =
            (record.alert.thread.rsplit_once('/').expect("an instant").0.to_owned(), record.alert.act);
        (format!("{thread} {}", close.name()), record.state.name())
    };
    records.iter().map(word).collect()
}

fn rows(rows: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    rows.iter().map(|(word, state)| ((*word).to_owned(), *state)).collect()
}

#[tokio::test]
async fn a_desk_that_cannot_be_read_is_told_once_and_the_incident_ends_when_it_can() {
    let pager = Receiver::answering([]).await;
    let mut policy = telling(sending(), &[("pager", ChannelKind::PagerDuty)]);
    policy.alerts.operators = vec!["pager".into()];
    let stage = opened(Stage::polled(policy), &[("pager", &pager.url)]);
    later(&stage, MINUTE).await;
    stage.desk.ticket().silent = true;
    for _ in 0..14 {
        later(&stage, MINUTE).await;
    }
    assert_eq!(lulls(&stage).await, []);
    for _ in 0..10 {
        later(&stage, MINUTE).await;
    }
    assert_eq!(lulls(&stage).await, rows(&[("lull/acme/unread tell", "done")]));
    let told: serde_json::Value = serde_json::from_slice(&pager.got()[0].body).expect("JSON");
    let summary = told["payload"]["summary"].as_str().expect("words");
    assert!(summary.starts_with("Nothing can be read of the desk acme"), "{summary}");
    assert!(told["payload"]["custom_details"]["next"].as_str().is_some_and(|next| next.contains("handoffd health")));
    stage.desk.ticket().silent = false;
    for _ in 0..3 {
        later(&stage, MINUTE).await;
    }
    assert_eq!(lulls(&stage).await, rows(&[("lull/acme/unread tell", "done"), ("lull/acme/unread close", "done")]));
    let closed: serde_json::Value = serde_json::from_slice(&pager.got()[1].body).expect("JSON");
    assert_eq!((closed["event_action"].as_str(), &closed["dedup_key"]), (Some("resolve"), &told["dedup_key"]));
}

#[tokio::test]
async fn a_desk_without_news_for_too_long_is_told_and_makes_health_yellow_until_something_comes() {
    let room = Receiver::answering([]).await;
    let mut policy = telling(sending(), &[("room", ChannelKind::Slack)]);
    policy.alerts.operators = vec!["room".into()];
    let length = SignedDuration::from_hours(2);
    policy.desks.get_mut(&"acme".into()).expect("a desk").news_within = Some(NewsWithin { length, hours: None });
    let shadow = Policy { mode: crate::policy::rules::Mode::Shadow, ..policy.clone() };
    for (policy, told) in [(policy, true), (shadow, false)] {
        let stage = opened(Stage::polled(policy), &[("room", &room.url)]);
        let yellow =
            async || health(&stage).await.to_string().contains("nothing new has come of the desk for longer than 2 h");
        for _ in 0..13 {
            later(&stage, SignedDuration::from_mins(10)).await;
        }
        let lull = rows(&[("lull/acme/no-news tell", "done")]);
        assert_eq!(lulls(&stage).await, if told { lull } else { Vec::new() });
        assert!(yellow().await);
        let looks = vec![crate::ledger::records::NewLook { ticket: "42".into(), due: stage.clock.now(), head: None }];
        let at = stage.clock.now();
        let page = crate::ledger::records::PolledPage {
            desk: "acme".into(),
            stream: "tickets".into(),
            next: handoffd_kit::desk::Cursor("c".into()),
            looks,
            at,
        };
        stage.house.ledger.call(move |ledger| ledger.note_page(&page)).await.expect("noted");
        assert!(!yellow().await);
    }
}
