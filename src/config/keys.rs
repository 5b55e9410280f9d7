//! Every key of the policy file, once: its table, an example of its value, and whether it works already.
//! The readers refuse what is not listed here, and a test holds `config.example.toml` against it.

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// A value as it is written.
    pub example: &'static str,
    /// For a key that does nothing yet: what to do until then.
    pub later: Option<&'static str>,
}

/// The keys of one table.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How the table is written: `[daemon]`, `[desks.NAME]`, `package` of `[[escalate]]`.
    pub title: &'static str,
    /// Its keys in the order of the example.
    pub keys: &'static [Key],
}

impl Shape {
    /// A key by name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of the keys that work.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().filter(|key| key.later.is_none()).map(|key| key.name)
    }
}

const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example, later: None }
}

/// The file itself.
pub const ROOT: Shape = Shape {
    title: "the file",
    keys: &[
        key("daemon", "a table"),
        key("web", "a table"),
        key("policy", "a table"),
        key("desks", "tables [desks.NAME]"),
        key("teams", "tables [teams.NAME]"),
        key("people", "tables [people.NAME]"),
        key("hours", "tables [hours.NAME]"),
        key("targets", "tables [targets.NAME]"),
        key("alerts", "tables [alerts.NAME]"),
        key("risks", "tables [risks.NAME]"),
        key("messages", "tables [messages.NAME]"),
        key("package", "the table [package.labels]"),
        key("defaults", "the table [defaults.escalate]"),
        key("route", "entries [[route]]"),
        key("escalate", "entries [[escalate]]"),
        key("test", "entries [[test]]"),
        key("include", "[\"policy/*.toml\"]"),
    ],
};

/// `[daemon]`.
pub const DAEMON: Shape = Shape {
    title: "[daemon]",
    keys: &[
        key("ledger", "\"handoffd.db\""),
        key("listen", "\"127.0.0.1:8787\""),
        key("hooks", "\"0.0.0.0:8788\""),
        key("mode", "\"shadow\""),
        key("verify_after", "\"60s\""),
        key("keep_raw", "\"14d\""),
        key("webhook_max_bytes", "1000000"),
        key("shutdown_within", "\"20s\""),
        key("log", "\"text\""),
    ],
};

/// `[web]`.
pub const WEB: Shape = Shape {
    title: "[web]",
    keys: &[
        key("origin", "\"https://handoffs.acme.example\""),
        key("session", "\"12h\""),
        key("logins", "tables [web.logins.NAME]"),
    ],
};

/// `[web.logins.NAME]`.
pub const WEB_LOGIN: Shape = Shape {
    title: "[web.logins.NAME]",
    keys: &[key("token", "{ env = \"DASHBOARD_TOKEN\" }"), key("role", "\"read\"")],
};

/// `[policy]`.
pub const POLICY: Shape = Shape {
    title: "[policy]",
    keys: &[
        key("owner", "\"support-ops@acme.example\""),
        key("second_reviewer", "\"security@acme.example\""),
        key("review_by", "2027-03-01"),
        key("source_of_truth", "\"https://wiki.acme.example/handoffs\""),
        key("goal", "\"Nobody asks the customer twice\""),
        key("data", "\"Ticket text, account tier\""),
        key("feared_failure", "\"An internal note reaches a customer\""),
        key("never", "'has_tag(\"legal-hold\")'"),
        key("quiet_after_person", "\"10m\""),
        WEAK_TRIAGE,
        key("suppress", "[\"no-reply@*\", \"*@bounces.example\"]"),
        key("limits", "{ per_rule_per_hour = 30, per_desk_per_hour = 200, hops_per_day = 4 }"),
        key("alert", "[\"operations\"]"),
        key("digest", "{ to = [\"owner-mail\"], day = \"mon\", at = \"08:00\", zone = \"Europe/Berlin\" }"),
        REVIEWS_KEY,
    ],
};

/// `policy.limits`.
pub const LIMITS: Shape = Shape {
    title: "policy.limits",
    keys: &[key("per_rule_per_hour", "30"), key("per_desk_per_hour", "200"), key("hops_per_day", "4")],
};

/// `policy.digest`.
pub const DIGEST: Shape = Shape {
    title: "policy.digest",
    keys: &[
        key("to", "[\"owner-mail\"]"),
        key("day", "\"mon\""),
        key("at", "\"08:00\""),
        key("zone", "\"Europe/Berlin\""),
    ],
};

/// `reviews`.
pub const REVIEWS: Shape = Shape {
    title: "reviews",
    keys: &[key("answer_within", "\"8h\""), key("remind_every", "\"2h\""), key("unanswered", "\"wait\"")],
};

/// `[desks.NAME]`.
pub const DESK: Shape = Shape {
    title: "[desks.NAME]",
    keys: &[
        key("connector", "\"zendesk\""),
        key("url", "\"https://acme.zendesk.com\""),
        key("login", "{ token = { env = \"DESK_TOKEN\" } }"),
        key("webhook", "{ secret = { env = \"DESK_WEBHOOK_SECRET\" } }"),
        key("poll", "\"30s\""),
        key("budget", "\"80%\""),
        key("intake", "[\"Incoming\"]"),
        key("start", "\"now\""),
        key("news_within", "\"4h\""),
        key("hours", "\"office\""),
        key("fields", "the table [desks.NAME.fields]"),
        key("commands", "the table [desks.NAME.commands]"),
    ],
};

/// `[desks.NAME.commands]`.
pub const COMMANDS: Shape = Shape {
    title: "[desks.NAME.commands]",
    keys: &[
        key("notes", "true"),
        key("tags", "true"),
        key("handoff", "\"handoff:{team}\""),
        key("back", "\"handoff-back\""),
        key("reject", "\"handoff-reject\""),
        key("approve", "\"handoff-approve\""),
        key("good", "\"handoff-good\""),
        key("poor", "\"handoff-poor\""),
    ],
};

/// One field as a table.
pub const FIELD: Shape = Shape {
    title: "a field",
    keys: &[key("id", "\"360001\""), key("type", "\"number\""), key("of", "\"organization\"")],
};

/// A queue as a table.
pub const QUEUE: Shape = Shape { title: "a queue", keys: &[key("name", "\"Billing\""), key("id", "\"4711\"")] };

/// A secret.
pub const SECRET: Shape = Shape {
    title: "a secret",
    keys: &[
        key("env", "\"DESK_TOKEN\""),
        key("file", "\"desk.token\""),
        key("command", "[\"/usr/local/bin/secret\", \"desk-token\"]"),
    ],
};

/// `[teams.NAME]`.
pub const TEAM: Shape = Shape {
    title: "[teams.NAME]",
    keys: &[
        key("tier", "1"),
        key("desk", "\"acme\""),
        key("queue", "\"Billing\""),
        key("public_name", "\"our billing specialists\""),
        key("hours", "\"office\""),
        ALERT_KEY,
        key("lead", "\"billing-lead\""),
        REVIEWERS_KEY,
    ],
};

/// `[alerts.NAME]`: `channel` and the last four stand with every channel, the others are each kind's own.
pub const ALERT: Shape = Shape {
    title: "[alerts.NAME]",
    keys: &[
        key("channel", "\"slack\""),
        key("url", "{ env = \"SLACK_BILLING_URL\" }"),
        key("token", "{ env = \"SLACK_TOKEN\" }"),
        key("key", "{ env = \"PAGERDUTY_KEY\" }"),
        key("secret", "{ env = \"HOOK_SECRET\" }"),
        key("old_secret", "{ env = \"HOOK_SECRET_BEFORE\" }"),
        key("api", "\"https://events.eu.pagerduty.com\""),
        key("server", "\"smtp://smtp.acme.example:587\""),
        key("user", "\"handoffd\""),
        key("password", "{ env = \"SMTP_PASSWORD\" }"),
        key("from", "\"handoffd@acme.example\""),
        key("to", "[\"billing@acme.example\"]"),
        key("tells", "[\"handoff\", \"review\", \"unclaimed\", \"parked\", \"lost-owner\"]"),
        key("hours", "\"office\""),
        key("outside", "\"wait\""),
        key("allow_private", "true"),
    ],
};

/// `[risks.NAME]`. The words of `add` and `drop` stand by language.
pub const RISK: Shape = Shape {
    title: "[risks.NAME]",
    keys: &[
        key("use", "[\"security\"]"),
        key("add", "{ any = [\"ISO 27001\"], de = [\"Notfall\"] }"),
        key("drop", "{ en = [\"virus\"] }"),
        key("look_in", "[\"subject\", \"messages\"]"),
        key("at_least", "1"),
    ],
};

/// `[people.NAME]`.
pub const PERSON: Shape = Shape {
    title: "[people.NAME]",
    keys: &[
        key("email", "\"billing-lead@acme.example\""),
        key("desk", "{ acme = \"4711\" }"),
        key("chat", "{ billing-room = \"U012AB3CD\" }"),
        key("hours", "\"office\""),
    ],
};

/// `[hours.NAME]`, next to its days.
pub const HOURS: Shape =
    Shape { title: "[hours.NAME]", keys: &[key("zone", "\"Europe/Berlin\""), key("holidays", "[2026-12-25]")] };

/// `[targets.NAME]`.
pub const TARGET: Shape = Shape {
    title: "[targets.NAME]",
    keys: &[
        WHEN,
        key("first_reply", "\"4h\""),
        key("next_reply", "\"8h\""),
        key("resolution", "\"40h\""),
        key("hours", "\"office\""),
        key("paused_in", "[\"on_hold\"]"),
    ],
};

/// `[messages.NAME]`, next to its languages.
pub const MESSAGE: Shape =
    Shape { title: "[messages.NAME]", keys: &[key("signers", "[\"support-ops@acme.example\"]")] };

/// `[package]`: what holds for the packages of all rules.
pub const PACKAGES: Shape = Shape { title: "[package]", keys: &[key("labels", "the table [package.labels]")] };

/// `[package.labels]`: words of the agents' languages. Their meanings stand in the policy's own list of labels.
pub const LABELS: Shape = Shape {
    title: "[package.labels]",
    keys: &[
        key("summary", "[\"Zusammenfassung\"]"),
        key("reported", "[\"Gemeldet\"]"),
        key("steps", "[\"Versucht\"]"),
        key("artifacts", "[\"Anlagen\"]"),
        key("urgency", "[\"Dringlichkeit\"]"),
        key("question", "[\"Offene Frage\"]"),
        key("history", "[\"Vorgeschichte\"]"),
        key("playbook", "[\"Leitfaden\"]"),
        key("step", "[\"Schritt\"]"),
        key("done", "[\"erledigt\"]"),
        key("failed", "[\"erfolglos\"]"),
        key("open", "[\"offen\"]"),
    ],
};

/// `[defaults]`.
pub const DEFAULTS: Shape = Shape { title: "[defaults]", keys: &[key("escalate", "the table [defaults.escalate]")] };

const PACKAGE_KEY: Key = key("package", "{ require = [\"summary\", \"steps\"], missing = \"send\" }");
const OWNER_KEY: Key = key("owner", "{ assign = \"queue\" }");
const CLOCK_KEY: Key = key("clock", "{ customer = \"continue\" }");
const CUSTOMER_KEY: Key = key("customer", "{ nothing = \"because …\" }");
const REVIEW_KEY: Key = key("review", "\"never\"");
const REVIEWERS_KEY: Key = key("reviewers", "[\"billing-lead\"]");
const REVIEWS_KEY: Key = key("reviews", "{ answer_within = \"8h\", remind_every = \"2h\", unanswered = \"wait\" }");
const WHEN: Key = key("when", "['has_tag(\"refund\")']");
const WEAK_TRIAGE: Key = key("weak_triage_within", "\"60m\"");
const MODE: Key = key("mode", "\"shadow\"");
const SHARE: Key = key("share", "\"100%\"");
const ALERT_KEY: Key = key("alert", "[\"billing-room\"]");
const RISKS_KEY: Key = key("risks", "[\"security\"]");
const ONCE: Key = key("once", "\"episode\"");
const IDLE: Key = key("idle_for", "\"4h\"");
const HELD: Key = key("held_for", "\"8h\"");
const IN_STATUS: Key = key("in_status_for", "\"16h\"");
const SILENT: Key = key("silent_for", "\"2d\"");
const OPEN: Key = key("open_for", "\"5d\"");
const BEFORE_BREACH: Key = key("before_breach", "{ clock = \"resolution\", by = \"45m\" }");

/// `[defaults.escalate]`: whole decisions.
pub const DEFAULTS_ESCALATE: Shape =
    Shape { title: "[defaults.escalate]", keys: &[PACKAGE_KEY, OWNER_KEY, CLOCK_KEY, CUSTOMER_KEY, REVIEW_KEY] };

/// `[[route]]`.
pub const ROUTE: Shape = Shape {
    title: "[[route]]",
    keys: &[
        key("name", "\"invoices\""),
        key("desk", "\"acme\""),
        WHEN,
        key("to", "\"billing\""),
        key("fallback", "\"frontline\""),
        key("on_duty", "true"),
        WEAK_TRIAGE,
        MODE,
        SHARE,
        ONCE,
        ALERT_KEY,
        RISKS_KEY,
        IDLE,
        HELD,
        IN_STATUS,
        SILENT,
        OPEN,
        BEFORE_BREACH,
    ],
};

/// `[[escalate]]`.
pub const ESCALATE: Shape = Shape {
    title: "[[escalate]]",
    keys: &[
        key("name", "\"refund-over-limit\""),
        MODE,
        key("trigger", "\"exception\""),
        key("from", "[\"frontline\"]"),
        key("to", "\"billing\""),
        key("needs", "\"authority to refund above 500 EUR\""),
        WHEN,
        key("reason", "\"A refund of {{ ticket.fields.refund_eur }} EUR\""),
        PACKAGE_KEY,
        OWNER_KEY,
        CLOCK_KEY,
        CUSTOMER_KEY,
        REVIEW_KEY,
        REVIEWERS_KEY,
        REVIEWS_KEY,
        RISKS_KEY,
        SHARE,
        ONCE,
        ALERT_KEY,
        IDLE,
        HELD,
        IN_STATUS,
        SILENT,
        OPEN,
        BEFORE_BREACH,
        key("quiet_after_person", "\"10m\""),
        key("sensitive", "true"),
    ],
};

/// `before_breach`.
pub const BREACH: Shape =
    Shape { title: "before_breach", keys: &[key("clock", "\"resolution\""), key("by", "\"45m\"")] };

/// `from` as a table.
pub const FROM: Shape = Shape { title: "from", keys: &[key("tier", "1")] };

/// The first answer.
pub const PACKAGE: Shape = Shape {
    title: "package",
    keys: &[
        key("require", "[\"summary\", \"reported\", \"steps\", \"question\"]"),
        key("missing", "\"send\""),
        key("ask_for", "\"4h\""),
        key("then", "\"review\""),
    ],
};

/// The second answer.
pub const OWNER: Shape = Shape {
    title: "owner",
    keys: &[
        key("assign", "\"queue\""),
        key("fallback", "\"queue\""),
        key("previous", "\"nothing\""),
        key("customer_facing", "\"new\""),
        key("claim_within", "\"2h\""),
        key("unclaimed", "[\"lead\", \"back\"]"),
    ],
};

/// What the previous agent still does.
pub const PREVIOUS: Shape =
    Shape { title: "owner.previous", keys: &[key("task", "\"Answer billing's questions\""), key("within", "\"1d\"")] };

/// The third answer.
pub const CLOCK: Shape = Shape {
    title: "clock",
    keys: &[
        key("customer", "\"continue\""),
        key("internal", "\"4h\""),
        key("internal_from", "\"handoff\""),
        key("accountable", "\"to\""),
    ],
};

/// A pause of the customer's clock.
pub const PAUSE: Shape = Shape { title: "clock.customer", keys: &[key("pause", "\"hold\""), key("at_most", "\"1d\"")] };

/// The fourth answer.
pub const CUSTOMER: Shape = Shape {
    title: "customer",
    keys: &[
        key("message", "\"escalated\""),
        key("nothing", "\"because …\""),
        key("respond_within", "\"8h\""),
        key("quiet_for", "\"24h\""),
        key("after_reply", "\"10m\""),
    ],
};

/// `[[test]]`.
pub const TEST: Shape = Shape {
    title: "[[test]]",
    keys: &[
        key("name", "\"large refunds go to billing\""),
        key("at", "2026-11-02T12:00:00Z"),
        key("ticket", "{ team = \"frontline\", tags = [\"refund\"] }"),
        key("customer", "{ email = \"eva@customer.example\", language = \"de\" }"),
        key("organization", "{ name = \"Example GmbH\", fields = { plan = \"premium\" } }"),
        key("case", "{ hops = 1, bounces = 0 }"),
        key("clocks", "{ resolution = { state = \"running\", until = 2026-11-02T14:00:00Z } }"),
        key("expect", "{ rule = \"refund-over-limit\", to = \"billing\", review = true }"),
    ],
};

/// The ticket of a test.
pub const TEST_TICKET: Shape = Shape {
    title: "ticket of a [[test]]",
    keys: &[
        key("id", "\"4711\""),
        key("desk", "\"acme\""),
        key("team", "\"frontline\""),
        key("queue", "\"Incoming\""),
        key("subject", "\"Charged twice\""),
        key("text", "\"I was charged twice.\""),
        key("status", "\"open\""),
        key("priority", "\"urgent\""),
        key("type", "\"problem\""),
        key("channel", "\"email\""),
        key("language", "\"de\""),
        key("tags", "[\"refund\"]"),
        key("attachments", "[\"log.txt\"]"),
        key("machine_mail", "true"),
        key("owner", "\"First Agent\""),
        key("opened", "\"5d\""),
        key("updated", "\"2h\""),
        key("in_status", "\"1d\""),
        key("fields", "{ refund_eur = 6000.0 }"),
        key("messages", "[{ from = \"agent\", text = \"Please restart it.\", at = \"3h\" }]"),
    ],
};

/// One message of a test's ticket.
pub const TEST_MESSAGE: Shape = Shape {
    title: "a message of a [[test]]",
    keys: &[
        key("from", "\"agent\""),
        key("text", "\"Please restart it.\""),
        key("internal", "true"),
        key("at", "\"3h\""),
    ],
};

/// The customer of a test.
pub const TEST_CUSTOMER: Shape = Shape {
    title: "customer of a [[test]]",
    keys: &[
        key("name", "\"Eva Example\""),
        key("email", "\"eva@customer.example\""),
        key("language", "\"de\""),
        key("zone", "\"Europe/Berlin\""),
        key("fields", "{ vip = true }"),
    ],
};

/// The customer's organisation of a test.
pub const TEST_ORGANIZATION: Shape = Shape {
    title: "organization of a [[test]]",
    keys: &[key("name", "\"Example GmbH\""), key("fields", "{ plan = \"premium\" }")],
};

/// What is remembered of a test's case.
pub const TEST_CASE: Shape = Shape {
    title: "case of a [[test]]",
    keys: &[
        key("teams_seen", "[\"frontline\", \"billing\"]"),
        key("since", "\"4h\""),
        key("hops", "2"),
        key("hops_today", "1"),
        key("bounces", "1"),
        key("returns", "1"),
        key("handoffs", "1"),
        key("reopens", "1"),
        key("contacts_30d", "4"),
        key("agent_replies", "3"),
        key("customer_replies", "2"),
        key("fired", "[\"refund-over-limit\"]"),
        key("told", "\"2h\""),
        key("request", "{ to = \"billing\", reason = \"wants a refund\" }"),
    ],
};

/// What an agent asked for, of a test.
pub const TEST_REQUEST: Shape = Shape {
    title: "request of a [[test]]",
    keys: &[key("to", "\"billing\""), key("reason", "\"wants a refund\""), key("by", "\"First Agent\"")],
};

/// One clock of a test.
pub const TEST_CLOCK: Shape = Shape {
    title: "a clock of a [[test]]",
    keys: &[key("state", "\"running\""), key("until", "2026-11-02T14:00:00Z")],
};

/// What a test expects.
pub const TEST_EXPECT: Shape = Shape {
    title: "expect of a [[test]]",
    keys: &[
        key("rule", "\"refund-over-limit\""),
        key("also", "[\"premium-and-urgent\"]"),
        key("to", "\"billing\""),
        key("review", "true"),
        key("asks", "true"),
        key("stays", "\"no-rule\""),
        key("reason", "\"A refund of 6000 EUR is above the limit\""),
        key("missing", "[\"steps\"]"),
        key("tells", "\"escalated\""),
        key("says", "\"Our specialists look at this.\""),
    ],
};
