//! What works and is probably not meant: a warning with both of its places; what cannot be proved is not claimed.

use handoffd::config::{self, Problem, Severity};
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

/// The warnings of the base with these rules behind it.
fn warnings(text: &str) -> Vec<Problem> {
    let config =
        config::read(text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    config.warnings.iter().cloned().collect()
}

/// The base with routes before its catch-all.
fn with_routes(routes: &str) -> String {
    let rest = "[[route]]\nname = \"rest\"";
    assert!(BASE.contains(rest));
    BASE.replacen(rest, &format!("{routes}\n{rest}"), 1)
}

fn route(name: &str, when: &str, more: &str) -> String {
    format!("[[route]]\nname = \"{name}\"\ndesk = \"acme\"\nwhen = {when}\nto = \"billing\"\n{more}\n")
}

fn escalation(name: &str, when: &str, to: &str, more: &str) -> String {
    format!(
        "\n[[escalate]]\nname = \"{name}\"\ntrigger = \"exception\"\nfrom = [\"frontline\"]\nto = \"{to}\"\nwhen = {when}\n\
         reason = \"x\"\npackage.require = []\nclock.customer = \"continue\"\ncustomer.nothing = \"x\"\n\
         review = \"never\"\n{more}\n"
    )
}

/// The base with a third team and these escalations instead of its own.
fn with_escalations(rules: &str) -> String {
    let (before, _) = BASE.split_once("[[escalate]]").unwrap_or_default();
    format!("{before}[teams.engineering]\ntier = 3\ndesk = \"acme\"\nqueue = \"Engineering\"\n{rules}")
}

/// The one warning: message, label of the other place, and the texts at both places.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn one(text: &str) -> (String, String, String, String) {
    let all = warnings(text);
    assert_eq!(all.len(), 1, "{text}\n{all:#?}");
    let also = all[0].also.clone().expect("another place");
    assert_eq!(all[0].severity, Severity::Warning);
    (all[0].message.clone(), also.label, text[all[0].span.clone()].to_owned(), text[also.span].to_owned())
}

#[test]
fn a_route_that_an_earlier_one_forestalls_is_named_with_both_places() {
    let invoices = "mentions(ticket.subject, \"invoice\")";
    for (when, how) in [
        (format!("'{invoices}'"), "has the same conditions"),
        (format!("'{}'", invoices.replace("\", \"", "\",   \"").replace("(t", "( t")), "has the same conditions"),
        (format!("['has_tag(\"x\")', '{invoices}']"), "matches wherever this one does"),
        (format!("'{invoices} && case.hops == 0'"), "matches wherever this one does"),
    ] {
        let (message, label, here, there) = one(&with_routes(&route("late", &when, "")));
        assert_eq!(message, format!("the route \"late\" is never reached: \"invoices\" stands before it and {how}"));
        assert_eq!(label, format!("\"invoices\" {how}"));
        assert_eq!((here.as_str(), there.as_str()), ("name = \"late\"", "name = \"invoices\""));
    }
}

#[test]
fn a_route_that_may_be_reached_is_not_named() {
    let invoices = "mentions(ticket.subject, \"invoice\")";
    for (when, more) in [
        (format!("'{invoices} || has_tag(\"x\")'"), ""),
        ("'mentions(ticket.subject, \"bill\")'".to_owned(), ""),
        // The earlier one is in shadow: it forestalls no live one.
        (format!("'{invoices}'"), "mode = \"live\""),
    ] {
        assert_eq!(warnings(&with_routes(&route("late", &when, more))), [], "{when}");
    }
    // The earlier one is for a share of the tickets.
    let shared = BASE.replacen("to = \"billing\"\n\n[[route]]", "to = \"billing\"\nshare = \"50%\"\n\n[[route]]", 1);
    assert_ne!(shared, BASE);
    let rest = "[[route]]\nname = \"rest\"";
    let text = shared.replacen(rest, &format!("{}{rest}", route("late", &format!("'{invoices}'"), "")), 1);
    assert_eq!(warnings(&text), []);
}

#[test]
fn a_route_for_hours_on_duty_forestalls_only_one_for_the_same_hours() {
    let hours = "[hours.office]\nzone = \"Europe/Berlin\"\nmon-fri = [\"09:00-17:00\"]\n\n[people.lead]";
    let base = BASE.replacen("[people.lead]", hours, 1);
    let base = base.replacen("queue = \"Billing\"", "queue = \"Billing\"\nhours = \"office\"", 1);
    let rest = "[[route]]\nname = \"rest\"";
    let with = |late: &str| {
        let early = route("early", "'has_tag(\"x\")'", "on_duty = true");
        base.replacen(rest, &format!("{early}{}{rest}", route("late", "'has_tag(\"x\")'", late)), 1)
    };
    assert_eq!(warnings(&with("")), []);
    let (message, ..) = one(&with("on_duty = true"));
    assert!(message.starts_with("the route \"late\" is never reached: \"early\" stands before it"), "{message}");
}

#[test]
fn an_escalation_that_never_acts_in_its_own_name_is_named() {
    let wide = escalation("wide", "'ticket.fields.refund_eur > 500.0'", "billing", "");
    let narrow = escalation("narrow", "'ticket.fields.refund_eur > 1000.0'", "billing", "");
    let (message, label, here, there) = one(&with_escalations(&format!("{wide}{narrow}")));
    assert_eq!(message, "wherever the rule \"narrow\" matches, \"wide\" stands before it with the same target");
    assert_eq!(label, "\"wide\" matches wherever this one does");
    assert_eq!((here.as_str(), there.as_str()), ("name = \"narrow\"", "name = \"wide\""));
    // The narrow one first: each acts where it should.
    assert_eq!(warnings(&with_escalations(&format!("{narrow}{wide}"))), []);
    // One that is live is not forestalled by one in shadow.
    let live = escalation("narrow", "'ticket.fields.refund_eur > 1000.0'", "billing", "mode = \"live\"");
    assert_eq!(warnings(&with_escalations(&format!("{wide}{live}"))), []);
    // Nor by one that may have acted in the case already, or may lack a signature.
    for silent in ["once = \"case\"", "sensitive = true"] {
        let wide = escalation("wide", "'ticket.fields.refund_eur > 500.0'", "billing", silent);
        let text = with_escalations(&format!("{wide}{narrow}"));
        let text = text.replacen("[policy]\n", "[policy]\nsecond_reviewer = \"lead\"\n", 1);
        assert!(!warnings(&text).iter().any(|one| one.message.contains("narrow")), "{silent}: {:#?}", warnings(&text));
    }
}

#[test]
fn escalations_that_always_disagree_are_named_once() {
    let one_way = |name, to| escalation(name, "'has_tag(\"x\")'", to, "");
    let text = with_escalations(&format!("{}{}", one_way("a", "billing"), one_way("b", "engineering")));
    let (message, ..) = one(&text);
    assert_eq!(message, "wherever the rule \"b\" matches, \"a\" matches too and wants \"billing\": a person is asked");
    // In whatever order they stand.
    let narrow = escalation("narrow", "'has_tag(\"x\") && case.hops == 0'", "engineering", "");
    let (message, ..) = one(&with_escalations(&format!("{narrow}{}", one_way("wide", "billing"))));
    assert!(message.starts_with("wherever the rule \"narrow\" matches, \"wide\" matches too"), "{message}");
}

#[test]
fn rules_of_different_teams_do_not_meet() {
    let frontline = escalation("a", "'has_tag(\"x\")'", "engineering", "");
    let billing = escalation("b", "'has_tag(\"x\")'", "engineering", "").replace("[\"frontline\"]", "[\"billing\"]");
    let both = escalation("c", "'has_tag(\"x\")'", "engineering", "")
        .replace("[\"frontline\"]", "[\"billing\", \"frontline\"]");
    assert_eq!(warnings(&with_escalations(&format!("{frontline}{billing}"))), []);
    let (message, ..) = one(&with_escalations(&format!("{frontline}{both}")));
    assert!(message.contains("matches for cases of frontline, \"a\" stands before it"), "{message}");
}

#[test]
fn each_rules_own_package_is_its_own() {
    let a = escalation("a", "'\"steps\" in package.missing'", "billing", "");
    let b = escalation("b", "'\"steps\" in package.missing'", "billing", "")
        .replace("require = []", "require = [\"steps\"]");
    assert_eq!(warnings(&with_escalations(&format!("{a}{b}"))), []);
}

#[test]
fn a_rule_that_can_never_match_is_named() {
    for (when, why) in [
        ("'false'", "`false` never holds"),
        ("['case.hops > 3', 'case.hops < 2']", "`case.hops > 3` and `case.hops < 2` never hold together"),
        (
            "'has_tag(\"x\") && !has_tag(\"x\")'",
            "`!(\"x\" in ticket.tags)` and `\"x\" in ticket.tags` never hold together",
        ),
    ] {
        let all = warnings(&with_escalations(&escalation("a", when, "billing", "")));
        let messages: Vec<&str> = all.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, [format!("the rule \"a\" never matches: {why}")], "{when}");
    }
}

#[test]
fn a_team_that_no_rule_leads_to_is_named_where_cases_are_routed() {
    let from_engineering =
        escalation("a", "'has_tag(\"x\")'", "billing", "").replace("[\"frontline\"]", "[\"engineering\"]");
    let text = with_escalations(&from_engineering);
    let (message, label, here, there) = one(&text);
    assert_eq!(message, "the rule \"a\" takes cases from \"engineering\", to which no route and no escalation leads");
    assert_eq!(label, "\"engineering\" gets no case by a rule");
    assert_eq!((here.as_str(), there.as_str()), ("name = \"a\"", "engineering"));
    // Nor is one that another rule's chain leads to.
    let owner = "owner = { assign = \"queue\", claim_within = \"2h\", unclaimed = [\"team:engineering\"] }";
    let chain = escalation("c", "'has_tag(\"y\")'", "billing", owner);
    let fed = format!("{text}{chain}").replace("review = \"never\"", "review = \"always\"");
    assert!(!warnings(&fed).iter().any(|one| one.message.contains("leads")), "{:#?}", warnings(&fed));
    // Where the helpdesk itself routes, nothing is known.
    let (before, after) = text.split_once("[[route]]").unwrap_or_default();
    let (_, after) = after.split_once("[teams.engineering]").unwrap_or_default();
    assert_eq!(warnings(&format!("{before}[teams.engineering]{after}")), []);
}

/// The base with a live daemon.
fn live() -> String {
    BASE.replacen("mode = \"shadow\"", "mode = \"live\"", 1)
}

const HEADER: &str =
    "owner = \"o@acme.example\"\nreview_by = 2027-03-01\ngoal = \"g\"\ndata = \"d\"\nfeared_failure = \"f\"\n";

/// The same with this in `[policy]` in place of its owner.
fn with_header(text: &str, header: &str) -> String {
    let own = "owner = \"ops@acme.example\"\n";
    assert!(text.contains(own));
    text.replacen(own, header, 1)
}

#[test]
fn rules_that_act_say_who_answers_for_them_and_what_they_are_for() {
    let said = |text: &str| {
        let all = warnings(text).into_iter().filter(|one| one.message.contains("[policy] does not say"));
        all.map(|one| one.message).collect::<Vec<_>>()
    };
    let whole = with_header(&live(), HEADER);
    assert_eq!(said(&whole), Vec::<String>::new());
    for key in ["owner", "review_by", "goal", "data", "feared_failure"] {
        let without: Vec<&str> = whole.lines().filter(|line| !line.starts_with(&format!("{key} = "))).collect();
        assert_eq!(said(&without.join("\n")), [format!("rules are live, and [policy] does not say: {key}")]);
    }
    let bare: Vec<&str> = whole.lines().filter(|line| !HEADER.lines().any(|it| it == *line)).collect();
    let all = said(&bare.join("\n"));
    assert_eq!(all, ["rules are live, and [policy] does not say: owner, review_by, goal, data, feared_failure"]);
    let shadow = bare.join("\n").replacen("mode = \"live\"", "mode = \"shadow\"", 1);
    assert_eq!(said(&shadow), Vec::<String>::new(), "a policy in shadow has time for it");
}

#[test]
fn another_desks_teams_of_a_tier_that_no_rule_takes_a_case_from_are_named() {
    let far = "[teams.far]\ntier = 1\ndesk = \"other\"\nqueue = \"Support\"\n\n[teams.frontline]";
    let base = with_escalations("").replacen("[teams.frontline]", far, 1);
    let by_tier = escalation("refund", "'has_tag(\"x\")'", "billing", "").replace("[\"frontline\"]", "{ tier = 1 }");
    let said = |rules: &str| {
        let text = format!("{base}{rules}");
        let all = warnings(&text).into_iter().filter(|one| one.message.contains("is not meant"));
        all.map(|one| (text[one.span].to_owned(), one.message, one.help)).collect::<Vec<_>>()
    };
    let all = said(&by_tier);
    let [(place, message, help)] = &all[..] else { panic!("{all:#?}") };
    assert_eq!(place, "1");
    assert!(
        message.starts_with("tier 1 of the desk \"other\" is not meant") && message.ends_with("from far"),
        "{message}"
    );
    assert!(help.contains("from = [\"frontline\"]"), "{help}");
    // Those who are meant are named, or the other desk has a rule of its own.
    assert_eq!(said(&by_tier.replace("{ tier = 1 }", "[\"frontline\"]")), []);
    let own = escalation("there", "'has_tag(\"x\")'", "elsewhere", "").replace("frontline", "far");
    assert_eq!(said(&format!("{by_tier}{own}")), []);
}

#[test]
fn a_review_of_which_nobody_hears_is_named_at_its_rule() {
    let said = |text: &str| {
        let all = warnings(text).into_iter().filter(|one| one.message.contains("nobody hears"));
        all.map(|one| text[one.span].to_owned()).collect::<Vec<_>>()
    };
    let live = live();
    let (before, _) = live.split_once("[[escalate]]").unwrap_or_default();
    let asks = escalation("asks", "'has_tag(\"x\")'", "billing", "mode = \"live\"").replace("\"never\"", "\"always\"");
    let text = format!("{}{asks}", with_header(before, HEADER));
    assert_eq!(said(&text), ["\"asks\""]);
    // What the help says can be written as it stands.
    let told = warnings(&text).into_iter().find(|one| one.message.contains("nobody hears"));
    let terms = told.and_then(|one| one.help.split_once("reminded: ").map(|(_, terms)| terms.to_owned()));
    let taken = terms.map(|terms| said(&format!("{text}{terms}\n")));
    assert_eq!(taken, Some(Vec::new()));
    let reminded = format!("{text}reviews = {{ answer_within = \"8h\", remind_every = \"2h\" }}\n");
    assert_eq!(said(&reminded), Vec::<String>::new());
    let room = "\n[alerts.room]\nchannel = \"slack\"\nurl = { env = \"ROOM\" }\n";
    assert_eq!(said(&format!("{text}alert = [\"room\"]\n{room}")), Vec::<String>::new());
    let deaf = format!("{text}alert = [\"room\"]\n{room}tells = [\"handoff\"]\n");
    assert_eq!(said(&deaf), ["\"asks\""]);
}

#[test]
fn a_policy_whose_day_is_over_is_a_warning_at_that_day() {
    let text = with_header(BASE, "review_by = 2026-03-01\n");
    let config = config::read(&text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    let at = |now: &str| config.overdue(now.parse().unwrap_or_else(|error| panic!("{error}")));
    assert!(at("2026-02-01T00:00:00Z").is_empty());
    let over = at("2026-04-01T00:00:00Z");
    let all: Vec<_> = over.iter().collect();
    assert_eq!((all.len(), all[0].severity, &text[all[0].span.clone()]), (1, Severity::Warning, "2026-03-01"));
    assert!(all[0].message.contains("by 2026-03-01"), "{over}");
}

#[test]
fn both_places_are_shown_and_no_secret_with_them() {
    let text = with_routes(&route("late", "'mentions(ticket.subject, \"invoice\")'", ""));
    let config = config::read(&text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    let shown = config::render(&config.warnings, config::Look::Plain);
    for piece in ["name = \"late\"", "name = \"invoices\"", "\"invoices\" has the same conditions", "= help:"] {
        assert!(shown.contains(piece), "{piece}\n{shown}");
    }
}
