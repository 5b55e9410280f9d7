//! Reload without restart: a daemon whose configuration's file changes while it works, on helpdesks in the same process and
//! on a clock that the test moves. All of the file is taken in, at once, or nothing of it; what is under way goes on.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod alerts;
mod crash;
mod hundred;
mod paused;
mod process;
mod rooms;
mod stage;

use futures::executor::block_on;
use handoffd::daemon::control::CommandError;
use handoffd::daemon::reload::Wish;
use handoffd::ledger::policies::Choice;
use stage::{BOTH, Dialect, Stage, policy, ticket};

fn wrong(stage: &Stage) -> String {
    match stage.reload() {
        Err(CommandError::Wrong(words)) => words,
        other => panic!("wrong, not {other:?}"),
    }
}

fn refused(stage: &Stage) -> String {
    match stage.reload() {
        Err(CommandError::Refused(words)) => words,
        other => panic!("refused, not {other:?}"),
    }
}

#[test]
fn a_file_that_is_wrong_in_any_way_changes_nothing_and_health_says_why_until_it_is_right() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let (before, good) = (stage.version(), policy(Dialect::Zendesk));
    let with = |line: &str| format!("{line}\n{good}").into_bytes();
    let broken: [(&str, Option<Vec<u8>>, &str); 8] = [
        ("missing", None, "cannot be read"),
        ("half-written", Some(good.as_bytes()[..good.len() / 2].to_vec()), "handoffd.toml"),
        ("empty", Some(Vec::new()), "no desk is configured"),
        ("huge", Some(vec![b'#'; 2 << 20]), "larger than 1 MiB"),
        ("not UTF-8", Some([good.as_bytes(), &[b'\n', 0xff, 0xfe]].concat()), "not UTF-8"),
        ("unknown key", Some(with("[surprise]\nkey = 1")), "surprise"),
        ("include gone", Some(with("include = [\"gone.toml\"]")), "gone.toml"),
        ("secret gone", Some(good.replace("file = \"login\"", "file = \"nowhere\"").into_bytes()), "nowhere"),
    ];
    for (what, text, said) in broken {
        match text {
            Some(text) => stage.write("handoffd.toml", text),
            None => std::fs::remove_file(stage.file()).expect("removed"),
        }
        let words = wrong(&stage);
        assert!(words.contains(said) && words.contains("what ran before goes on"), "{what}: {words}");
        assert_eq!(stage.version(), before, "{what}");
        let reasons = stage.reasons();
        assert!(reasons.contains("was not reloaded"), "{what}: {reasons}");
        assert!(stage.page("/metrics").contains("handoffd_config_last_reload_successful 0.0"), "{what}");
        let no = stage.ticket("A refund please");
        stage.seconds(300);
        assert_eq!(stage.queue(no), "Billing", "{what}: it goes on");
        stage.write("handoffd.toml", &good);
    }
    assert_eq!(stage.reload().expect("right again").touched, 0);
    assert_eq!(stage.reasons(), "[]");
    assert!(stage.page("/metrics").contains("handoffd_config_last_reload_successful 1.0"));
}

#[test]
fn a_reload_takes_in_rules_mode_and_pace_and_tells_each_of_them() {
    for dialect in BOTH {
        let mut stage = Stage::new(dialect);
        let before = stage.version();
        let first = stage.ticket("A question");
        stage.seconds(300);
        stage.edit("\"refund\")", "\"question\")");
        stage.edit("poll = \"10s\"", "poll = \"1m\"");
        let reply = stage.reload().expect("taken in");
        let changes = *reply.changes.expect("told");
        assert_eq!((changes.from, changes.to), (before, stage.version()), "{dialect:?}");
        assert_eq!(
            changes.policy.iter().map(|change| (change.of.as_str(), change.key.as_str())).collect::<Vec<_>>(),
            [("escalate.refund", "when")]
        );
        assert_eq!(changes.settings, ["[desks.acme] poll"]);
        assert!(stage.page("/metrics").contains(&stage.version()));
        let (second, third) = (stage.ticket("Another question"), stage.ticket("A refund"));
        stage.seconds(300);
        assert_eq!(stage.queue(second), "Billing", "{dialect:?}");
        assert_eq!(stage.queue(third), "Support", "{dialect:?}");
        assert_eq!(stage.queue(first), "Support", "it matched before the rule said so: for a person to release");
        stage.edit("mode = \"live\"\n\n[policy]", "mode = \"shadow\"\n\n[policy]");
        assert_eq!(stage.reload().expect("taken in").changes.expect("told").settings, ["[daemon] mode"]);
        let fourth = stage.ticket("One more question");
        stage.seconds(300);
        assert_eq!(stage.queue(fourth), "Support", "{dialect:?}");
        assert!(stage.reasons().contains("shadow mode"));
    }
}

#[test]
fn what_takes_a_restart_is_named_and_nothing_else_is_taken_in_with_it() {
    let stage = Stage::new(Dialect::Zendesk);
    let (before, good) = (stage.version(), policy(Dialect::Zendesk));
    for (from, to, named) in [
        ("mode = \"live\"\n\n[policy]", "mode = \"live\"\nlisten = \"127.0.0.1:1\"\n\n[policy]", "[daemon] listen"),
        ("mode = \"live\"\n\n[policy]", "mode = \"live\"\nledger = \"other.db\"\n\n[policy]", "[daemon] ledger"),
        ("https://acme.", "https://another.", "[desks.acme] url"),
        ("[policy]", "[web]\nsession = \"1h\"\n\n[policy]", "[web] session"),
        ("[policy]", "[web.logins.lead]\nrole = \"read\"\ntoken = { file = \"login\" }\n\n[policy]", "[web] logins"),
    ] {
        stage.edit(from, to);
        stage.edit("first wording", "second wording");
        let words = refused(&stage);
        assert!(words.contains(named) && words.contains("restart handoffd"), "{words}");
        assert_eq!(stage.version(), before, "{named}");
        assert!(stage.reasons().contains("was not reloaded"));
        block_on(stage.reloader.compare());
        let reasons = stage.reasons();
        assert!(reasons.contains("a reload cannot take it in") && reasons.contains(named), "{named}: {reasons}");
        stage.write("handoffd.toml", &good);
    }
    assert!(!stage.folder.path().join("other.db").exists());
}

#[test]
fn a_desk_comes_and_goes_while_the_others_go_on() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let text = policy(Dialect::Zendesk);
    let beta = text
        .replace("acme", "beta")
        .replace("frontline", "beta-front")
        .replace("to       = \"billing\"", "to = \"beta-billing\"");
    let beta = beta
        .replace("[teams.billing]", "[teams.beta-billing]")
        .replace("name     = \"refund\"", "name = \"beta-refund\"");
    let from = beta.find("[desks.").expect("a desk");
    stage.write("handoffd.toml", format!("{text}\n{}", &beta[from..]));
    let reply = stage.reload().expect("taken in");
    assert!(reply.changes.expect("told").settings.contains(&"[desks.beta] is new".to_owned()));
    stage.seconds(20);
    let (here, there) = (stage.ticket("A refund"), ticket(&stage.other, "A refund"));
    stage.seconds(300);
    let queue_there = |stage: &Stage| {
        let queue = stage.other.ticket(there).and_then(|ticket| ticket.queue).expect("in a queue");
        stage.other.with(|desk| desk.queues[&queue].name.clone())
    };
    assert_eq!((stage.queue(here), queue_there(&stage)), ("Billing".into(), "Billing".into()));
    // Gone with something under way, which keeps until the desk is back.
    let late = ticket(&stage.other, "A refund too");
    stage.seconds(120);
    stage.write("handoffd.toml", &text);
    assert!(
        stage.reload().expect("taken in").changes.expect("told").settings.contains(&"[desks.beta] is gone".to_owned())
    );
    let again = stage.ticket("A refund again");
    stage.seconds(300);
    assert_eq!(stage.queue(again), "Billing");
    stage.write("handoffd.toml", format!("{text}\n{}", &beta[from..]));
    stage.reload().expect("taken in");
    stage.seconds(300);
    let notes = stage.other.journal();
    let notes = notes.of(late).filter(|effect| effect.by == handoffd_sandbox::seed::BOT && effect.visibility.is_some());
    assert_eq!(notes.count(), 1, "once, whatever came between");
}

#[test]
fn two_reloads_at_once_are_one_after_the_other() {
    let stage = Stage::new(Dialect::Zendesk);
    stage.edit("first wording", "second wording");
    let (one, other) = block_on(async {
        futures::join!(stage.reloader.reload(Wish::File, "one"), stage.reloader.reload(Wish::File, "other"))
    });
    let mut touched = [one.expect("taken in").touched, other.expect("nothing left").touched];
    touched.sort_unstable();
    assert_eq!(touched, [0, 1]);
    let runs = block_on(stage.running.house().ledger.call(|ledger| ledger.policy_runs(9))).expect("runs");
    assert_eq!(runs.len(), 2);
}

fn choice(stage: &Stage, version: &str) -> Wish {
    Wish::Kept(Choice {
        version: version.to_owned(),
        instead_of: handoffd::config::load(&stage.file()).expect("good").policy.version,
        by: "lead".into(),
        reason: "too many".into(),
        at: "2026-03-02T09:00:00Z".parse().expect("an instant"),
    })
}

#[test]
fn a_rollback_takes_effect_at_once_and_ends_with_a_file_that_says_something_else() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let first = stage.version();
    stage.edit("first wording", "second wording");
    stage.reload().expect("taken in");
    let second = stage.version();
    block_on(stage.reloader.reload(choice(&stage, &first), "lead")).expect("rolled back");
    assert_eq!(stage.version(), first);
    assert!(stage.reasons().contains("too many"), "{}", stage.reasons());
    let no = stage.ticket("A refund");
    stage.seconds(300);
    let marks = stage.marks(no);
    assert_eq!(marks.len(), 1);
    stage.reload().expect("the file has not changed");
    assert_eq!(stage.version(), first, "a reload does not end what a person chose");
    let mut stage = stage.restart(None);
    stage.seconds(20);
    assert_eq!(stage.version(), first, "neither does a restart");
    block_on(stage.reloader.compare());
    assert!(!stage.reasons().contains("something else than what runs"), "{}", stage.reasons());
    stage.edit("second wording", "third wording");
    stage.reload().expect("taken in");
    assert!(stage.version() != first && stage.version() != second);
    assert_eq!(stage.reasons(), "[]");

    let words = match block_on(stage.reloader.reload(choice(&stage, "0123456789ab"), "lead")) {
        Err(CommandError::Refused(words)) => words,
        other => panic!("refused, not {other:?}"),
    };
    assert!(words.contains("nothing was kept"), "{words}");
    assert_eq!(stage.reasons(), "[]", "a version that never ran is a slip of who asked, and no fault of the file");
}

#[test]
fn health_says_when_the_file_differs_from_what_runs_or_could_not_run() {
    let stage = Stage::new(Dialect::Zendesk);
    let compared = || {
        block_on(stage.reloader.compare());
        stage.reasons()
    };
    assert_eq!(compared(), "[]");
    stage.edit("first wording", "second wording");
    let said = compared();
    assert!(said.contains("says something else") && said.contains(&stage.version()), "{said}");
    stage.edit("poll = \"10s\"", "poll = \"20s\"");
    assert!(compared().contains("[desks.acme] poll"));
    stage.edit("poll = \"20s\"", "poll = twenty");
    assert!(compared().contains("a restart would fail"));
    stage.write("handoffd.toml", format!("# the same in other words\n{}", policy(Dialect::Zendesk)));
    assert_eq!(compared(), "[]");
}

#[test]
fn a_secret_that_a_new_file_points_to_is_used_from_then_on() {
    for dialect in BOTH {
        let mut stage = Stage::new(dialect);
        stage.seconds(20);
        let kept = std::fs::read_to_string(stage.folder.path().join("login")).expect("text");
        stage.write("elsewhere", kept);
        std::fs::remove_file(stage.folder.path().join("login")).expect("removed");
        stage.edit("file = \"login\"", "file = \"elsewhere\"");
        let reply = stage.reload().expect("taken in");
        assert_eq!(reply.changes.expect("told").settings, ["[desks.acme] login"]);
        let no = stage.ticket("A refund");
        stage.seconds(600);
        assert_eq!((stage.queue(no), stage.marks(no).len()), ("Billing".into(), 1), "{dialect:?}");
        assert_eq!(stage.reasons(), "[]", "{dialect:?}");
    }
}
