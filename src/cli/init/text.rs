//! The first configuration as text: commented, in shadow, with one rule that acts when an agent asks.

use handoffd_kit::desk::Directory;
use std::fmt::Write as _;

/// What is known of the desk and its teams.
pub struct Answers {
    pub connector: String,
    pub url: String,
    pub desk: String,
    pub login: Vec<(String, String)>,
    pub secrets: Vec<(String, Secret)>,
    /// Each with its queue; the first is the first tier.
    pub teams: Vec<(String, String)>,
    pub owner: Option<String>,
}

/// Where a secret is.
pub enum Secret {
    Env(String),
    File(String),
}

/// What a desk is called where nobody says: the first word of its host that says something.
pub fn name_of_host(host: &str) -> String {
    let word =
        host.split('.').find(|word| !["www", "support", "help", "rt", "helpdesk"].contains(word)).unwrap_or("desk");
    let plain: String = word.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let plain = plain.trim_matches('-').to_lowercase();
    if plain.is_empty() || plain.starts_with(|letter: char| letter.is_ascii_digit()) { "desk".into() } else { plain }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn desk(answers: &Answers) -> String {
    let text = |(key, value): &(String, String)| format!("{key} = {}", quoted(value));
    let secret = |(key, place): &(String, Secret)| match place {
        Secret::Env(name) => format!("{key} = {{ env = {} }}", quoted(name)),
        Secret::File(path) => format!("{key} = {{ file = {} }}", quoted(path)),
    };
    let login: Vec<String> = answers.login.iter().map(text).chain(answers.secrets.iter().map(secret)).collect();
    format!(
        "[desks.{}]\nconnector = {}\nurl       = {}\nlogin     = {{ {} }}   # secrets are named here, never written\n",
        answers.desk,
        quoted(&answers.connector),
        quoted(&answers.url),
        login.join(", ")
    )
}

/// The desk alone: enough to log in.
pub fn desk_alone(answers: &Answers) -> String {
    desk(answers)
}

/// The whole file.
pub fn configuration(answers: &Answers, found: &Directory) -> String {
    let mut text = String::from(
        "# Written by `handoffd init`. Everything is in shadow: handoffd looks, decides and records, and writes nothing to the helpdesk.\n\
         # `handoffd check` shows every problem at once; config.example.toml and the policy guide explain every key.\n\n\
         [daemon]\nmode = \"shadow\"                        # live: rules that say live too may write\n\n[policy]\n",
    );
    // Writing into a text cannot fail.
    let _ = policy(&mut text, answers);
    let _ = writeln!(text, "\n{}poll      = \"30s\"", desk(answers));
    let _ = fields(&mut text, answers, found);
    for (place, (team, queue)) in answers.teams.iter().enumerate() {
        let tier = if place == 0 { 1 } else { 2 };
        let _ = writeln!(
            text,
            "\n[teams.{team}]\ntier  = {tier}\ndesk  = {}\nqueue = {}",
            quoted(&answers.desk),
            quoted(queue)
        );
    }
    text.push_str(DEFAULTS);
    if let [(first, _), others @ ..] = answers.teams.as_slice() {
        for (team, _) in others {
            let _ = writeln!(
                text,
                "\n[[escalate]]                             # an agent writes: /handoff {team} REASON\n\
                 name    = \"{first}-to-{team}\"\nmode    = \"shadow\"\ntrigger = \"manual\"\nfrom    = [\"{first}\"]\nto      = \"{team}\"\nwhen    = 'true'\n\
                 reason  = \"{{{{ command.by }}}} asks: {{{{ command.reason }}}}\""
            );
        }
    }
    text
}

fn policy(text: &mut String, answers: &Answers) -> std::fmt::Result {
    match &answers.owner {
        Some(owner) => writeln!(text, "owner = {}", quoted(owner))?,
        None => writeln!(text, "# owner           = \"support-ops@acme.example\"   # who answers for it")?,
    }
    writeln!(text, "# review_by       = 2027-03-01                    # when it is looked at again at the latest")?;
    writeln!(text, "# goal            = \"Nobody asks the customer twice\"")?;
    writeln!(text, "# data            = \"Ticket text\"")?;
    writeln!(text, "# feared_failure  = \"An internal note reaches a customer\"")
}

/// Fields as the configuration writes them, each with what people call it.
pub fn with_titles(found: &Directory) -> impl Iterator<Item = String> {
    found.fields.iter().map(|field| match found.titles.get(field) {
        Some(title) => format!("{field} ({title})"),
        None => field.clone(),
    })
}

fn fields(text: &mut String, answers: &Answers, found: &Directory) -> std::fmt::Result {
    let shown = |all: Vec<String>| all.join(", ").replace(|letter: char| letter.is_control(), " ");
    let queues = found.queues.iter().map(|queue| queue.name.clone().unwrap_or_else(|| queue.id.to_string())).collect();
    let (queues, fields) = (shown(queues), shown(with_titles(found).collect()));
    if !queues.is_empty() {
        writeln!(text, "# its queues: {queues}")?;
    }
    writeln!(
        text,
        "# intake  = [\"…\"]                          # queues whose cases have no team yet; rules [[route]] give them one"
    )?;
    writeln!(text, "\n# [desks.{}.fields]                       # our name = the desk's field", answers.desk)?;
    if !fields.is_empty() {
        writeln!(text, "# its fields: {fields}")?;
    }
    writeln!(text, "# steps = \"…\"")
}

const DEFAULTS: &str = r#"
[defaults.escalate]                      # the five answers of every handoff, where a rule gives none of its own
package  = { require = ["summary"], missing = "send" }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "the agent has just written to them" }
review   = "never"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::path::Path;

    fn answers() -> Answers {
        Answers {
            connector: "zendesk".into(),
            url: "https://acme.zendesk.com".into(),
            desk: "acme".into(),
            login: vec![("client_id".into(), "hand\"off".into())],
            secrets: vec![("client_secret".into(), Secret::Env("ZENDESK_CLIENT_SECRET".into()))],
            teams: vec![("frontline".into(), "Support \"1\"".into()), ("billing".into(), "Billing".into())],
            owner: Some("support-ops@acme.example".into()),
        }
    }

    #[test]
    fn what_is_written_passes_the_check_whatever_a_desk_calls_its_things() {
        let queue = |name: &str| handoffd_kit::model::QueueRef { id: "1".into(), name: Some(name.into()) };
        let found = Directory {
            queues: vec![queue("Support \"1\""), queue("a\n[[escalate]]\n")],
            fields: vec!["360001\nmode = \"live\"".into(), "360002".into()],
            titles: [("360002".to_owned(), "Open question\n[x]".to_owned())].into(),
            ..Directory::default()
        };
        let text = configuration(&answers(), &found);
        let config =
            config::read(&text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        assert_eq!((config.policy.teams.len(), config.policy.escalations.len()), (2, 1));
        assert_eq!(config.policy.mode, crate::policy::rules::Mode::Shadow);
        assert!(!text.contains("secret = \""), "{text}");
        assert!(text.contains("360002 (Open question"), "a number alone says nothing to anybody: {text}");
    }

    #[test]
    fn the_desk_alone_is_enough_to_be_reached() {
        let config = config::read(&desk_alone(&answers()), "init", Path::new(""));
        assert_eq!(config.unwrap_or_else(|problems| panic!("{problems}")).desks.len(), 1);
    }

    #[test]
    fn a_desk_is_called_as_its_host_is() {
        let names = ["acme.zendesk.com", "rt.acme.example", "10.0.0.1", "support.x-y.example", "…"].map(name_of_host);
        assert_eq!(names, ["acme", "acme", "desk", "x-y", "desk"]);
    }
}
