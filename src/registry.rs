//! The one place of the root package that names vendors.

use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::Desk;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};
use std::sync::Arc;

/// The connectors that `connector = "…"` can name.
pub fn known() -> &'static [&'static str] {
    &[
        handoffd_zendesk::NAME,
        handoffd_rt::NAME,
        handoffd_freshdesk::NAME,
        handoffd_zammad::NAME,
        handoffd_jira_service_management::NAME,
        handoffd_intercom::NAME,
    ]
}

/// What a login takes: each key, whether it is a secret, and what it is asked for with.
pub fn login_questions(connector: &str) -> &'static [(&'static str, bool, &'static str)] {
    match connector {
        handoffd_zendesk::NAME => &[
            ("client_id", false, "The id of an OAuth client (Admin Center, Apps and integrations, APIs)?"),
            ("client_secret", true, "Its secret"),
        ],
        handoffd_rt::NAME => &[("token", true, "An authentication token of handoffd's own user")],
        handoffd_freshdesk::NAME => &[("api_key", true, "The API key of handoffd's own agent")],
        handoffd_zammad::NAME => &[("token", true, "An access token of handoffd's own agent")],
        handoffd_jira_service_management::NAME => &[
            ("email", false, "The mail address of handoffd's own Atlassian account?"),
            ("token", true, "An API token of that account"),
            ("projects", false, "The keys of the service projects, with commas between them?"),
            ("team_field", false, "The select list (or the Team field) that says which team has a ticket?"),
        ],
        handoffd_intercom::NAME => &[("token", true, "The access token of an app that handoffd's own teammate made")],
        _ => &[],
    }
}

/// Where an admin of the vendor sees whether webhooks are sent, and how they fared.
pub fn webhook_place(connector: &str) -> &'static str {
    match connector {
        handoffd_zendesk::NAME => "Admin Center, Apps and integrations, Webhooks",
        handoffd_rt::NAME => "Admin, Scrips",
        handoffd_freshdesk::NAME => "Admin, Workflows, Automations: the rules with the action Trigger webhook",
        handoffd_zammad::NAME => "Manage, Trigger and Manage, Webhook",
        handoffd_jira_service_management::NAME => "Settings, System, WebHooks",
        handoffd_intercom::NAME => "Developer Hub, your app, Webhooks",
        _ => "the vendor's settings",
    }
}

/// Opens a desk through its connector. Touches no network.
///
/// # Errors
/// Everything that is wrong in the desk's own settings.
pub fn open(connector: &str, settings: DeskSettings, seams: Seams) -> Result<Arc<dyn Desk>, Vec<SettingProblem>> {
    match connector {
        handoffd_zendesk::NAME => Ok(Arc::new(handoffd_zendesk::connect(settings, seams)?)),
        handoffd_rt::NAME => Ok(Arc::new(handoffd_rt::connect(settings, seams)?)),
        handoffd_freshdesk::NAME => Ok(Arc::new(handoffd_freshdesk::connect(settings, seams)?)),
        handoffd_zammad::NAME => Ok(Arc::new(handoffd_zammad::connect(settings, seams)?)),
        handoffd_jira_service_management::NAME => {
            Ok(Arc::new(handoffd_jira_service_management::connect(settings, seams)?))
        }
        handoffd_intercom::NAME => Ok(Arc::new(handoffd_intercom::connect(settings, seams)?)),
        other => Err(vec![SettingProblem {
            key: "connector".into(),
            problem: format!("no connector speaks \"{other}\""),
            help: format!("write one of: {}", known().join(", ")),
        }]),
    }
}

/// Everything that is wrong in a desk's own settings, without opening it.
pub fn wrong_settings(connector: &str, settings: &DeskSettings) -> Vec<SettingProblem> {
    match connector {
        handoffd_zendesk::NAME => handoffd_zendesk::wrong_settings(settings),
        handoffd_rt::NAME => handoffd_rt::wrong_settings(settings),
        handoffd_freshdesk::NAME => handoffd_freshdesk::wrong_settings(settings),
        handoffd_zammad::NAME => handoffd_zammad::wrong_settings(settings),
        handoffd_jira_service_management::NAME => handoffd_jira_service_management::wrong_settings(settings),
        handoffd_intercom::NAME => handoffd_intercom::wrong_settings(settings),
        _ => Vec::new(),
    }
}

/// What a desk of these settings can do. `None`: no connector has this name.
pub fn capabilities(connector: &str, settings: &DeskSettings) -> Option<Capabilities> {
    match connector {
        handoffd_zendesk::NAME => Some(handoffd_zendesk::capabilities()),
        handoffd_rt::NAME => Some(handoffd_rt::capabilities(settings)),
        handoffd_freshdesk::NAME => Some(handoffd_freshdesk::capabilities(settings)),
        handoffd_zammad::NAME => Some(handoffd_zammad::capabilities(settings)),
        handoffd_jira_service_management::NAME => Some(handoffd_jira_service_management::capabilities(settings)),
        handoffd_intercom::NAME => Some(handoffd_intercom::capabilities(settings)),
        _ => None,
    }
}
