//! How the configuration that runs stands to its file: when it was loaded, whether the last reload failed and why, and
//! whether the file says something else by now. It lives with the process: one that starts has just loaded its file.

use super::health::{Reason, Status};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Reloads(Arc<Mutex<Loaded>>);

/// What a file says, against what runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileNow {
    /// The same.
    #[default]
    AsRuns,
    /// Something else, in words.
    Differs(String),
    /// Something that no running process can take in: the keys.
    TakesRestart(String),
    /// Nothing that could run: the first problem, in words.
    Broken(String),
}

/// A moment of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// When what runs was last loaded, or found to be what the file says; none: it was not read from a file.
    pub(super) at: Option<Timestamp>,
    /// The last reload failed: when, and why.
    pub(super) failed: Option<(Timestamp, String)>,
    /// What the file says, and since when it is known.
    pub(super) file: Option<(Timestamp, FileNow)>,
}

impl Reloads {
    /// What runs was loaded at this instant.
    pub fn loaded(&self, at: Timestamp) {
        self.note(|now| *now = Loaded { at: Some(at), failed: None, file: None });
    }

    /// A reload failed; what ran before goes on.
    pub fn failed(&self, at: Timestamp, why: String) {
        self.note(|now| now.failed = Some((at, why)));
    }

    /// The file was read, and compared with what runs. Once it says the same again, a reload that failed is over.
    pub fn compared(&self, at: Timestamp, file: FileNow) {
        self.note(|now| match &now.file {
            Some((_, known)) if *known == file => {}
            _ if file == FileNow::AsRuns => (now.failed, now.file) = (None, None),
            _ => now.file = Some((at, file)),
        });
    }

    pub(super) fn now(&self) -> Loaded {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, change: impl FnOnce(&mut Loaded)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What somebody should know of it.
pub(super) fn reasons(loaded: &Loaded) -> Vec<Reason> {
    let failed = loaded.failed.iter().map(|(at, why)| {
        let what = format!("the configuration was not reloaded, and what ran before goes on: {why}");
        let next = "correct the file, `handoffd check`, then `handoffd reload`";
        Reason::new(Status::Degraded, what, next).since(*at)
    });
    let file = loaded.file.iter().filter_map(|(since, file)| {
        let (what, next) = match file {
            FileNow::AsRuns => return None,
            FileNow::Differs(what) => (
                format!("the file says something else than what runs: {what}"),
                "`handoffd policy diff` shows the policy's difference; `handoffd reload` takes it in",
            ),
            FileNow::TakesRestart(what) => (
                format!("the file says something else than what runs, and a reload cannot take it in: {what}"),
                "restart handoffd to take all of the file in, or put it back: until then `handoffd reload` takes nothing of it",
            ),
            FileNow::Broken(what) => (
                format!("the file cannot be used as it is, so a restart would fail: {what}"),
                "correct the file until `handoffd check` is content",
            ),
        };
        Some(Reason::new(Status::Degraded, what, next).since(*since))
    });
    failed.chain(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("valid")
    }

    fn words(reloads: &Reloads) -> String {
        let reasons = reasons(&reloads.now());
        assert!(reasons.iter().all(|reason| !reason.next_step.is_empty() && reason.since.is_some()));
        reasons.into_iter().map(|reason| reason.what).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_failure_is_told_until_a_reload_goes_well_or_the_file_is_as_it_was() {
        let reloads = Reloads::default();
        reloads.loaded(at(1));
        assert_eq!(words(&reloads), "");
        for over in [
            |reloads: &Reloads| reloads.loaded(at(9)),
            |reloads: &Reloads| {
                reloads.compared(at(9), FileNow::AsRuns);
            },
        ] {
            reloads.failed(at(2), "line 3".into());
            reloads.compared(at(3), FileNow::Broken("line 3".into()));
            let said = words(&reloads);
            assert!(said.contains("not reloaded") && said.contains("a restart would fail"), "{said}");
            over(&reloads);
            assert_eq!(words(&reloads), "");
        }
    }

    #[test]
    fn who_reads_that_a_restart_is_needed_is_not_told_to_reload() {
        let reloads = Reloads::default();
        reloads.compared(at(5), FileNow::TakesRestart("[web] session".into()));
        let reasons = reasons(&reloads.now());
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].what.contains("[web] session") && reasons[0].next_step.starts_with("restart handoffd"));
    }

    #[test]
    fn a_difference_is_known_since_it_was_first_seen() {
        let reloads = Reloads::default();
        let differs = || FileNow::Differs("policy p2 against p1".into());
        reloads.compared(at(5), differs());
        reloads.compared(at(65), differs());
        assert_eq!(reloads.now().file, Some((at(5), differs())));
        reloads.compared(at(70), FileNow::Differs("policy p3 against p1".into()));
        assert_eq!(reloads.now().file.map(|(since, _)| since), Some(at(70)));
    }
}
