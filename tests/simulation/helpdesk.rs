//! The helpdesks that the days are simulated on.

use crate::rooms;
use handoffd_kit::clock::Clock;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::intercom::PRIVATE_APP;
use handoffd_sandbox::seed::{
    API_KEY, CLIENT, INTERCOM_TOKEN, JIRA_TOKEN, RT_TOKEN, ZAMMAD_TOKEN, freshdesk, intercom, jira, rt, zammad, zendesk,
};
use handoffd_sandbox::zendesk::Limits;
use jiff::SignedDuration;
use std::sync::Arc;

/// What the helpdesk proves its webhooks with.
pub const SECRET: &str = "simulated-webhook-secret";
const POLICY: &str = include_str!("policy.toml");

/// A helpdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zendesk Support: its history says who changed what, and it refuses a write whose version is old.
    Zendesk,
    /// Request Tracker: a handoff is several calls, and each write is proven by reading.
    Rt,
    /// Freshdesk: no history, no version to compare, a note is a call of its own.
    Freshdesk,
    /// Zammad: no version to compare, a note travels with the move, a history that comes as a call of its own.
    Zammad,
    /// Intercom: one kind of write per call, a conversation that is its own history.
    Intercom,
    /// Jira Service Management: a team is a value of a field, a status is reached by a transition, lists tell minutes.
    Jira,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [Kind::Zendesk, Kind::Rt, Kind::Freshdesk, Kind::Zammad, Kind::Intercom, Kind::Jira];

    /// Each in its turn; the one with the most abilities, and so with the most ways to go, twice.
    pub fn of_seed(seed: u64) -> Self {
        match seed % 7 {
            0 => Kind::Rt,
            2 => Kind::Freshdesk,
            4 => Kind::Zammad,
            5 => Kind::Intercom,
            6 => Kind::Jira,
            _ => Kind::Zendesk,
        }
    }

    /// Its connector's name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Zendesk => "zendesk",
            Kind::Rt => "rt",
            Kind::Freshdesk => "freshdesk",
            Kind::Zammad => "zammad",
            Kind::Intercom => "intercom",
            Kind::Jira => "jira-service-management",
        }
    }

    /// An account with its people and queues.
    pub fn sandbox(self, clock: Arc<dyn Clock>, seed: u64) -> Sandbox {
        match self {
            Kind::Zendesk => zendesk(clock, seed, Limits::ENTERPRISE),
            Kind::Rt => rt(clock, seed),
            Kind::Freshdesk => freshdesk(clock, seed, Plan::ENTERPRISE),
            Kind::Zammad => zammad(clock, seed),
            Kind::Intercom => intercom(clock, seed, PRIVATE_APP),
            Kind::Jira => jira(clock, seed),
        }
    }

    /// The same policy for each, in its helpdesk's words.
    pub fn policy(self) -> String {
        let here: &[(&str, &str)] = match self {
            Kind::Zendesk => &[],
            Kind::Rt => &[
                ("connector = \"zendesk\"", "connector = \"rt\""),
                ("acme.zendesk.com", "rt.acme.example"),
                ("client_id = \"handoffd\", client_secret =", "token ="),
                ("{ secret =", "{ token ="),
                ("\"360001\"", "\"steps-tried\""),
                ("\"360003\"", "\"refund_eur\""),
                // There are no organisations with fields.
                ("plan       = { id = \"plan\", of = \"organization\" }", ""),
                ("organization.fields.plan == \"premium\"", "customer.domain == \"premium.example\""),
            ],
            Kind::Freshdesk => &[
                ("connector = \"zendesk\"", "connector = \"freshdesk\""),
                ("acme.zendesk.com", "acme.freshdesk.com"),
                ("client_id = \"handoffd\", client_secret =", "api_key ="),
                ("\"360001\"", "\"cf_steps_tried\""),
                ("\"360003\"", "\"cf_refund_eur\""),
            ],
            Kind::Zammad => &[
                ("connector = \"zendesk\"", "connector = \"zammad\""),
                ("acme.zendesk.com", "support.acme.example"),
                ("client_id = \"handoffd\", client_secret =", "token ="),
                ("\"360001\"", "\"steps_tried\""),
                ("\"360003\"", "\"refund_eur\""),
            ],
            Kind::Intercom => &[
                ("connector = \"zendesk\"", "connector = \"intercom\""),
                ("https://acme.zendesk.com", "https://api.eu.intercom.io"),
                ("client_id = \"handoffd\", client_secret =", "token ="),
                ("\"360001\"", "\"Steps tried\""),
                ("\"360003\"", "\"refund_eur\""),
            ],
            Kind::Jira => &[
                ("connector = \"zendesk\"", "connector = \"jira-service-management\""),
                ("acme.zendesk.com", "acme.atlassian.net"),
                (
                    "client_id = \"handoffd\", client_secret =",
                    "email = \"handoffd@acme.example\", projects = \"HELP\", team_field = \"Support team\", token =",
                ),
                ("\"360001\"", "\"customfield_360001\""),
                ("\"360003\"", "\"customfield_360003\""),
                // Organisations have no fields here.
                ("plan       = { id = \"plan\", of = \"organization\" }", ""),
                ("organization.fields.plan == \"premium\"", "customer.domain == \"premium.example\""),
            ],
        };
        here.iter().fold(POLICY.to_owned(), |policy, (from, to)| {
            assert!(policy.contains(from), "the policy has no {from}");
            policy.replacen(from, to, 1)
        })
    }

    /// What our account logs in with.
    pub fn login(self) -> &'static str {
        match self {
            Kind::Zendesk => CLIENT.1,
            Kind::Rt => RT_TOKEN,
            Kind::Freshdesk => API_KEY,
            Kind::Zammad => ZAMMAD_TOKEN,
            Kind::Intercom => INTERCOM_TOKEN,
            Kind::Jira => JIRA_TOKEN,
        }
    }

    /// The daemon's environment, in which its secrets are.
    pub fn environment(self) -> fn(&str) -> Option<String> {
        match self {
            Kind::Zendesk => |name| Kind::Zendesk.secret(name),
            Kind::Rt => |name| Kind::Rt.secret(name),
            Kind::Freshdesk => |name| Kind::Freshdesk.secret(name),
            Kind::Zammad => |name| Kind::Zammad.secret(name),
            Kind::Intercom => |name| Kind::Intercom.secret(name),
            Kind::Jira => |name| Kind::Jira.secret(name),
        }
    }

    fn secret(self, name: &str) -> Option<String> {
        match name {
            "CLIENT_SECRET" => Some(self.login().to_owned()),
            "WEBHOOK_SECRET" => Some(SECRET.to_owned()),
            "ROOM_SECRET" => Some(rooms::WEBHOOK_SECRET.to_owned()),
            "SLACK_URL" => Some(rooms::SLACK.to_owned()),
            _ => None,
        }
    }

    /// What follows the desk's name in the address that its webhooks go to.
    pub fn hook_path(self) -> Option<&'static str> {
        match self {
            Kind::Rt => Some(SECRET),
            Kind::Zendesk | Kind::Freshdesk | Kind::Zammad | Kind::Intercom | Kind::Jira => None,
        }
    }

    /// Whether its list of changes shows a ticket of which only the labels changed. Where it does not, only a webhook tells.
    pub fn shows_labels(self) -> bool {
        self != Kind::Zammad
    }

    /// What somebody does so shortly before a write of ours that it may be covered: nothing, or what happens between the
    /// read before a write and the write's arrival.
    pub fn unseen(self) -> SignedDuration {
        match self {
            Kind::Zendesk => SignedDuration::ZERO,
            Kind::Rt | Kind::Freshdesk | Kind::Zammad | Kind::Intercom | Kind::Jira => SignedDuration::from_secs(90),
        }
    }
}
