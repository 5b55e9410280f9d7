//! A desk on the sandbox in Jira's dialect.

#[path = "../../../sandbox/tests/trial/mod.rs"]
mod trial;

pub use trial::*;

use handoffd_jira_service_management::{JiraDesk, connect};
use handoffd_kit::clock::ManualClock;
use handoffd_kit::conformance::Wire;
use handoffd_kit::settings::{DeskSettings, Setting};
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};

pub type Account = trial::Account<JiraDesk>;

/// The settings of a desk with this token.
pub fn settings_with(token: &str) -> DeskSettings {
    let mut settings = settings("https://acme.atlassian.net", ("token", token), ("secret", WEBHOOK_SECRET));
    let plain = [("email", seed::JIRA_EMAIL), ("projects", "HELP"), ("team_field", "Support team")];
    settings.login.extend(plain.map(|(key, value)| (key.to_owned(), Setting::Text(value.to_owned()))));
    settings
}

fn desk(wire: Wire, clock: &ManualClock, token: &str) -> JiraDesk {
    connect(settings_with(token), seams(wire, clock)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

impl Account {
    pub fn new() -> Self {
        Self::with_token(seed::JIRA_TOKEN)
    }

    pub fn with_token(token: &str) -> Self {
        Self::on(SandboxStage::jira(), |wire, clock| desk(wire, clock, token))
    }

    /// The same helpdesk, on which paths with this end are answered with this status.
    pub fn refusing(path: &'static str, status: u16, body: &'static str) -> Self {
        Self::on_refusing(SandboxStage::jira(), (path, status, body), |wire, clock| desk(wire, clock, seed::JIRA_TOKEN))
    }
}
