//! `[[test]]` from outside: what is wrong with a test is named at its place, and a test that does not pass says what came
//! out instead.

use handoffd::config::{self, Config};
use handoffd::policy::trial;
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

fn with(test: &str) -> Result<Config, config::Problems> {
    config::read(&format!("{BASE}\n[[test]]\n{test}"), "handoffd.toml", Path::new(""))
}

/// The one problem of this test: the text it points at, message, help.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn problem(test: &str) -> (String, String, String) {
    let text = format!("{BASE}\n[[test]]\n{test}");
    let problems = with(test).expect_err(test);
    let all: Vec<_> = problems.iter().collect();
    assert_eq!(all.len(), 1, "{test}\n{problems}");
    let at = text.get(all[0].span.clone()).unwrap_or_default().to_owned();
    (at, all[0].message.clone(), all[0].help.clone())
}

/// What comes of the one test, as check shows it.
fn outcome(test: &str) -> String {
    let config = with(test).unwrap_or_else(|problems| panic!("{test}\n{problems}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    let report = trial::run(&config.tests[0].trial, &trial::as_if_live(&config.policy));
    if report.differences.is_empty() {
        return "passes".to_owned();
    }
    config.test_problem(&config.tests[0], &report).to_string()
}

const TICKET: &str = "ticket = { team = \"frontline\", tags = [\"refund\"], fields = { refund_eur = 6000.0 } }\n";

/// Each of these tests has one problem: at this place, with these words and this remedy.
fn named<const N: usize>(tests: [(String, &str, &str, &str); N]) {
    for (test, at, message, help) in tests {
        let (place, said, remedy) = problem(&test);
        assert!(said.contains(message), "{test}: {said}");
        assert!(remedy.contains(help), "{test}: {remedy}");
        assert!(at.is_empty() || place == at, "{test}: points at {place:?}");
    }
}

#[test]
fn what_is_wrong_with_the_ticket_of_a_test_is_named_at_its_place() {
    let ticket = |inside: &str| format!("name = \"x\"\nticket = {{ {inside} }}\nexpect = {{ stays = true }}\n");
    named([
        (format!("{TICKET}expect = {{ review = true }}"), "", "has no `name`", "add name ="),
        ("name = \"x\"\nexpect = { stays = true }".to_owned(), "name = \"x\"", "has no `ticket`", "add ticket ="),
        (format!("name = \"x\"\n{TICKET}"), "name = \"x\"", "has no `expect`", "add expect ="),
        (ticket("team = \"frontlin\""), "\"frontlin\"", "no team \"frontlin\"", "did you mean `frontline`?"),
        (ticket("desk = \"acmee\""), "\"acmee\"", "no desk \"acmee\"", "did you mean `acme`?"),
        (ticket("subject = \"x\""), "ticket", "does not say on which desk", "acme, other"),
        (ticket("team = \"frontline\", desk = \"other\""), "\"other\"", "is on the desk \"acme\"", "leave `desk` out"),
        (
            ticket("team = \"frontline\", queue = \"Incoming\""),
            "\"Incoming\"",
            "in the queue of \"frontline\" already",
            "keep `team` or `queue`",
        ),
        (ticket("team = \"frontline\", tagz = [\"a\"]"), "tagz", "has no key `tagz`", "did you mean `tags`?"),
        (ticket("team = \"frontline\", tags = \"a\""), "\"a\"", "`tags` is a list, not text", "tags = [\"refund\"]"),
        (ticket("team = \"frontline\", status = \"opne\""), "\"opne\"", "cannot be \"opne\"", "did you mean `open`?"),
        (ticket("team = \"frontline\", priority = \"hihg\""), "\"hihg\"", "cannot be \"hihg\"", "high"),
        (
            ticket("team = \"frontline\", machine_mail = \"no\""),
            "\"no\"",
            "`machine_mail` is true or false, not text",
            "machine_mail = true",
        ),
        (
            ticket("team = \"frontline\", fields = { refund = 1.0 }"),
            "refund",
            "no field \"refund\"",
            "did you mean `refund_eur`?",
        ),
        (
            ticket("team = \"frontline\", fields = { refund_eur = \"many\" }"),
            "\"many\"",
            "`refund_eur` is a number",
            "write a number",
        ),
        (ticket("team = \"frontline\", fields = { refund_eur = nan }"), "nan", "is a number", "write a number"),
        (ticket("team = \"frontline\", opened = \"soon\""), "\"soon\"", "neither a duration", "opened = \"5d\""),
        (ticket("team = \"frontline\", opened = 5"), "5", "is an instant, not a whole number", "with its offset"),
        (
            ticket("team = \"frontline\", opened = 2026-11-02T12:00:00"),
            "2026-11-02T12:00:00",
            "is no instant",
            "with its offset",
        ),
        (
            ticket("team = \"frontline\", messages = [\"hello\"]"),
            "\"hello\"",
            "a message is a table, not text",
            "messages = [",
        ),
        (
            ticket("team = \"frontline\", messages = [{ from = \"boss\", text = \"x\" }]"),
            "\"boss\"",
            "`from` cannot be \"boss\"",
            "customer, agent, automation",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_the_rest_of_a_test_is_named_at_its_place() {
    let expect = |inside: &str| format!("name = \"x\"\n{TICKET}expect = {{ {inside} }}\n");
    let extra = |line: &str| format!("name = \"x\"\n{TICKET}expect = {{ review = true }}\n{line}\n");
    named([
        (expect(""), "expect", "expects nothing", "rule, to, review, stays"),
        (expect("rule = \"refunds\""), "\"refunds\"", "no rule \"refunds\"", "did you mean `refund`?"),
        (expect("to = \"biling\""), "\"biling\"", "no team \"biling\"", "did you mean `billing`?"),
        (expect("tells = \"escalate\""), "\"escalate\"", "no message \"escalate\"", "`escalated`"),
        (expect("stays = \"never-ever\""), "\"never-ever\"", "no case stays for", "never"),
        (expect("stays = 3"), "3", "true, false or a reason", "no-rule"),
        (expect("stays = true, rule = \"refund\""), "rule", "a case that stays has no `rule`", "keep `stays`"),
        (expect("missing = [\"stepz\"]"), "\"stepz\"", "cannot be \"stepz\"", "did you mean `steps`?"),
        (extra("at = \"noon\""), "\"noon\"", "\"noon\" is no instant", "with its offset"),
        (extra("case = { hops = -1 }"), "-1", "`hops` is out of bounds", "from 0 to 1000"),
        (extra("case = { hops = 1001 }"), "1001", "`hops` is out of bounds", "from 0 to 1000"),
        (extra("case = { teams_seen = [\"x\"] }"), "\"x\"", "no team \"x\"", "known here"),
        (extra("case = { fired = [\"x\"] }"), "\"x\"", "no rule \"x\"", "known here"),
        (extra("clocks = { resolve = {} }"), "resolve", "no clock \"resolve\"", "resolution"),
        (extra("clocks = { resolution = \"running\" }"), "\"running\"", "a clock is a table", "state = \"running\""),
        (extra("clocks = { resolution = { state = \"off\" } }"), "\"off\"", "cannot be \"off\"", "paused"),
        (extra("customer = { emial = \"x\" }"), "emial", "has no key `emial`", "did you mean `email`?"),
        (extra("organization = { fields = { plan = \"x\" } }"), "plan", "no field \"plan\"", "[desks.NAME.fields]"),
    ]);
}

#[test]
fn two_tests_of_one_name_are_refused() {
    let twice = format!("name = \"x\"\n{TICKET}expect = {{ review = true }}\n");
    let (_, message, _) = problem(&format!("{twice}[[test]]\n{twice}"));
    assert_eq!(message, "another test is called \"x\" too");
}

#[test]
fn a_test_passes_or_says_what_came_out_instead() {
    let test = |expect: &str| format!("name = \"large refunds\"\n{TICKET}expect = {{ {expect} }}\n");
    assert_eq!(outcome(&test("rule = \"refund\", to = \"billing\", review = true, tells = \"escalated\"")), "passes");
    let shown = outcome(&test("stays = \"no-rule\""));
    for piece in [
        "error: the test \"large refunds\" does not pass",
        "expect = { stays = \"no-rule\" }",
        "stays: expected no-rule, got no: it goes to billing by refund",
        "rule refund fires (ticket.tags = refund; ticket.fields.refund_eur = 6000)",
    ] {
        assert!(shown.contains(piece), "{piece}\n{shown}");
    }
}

#[test]
fn each_kind_of_fact_can_be_stated_and_arrives() {
    let rule = |when: &str| {
        BASE.replacen("when = ['has_tag(\"refund\")', 'ticket.fields.refund_eur > 500.0']", &format!("when = '{when}'"), 1)
            .replacen(
                "refund_eur = {",
                "plan = { id = \"p\", of = \"organization\" }\nvip = { id = \"v\", of = \"customer\", type = \"yes-no\" }\nrefund_eur = {",
                1,
            )
    };
    let facts = r#"
ticket = { team = "frontline", id = "77", subject = "Süß \u202e{{ x }}", text = "I cannot", status = "on_hold", priority = "", type = "problem", channel = "email", language = "de", tags = ["a", "b"], attachments = ["x.log"], machine_mail = true, messages = [{ from = "agent", text = "Try." }, { from = "agent", text = "note", internal = true }] }
customer = { email = "Eva@Customer.Example", language = "de", zone = "Europe/Berlin", fields = { vip = true } }
organization = { name = "Example", fields = { plan = "gold" } }
case = { teams_seen = ["billing", "frontline", "billing"], hops = 3, bounces = 1, returns = 2, handoffs = 4, reopens = 2, agent_replies = 5, customer_replies = 2 }
clocks = { resolution = { state = "paused" } }
"#;
    for (holds, when) in [
        (true, "ticket.id == \"77\" && ticket.subject.startsWith(\"Süß\") && mentions(ticket.text, \"cannot\")"),
        (true, "ticket.status == \"on_hold\" && ticket.priority == \"\" && ticket.type == \"problem\""),
        (true, "ticket.channel == \"email\" && ticket.language == \"de\" && ticket.machine_mail"),
        (true, "ticket.tags == [\"a\", \"b\"] && ticket.attachments == [\"x.log\"]"),
        (true, "customer.domain == \"customer.example\" && customer.zone == \"Europe/Berlin\" && customer.fields.vip"),
        (true, "customer.organization == \"Example\" && organization.fields.plan == \"gold\""),
        (true, "case.teams_seen == [\"billing\", \"frontline\", \"billing\", \"frontline\"]"),
        (true, "case.hops == 3 && case.bounces == 1 && case.returns == 2 && case.handoffs == 4"),
        (true, "case.reopens == 2 && case.agent_replies == 5 && case.customer_replies == 2"),
        (true, "clocks.resolution.state == \"paused\" && case.team == \"frontline\""),
        (false, "has_tag(\"c\")"),
        // What is not stated is unknown: neither it nor its opposite fires.
        (false, "ticket.fields.refund_eur > 1.0"),
        (false, "!(ticket.fields.refund_eur > 1.0)"),
        (false, "clocks.first_reply.state != \"running\""),
    ] {
        let expect = if holds { "rule = \"refund\"" } else { "stays = \"no-rule\"" };
        let text = format!("{}\n[[test]]\nname = \"x\"\nexpect = {{ {expect} }}\n{facts}", rule(when));
        let config = config::read(&text, "t", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
        let report = trial::run(&config.tests[0].trial, &trial::as_if_live(&config.policy));
        assert_eq!(report.differences, [], "{when}: {:?}", report.why);
    }
}

#[test]
fn a_thousand_tests_and_a_megabyte_of_text_are_read() {
    let one = |n: usize| format!("[[test]]\nname = \"{n}\"\n{TICKET}expect = {{ review = true }}\n");
    let many: String = (0..1_000).map(one).collect();
    let config = config::read(&format!("{BASE}\n{many}"), "t", Path::new("")).unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(config.tests.len(), 1_000);
    let long = format!(
        "name = \"x\"\nticket = {{ team = \"frontline\", text = \"{}\" }}\nexpect = {{ stays = true }}",
        "x ".repeat(450_000)
    );
    assert_eq!(outcome(&long), "passes");
}
