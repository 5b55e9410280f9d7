//! The lead's week on a whole house: sent once when it is due, over restarts and after a time without a daemon.

use super::house::House;
use super::testing::{Stage, sending};
use crate::alert::{AlertError, Attempt, Channel};
use crate::delivery::alerts::Alerts;
use crate::plan::alert::{Alert, card};
use crate::policy::alert::{AlertChannel, ChannelKind, Outside};
use crate::policy::digest::DigestPlan;
use crate::policy::rules::{Mode, Policy};
use futures::future::BoxFuture;
use handoffd_kit::clock::Clock;
use handoffd_kit::secret::Secret;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A room that takes everything and remembers it.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Vec<Alert>>>);

impl Channel for Room {
    fn send<'a>(&'a self, alert: &'a Alert, _: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        self.0.lock().expect("no panic").push(alert.clone());
        Box::pin(std::future::ready(Ok(String::new())))
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        Vec::new()
    }
}

impl Room {
    fn keys(&self) -> Vec<String> {
        self.0.lock().expect("no panic").iter().map(|alert| alert.key.clone()).collect()
    }
}

fn policy(mode: Mode) -> Policy {
    let mut policy = sending();
    policy.mode = mode;
    let room = AlertChannel { kind: ChannelKind::Slack, tells: Vec::new(), hours: None, outside: Outside::Wait };
    policy.alerts.channels.insert("room".into(), room);
    policy.alerts.digest = Some(DigestPlan {
        to: vec!["room".into()],
        day: Weekday::Monday,
        at: jiff::civil::time(8, 0, 0, 0),
        zone: TimeZone::UTC,
        zone_name: "UTC".into(),
    });
    policy
}

fn with_room(stage: Stage, room: &Room) -> Stage {
    let open: BTreeMap<_, Arc<dyn Channel>> = BTreeMap::from([("room".into(), Arc::new(room.clone()) as _)]);
    let alerts = Alerts::new(open, &stage.house.policy.alerts.channels);
    let Stage { house, desk, clock } = stage;
    Stage { house: House { alerts, ..house }, desk, clock }
}

/// The house goes on until then.
async fn until(stage: &Stage, at: Timestamp) {
    stage.clock.set(at);
    stage.run().await;
}

fn due(stage: &Stage) -> Timestamp {
    stage.house.policy.alerts.digest.as_ref().expect("a plan").next(stage.clock.now())
}

#[tokio::test]
async fn a_week_is_sent_when_it_is_due_and_once_whatever_restarts() {
    let room = Room::default();
    let mut stage = with_room(Stage::new(policy(Mode::Live)), &room);
    stage.run().await;
    assert_eq!(room.keys(), Vec::<String>::new());
    let first = due(&stage);
    until(&stage, first - SignedDuration::from_secs(1)).await;
    assert_eq!(room.keys(), Vec::<String>::new(), "not before");
    for _ in 0..3 {
        until(&stage, first + SignedDuration::from_mins(1)).await;
        stage = with_room(stage.with_policy(policy(Mode::Live)), &room);
    }
    let day = first.to_zoned(TimeZone::UTC).date();
    assert_eq!(room.keys(), [format!("digest/{day}@room")]);
    let shown = card(&room.0.lock().expect("no panic")[0], false);
    assert!(shown.title.starts_with("Handoffs from ") && shown.facts.len() >= 8, "{shown:?}");
    assert!(shown.facts.iter().any(|(_, line)| line.starts_with("handoffs decided: ")), "{shown:?}");
    until(&stage, first + SignedDuration::from_hours(7 * 24)).await;
    assert_eq!(room.keys().len(), 2, "and the next week");
}

#[tokio::test]
async fn weeks_without_a_daemon_are_one_and_weeks_in_shadow_are_none() {
    let room = Room::default();
    let stage = with_room(Stage::new(policy(Mode::Live)), &room);
    stage.run().await;
    let first = due(&stage);
    until(&stage, first + SignedDuration::from_hours(24 * 24)).await;
    stage.run().await;
    assert_eq!(room.keys().len(), 1, "three weeks passed, and one alert tells of the last");
    let shadow = with_room(stage.with_policy(policy(Mode::Shadow)), &room);
    let next = due(&shadow);
    until(&shadow, next).await;
    let live = with_room(shadow.with_policy(policy(Mode::Live)), &room);
    until(&live, next + SignedDuration::from_mins(5)).await;
    assert_eq!(room.keys().len(), 1, "what passed in shadow is not sent later");
    let after = due(&live);
    until(&live, after).await;
    assert_eq!(room.keys().len(), 2);
}
