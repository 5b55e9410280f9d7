//! The kit's conformance suite, against the sandbox in Zendesk's dialect: with both kinds of login, and for a login that may
//! not export.

use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::conformance::{self, Report, Stage};
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};
use handoffd_zendesk::{ZendeskDesk, connect};
use std::io::Write as _;
use std::sync::Arc;

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

type Login<'a> = [(&'a str, Setting); 2];

fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

fn secret(value: &str) -> Setting {
    Setting::Secret(value.to_owned().into())
}

fn client() -> Login<'static> {
    [("client_id", text(seed::CLIENT.0)), ("client_secret", secret(seed::CLIENT.1))]
}

fn desk(stage: &SandboxStage, login: &Login<'_>) -> ZendeskDesk {
    let table = |keys: &[(&str, Setting)]| keys.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
    let settings = DeskSettings {
        id: "stage".into(),
        url: "https://stage.zendesk.com".parse().unwrap(),
        login: table(login),
        webhook: table(&[("secret", secret(WEBHOOK_SECRET))]),
        budget: 1.0,
    };
    let clock: ManualClock = stage.clock().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let seams = Seams { clock, random: Arc::new(Even), transport: Arc::new(stage.wire().clone()) };
    connect(settings, seams).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(mut stage: SandboxStage, login: &Login<'_>) -> Report {
    let desk = desk(&stage, login);
    let report = futures::executor::block_on(conformance::run(&desk, &mut stage));
    let _ = writeln!(std::io::stderr(), "{report}");
    report
}

#[test]
fn an_oauth_client_of_an_admin_keeps_every_promise() {
    let report = run(SandboxStage::zendesk(), &client());
    assert!(report.is_clean(), "{report}");
    let (passed, _, _) = report.counts();
    assert!(passed >= 40, "{report}");
}

#[test]
fn an_api_token_keeps_every_promise() {
    let login = [("email", text("handoffd@acme.example")), ("token", secret(seed::API_TOKEN))];
    let report = run(SandboxStage::zendesk(), &login);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_agent_who_may_not_export_keeps_every_promise() {
    let stage = SandboxStage::zendesk();
    stage.sandbox.with(|desk| {
        let bot = desk.people.values_mut().find(|person| person.login == seed::BOT);
        bot.unwrap().rights.admin = false;
    });
    let report = run(stage, &client());
    assert!(report.is_clean(), "{report}");
}
