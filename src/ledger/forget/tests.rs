//! A word of a customer, planted wherever text is kept, stands nowhere in the file afterwards; everybody else's stays.

use super::super::commands::{CommandOutcome, Deed, HandledCommand, Heard};
use super::super::compact::empty_log;
use super::super::open::Durability;
use super::super::records::{CaseUpdate, NewHandoff, NewLook, ReceivedWebhook};
use super::super::samples::{accepted, act, at, claim, decide, head, in_review, nothing_found, sending, webhook};
use super::*;
use crate::ledger::states::EffectState;
use crate::ledger::{Compactor, HandoffFilter};
use crate::policy::proposal::PackageSection;
use crate::policy::rules::PackagePart;
use handoffd_kit::model::TicketHead;
use std::path::Path;

const WORD: &str = "xylophonist";
const MAIL: &str = "customer@standard.example";

fn told() -> String {
    format!("I am a {WORD}, write to {MAIL}")
}

/// A handoff that is full of their words.
fn full(id: &str, ticket: &str, review: bool) -> NewHandoff {
    let mut new = if review { in_review(id, ticket) } else { sending(id, ticket, "v1") };
    new.proposal.reason = told();
    new.proposal.facts = vec![("ticket.text".into(), told())];
    let section = PackageSection { part: PackagePart::Reported, lines: vec![told()], source: "conversation".into() };
    new.proposal.package =
        Some(Package { parts: vec![section], missing: Vec::new(), required: 1, unknown: vec![told()] });
    new.proposal.customer = CustomerPlan::Tell { message: "m".into(), wording_hash: "w".into(), text: told() };
    for effect in &mut new.effects {
        match &mut effect.write.change {
            DeskChange::Update(update) => update.note = Some(InternalText(told())),
            DeskChange::Reply(reply) => reply.text = PublicText(told()),
            DeskChange::Tags { .. } => {}
        }
    }
    new
}

fn looked_at(ticket: &str, customer: &str, words: &str, handoff: Option<NewHandoff>, second: i64) -> CaseUpdate {
    let command = HandledCommand {
        id: format!("c{ticket}"),
        change: "100".into(),
        place: "note".into(),
        verb: "handoff",
        by: "First Agent".into(),
        by_id: None,
        given_at: at(second),
        outcome: CommandOutcome::Refused,
        words: words.into(),
        handoff: None,
        edit: None,
        deed: Deed::Nothing,
        effects: Vec::new(),
    };
    let would = handoff.iter().map(|new| Proposal { rule: "shadow".into(), ..new.proposal.clone() }).collect();
    CaseUpdate {
        raw: format!("{{\"said\":\"{words}\"}}"),
        customer: Some(customer.into()),
        heard: Heard { commands: vec![command], ..Heard::default() },
        would,
        handoff,
        ..nothing_found(ticket, at(second))
    }
}

/// The ledger of a desk on which two customers have written.
fn filled(path: &Path) -> Ledger {
    let mut ledger = Ledger::open(path, Durability::Process).expect("new");
    for (ticket, id, review) in [("1", "h1", false), ("2", "h2", true), ("3", "h3", false)] {
        let told_elsewhere = ledger.told_elsewhere(&"acme".into(), &"c-1".into(), &ticket.into()).expect("asked");
        let update = looked_at(ticket, "c-1", &told(), Some(full(id, ticket, review)), 0);
        let update = CaseUpdate { told_elsewhere, ..update };
        ledger.record_case(&update).expect("recorded");
        let said = TicketHead { text: handoffd_kit::fact::Fact::Known(told()), ..head(ticket, "v1") };
        let look = NewLook { ticket: ticket.into(), due: at(1), head: Some((Box::new(said), at(1_000_000))) };
        ledger.note_looks(&"acme".into(), &[look]).expect("noted");
        let hook = webhook("acme", Some(ticket), &told(), &[], at(2));
        let hook = ReceivedWebhook { body_hash: "of the whole body".into(), ..hook };
        ledger.note_webhook(&hook).expect("noted");
    }
    // The first is sent whole.
    for _ in 0..2 {
        let claimed = claim(&mut ledger, at(3)).expect("due");
        assert_eq!(claimed.effect.handoff, "h1");
        ledger.record_outcome(&accepted(&claimed, "v2", at(3))).expect("recorded");
    }
    let other = "somebody else's words";
    ledger.record_case(&looked_at("9", "c-9", other, Some(sending("h9", "9", "v1")), 5)).expect("recorded");
    let reason = Act { reason: Some(told()), ..act(at(6)) };
    ledger.note_act(&reason, "undo", "h1").expect("noted");
    ledger.note_act(&Act { by: MAIL.to_uppercase(), reason: None, at: at(6) }, "pause", "all").expect("noted");
    ledger.note_act(&act(at(6)), "undo", "h9").expect("noted");
    ledger
}

/// Whether the words stand in any cell of any table, packed or not.
fn cells_with(ledger: &Ledger, words: &str) -> Vec<String> {
    let names = |sql: &str| -> Vec<String> {
        let mut statement = ledger.connection.prepare(sql).expect("sql");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("text")).collect()
    };
    let mut found = Vec::new();
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        for column in names(&format!("SELECT name FROM pragma_table_info('{table}')")) {
            let mut statement = ledger.connection.prepare(&format!("SELECT {column} FROM {table}")).expect("sql");
            let mut rows = statement.query([]).expect("rows");
            while let Some(row) = rows.next().expect("row") {
                if holds(row.get_ref(0).expect("cell"), words) {
                    found.push(format!("{table}.{column}"));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn bytes_with(path: &Path, words: &str) -> bool {
    ["", "-wal"].iter().any(|end| {
        let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
    })
}

#[test]
fn a_planted_word_is_nowhere_in_the_file_afterwards_and_the_record_still_fits() {
    for person in [
        PersonWanted::Mail("Customer@Standard.Example".into()),
        PersonWanted::Id { desk: "acme".into(), id: "c-1".into() },
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let mut ledger = filled(&path);
        empty_log(&ledger.connection).expect("written back");
        assert!(bytes_with(&path, WORD), "planted");
        let before = cells_with(&ledger, WORD);
        for place in [
            "raws.body",
            "looks.head",
            "webhooks.body",
            "handoffs.proposal",
            "effects.write",
            "would.proposal",
            "commands.words",
            "acts.reason",
        ] {
            assert!(before.iter().any(|cell| cell == place), "{place} of {before:?}");
        }
        assert_eq!(ledger.cases_of(&person).expect("asked").len(), 3);
        let done = ledger.forget(&person, &Act { by: "ops".into(), reason: None, at: at(100) }).expect("erased");
        assert_eq!((done.cases, done.withdrawn), (3, 2), "{person:?}");
        assert_eq!(cells_with(&ledger, WORD), Vec::<String>::new());

        let mut compactor = Compactor::beside(&path).expect("beside");
        while compactor.free_pages().expect("told") > 0 {
            compactor.slice(50).expect("given back");
        }
        assert_eq!(compactor.finish(), Ok(true));
        assert!(!bytes_with(&path, WORD), "{person:?}: it is still in the file");
        if matches!(person, PersonWanted::Mail(_)) {
            assert!(!bytes_with(&path, MAIL));
        }

        let chain = ledger.verify_acts(None).expect("read");
        assert_eq!((chain.faults, chain.erased), (Vec::new(), done.acts as u64));
        assert!(done.acts > 0);
        assert_eq!(ledger.file_faults(), Ok(Vec::new()));
        let handoffs = ledger.handoffs(&HandoffFilter::default()).expect("all can be read");
        let states: Vec<_> = handoffs.iter().rev().map(|handoff| handoff.state.name()).collect();
        assert_eq!(states, ["verifying", "withdrawn", "withdrawn", "sending"], "what happened stays");
        assert!(handoffs[0].effects.iter().all(|effect| matches!(effect.state, EffectState::Due { .. })));
        assert_eq!(cells_with(&ledger, "somebody else's words"), ["commands.words", "raws.body"], "theirs stay");
        let kept = ledger.acts_about("h9", 9).expect("read");
        assert_eq!(kept[0].reason.as_deref(), Some("because"));
    }
}

#[test]
fn while_something_is_being_written_nothing_is_erased() {
    let folder = tempfile::tempdir().expect("folder");
    let mut ledger = filled(&folder.path().join("handoffd.db"));
    let claimed = claim(&mut ledger, at(10)).expect("due");
    assert_eq!(claimed.effect.handoff, "h3");
    let before = cells_with(&ledger, WORD);
    let person = PersonWanted::Id { desk: "acme".into(), id: "c-1".into() };
    let refused = ledger.forget(&person, &act(at(11)));
    assert!(matches!(&refused, Err(LedgerError::WrongState(words)) if words.contains("h3/1")), "{refused:?}");
    assert_eq!(cells_with(&ledger, WORD), before);
    let nobody = PersonWanted::Id { desk: "acme".into(), id: "c-0".into() };
    let done = ledger.forget(&nobody, &act(at(12))).expect("nothing to erase");
    assert_eq!(done, Forgotten::default());
    decide(&mut ledger, sending("h10", "10", "v1"), at(13));
}

#[test]
fn an_edited_package_goes_with_its_case_in_every_version() {
    for person in [PersonWanted::Id { desk: "acme".into(), id: "c-1".into() }, PersonWanted::Mail(MAIL.into())] {
        let folder = tempfile::tempdir().expect("folder");
        let mut ledger = filled(&folder.path().join("handoffd.db"));
        let edited = Package { unknown: vec!["the plan".into()], ..Package::default() };
        ledger.edit_package("h2", 1, &edited, &act(at(7))).expect("edited");
        assert!(cells_with(&ledger, WORD).contains(&"package_versions.package".to_owned()), "what was collected");
        ledger.forget(&person, &act(at(11))).expect("erased");
        let left = cells_with(&ledger, WORD);
        assert!(!left.iter().any(|cell| cell.starts_with("package_versions")), "{person:?}: {left:?}");
        assert_eq!(ledger.package_versions("h2").expect("read"), []);
    }
}

#[test]
fn a_person_is_named_by_an_address_or_by_their_id_on_a_desk() {
    let id = |desk: &str, id: &str| Some(PersonWanted::Id { desk: desk.into(), id: id.into() });
    for (typed, wanted) in [
        ("a@b.example", Some(PersonWanted::Mail("a@b.example".into()))),
        (" a@b.example ", Some(PersonWanted::Mail("a@b.example".into()))),
        ("acme/4711", id("acme", "4711")),
        ("acme/a/b", id("acme", "a/b")),
        ("4711", None),
        ("", None),
        ("@", None),
        ("a@", None),
        ("/4711", None),
        ("acme/", None),
        ("a b@c.example", None),
    ] {
        assert_eq!(PersonWanted::typed(typed), wanted, "{typed:?}");
    }
}
