//! The embedded helpdesk in each vendor's dialect: which there are, an account in each, and how a desk's table speaks of it.

use clap::ValueEnum;
use handoffd_kit::clock::Clock;
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::intercom::PRIVATE_APP;
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, seed};
use std::sync::Arc;

/// Which vendor's dialect it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    Zendesk,
    /// Request Tracker 5.
    Rt,
    Freshdesk,
    Zammad,
    JiraServiceManagement,
    Intercom,
}

impl Dialect {
    /// Its connector, as a desk's table names it.
    pub fn connector(self) -> &'static str {
        match self {
            Self::Zendesk => "zendesk",
            Self::Rt => "rt",
            Self::Freshdesk => "freshdesk",
            Self::Zammad => "zammad",
            Self::JiraServiceManagement => "jira-service-management",
            Self::Intercom => "intercom",
        }
    }

    /// The vendor, for people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Zendesk => "Zendesk",
            Self::Rt => "Request Tracker",
            Self::Freshdesk => "Freshdesk",
            Self::Zammad => "Zammad",
            Self::JiraServiceManagement => "Jira Service Management",
            Self::Intercom => "Intercom",
        }
    }

    /// An account with people and queues, and no tickets.
    pub fn account(self, clock: Arc<dyn Clock>, chance: u64) -> Sandbox {
        match self {
            Self::Zendesk => seed::zendesk(clock, chance, Limits::ENTERPRISE),
            Self::Rt => seed::rt(clock, chance),
            Self::Freshdesk => seed::freshdesk(clock, chance, Plan::ENTERPRISE),
            Self::Zammad => seed::zammad(clock, chance),
            Self::JiraServiceManagement => seed::jira(clock, chance),
            Self::Intercom => seed::intercom(clock, chance, PRIVATE_APP),
        }
    }

    /// A desk's `login`, its secret written as this; and the secret itself, which is none: everybody may know it.
    pub fn login(self, secret: &str) -> (String, &'static str) {
        match self {
            Self::Zendesk => {
                let (client, known) = seed::CLIENT;
                (format!("{{ client_id = \"{client}\", client_secret = {secret} }}"), known)
            }
            Self::Rt => (format!("{{ token = {secret} }}"), seed::RT_TOKEN),
            Self::Freshdesk => (format!("{{ api_key = {secret} }}"), seed::API_KEY),
            Self::Zammad => (format!("{{ token = {secret} }}"), seed::ZAMMAD_TOKEN),
            Self::JiraServiceManagement => {
                let email = seed::JIRA_EMAIL;
                let keys = "projects = \"HELP\", team_field = \"Support team\"";
                (format!("{{ email = \"{email}\", token = {secret}, {keys} }}"), seed::JIRA_TOKEN)
            }
            Self::Intercom => (format!("{{ token = {secret} }}"), seed::INTERCOM_TOKEN),
        }
    }

    /// Where webhooks go, and what they are signed with. Request Tracker has its secret in the address.
    pub fn hook(self, url: &str, secret: &'static str) -> (String, &'static str) {
        match self {
            Self::Rt => (format!("{}/{secret}", url.trim_end_matches('/')), ""),
            _ => (url.to_owned(), secret),
        }
    }

    /// What a desk's `webhook` calls that secret.
    pub fn hook_key(self) -> &'static str {
        if self == Self::Rt { "token" } else { "secret" }
    }

    /// What the seeded account calls its ticket fields for the steps tried, the next question and the refund.
    pub fn fields(self) -> [&'static str; 3] {
        match self {
            Self::Zendesk => ["360001", "360002", "360003"],
            Self::Rt => ["steps-tried", "next-question", "refund_eur"],
            Self::Freshdesk => ["cf_steps_tried", "cf_next_question", "cf_refund_eur"],
            Self::Zammad => ["steps_tried", "next_question", "refund_eur"],
            Self::JiraServiceManagement => ["customfield_360001", "customfield_360002", "customfield_360003"],
            Self::Intercom => ["Steps tried", "Next question", "refund_eur"],
        }
    }

    /// Whether organisations have fields there.
    pub fn knows_plans(self) -> bool {
        !matches!(self, Self::Rt | Self::JiraServiceManagement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_for_each_connector_under_its_name() {
        let named = |one: &Dialect| one.to_possible_value().map(|value| value.get_name().to_owned());
        let names: Vec<Option<String>> = Dialect::value_variants().iter().map(named).collect();
        let known: Vec<Option<String>> = crate::registry::known().iter().map(|name| Some((*name).to_owned())).collect();
        assert_eq!(names, known);
        assert!(Dialect::value_variants().iter().all(|one| named(one).as_deref() == Some(one.connector())));
    }
}
