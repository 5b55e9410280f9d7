//! The connector against a real Request Tracker 5, made for this run by `shared/desks/rt5`.
//!
//! One test, because one instance (40 seconds to make) serves all scenarios, one after the other; each failure is named.
//! Without an installed RT it is left out, unless `HANDOFFD_TEST_REAL=1` says that it must be there.

mod hooks;
mod instance;
mod raw;
mod stage;

use handoffd_kit::conformance;
use handoffd_kit::desk::Desk;
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::Transport;
use handoffd_rt::RtDesk;
use hooks::Hooks;
use instance::{Instance, Missing};
use stage::{AheadClock, RealStage};
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

fn instance(hooks: &Hooks) -> Option<Instance> {
    match Instance::start(&hooks.url) {
        Ok(instance) => Some(instance),
        Err(Missing::Broken(why)) => panic!("the real Request Tracker did not start: {why}"),
        Err(Missing::NotInstalled(why)) => {
            assert!(std::env::var_os("HANDOFFD_TEST_REAL").is_none(), "no Request Tracker: {why}");
            println!("left out: the tests against a real Request Tracker ({why})");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connector_keeps_its_promises_on_a_real_request_tracker() {
    let hooks = Hooks::listen();
    let Some(instance) = instance(&hooks) else { return };
    let clock = AheadClock::default();
    let mut stage = RealStage::new(&instance, clock.clone());
    let wire = conformance::Stage::wire(&stage).clone();
    let desk = connect(&instance, "RT5_TOKEN", Arc::new(wire), clock);
    let report = conformance::run(&desk as &dyn Desk, &mut stage).await;
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}
