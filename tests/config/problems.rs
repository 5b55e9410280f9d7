//! One bad value at a time: each is named with what is wrong, where, and what would be accepted, and nothing else is.
//!
//! A case edits the valid base: `old` becomes `new`, and `¦` in `new` stands where the problem must point to.

#![expect(clippy::expect_used, reason = "a test's helpers")]

use handoffd::config::{self, Problems, Severity};
use std::path::Path;

pub const BASE: &str = include_str!("../fixtures/config/base.toml");

pub fn read(text: &str) -> Result<config::Config, Problems> {
    config::read(text, "handoffd.toml", Path::new("/etc/handoffd"))
}

fn place_of(text: &str) -> (usize, usize) {
    let before = text.split_once('¦').expect("a marked place").0;
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// Asserts the one problem of an edited base.
fn expect(severity: Severity, old: &str, new: &str, message: &str, help: &str) {
    assert!(BASE.contains(old), "{old:?} is not in the base");
    let marked = BASE.replacen(old, new, 1);
    let place = place_of(&marked);
    let problems = match read(&marked.replacen('¦', "", 1)) {
        Ok(config) => config.warnings,
        Err(problems) => problems,
    };
    let found: Vec<_> = problems.iter().collect();
    assert_eq!(found.len(), 1, "{new}\n{problems}");
    let problem = found[0];
    assert!(problem.message.contains(message), "{new}: {}", problem.message);
    assert!(problem.help.contains(help), "{new}: {}", problem.help);
    assert_eq!((problem.line, problem.column), place, "{new}\n{problems}");
    assert_eq!(problem.severity, severity, "{new}");
    assert!(problems.to_string().contains(&format!("handoffd.toml:{}:{}", place.0, place.1)), "{problems}");
}

pub fn error(old: &str, new: &str, message: &str, help: &str) {
    expect(Severity::Error, old, new, message, help);
}

fn later(old: &str, new: &str, message: &str, help: &str) {
    expect(Severity::NotSupportedYet, old, new, message, help);
}

#[test]
fn the_base_is_right() {
    let config = read(BASE).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    assert_eq!(config.daemon.ledger, Path::new("/etc/handoffd/handoffd.db"));
}

#[test]
fn a_label_is_a_word_of_its_own_meaning() {
    let labels = |text: &str| format!("[package.labels]\n{text}\n\n[defaults.escalate]");
    for (text, message, help) in [
        ("steps = ¦\"Versucht\"", "`steps` is a list, not text", "write it like steps = "),
        ("steps = [¦7]", "`steps` is a list of texts", "write it like steps = "),
        ("steps = [¦\"\"]", "this text of `steps` is empty", "write it like steps = "),
        ("steps = [\"Versucht\", ¦\"Versucht\"]", "stands twice", "leave one of them out"),
        (
            "steps = [\"Versucht\"]\nquestion = [¦\"VERSUCHT\"]",
            "\"VERSUCHT\" already means `steps`",
            "no other label has",
        ),
        ("question = [¦\"Steps  tried\"]", "already means `steps`", "no other label has"),
        ("steps = [¦\"Versucht:\"]", "has a colon", "write the word alone"),
        ("steps = [¦\"a\\nb\"]", "a line break", "write the word alone"),
        ("steps = [¦\"# x\"]", "does not begin with a letter", "write the word alone"),
        (&format!("steps = [¦\"{}\"]", "x".repeat(61)), "is too long", "at most 60 characters"),
        ("¦stepps = [\"x\"]", "has no key `stepps`", "did you mean `steps`?"),
    ] {
        error("[defaults.escalate]", &labels(text), message, help);
    }
    let more = BASE.replacen("[defaults.escalate]", &labels("steps = [\"Steps\", \"Versucht\"]"), 1);
    read(&more).unwrap_or_else(|problems| panic!("an English label may be repeated: {problems}"));
}

#[test]
fn what_is_done_about_a_missing_part_is_said_whole() {
    let send = "package.missing = \"send\"";
    for (new, message, help) in [
        ("package.missing = ¦\"aks\"", "`missing` cannot be \"aks\"", "did you mean `ask`?"),
        ("package.missing = ¦true", "`missing` is text in quotes", "write it like missing"),
        ("package.¦ask_for = \"4h\"", "nobody is", "package.missing = \"ask\""),
        (
            "package.missing = \"review\"\npackage.¦then = \"send\"",
            "`package.then` says what follows",
            "package.missing = \"ask\"",
        ),
        ("package.missing = \"ask\"\npackage.ask_for = ¦\"0s\"", "`ask_for` is too short", "at least 1s"),
        ("package.missing = \"ask\"\npackage.ask_for = ¦\"400d\"", "`ask_for` is too long", "at most 365d"),
        ("package.missing = \"ask\"\npackage.ask_for = ¦\"soon\"", "is no duration", "a number and a unit"),
        (
            "package.missing = \"ask\"\npackage.ask_for = \"4h\"\npackage.then = ¦\"ask\"",
            "`then` cannot be \"ask\"",
            "accepted here: review, send",
        ),
    ] {
        error(send, new, message, help);
    }
    let unbounded = BASE.replacen(send, "package.missing = \"ask\"", 1);
    let problems = read(&unbounded).expect_err("no ask_for");
    assert!(problems.to_string().contains("has no `ask_for`"), "{problems}");
    let whole = "package.missing = \"ask\"\npackage.ask_for = \"4h\"\npackage.then = \"send\"";
    read(&BASE.replacen(send, whole, 1)).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn the_facts_of_a_package_belong_to_escalations() {
    let help = "only escalations carry a package";
    for (old, new) in [
        ("when = 'mentions(ticket.subject, \"invoice\")'", "when = 'size(¦package.missing) > 0'"),
        ("never = 'has_tag(\"legal-hold\")'", "never = '¦package.completeness < 1.0'"),
    ] {
        error(old, new, "there is no package here to ask for", help);
    }
    let edited =
        BASE.replacen("review = 'ticket.fields.refund_eur > 5000.0'", "review = '\"steps\" in package.missing'", 1);
    read(&edited).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one_and_the_list() {
    for (old, new, near) in [
        ("[policy]", "[¦polcy]\nx = 1\n\n[policy]", "did you mean `policy`?"),
        ("mode = \"shadow\"", "¦listne = \"127.0.0.1:1\"", "did you mean `listen`?"),
        ("poll = ", "¦pol = ", "did you mean `poll`?"),
        ("lead = ", "¦leed = ", "did you mean `lead`?"),
        ("email = \"lead", "email = \"a@b.example\"\n¦emial = \"lead", "did you mean `email`?"),
        ("type = \"number\"", "¦typ = \"number\"", "did you mean `type`?"),
        ("{ env = \"ACME_HOOK\" }", "{ env = \"ACME_HOOK\", ¦evn = \"A\" }", "did you mean `env`?"),
        ("name = \"invoices\"", "name = \"invoices\"\n¦reason = \"x\"", "accepted here: name, desk, when, to"),
        ("needs = ", "¦need = ", "did you mean `needs`?"),
        ("package.missing", "¦mising = 1\npackage.missing", "accepted here: name, mode, trigger"),
        ("package.missing = ", "package.¦mising = ", "did you mean `missing`?"),
        ("clock.internal = ", "clock.¦intern = ", "did you mean `internal`?"),
        ("customer.quiet_for = ", "customer.¦quiet = ", "did you mean `quiet_for`?"),
        ("within = \"1d\"", "¦witin = \"1d\"", "did you mean `within`?"),
        ("owner.assign", "¦when = 'true'\nowner.assign", "accepted here: package, owner, clock, customer, review"),
        ("owner = \"ops", "limits = { ¦per_rule = 3 }\nowner = \"ops", "did you mean `per_rule_per_hour`?"),
        ("queue = \"Support\"", "queue = { name = \"Support\", ¦nme = \"x\" }", "accepted here: name, id"),
        ("from = [\"frontline\"]", "from = { tier = 1, ¦desk = \"acme\" }", "accepted here: tier"),
    ] {
        error(old, new, "has no key", near);
    }
    error("en = \"{{", "¦english = \"x\"\nen = \"{{", "has no key `english`", "tags of BCP 47");
}

#[test]
fn names_that_nothing_defines_are_refused_with_the_nearest_one() {
    for (old, new, message, help) in [
        (
            "desk = \"acme\"\nqueue = \"Support\"",
            "desk = ¦\"acmee\"\nqueue = \"Support\"",
            "no desk \"acmee\"",
            "`acme`",
        ),
        ("lead = \"lead\"", "lead = ¦\"leed\"", "no person \"leed\"", "did you mean `lead`?"),
        ("reviewers = [\"lead\"]", "reviewers = [¦\"boss\"]", "no person \"boss\"", "known here: lead, stranger"),
        ("reviewers = [\"lead\"]", "reviewers = ¦[]", "names nobody", "leave the key out"),
        (
            "trigger = \"exception\"",
            "trigger = \"exception\"\nreviewers = [¦\"nobodyhere\"]",
            "no person \"nobodyhere\"",
            "known here: lead",
        ),
        ("trigger = \"exception\"", "trigger = \"exception\"\nreviewers = ¦[]", "names nobody", "leave the key out"),
        ("{ other = \"12\" }", "{ ¦othr = \"12\" }", "no desk \"othr\"", "did you mean `other`?"),
        (
            "signers = [\"ops@acme.example\"]",
            "signers = [¦\"ops\"]",
            "no mail address or person \"ops\"",
            "[people.NAME]",
        ),
        ("to = \"billing\"", "to = ¦\"biling\"", "no team \"biling\"", "did you mean `billing`?"),
        ("from = [\"frontline\"]", "from = [¦\"frontlin\"]", "no team \"frontlin\"", "`frontline`"),
        (
            "assign = \"queue\", ",
            "assign = ¦\"nobody\", ",
            "no person \"nobody\"",
            "known here: queue, round-robin, least-loaded, lead, stranger",
        ),
        (
            "customer.message = \"escalated\"",
            "customer.message = ¦\"escalate\"",
            "no message \"escalate\"",
            "`escalated`",
        ),
        (
            "connector = \"rt\"",
            "connector = ¦\"helpscout\"",
            "no connector speaks \"helpscout\"",
            "accepted here: zendesk, rt",
        ),
    ] {
        error(old, new, message, help);
    }
}

#[test]
fn every_open_question_is_an_error_at_its_rule() {
    let rule = "name = \"refund\"";
    let lines = [
        ("when", "when = ['has_tag(\"refund\")', 'ticket.fields.refund_eur > 500.0']\n", "leaves `when` open"),
        (
            "package",
            "package.require = [\"summary\", \"steps\"]\npackage.missing = \"send\"\n",
            "leaves `package` open",
        ),
        ("clock", "clock.customer = \"continue\"\nclock.internal = \"4h\"\n", "leaves `clock` open"),
        (
            "customer",
            "customer.message = \"escalated\"\ncustomer.respond_within = \"8h\"\ncustomer.quiet_for = \"24h\"\n",
            "leaves `customer` open",
        ),
        ("review", "review = 'ticket.fields.refund_eur > 5000.0'\n", "leaves `review` open"),
        ("trigger", "trigger = \"exception\"\n", "has no `trigger`"),
        ("reason", "reason = \"A refund of {{ ticket.fields.refund_eur }} EUR\"\n", "has no `reason`"),
        ("from", "from = [\"frontline\"]\n", "has no `from`"),
    ];
    for (key, line, message) in lines {
        assert!(BASE.contains(line), "{line}");
        let text = BASE.replacen(line, "", 1);
        let problems = read(&text).expect_err(key);
        let problem = problems.iter().next().unwrap();
        assert_eq!(problems.iter().count(), 1, "{problems}");
        assert!(problem.message.contains(message) && problem.message.contains("rule \"refund\""), "{problems}");
        assert!(problem.help.contains(&format!("add {key} = ")), "{problems}");
        assert_eq!(
            (problem.line, problem.column),
            place_of(&text.replacen(rule, &format!("¦{rule}"), 1)),
            "{problems}"
        );
    }
    // The owner comes from the defaults: without them it is open too.
    let owner = "owner = { assign = \"queue\", previous = { task = \"Answer questions\", within = \"1d\" } }\n";
    let text = BASE.replacen(owner, "", 1);
    assert!(read(&text).is_ok());
    let problems = read(&text.replacen("owner.assign = \"queue\"\n", "", 1)).expect_err("open");
    assert!(problems.iter().next().unwrap().message.contains("leaves `owner` open"), "{problems}");
}

#[test]
fn a_fallback_on_another_desk_is_no_fallback_yet() {
    let elsewhere = "to = \"billing\"\nfallback = ¦\"elsewhere\"\n\n[[route]]";
    later(
        "to = \"billing\"\n\n[[route]]",
        elsewhere,
        "from the desk \"acme\" to the desk \"other\"",
        "teams of one desk",
    );
}

#[test]
fn a_decision_on_a_rule_replaces_the_defaults_whole() {
    // The default's `assign` does not leak into the rule's own `owner`.
    let new = "¦owner = { customer_facing = \"new\" }";
    error(
        "owner = { assign = \"queue\", previous = { task = \"Answer questions\", within = \"1d\" } }",
        new,
        "has no `assign`",
        "add assign = \"queue\"",
    );
}

#[test]
fn bad_words_durations_and_numbers_say_what_would_be_accepted() {
    for (old, new, message, help) in [
        ("mode = \"shadow\"", "mode = ¦\"on\"", "cannot be \"on\"", "accepted here: shadow, live"),
        ("mode = \"shadow\"", "log = ¦\"xml\"", "cannot be \"xml\"", "accepted here: text, json"),
        ("mode = \"shadow\"", "mode = ¦true", "is text in quotes, not true or false", "mode = \"shadow\""),
        ("mode = \"shadow\"", "ledger = ¦\"\"", "is empty", "ledger = \"handoffd.db\""),
        ("mode = \"shadow\"", "listen = ¦\"localhost:8787\"", "is no address and port", "\"127.0.0.1:8787\""),
        ("mode = \"shadow\"", "hooks = ¦\"127.0.0.1:8787\"", "are the same address", "its own port"),
        ("mode = \"shadow\"", "verify_after = ¦\"2h\"", "is too long", "at most 1h"),
        ("mode = \"shadow\"", "webhook_max_bytes = ¦10", "out of bounds", "from 1024 to 100000000"),
        ("mode = \"shadow\"", "webhook_max_bytes = ¦99999999999999999999", "out of bounds", "from 1024"),
        ("mode = \"shadow\"", "webhook_max_bytes = ¦\"1MB\"", "is a whole number, not text", "1000000"),
        ("mode = \"live\"", "mode = ¦\"Live\"", "cannot be \"Live\"", "did you mean `live`?"),
        ("poll = \"30s\"", "poll = ¦\"30\"", "is no duration", "30s, 15m, 4h or 2d"),
        ("poll = \"30s\"", "poll = ¦\"1h30m\"", "is no duration", "30s, 15m, 4h or 2d"),
        ("poll = \"30s\"", "poll = ¦30", "is text in quotes, not a whole number", "poll = \"30s\""),
        ("poll = \"30s\"", "poll = ¦\"0s\"", "too short", "at least 1s"),
        ("clock.internal = \"4h\"", "clock.internal = ¦\"4 hours\"", "is no duration", "30s, 15m"),
        ("budget = \"80%\"", "budget = ¦0.8", "not a number", "budget = \"80%\""),
        ("budget = \"80%\"", "budget = ¦\"120%\"", "not between 0% and 100%", "\"80%\""),
        ("budget = \"80%\"", "budget = ¦\"0%\"", "leaves nothing", "1% to 100%"),
        ("share = \"100%\"", "share = ¦\"half\"", "no percentage", "share = \"100%\""),
        ("once = \"episode\"", "once = ¦\"twice\"", "cannot be \"twice\"", "accepted here: episode, case"),
        ("start = \"now\"", "start = ¦\"soon\"", "is no instant", "write \"now\", a date"),
        ("start = \"now\"", "start = ¦5", "is an instant", "write \"now\", a date"),
        ("tier = 1", "tier = ¦0", "out of bounds", "from 1 to 99"),
        ("tier = 1", "tier = ¦\"one\"", "is a whole number", "tier = 1"),
        ("owner = \"ops", "review_by = ¦\"spring\"\nowner = \"ops", "is no date", "2027-03-01"),
        ("owner = \"ops", "limits = { hops_per_day = ¦-1 }\nowner = \"ops", "out of bounds", "from 0"),
        ("type = \"number\"", "type = ¦\"decimal\"", "cannot be \"decimal\"", "text, number, yes-no, date, choice"),
        (
            "type = \"number\"",
            "of = ¦\"team\", type = \"number\"",
            "cannot be \"team\"",
            "ticket, customer, organization",
        ),
        ("trigger = \"exception\"", "trigger = ¦\"exeption\"", "cannot be", "did you mean `exception`?"),
        ("\"steps\"]", "¦\"step\"]", "`package.require` cannot be", "did you mean `steps`?"),
        ("\"steps\"]", "¦\"summary\"]", "stands twice", "leave one of them out"),
        ("package.missing = \"send\"", "package.missing = ¦\"drop\"", "cannot be", "accepted here: send"),
        (
            "clock.customer = \"continue\"",
            "clock.customer = ¦\"stop\"",
            "cannot be",
            "{ pause = \"hold\", at_most = \"1d\" }",
        ),
        ("clock.internal = ", "clock.accountable = ¦\"both\"\nclock.internal = ", "cannot be", "to, from"),
        (
            "{ task = \"Answer questions\", within = \"1d\" }",
            "¦\"something\"",
            "`owner.previous` cannot be",
            "\"nothing\" or { task",
        ),
        ("{ task = \"Answer questions\", within = \"1d\" }", "¦3", "is a word or a table", "\"nothing\" or { task"),
        ("review = 'ticket.fields.refund_eur > 5000.0'", "review = ¦false", "is text in quotes", "review = \"never\""),
        ("from = [\"frontline\"]", "from = ¦\"frontline\"", "is a list, not text", "from = [\"frontline\"]"),
        ("from = [\"frontline\"]", "¦from = []", "names no team", "from = [\"frontline\"]"),
        ("when = 'mentions(ticket.subject, \"invoice\")'", "when = ¦[]", "is an empty list", "'true' always holds"),
        ("when = 'mentions(ticket.subject, \"invoice\")'", "when = ¦true", "is text in quotes", "when = ["),
        (
            "[[route]]\nname = \"invoices\"\ndesk = \"acme\"\nwhen = 'mentions(ticket.subject, \"invoice\")'\nto = \"billing\"\n\n[[route]]\nname = \"rest\"\ndesk = \"acme\"\nto = \"frontline\"",
            "[¦route]\nname = \"rest\"",
            "is a list of entries",
            "[[route]]",
        ),
    ] {
        error(old, new, message, help);
    }
}

#[test]
fn desks_are_checked_for_addresses_logins_fields_and_queues() {
    for (old, new, message, help) in [
        ("\"https://acme.zendesk.com\"", "¦\"acme.zendesk.com\"", "this is no address", "https://acme.zendesk.com"),
        ("\"https://acme.zendesk.com\"", "¦\"http://acme.example\"", "in clear over the network", "https://"),
        ("\"https://acme.zendesk.com\"", "¦\"https://a:b@acme.example\"", "must not carry a login", "`login`"),
        ("login = { token = { file = \"rt.token\" } }", "login = ¦\"x\"", "is a table, not text", "login = {"),
        ("token = { file", "token = { ¦fil = \"x\", file", "has no key `fil`", "accepted here: env, file"),
        (
            "client_secret = { env = \"ACME_SECRET\" }",
            "¦client_secret = { env = \"A\", file = \"b\" }",
            "in more than one way",
            "{ env = \"NAME\" }, { file",
        ),
        (
            "client_secret = { env = \"ACME_SECRET\" }",
            "¦client_secret = {}",
            "neither env nor file",
            "{ env = \"NAME\" }, { file",
        ),
        (
            "client_secret = { env = \"ACME_SECRET\" }",
            "client_secret = { env = ¦\"A B\" }",
            "this names no environment variable",
            "{ env",
        ),
        (
            "client_secret = { env = \"ACME_SECRET\" }",
            "¦client_secret = \"hunter2\"",
            "is written in clear",
            "{ env = \"NAME\" }",
        ),
        ("client_id = \"handoffd\"", "client_id = ¦5", "is text or a secret, not a whole number", "a text in quotes"),
        ("client_id = \"handoffd\"", "client_id = ¦\"a\\nb\"", "control characters", "write a text"),
        ("steps = \"360001\"", "¦steps-done = \"360001\"", "a field cannot be called", "ticket.fields.NAME"),
        ("steps = \"360001\"", "steps = ¦360001", "is text or a table", "in quotes"),
        ("steps = \"360001\"", "¦steps = { type = \"text\" }", "has no `id`", "add id = "),
        ("intake = [\"Incoming\"]", "intake = [\"Incoming\", ¦\"Incoming\"]", "stands twice", "leave one"),
        (
            "intake = [\"Incoming\"]",
            "intake = [¦{ name = \"a\", id = \"1\" }]",
            "either a name or an id",
            "write the queue's name",
        ),
        ("intake = [\"Incoming\"]", "intake = [¦7]", "names a queue by text", "{ id = \"4711\" }"),
        ("queue = \"Billing\"\nlead", "queue = ¦\"Support\"\nlead", "have the same queue", "its own queue"),
        ("queue = \"Billing\"\nlead", "queue = ¦\"Incoming\"\nlead", "and in the desk's `intake`", "use two queues"),
        ("[people.stranger]", "[people.¦round-robin]", "cannot be called \"round-robin\"", "another name"),
        ("[people.stranger]\ndesk = { other = \"12\" }", "[people.¦stranger]", "has no identity", "add email"),
        ("{ other = \"12\" }", "{ other = ¦12 }", "is a text in quotes", "other = \"4711\""),
        ("email = \"lead@acme.example\"", "email = ¦\"lead\"", "no mail address", "email = "),
        ("[people.stranger]", "[people.¦queue]", "cannot be called \"queue\"", "another name"),
        ("[people.stranger]", "[people.¦\"a b\"]", "cannot be called so", "letters, digits"),
        ("signers = [\"ops@acme.example\"]", "¦signers = []", "nobody may sign", "signers = ["),
    ] {
        error(old, new, message, help);
    }
    let two = "[desks.other.fields]\n¦refund_eur = \"1\"\n\n[desks.acme.fields]";
    error("[desks.acme.fields]", two, "another type on another desk", "the same type, or another name");
    let wording = "en = \"{{ to.public_name }} look at this until {{ respond_by }}.\"\n";
    error(
        &format!("[messages.escalated]\nsigners = [\"ops@acme.example\"]\n{wording}"),
        "[messages.¦escalated]\nsigners = [\"ops@acme.example\"]\n",
        "has no wording",
        "en = ",
    );
}

#[test]
fn rules_must_fit_together() {
    for (old, new, message, help) in [
        ("name = \"rest\"", "name = ¦\"invoices\"", "another rule is called \"invoices\" too", "one set of names"),
        ("name = \"refund\"", "name = ¦\"rest\"", "another rule is called \"rest\" too", "one set of names"),
        ("name = \"rest\"", "name = ¦\"the rest\"", "cannot be called", "letters, digits"),
        (
            "name = \"rest\"\ndesk = \"acme\"",
            "¦name = \"rest\"\ndesk = \"acme\"\nshare = \"50%\"",
            "no catch-all",
            "everything-else",
        ),
        (
            "name = \"rest\"\ndesk = \"acme\"",
            "¦name = \"rest\"\ndesk = \"acme\"\nwhen = 'has_tag(\"a\")'",
            "no catch-all",
            "no `when`",
        ),
        ("from = [\"frontline\"]", "from = [\"frontline\", ¦\"billing\"]", "to itself", "leave it out"),
        (
            "to = \"billing\"\n\n[[route]]",
            "to = \"billing\"\nfallback = ¦\"billing\"\n\n[[route]]",
            "falls back from \"billing\" to itself",
            "another team",
        ),
        (
            "to = \"billing\"\n\n[[route]]",
            "to = \"billing\"\nfallback = ¦\"biling\"\n\n[[route]]",
            "there is no team \"biling\"",
            "billing",
        ),
        (
            "to = \"billing\"\n\n[[route]]",
            "to = \"billing\"\n¦on_duty = true\n\n[[route]]",
            "always on duty",
            "`hours`",
        ),
        (
            "from = [\"frontline\"]",
            "from = { tier = ¦7 }",
            "no other team of the desk \"acme\" is of tier 7",
            "tiers on this desk: 1, 2",
        ),
        ("from = [\"frontline\"]", "from = { tier = ¦2 }", "of tier 2", "tiers on this desk: 1, 2"),
        (
            "customer.quiet_for",
            "customer.¦nothing = \"no\"\ncustomer.quiet_for",
            "both a message and nothing",
            "keep `message` or `nothing`",
        ),
    ] {
        error(old, new, message, help);
    }
    let owner = "owner = { assign = \"queue\", previous = { task = \"Answer questions\", within = \"1d\" } }";
    error(owner, "¦owner = { assign = \"stranger\" }", "does not know \"stranger\"", "[people.stranger]");
    let told = "customer.message = \"escalated\"\ncustomer.respond_within = \"8h\"\ncustomer.quiet_for = \"24h\"";
    error(told, "customer.¦message = \"escalated\"", "no time is given", "customer.respond_within");
    error(told, "customer.nothing = \"x\"\ncustomer.¦quiet_for = \"1d\"", "belongs to a message", "leave it out");
    error(told, "¦customer.quiet_for = \"1d\"", "does not say what the customer is told", "customer.nothing");
}

#[test]
fn circles_of_automatic_escalations_are_refused_and_a_review_breaks_them() {
    let back = |review: &str| {
        format!(
            "[[escalate]]\n¦name = \"back\"\ntrigger = \"exception\"\nfrom = [\"billing\"]\nto = \"frontline\"\nwhen = 'true'\n\
             reason = \"r\"\npackage.require = []\nclock.customer = \"continue\"\ncustomer.nothing = \"n\"\nreview = \"{review}\"\n"
        )
    };
    let text = format!("{BASE}\n{}", back("never"));
    let problems = read(&text.replace('¦', "")).expect_err("a circle");
    let problem = problems.iter().next().unwrap();
    assert_eq!(problems.iter().count(), 1, "{problems}");
    assert!(problem.message.contains("billing → frontline by \"back\""), "{problems}");
    assert!(problem.message.contains("frontline → billing by \"refund\""), "{problems}");
    assert!(problem.help.contains("review = \"always\""), "{problems}");
    assert_eq!((problem.line, problem.column), place_of(&text));
    let text = format!("{BASE}\n{}", back("always")).replace('¦', "");
    assert!(read(&text).is_ok());
    let text = format!("{BASE}\n{}", back("never"))
        .replace('¦', "")
        .replace("trigger = \"exception\"\nfrom = [\"billing\"]", "trigger = \"manual\"\nfrom = [\"billing\"]");
    assert!(read(&text).is_ok(), "what an agent asks for does not happen by itself");
}

#[test]
fn what_does_nothing_yet_is_refused_at_its_place() {
    for (old, new, message, help) in [
        (
            "from = [\"frontline\"]",
            "from = [\"frontline\", ¦\"elsewhere\"]",
            "from the desk \"other\" to the desk \"acme\"",
            "one desk",
        ),
        ("to = \"frontline\"", "¦to = \"elsewhere\"", "from the desk \"acme\" to the desk \"other\"", "one desk"),
    ] {
        later(old, new, message, help);
    }
}

#[test]
fn suppressed_addresses_are_patterns_of_addresses() {
    let owner = "owner = \"ops@acme.example\"";
    for (pattern, message) in [
        ("no-reply", "a pattern of addresses has one @"),
        ("*@*", "this fits every address"),
        ("a b@c", "an address has no spaces"),
    ] {
        let new = format!("{owner}\nsuppress = [\"no-reply@*\", ¦\"{pattern}\"]");
        error(owner, &new, message, "suppress = [\"no-reply@*\"");
    }
}

#[test]
fn a_wording_that_could_never_be_filled_in_is_refused() {
    let name = "public_name = \"our billing specialists\"\n";
    let without = BASE.replacen(name, "", 1);
    assert_ne!(without, BASE);
    let problems = read(&without).expect_err("nobody has this name");
    let all: Vec<_> = problems.iter().collect();
    assert_eq!(all.len(), 1, "{problems}");
    assert!(all[0].message.contains("the wording `en` of `escalated` says {{ to.public_name }}"), "{problems}");
    assert!(all[0].help.contains("[teams.billing]"), "{problems}");
    // One that asks first is fine.
    let careful = without.replacen(
        "{{ to.public_name }} look",
        "{% if to.public_name %}{{ to.public_name }}{% else %}we{% endif %} look",
        1,
    );
    assert!(read(&careful).is_ok_and(|config| config.warnings.is_empty()));
}

#[test]
fn a_wording_that_asks_for_what_is_known_or_may_lack_a_name_is_a_warning() {
    let en = "en = \"{{";
    let asks = "en = \"¦What is your refund? {{";
    expect(Severity::Warning, en, asks, "the case may hold already: ticket.fields.refund_eur", "asked twice");
    expect(Severity::Warning, en, "en = ¦\"Dear {{ customer.name }}, {{", "does not tell `customer.name`", "{% if");
    let careful = BASE.replacen(en, "en = \"{% if customer.name %}Dear {{ customer.name }}, {% endif %}{{", 1);
    assert!(read(&careful).is_ok_and(|config| config.warnings.is_empty()));
}

#[test]
fn what_works_and_should_be_looked_at_is_a_warning() {
    let rest = "name = \"rest\"\ndesk = \"acme\"\nto = \"frontline\"";
    let behind = format!("{rest}\n\n[[route]]\n¦name = \"late\"\ndesk = \"acme\"\nto = \"billing\"");
    expect(Severity::Warning, rest, &behind, "\"rest\" stands before it and takes every case", "before that route");
    // In shadow a catch-all hides no live route.
    let live = BASE.replacen(rest, &behind.replace("¦name = \"late\"", "name = \"late\"\nmode = \"live\""), 1);
    assert!(read(&live).is_ok_and(|config| config.warnings.is_empty()));
}

#[test]
fn an_address_that_the_daemon_would_refuse_is_refused_by_the_check() {
    error("mode = \"shadow\"", "mode = \"shadow\"\nlisten = ¦\"0.0.0.0:8787\"", "to everybody", "127.0.0.1");
}

#[test]
fn several_problems_come_together_and_in_the_order_of_the_file() {
    let text = BASE.replacen("mode = \"shadow\"", "mode = \"on\"", 1).replacen("tier = 1", "tier = 0", 1).replacen(
        "to = \"billing\"",
        "to = \"biling\"",
        1,
    ) + "\n[alerts.room]\nchannel = \"slack\"\n";
    let problems = read(&text).expect_err("four problems");
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines.len(), 4, "{problems}");
    assert!(lines.is_sorted(), "{lines:?}");
    let json = problems.to_json();
    assert_eq!(json["problems"][0]["severity"], "error");
    assert_eq!(json["problems"][3]["severity"], "error");
    assert!(problems.to_string().ends_with("4 errors, 0 warnings in handoffd.toml\n"), "{problems}");
}

#[test]
fn broken_syntax_does_not_hide_what_is_wrong_elsewhere_nor_invent_more() {
    // The unquoted name breaks its line; `live` is a bad word of its own; the broken team is not called unknown.
    let text = BASE.replacen("[teams.billing]\ntier = 2", "[teams.billing\ntier = 2", 1).replacen(
        "mode = \"shadow\"",
        "mode = \"on\"",
        1,
    );
    let problems = read(&text).expect_err("broken");
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.contains("broken TOML")), "{problems}");
    assert!(messages.iter().any(|message| message.contains("cannot be \"on\"")), "{problems}");
    assert!(!messages.iter().any(|message| message.contains("there is no team")), "{problems}");
}
