//! The kit's conformance suite, against the sandbox in Request Tracker's dialect.

use handoffd_kit::clock::Clock;
use handoffd_kit::conformance::{self, Report, Stage};
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_rt::{RtDesk, connect};
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

fn desk(stage: &SandboxStage) -> RtDesk {
    let token = |token: &str| BTreeMap::from([("token".to_owned(), Setting::Secret(token.to_owned().into()))]);
    let settings = DeskSettings {
        id: "stage".into(),
        url: "https://rt.example".parse().unwrap(),
        login: token(seed::RT_TOKEN),
        webhook: token(WEBHOOK_SECRET),
        budget: 1.0,
    };
    let clock: Arc<dyn Clock> = Arc::new(stage.clock().unwrap());
    let seams = Seams { clock, random: Arc::new(Even), transport: Arc::new(stage.wire().clone()) };
    connect(settings, seams).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(mut stage: SandboxStage) -> Report {
    let desk = desk(&stage);
    let report = futures::executor::block_on(conformance::run(&desk, &mut stage));
    let _ = writeln!(std::io::stderr(), "{report}");
    report
}

#[test]
fn an_ordinary_user_keeps_every_promise() {
    let report = run(SandboxStage::rt());
    assert!(report.is_clean(), "{report}");
    let (passed, _, _) = report.counts();
    assert!(passed >= 35, "{report}");
}
