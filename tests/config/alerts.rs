//! `[alerts.NAME]` and the lists of their names: one bad value at a time, and what a right one becomes.

use super::problems::{BASE, error, read};
use handoffd::config::{Severity, secrets};
use handoffd::policy::alert::{ChannelKind, Occasion};
use std::collections::BTreeMap;

const DAEMON: &str = "[daemon]";

/// A channel before the base's first table.
fn channel(keys: &str) -> String {
    format!("[alerts.room]\n{keys}\n[daemon]")
}

/// The base with channels, and a team that names them.
fn with(channels: &str, names: &str) -> String {
    format!("{BASE}\n{channels}").replacen("lead = \"lead\"", &format!("lead = \"lead\"\nalert = [{names}]"), 1)
}

#[test]
fn a_channel_has_the_keys_of_its_kind_and_no_others() {
    for (keys, message, help) in [
        ("channel = ¦\"slak\"", "`channel` cannot be \"slak\"", "did you mean `slack`"),
        (
            "channel = \"teams\"\nurl = { env = \"URL\" }\n¦token = { env = \"T\" }",
            "of the kind teams has no key `token`",
            "url",
        ),
        ("channel = \"slack\"\ntoken = { env = \"T\" }\nto = \"C1\"\n¦colour = \"red\"", "no key `colour`", "accepted"),
        ("channel = \"slack\"\nurl = { env = \"URL\" }\n¦to = \"C1\"", "goes with a bot's `token`", "leave it out"),
        (
            "channel = \"teams\"\nurl = ¦\"https://x.example/?sig=1\"",
            "is its secret, and it is written in clear",
            "env",
        ),
        ("channel = \"pagerduty\"\n¦key = \"0123\"", "written in clear", "env"),
        (
            "channel = \"pagerduty\"\nkey = { env = \"K\" }\napi = ¦\"http://events.example\"",
            "in clear over the network",
            "https",
        ),
        (
            "channel = \"webhook\"\nsecret = { env = \"S\" }\nurl = ¦\"https://10.0.0.1/x\"",
            "private network",
            "allow_private",
        ),
        ("channel = \"webhook\"\nsecret = { env = \"S\" }\nurl = ¦\"nothing\"", "no address", "https"),
        (
            "channel = \"email\"\nserver = ¦\"mail.acme.example\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"",
            "no address",
            "smtps://",
        ),
        (
            "channel = \"email\"\nserver = ¦\"smtp://10.0.0.5\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"",
            "private network",
            "allow_private",
        ),
        (
            "channel = \"email\"\nserver = \"smtps://m.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\", ¦\"d\\r\\nBcc: e@f.example\"]",
            "no mail address",
            "billing@acme.example",
        ),
        (
            "channel = \"slack\"\nurl = { env = \"U\" }\ntells = [¦\"everything\"]",
            "`tells` cannot be \"everything\"",
            "unclaimed",
        ),
        ("channel = \"slack\"\nurl = { env = \"U\" }\n¦tells = []", "names nothing", "handoff"),
        ("channel = \"slack\"\nurl = { env = \"U\" }\nhours = ¦\"never\"", "no hours \"never\"", "[hours.NAME]"),
        ("channel = \"slack\"\nurl = { env = \"U\" }\n¦outside = \"drop\"", "at all hours", "`hours`"),
        ("channel = \"mattermost\"\nurl = { env = \"U\" }\nto = [\"a\", ¦\"b\"]", "has one room", "write to"),
    ] {
        error(DAEMON, &channel(keys), message, help);
    }
}

#[test]
fn what_a_channel_lacks_is_said_at_its_table() {
    for (keys, key) in [
        ("", "channel"),
        ("channel = \"slack\"", "url"),
        ("channel = \"slack\"\ntoken = { env = \"T\" }", "to"),
        ("channel = \"webhook\"\nurl = \"https://hooks.example/x\"", "secret"),
        ("channel = \"email\"\nserver = \"smtps://m.example\"\nto = \"a@b.example\"", "from"),
        (
            "channel = \"email\"\nserver = \"smtps://m.example\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"\nuser = \"u\"",
            "password",
        ),
    ] {
        error(DAEMON, &format!("[alerts.¦room]\n{keys}\n[daemon]"), &format!("has no `{key}`"), key);
    }
}

#[test]
fn a_name_that_no_channel_has_is_refused_and_a_channel_that_nobody_names_is_said() {
    let room = "[alerts.room]\nchannel = \"slack\"\nurl = { env = \"U\" }\n[daemon]";
    let unused = BASE.replacen(DAEMON, room, 1);
    let warnings = read(&unused).expect("it works").warnings;
    let found: Vec<_> = warnings.iter().map(|problem| (problem.severity, problem.message.clone())).collect();
    assert_eq!(found, [(Severity::Warning, "nobody is told through the alert channel \"room\"".to_owned())]);
    error("lead = \"lead\"", "lead = \"lead\"\nalert = [¦\"rom\"]", "no alert channel \"rom\"", "[alerts.NAME]");
}

#[test]
fn a_right_channel_is_what_it_says_and_its_address_is_judged_when_it_is_read() {
    let channels = "[alerts.room]\nchannel = \"teams\"\nurl = { env = \"TEAMS\" }\ntells = [\"unclaimed\"]\n";
    let config = read(&with(channels, "\"room\"")).unwrap_or_else(|problems| panic!("{problems}"));
    let room = &config.policy.alerts.channels[&"room".into()];
    assert_eq!((room.kind, room.tells.as_slice()), (ChannelKind::Teams, &[Occasion::Unclaimed][..]));
    let url = |url: &'static str| move |name: &str| (name == "TEAMS").then(|| url.to_owned());
    let retired = url("https://acme.webhook.office.com/webhookb2/s3cr3t");
    let problems = secrets::resolve_alerts(&config, &retired, None).expect_err("retired");
    assert!(problems.to_string().contains("Office 365 connector"), "{problems}");
    assert!(!problems.to_string().contains("s3cr3t"), "{problems}");
    let offline = secrets::check(&config, &retired);
    assert!(
        offline.iter().any(|problem| problem.severity == Severity::Warning && problem.message.contains("Office 365"))
    );
    let present = url("https://x.environment.api.powerplatform.com:443/a/invoke?sig=y");
    assert!(secrets::resolve_alerts(&config, &present, None).is_ok());
    let missing = secrets::resolve_alerts(&config, &|_| None, None).expect_err("missing");
    assert!(missing.to_string().contains("TEAMS is not set"), "{missing}");
}

#[test]
fn who_is_told_is_part_of_what_a_policy_means_and_how_a_channel_is_reached_is_not() {
    let room = |url: &str, tells: &str| {
        format!("[alerts.room]\nchannel = \"slack\"\nurl = {{ env = \"{url}\" }}\ntells = [\"{tells}\"]\n")
    };
    let version = |channels: &str| read(&with(channels, "\"room\"")).expect("right").policy.version;
    assert_eq!(version(&room("A", "review")), version(&room("B", "review")));
    assert_ne!(version(&room("A", "review")), version(&room("A", "parked")));
    let plain = read(BASE).expect("right");
    let named = read(&with(&room("A", "review"), "\"room\"")).expect("right");
    assert_ne!(plain.policy.version, named.policy.version);
    let rules = |config: &handoffd::config::Config| -> BTreeMap<String, String> {
        config.policy.rules().map(|rule| (rule.name.to_string(), rule.version.clone())).collect()
    };
    assert_eq!(rules(&plain), rules(&named), "whom a team tells is none of a rule's meaning");
}

#[test]
fn a_person_has_a_name_in_a_channel_s_chat_where_it_calls_anybody() {
    let chats = |kind: &str, keys: &str, chat: &str| {
        let text = with(&format!("[alerts.room]\nchannel = \"{kind}\"\n{keys}\n"), "\"room\"");
        text.replacen("[people.lead]\n", &format!("[people.lead]\nchat = {chat}\n"), 1)
    };
    let url = "url = { env = \"URL\" }";
    for (kind, keys, right) in [
        ("slack", url, "{ room = \"U012AB3CD\" }"),
        ("mattermost", url, "{ room = \"billing.lead-2\" }"),
        ("teams", url, "{ room = \"Jo Lee\" }"),
    ] {
        let config = read(&chats(kind, keys, right)).unwrap_or_else(|problems| panic!("{kind}: {problems}"));
        assert_eq!(config.policy.people.values().filter(|person| !person.chat.is_empty()).count(), 1, "{kind}");
    }
    for (kind, keys, wrong, said) in [
        ("slack", url, "{ room = \"<!channel>\" }", "nobody's name in slack"),
        ("slack", url, "{ room = \"billing-lead\" }", "nobody's name in slack"),
        ("mattermost", url, "{ room = \"all\" }", "nobody's name in mattermost"),
        ("mattermost", url, "{ room = \"@lead\" }", "nobody's name in mattermost"),
        ("slack", url, "{ other = \"U012AB3CD\" }", "alert channel"),
        ("pagerduty", "key = { env = \"K\" }", "{ room = \"U012AB3CD\" }", "calls nobody"),
    ] {
        let problems = read(&chats(kind, keys, wrong)).expect_err(wrong).to_string();
        assert!(problems.contains(said), "{wrong}: {problems}");
    }
}
