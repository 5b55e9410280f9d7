//! What connectors say of a configuration before any desk is open: each at its place, beside all other problems.

use super::problems::{error, read};

#[test]
fn a_desks_own_keys_and_ids_are_checked_without_its_secrets() {
    for (old, new, message, help) in [
        (
            "client_id = \"handoffd\"",
            "client_id = \"handoffd\", ¦scop = \"read\"",
            "login.scop: unknown key",
            "client_id",
        ),
        (
            "login = { client_id = \"handoffd\", client_secret",
            "¦login = { client_secret",
            "login.client_id: missing",
            "client_id",
        ),
        ("webhook = { secret", "webhook = { ¦hint = \"x\", secret", "webhook.hint: unknown key", "signing secret"),
        (
            "token = { file = \"rt.token\" }",
            "token = { file = \"rt.token\" }, ¦usr = \"x\"",
            "login.usr: unknown key",
            "auth",
        ),
        ("queue = \"Support\"", "queue = ¦{ id = \"zzz\" }", "\"zzz\" is not a queue's id on a zendesk desk", "digits"),
        ("intake = [\"Incoming\"]", "intake = [¦{ id = \"one\" }]", "\"one\" is not a queue's id", "digits"),
        (
            "desk = { other = \"12\" }",
            "desk = { acme = ¦\"bob\" }",
            "\"bob\" is not a user's id on a zendesk desk",
            "digits",
        ),
    ] {
        error(old, new, message, help);
    }
}

#[test]
fn what_a_rule_asks_of_its_desk_is_checked_at_the_rule() {
    let clock = "clock.customer = \"continue\"";
    let pause = "clock.customer = { pause = \"bogus\", at_most = \"1d\" }";
    error(
        clock,
        &format!("¦{pause}"),
        "the status \"bogus\", which stops no clock on a zendesk desk",
        "pause = \"hold\"",
    );
}

/// A policy on a desk that has no clocks of its own.
const CLOCKLESS: &str = r#"
[desks.rt]
connector = "rt"
url = "https://rt.acme.example"
login = { token = { env = "RT_TOKEN" } }

[teams.first]
tier = 1
desk = "rt"
queue = "General"

[teams.second]
tier = 2
desk = "rt"
queue = { id = "3" }

[[escalate]]
name = "late"
trigger = "sla"
from = ["first"]
to = "second"
before_breach = { clock = "resolution", by = "1h" }
reason = "It is late"
package.require = ["summary"]
owner.assign = "queue"
clock.customer = { pause = "stalled", at_most = "1d" }
customer.nothing = "because"
review = "never"
"#;

#[test]
fn a_clock_that_neither_the_desk_nor_a_target_gives_is_refused_at_its_rule() {
    let told = |text: &str| -> Vec<(usize, String)> {
        let problems = read(text).map_or_else(|problems| problems, |config| config.warnings);
        problems.iter().map(|problem| (problem.line, problem.message.clone())).collect()
    };
    let none = told(CLOCKLESS);
    assert_eq!(none.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [22, 26], "{none:?}");
    assert!(
        none[0].1.contains("rule \"late\" looks at resolution") && none[1].1.contains("none stands still"),
        "{none:?}"
    );
    let target = |paused: &str| format!("{CLOCKLESS}\n[targets.standard]\nresolution = \"3d\"\n{paused}\n");
    let running = told(&target(""));
    assert_eq!(running.len(), 1, "{running:?}");
    assert!(running[0].1.contains("none stands still"), "{running:?}");
    assert_eq!(told(&target("paused_in = [\"pending\"]")), []);
    let asks = CLOCKLESS.replacen(
        "before_breach = ",
        "when = \"clocks.next_reply.state == 'breached'\"\nheld_for = \"1h\" #",
        1,
    );
    let asks = told(&asks.replace("{ pause = \"stalled\", at_most = \"1d\" }", "\"continue\""));
    assert_eq!(asks.len(), 1, "{asks:?}");
    assert!(asks[0].0 == 22 && asks[0].1.contains("looks at next_reply"), "{asks:?}");
}

#[test]
fn an_address_or_a_login_that_is_wrong_hides_nothing_else() {
    let told = |from: &str, to: &str| -> Vec<String> {
        let text =
            super::problems::BASE.replacen(from, to, 1).replacen("queue = \"Support\"", "queue = { id = \"zzz\" }", 1);
        let text = text.replacen(
            "clock.customer = \"continue\"",
            "clock.customer = { pause = \"bogus\", at_most = \"1d\" }",
            1,
        );
        let text = text.replacen("webhook = { secret", "webhook = { hint = \"x\", secret", 1);
        read(&text).expect_err("wrong").iter().map(|problem| problem.message.clone()).collect()
    };
    let login = "login = { client_id = \"handoffd\", client_secret = { env = \"ACME_SECRET\" } }\n";
    for (from, to, first) in [
        ("\"https://acme.zendesk.com\"", "\"nonsense\"", "this is no address"),
        ("url = \"https://acme.zendesk.com\"\n", "", "`url`"),
        (login, "", "`login`"),
        (login, "login = \"x\"\n", "is a table, not text"),
    ] {
        let found = told(from, to);
        assert_eq!(found.len(), 4, "{to}: {found:#?}");
        assert!(found.iter().any(|one| one.contains(first)), "{first}: {found:#?}");
        for other in ["webhook.hint: unknown key", "\"zzz\" is not a queue's id", "\"bogus\", which stops no clock"] {
            assert!(found.iter().any(|one| one.contains(other)), "{other}: {found:#?}");
        }
    }
}

#[test]
fn a_wait_in_a_status_is_refused_where_no_history_says_since_when() {
    let told = |text: &str| -> Vec<String> {
        let problems = read(text).map_or_else(|problems| problems, |config| config.warnings);
        problems.iter().map(|problem| problem.message.clone()).collect()
    };
    let waits = |text: &str| {
        let text = text.replace("before_breach = { clock = \"resolution\", by = \"1h\" }", "in_status_for = \"4h\"");
        text.replace("trigger = \"sla\"", "trigger = \"waiting\"")
            .replace("{ pause = \"stalled\", at_most = \"1d\" }", "\"continue\"")
    };
    assert_eq!(told(&waits(CLOCKLESS)), [""; 0], "Request Tracker has a history");
    let freshdesk = CLOCKLESS.replace("connector = \"rt\"", "connector = \"freshdesk\"");
    let freshdesk = freshdesk.replace("https://rt.acme.example", "https://acme.freshdesk.com");
    let freshdesk = freshdesk.replace("{ token = { env = \"RT_TOKEN\" } }", "{ api_key = { env = \"KEY\" } }");
    let found = told(&waits(&freshdesk));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("a freshdesk desk keeps no history"), "{found:?}");
}

#[test]
fn labels_are_not_heard_where_nobody_says_who_set_them() {
    let clockless = CLOCKLESS.split("[[escalate]]").next().expect("desk and teams");
    let freshdesk = clockless
        .replace("connector = \"rt\"", "connector = \"freshdesk\"")
        .replace("https://rt.acme.example", "https://acme.freshdesk.com")
        .replace("token = { env = \"RT_TOKEN\" }", "api_key = { env = \"KEY\" }");
    let heard = |text: &str| {
        let config = read(text).unwrap_or_else(|problems| panic!("{problems}"));
        let commands = config.policy.desks.values().next().expect("a desk").commands.clone();
        (commands.notes, commands.tags, config.warnings.to_string())
    };
    let (notes, tags, warnings) = heard(&freshdesk);
    assert!(notes && !tags && !warnings.contains("who set a label"), "{warnings}");
    let (_, tags, warnings) = heard(&format!("{freshdesk}\n[desks.rt.commands]\ntags = true\n"));
    assert!(!tags && warnings.contains("a freshdesk desk does not say who set a label"), "{warnings}");
    let (_, tags, warnings) = heard(&format!("{clockless}\n[desks.rt.commands]\ntags = true\n"));
    assert!(tags && !warnings.contains("who set a label"), "{warnings}");
}
