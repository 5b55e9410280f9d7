//! The connector against a real Request Tracker 5, made for this run by `shared/desks/rt5`.
//!
//! One test, because one instance (40 seconds to make) serves all scenarios, one after the other; each failure is named.
//! Left out where no RT is installed; with `HANDOFFD_TEST_REAL=1` that is a failure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and says what it left out")]

mod hooks;
mod instance;
mod raw;
mod scenarios;
mod stage;

use handoffd_kit::conformance;
use handoffd_kit::desk::Desk;
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::{HttpTransport, Transport};
use handoffd_rt::RtDesk;
use hooks::Hooks;
use instance::Instance;
use raw::Raw;
use scenarios::Cast;
use stage::{AheadClock, RealStage};
use std::io::Write as _;
use std::sync::Arc;

struct Middle;

impl Random for Middle {
    fn bits(&self) -> u64 {
        1 << 63
    }
}

fn connect(instance: &Instance, token: &str, transport: Arc<dyn Transport>, clock: AheadClock) -> RtDesk {
    let token = Setting::Secret(instance.token(token).into());
    let settings = DeskSettings {
        id: "rt".into(),
        url: instance.url.parse().unwrap(),
        login: [("token".to_owned(), token)].into(),
        webhook: [("token".to_owned(), Setting::Secret(hooks::TOKEN.into()))].into(),
        budget: 1.0,
    };
    let seams = Seams { clock: Arc::new(clock), random: Arc::new(Middle), transport };
    handoffd_rt::connect(settings, seams).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_keeps_its_promises_on_a_real_request_tracker() {
    let hooks = Hooks::listen();
    let Some(instance) = Instance::for_tests(&hooks.url) else { return };
    own_ways(&instance, &hooks).await;
    let clock = AheadClock::default();
    let mut stage = RealStage::new(&instance, clock.clone());
    let wire = conformance::Stage::wire(&stage).clone();
    let desk = connect(&instance, "RT5_TOKEN", Arc::new(wire), clock);
    let report = conformance::run(&desk as &dyn Desk, &mut stage).await;
    let _ = writeln!(std::io::stderr(), "{report}");
    assert!(report.is_clean(), "{report}");
}

/// In this order: some leave tickets changed that later ones do not look at.
async fn own_ways(instance: &Instance, hooks: &Hooks) {
    let desk = |token| connect(instance, token, Arc::new(HttpTransport::new(2)), AheadClock::default());
    let cast = Cast {
        desk: desk("RT5_TOKEN"),
        narrow: desk("RT5_TOKEN_NARROW"),
        blind: desk("RT5_TOKEN_BLIND"),
        admin: Raw::new(&instance.url, instance.token("RT5_TOKEN_ADMIN")),
        agent: Raw::new(&instance.url, instance.token("FLOATER")),
    };
    scenarios::seeded_tickets_are_read_whole(&cast).await;
    scenarios::bounces_and_merges_stand_in_the_history(&cast).await;
    scenarios::what_rt_refuses_inside_a_200_is_refused_with_its_words(&cast).await;
    scenarios::some_fields_refused_is_refused_and_an_emptied_field_is_empty(&cast).await;
    scenarios::a_handoff_goes_through_step_by_step(&cast).await;
    scenarios::a_person_between_two_writes_stops_the_second(&cast).await;
    scenarios::a_narrow_account_finds_its_own_among_strangers_transactions(&cast).await;
    scenarios::a_narrow_account_moves_and_is_blind_afterwards(&cast).await;
    scenarios::a_first_poll_begins_at_since(&cast).await;
    scenarios::a_blind_account_is_told_what_it_lacks(&cast).await;
    scenarios::the_scrips_posts_are_hints(&cast, hooks).await;
}
