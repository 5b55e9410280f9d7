//! The schema, as a list of steps that only grows; `user_version` counts them. Times are UTC milliseconds.
//!
//! Ticket text stands in `handoffs.proposal`, `would.proposal`, `effects.write`, `looks.head`, `raws.body`,
//! `webhooks.body`, `verdicts.verdict`, `cases.request`, `commands.words`, `package_versions.package` and `handoffs.rating_reason`,
//! in words beside them (`detail`, `reason`, `risks`), and nowhere else, so that it can be erased (`forget`). Who a case is of
//! says `cases.customer`.

/// What marks a file as ours (`PRAGMA application_id`): "hdof".
pub const APPLICATION_ID: i64 = 0x6864_6f66;

/// Every step, oldest first. Never edit one that was released: add another.
pub const STEPS: &[&str] = &["
CREATE TABLE trials (
    id INTEGER PRIMARY KEY, filler BLOB NOT NULL
) STRICT;
CREATE TABLE desks (
    desk TEXT PRIMARY KEY, met_at INTEGER NOT NULL
) STRICT;
-- When something new last came of a desk, and what has not come of one for too long, as it was told.
CREATE TABLE news (
    desk TEXT PRIMARY KEY, at INTEGER NOT NULL
) STRICT;
CREATE TABLE lulls (
    desk TEXT PRIMARY KEY, lull TEXT NOT NULL, since INTEGER NOT NULL
) STRICT;
CREATE TABLE cursors (
    desk TEXT NOT NULL, stream TEXT NOT NULL, cursor TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (desk, stream)
) STRICT;
CREATE TABLE looks (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, due INTEGER NOT NULL, generation INTEGER NOT NULL,
    head BLOB, head_at INTEGER, news_at INTEGER, others_at INTEGER,
    PRIMARY KEY (desk, ticket)
) STRICT;
CREATE INDEX looks_due ON looks (desk, due, ticket);
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, delivery TEXT, body_hash TEXT NOT NULL, body BLOB, at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhooks_delivery ON webhooks (desk, delivery) WHERE delivery IS NOT NULL;
CREATE INDEX webhooks_at ON webhooks (at);
CREATE INDEX webhooks_kept ON webhooks (at) WHERE body IS NOT NULL;
CREATE TABLE cases (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, first_seen INTEGER NOT NULL, counts INTEGER NOT NULL,
    last_version TEXT, own_version TEXT, own_written_at INTEGER, last_public INTEGER, ended_at INTEGER,
    heard_change TEXT, heard_at INTEGER, request TEXT,
    owner TEXT, held_by TEXT, is_open INTEGER NOT NULL DEFAULT 0, customer TEXT,
    PRIMARY KEY (desk, ticket)
) STRICT;
-- What the dashboard lists is chosen by these alone.
CREATE INDEX cases_met ON cases (first_seen, desk, ticket, held_by, is_open);
CREATE INDEX cases_team ON cases (held_by, first_seen, desk, ticket, is_open);
CREATE INDEX cases_customer ON cases (desk, customer) WHERE customer IS NOT NULL;
CREATE INDEX cases_owner ON cases (desk, held_by, owner) WHERE owner IS NOT NULL AND is_open <> 0;
CREATE TABLE stays (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL,
    team TEXT, episode TEXT, since INTEGER NOT NULL, by_handoff TEXT, by TEXT
) STRICT;
CREATE INDEX stays_case ON stays (desk, ticket, id);
CREATE TABLE closed_paths (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, from_team TEXT NOT NULL, to_team TEXT NOT NULL,
    why TEXT NOT NULL, facts TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (desk, ticket, from_team, to_team)
) STRICT;
CREATE TABLE would (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, rule TEXT NOT NULL, episode TEXT NOT NULL,
    proposal TEXT NOT NULL, since INTEGER NOT NULL, released INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (desk, ticket, rule, episode)
) STRICT;
CREATE INDEX would_rule ON would (rule, since);
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, at INTEGER NOT NULL,
    policy TEXT, paused INTEGER NOT NULL, verdict BLOB NOT NULL
) STRICT;
CREATE INDEX verdicts_case ON verdicts (desk, ticket, id);
CREATE INDEX verdicts_at ON verdicts (at);
CREATE TABLE raws (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX raws_at ON raws (at);
CREATE TABLE handoffs (
    id TEXT PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL, episode TEXT NOT NULL,
    state TEXT NOT NULL, proposal TEXT NOT NULL, proposal_sum INTEGER NOT NULL, risks TEXT NOT NULL, detail TEXT,
    created_at INTEGER NOT NULL, started_at INTEGER, first_sent_at INTEGER, sent_at INTEGER, verify_at INTEGER,
    claimed_at INTEGER, claimed_by TEXT, approved_by TEXT, released INTEGER NOT NULL DEFAULT 0,
    redecided INTEGER NOT NULL DEFAULT 0, completeness REAL, ask_until INTEGER,
    rating TEXT, rated_by TEXT, rated_at INTEGER, rating_reason TEXT,
    to_team TEXT NOT NULL, assigned TEXT, fell_back INTEGER NOT NULL DEFAULT 0,
    weak_triage_at INTEGER, weak_triage_to TEXT,
    claim_due INTEGER, unclaimed_steps INTEGER NOT NULL DEFAULT 0, unclaimed_at INTEGER, review_due INTEGER
) STRICT;
CREATE INDEX handoffs_review ON handoffs (review_due) WHERE state = 'in_review';
CREATE INDEX handoffs_claim ON handoffs (claim_due) WHERE claim_due IS NOT NULL;
-- Whose turn it was, by team.
CREATE INDEX handoffs_assigned ON handoffs (desk, to_team, started_at) WHERE assigned IS NOT NULL;
CREATE INDEX handoffs_case ON handoffs (desk, ticket, created_at);
CREATE INDEX handoffs_state ON handoffs (state, created_at);
CREATE INDEX handoffs_rule ON handoffs (rule, created_at);
CREATE INDEX handoffs_newest ON handoffs (created_at);
CREATE INDEX handoffs_weak ON handoffs (created_at) WHERE weak_triage_at IS NOT NULL;
-- All that the limits count, so that a busy hour's proposals need not be read for it.
CREATE INDEX handoffs_started ON handoffs (started_at, rule, desk, state, first_sent_at, id);
-- One open handoff per case.
CREATE UNIQUE INDEX handoffs_open ON handoffs (desk, ticket) WHERE state IN ('asking', 'in_review', 'sending');
-- What a person made of a package that waited for a yes, and what was collected before.
CREATE TABLE package_versions (
    handoff TEXT NOT NULL, desk TEXT NOT NULL, ticket TEXT NOT NULL, number INTEGER NOT NULL, by TEXT, at INTEGER NOT NULL, package TEXT NOT NULL,
    PRIMARY KEY (handoff, number)
) STRICT;
-- What agents ordered inside the helpdesk: each once.
CREATE TABLE commands (
    id TEXT PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, change TEXT NOT NULL, place TEXT NOT NULL,
    verb TEXT NOT NULL, by TEXT NOT NULL, by_id TEXT, given_at INTEGER NOT NULL, heard_at INTEGER NOT NULL,
    outcome TEXT NOT NULL, words TEXT NOT NULL, handoff TEXT
) STRICT;
CREATE INDEX commands_case ON commands (desk, ticket, heard_at);
-- Of a handoff, or of a command that is answered.
CREATE TABLE effects (
    id INTEGER PRIMARY KEY, handoff TEXT NOT NULL, desk TEXT NOT NULL, ticket TEXT NOT NULL,
    number INTEGER NOT NULL, purpose TEXT NOT NULL, label TEXT NOT NULL, state TEXT NOT NULL, state_data TEXT NOT NULL, due INTEGER,
    deadline INTEGER NOT NULL, write TEXT NOT NULL, write_sum INTEGER NOT NULL, receipt TEXT, reason TEXT, next_step TEXT,
    conflicts INTEGER NOT NULL DEFAULT 0, lost_at INTEGER, tried_at INTEGER,
    UNIQUE (handoff, number)
) STRICT;
CREATE INDEX effects_due ON effects (desk, due, id) WHERE due IS NOT NULL;
CREATE INDEX effects_deadline ON effects (desk, deadline, id) WHERE due IS NOT NULL;
CREATE INDEX effects_tried ON effects (desk, tried_at) WHERE tried_at IS NOT NULL AND due IS NOT NULL;
CREATE INDEX effects_unsure ON effects (desk, deadline, id) WHERE state = 'unsure';
CREATE INDEX effects_case ON effects (desk, ticket) WHERE state IN ('in_flight', 'unsure');
CREATE INDEX effects_state ON effects (state);
-- What people are told outside the helpdesk, by channel. A thread is what belongs together: told in its order.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, thread TEXT NOT NULL, act TEXT NOT NULL,
    handoff TEXT NOT NULL, desk TEXT NOT NULL, ticket TEXT NOT NULL, rule TEXT NOT NULL,
    state TEXT NOT NULL, state_data TEXT NOT NULL, due INTEGER, content TEXT NOT NULL, created_at INTEGER NOT NULL,
    tried_at INTEGER, lost_at INTEGER, receipt TEXT, reason TEXT, next_step TEXT, stops INTEGER NOT NULL DEFAULT 0,
    unwanted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX alerts_due ON alerts (channel, id) WHERE due IS NOT NULL;
CREATE INDEX alerts_next ON alerts (channel, due) WHERE due IS NOT NULL;
CREATE INDEX alerts_thread ON alerts (thread, channel, id);
CREATE INDEX alerts_handoff ON alerts (handoff, id);
CREATE INDEX alerts_open ON alerts (channel, state) WHERE state IN ('due', 'in_flight', 'unsure', 'parked');
-- When the lead's week is sent next, and under which plan.
CREATE TABLE digest_due (
    one INTEGER PRIMARY KEY CHECK (one = 1), plan TEXT NOT NULL, due INTEGER NOT NULL
) STRICT;
-- Cases that wait for a place in the hour, first come first served. Each has a look at the instant its place is free.
CREATE TABLE place_waits (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, rule TEXT NOT NULL, by_desk INTEGER NOT NULL,
    UNIQUE (desk, ticket)
) STRICT;
CREATE INDEX place_waits_rule ON place_waits (desk, rule, id);
-- The policy that runs, since when each rule may write, and the open cases that were not yet looked at under it.
CREATE TABLE policy_in_force (
    one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
-- The policies that have run: what each means and its files' text, and when it came into force.
CREATE TABLE policies (
    version TEXT PRIMARY KEY, meaning BLOB NOT NULL, text BLOB NOT NULL
) STRICT;
CREATE TABLE policy_runs (
    id INTEGER PRIMARY KEY, version TEXT NOT NULL, since INTEGER NOT NULL
) STRICT;
-- A policy that has run, chosen by a person to run in place of the file's, as long as the file says what it said then.
CREATE TABLE policy_chosen (
    one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT NOT NULL, instead_of TEXT NOT NULL, by TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE rules_live (
    rule TEXT PRIMARY KEY, meaning TEXT NOT NULL, since INTEGER NOT NULL
) STRICT;
CREATE TABLE stocktaking (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, since INTEGER NOT NULL, drawn INTEGER NOT NULL,
    PRIMARY KEY (desk, ticket)
) STRICT;
-- Pauses of customers' clocks that we began. Each has a look at the instant at which it ends at the latest.
CREATE TABLE pauses (
    handoff TEXT PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, rule TEXT NOT NULL, version TEXT NOT NULL,
    word TEXT NOT NULL, means TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, ended_at INTEGER, why TEXT
) STRICT;
CREATE INDEX pauses_case ON pauses (desk, ticket) WHERE ended_at IS NULL;
-- Queues of the policy that a desk does not show any more, as of its latest check.
CREATE TABLE queue_checks (
    desk TEXT PRIMARY KEY, at INTEGER NOT NULL, gone TEXT NOT NULL
) STRICT;
CREATE TABLE owners (
    id INTEGER PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, owner TEXT, name TEXT, since INTEGER NOT NULL,
    change TEXT, by TEXT, handoff TEXT
) STRICT;
CREATE INDEX owners_case ON owners (desk, ticket, id);
CREATE TABLE lost_owners (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, owner TEXT NOT NULL, name TEXT, team TEXT, why TEXT NOT NULL, since INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (desk, ticket)
) STRICT;
CREATE TABLE tasks (
    handoff TEXT PRIMARY KEY, desk TEXT NOT NULL, ticket TEXT NOT NULL, task TEXT NOT NULL, who TEXT, who_id TEXT,
    since INTEGER NOT NULL, until INTEGER, done_at INTEGER, done_by TEXT
) STRICT;
CREATE INDEX tasks_open ON tasks (desk, ticket) WHERE done_at IS NULL;
CREATE INDEX tasks_due ON tasks (until) WHERE done_at IS NULL AND until IS NOT NULL;
CREATE TABLE rosters (
    desk TEXT NOT NULL, team TEXT NOT NULL, queue TEXT NOT NULL, members TEXT, read_at INTEGER, due INTEGER NOT NULL,
    departed TEXT NOT NULL DEFAULT '[]', what TEXT, next_step TEXT, since INTEGER,
    PRIMARY KEY (desk, team)
) STRICT;
CREATE TABLE switches (
    kind TEXT NOT NULL, name TEXT NOT NULL, by TEXT NOT NULL, why TEXT, at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;
-- What somebody signed: the wordings of a message, or a version of a rule, by its hash.
CREATE TABLE signatures (
    kind TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, signer TEXT NOT NULL, system_user TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, name, hash)
) STRICT;
CREATE TABLE troubles (
    desk TEXT PRIMARY KEY, what TEXT NOT NULL, next_step TEXT NOT NULL, since INTEGER NOT NULL,
    writes_stopped INTEGER NOT NULL
) STRICT;
CREATE TABLE case_troubles (
    desk TEXT NOT NULL, ticket TEXT NOT NULL, what TEXT NOT NULL, next_step TEXT NOT NULL, since INTEGER NOT NULL,
    tries INTEGER NOT NULL, parked INTEGER NOT NULL,
    PRIMARY KEY (desk, ticket)
) STRICT;
-- Who did what: it only grows, and each line is linked to the one before. Names and reasons can be erased with their salt.
CREATE TABLE acts (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL,
    by TEXT, by_salt BLOB, by_sum BLOB NOT NULL, reason TEXT, reason_salt BLOB, reason_sum BLOB NOT NULL,
    erases INTEGER NOT NULL, link BLOB NOT NULL
) STRICT;
CREATE INDEX acts_about ON acts (about);
CREATE TRIGGER acts_kept BEFORE DELETE ON acts BEGIN
    SELECT RAISE(ABORT, 'the record of who did what only grows');
END;
CREATE TRIGGER acts_fixed BEFORE UPDATE ON acts WHEN NOT (
    new.id = old.id AND new.at = old.at AND new.what = old.what AND new.about = old.about AND new.by_sum = old.by_sum
    AND new.reason_sum = old.reason_sum AND new.erases = old.erases AND new.link = old.link
    AND (new.by IS old.by AND new.by_salt IS old.by_salt OR new.by IS NULL AND new.by_salt IS NULL)
    AND (new.reason IS old.reason AND new.reason_salt IS old.reason_salt OR new.reason IS NULL AND new.reason_salt IS NULL)
) BEGIN
    SELECT RAISE(ABORT, 'the record of who did what only grows');
END;
-- How much there is of everything, kept as it changes: health and metrics ask often, and a ledger grows for years.
CREATE TABLE tallies (
    of TEXT NOT NULL, state TEXT NOT NULL, rule TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (of, state, rule)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER handoffs_in AFTER INSERT ON handoffs BEGIN
    INSERT INTO tallies VALUES ('handoffs', new.state, new.rule, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER handoffs_out AFTER DELETE ON handoffs BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'handoffs' AND state = old.state AND rule = old.rule;
END;
CREATE TRIGGER handoffs_on AFTER UPDATE OF state ON handoffs WHEN new.state <> old.state BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'handoffs' AND state = old.state AND rule = old.rule;
    INSERT INTO tallies VALUES ('handoffs', new.state, new.rule, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER fallbacks_in AFTER INSERT ON handoffs WHEN new.fell_back <> 0 BEGIN
    INSERT INTO tallies VALUES ('fallbacks', '', new.rule, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER fallbacks_out AFTER DELETE ON handoffs WHEN old.fell_back <> 0 BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'fallbacks' AND state = '' AND rule = old.rule;
END;
CREATE TRIGGER fallbacks_on AFTER UPDATE OF fell_back ON handoffs WHEN new.fell_back <> old.fell_back BEGIN
    INSERT INTO tallies VALUES ('fallbacks', '', new.rule, new.fell_back - old.fell_back)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;
CREATE TRIGGER weak_triage_out AFTER DELETE ON handoffs WHEN old.weak_triage_at IS NOT NULL BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'weak_triage' AND state = '' AND rule = old.rule;
END;
CREATE TRIGGER weak_triage_on AFTER UPDATE OF weak_triage_at ON handoffs
    WHEN old.weak_triage_at IS NULL AND new.weak_triage_at IS NOT NULL BEGIN
    INSERT INTO tallies VALUES ('weak_triage', '', new.rule, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER effects_in AFTER INSERT ON effects BEGIN
    INSERT INTO tallies VALUES ('effects', new.state, '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER effects_out AFTER DELETE ON effects BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'effects' AND state = old.state AND rule = '';
END;
CREATE TRIGGER effects_on AFTER UPDATE OF state ON effects WHEN new.state <> old.state BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'effects' AND state = old.state AND rule = '';
    INSERT INTO tallies VALUES ('effects', new.state, '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER alerts_in AFTER INSERT ON alerts BEGIN
    INSERT INTO tallies VALUES ('alerts', new.state, new.channel, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER alerts_out AFTER DELETE ON alerts BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'alerts' AND state = old.state AND rule = old.channel;
END;
CREATE TRIGGER alerts_on AFTER UPDATE OF state ON alerts WHEN new.state <> old.state BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'alerts' AND state = old.state AND rule = old.channel;
    INSERT INTO tallies VALUES ('alerts', new.state, new.channel, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER looks_in AFTER INSERT ON looks BEGIN
    INSERT INTO tallies VALUES ('looks', '', '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER looks_out AFTER DELETE ON looks BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'looks' AND state = '' AND rule = '';
END;
CREATE TRIGGER webhooks_in AFTER INSERT ON webhooks BEGIN
    INSERT INTO tallies VALUES ('webhooks', '', '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER webhooks_out AFTER DELETE ON webhooks BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'webhooks' AND state = '' AND rule = '';
END;
CREATE TRIGGER would_in AFTER INSERT ON would BEGIN
    INSERT INTO tallies VALUES ('would', CAST(new.released AS TEXT), '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER would_out AFTER DELETE ON would BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'would' AND state = CAST(old.released AS TEXT) AND rule = '';
END;
CREATE TRIGGER would_on AFTER UPDATE OF released ON would WHEN new.released <> old.released BEGIN
    UPDATE tallies SET count = count - 1 WHERE of = 'would' AND state = CAST(old.released AS TEXT) AND rule = '';
    INSERT INTO tallies VALUES ('would', CAST(new.released AS TEXT), '', 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
"];
