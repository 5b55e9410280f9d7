//! A ledger that is put back from a backup meets its own marks on the helpdesk: what was sent since is found, not repeated.

use crate::stage::{Dialect, Stage, new_ledger};
use handoffd::ledger::{Act, Durability, Handle, Ledger};
use handoffd_sandbox::{Fault, FaultPlan, On};
use jiff::SignedDuration;
use std::path::Path;

fn on_file(path: &Path) -> Handle {
    Handle::inline(Ledger::open(path, Durability::Process).expect("a ledger"), None)
}

#[test]
fn what_was_sent_after_the_backup_is_found_on_the_helpdesk_and_not_sent_again() {
    for dialect in [Dialect::Zendesk, Dialect::Rt, Dialect::Freshdesk] {
        let folder = tempfile::tempdir().expect("folder");
        let (path, backup) = (folder.path().join("handoffd.db"), folder.path().join("backup.db"));
        let mut stage = Stage::new(dialect);
        let mut ledger = Ledger::open(&path, Durability::Process).expect("a ledger");
        ledger.desk_met(&"acme".into(), stage.now()).expect("met");
        drop(stage.goes_on_with(Handle::inline(ledger, None)));

        // Decided, and the helpdesk says: not now.
        let ticket = stage.opens("Support", &["refund"]);
        let wait = Fault::RateLimited { retry_after: Some(SignedDuration::from_secs(120)) };
        stage.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, wait));
        stage.notes("frontline-1", ticket, "/handoff billing the customer wants a refund");
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["sending"], "Support".to_owned()), "{dialect:?}");
        let mut reader = Ledger::open_read_only(&path).expect("readable meanwhile");
        assert_eq!(reader.back_up(&backup, false, &mut |_| {}), Ok(Vec::new()), "{dialect:?}");
        drop(reader);

        stage.later(130);
        stage.run();
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
        stage.pass(900);
        let (sent, done) = (stage.ours(ticket), stage.states());
        assert!(!sent.is_empty(), "{dialect:?}");

        // The disk dies, and the backup of before takes its place.
        drop(stage.goes_on_with(new_ledger(stage.now())));
        let act = Act { by: "ops".into(), reason: None, at: stage.now() };
        let restored = Ledger::restore(&path, &backup, &act, &mut |_| {}).expect("restored");
        assert!(restored.doubted > 0, "{dialect:?}");
        drop(stage.goes_on_with(on_file(&path)));
        assert_eq!(stage.states(), ["sending"], "{dialect:?}: as it was in the backup");
        stage.run();
        stage.look(ticket);
        stage.pass(1_800);
        assert_eq!(stage.ours(ticket), sent, "{dialect:?}: nothing was said twice");
        assert_eq!((stage.queue(ticket), stage.states()), ("Billing".to_owned(), done), "{dialect:?}");
        assert_eq!(stage.parked().len(), 0, "{dialect:?}");
    }
}
