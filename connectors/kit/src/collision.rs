//! A person's change that a write of ours covered, on a desk whose history tells it only afterwards (guide, *Checklist*): it is
//! put back unless somebody acted since, and what it came to is reported in the same words on every desk.

use crate::error::{DeskError, DeskErrorKind, Retry};

/// The operation that puts a person's change back, for errors and the journal.
pub const PUT_BACK: &str = "put back";

/// Somebody's change under a write of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The operation of the write that covered it.
    pub operation: &'static str,
    /// What happened: who changed what, and when.
    pub happened: String,
    /// What of the ticket was theirs: "team", "group and the owner".
    pub what: String,
    /// Where a person sees what it was: "the ticket's history in Zammad".
    pub seen_in: &'static str,
}

impl Collision {
    /// Somebody acted on the same since: that stays, and nothing is put back.
    pub fn acted_since(&self, who: &str) -> DeskError {
        self.stands(&format!(", and {who} since: that stays"))
    }

    /// What came of putting theirs back. `proved`: whether the answer, or another look, shows theirs; an error: it was not
    /// answered with success.
    pub fn put_back(&self, proved: Result<bool, DeskError>) -> DeskError {
        match proved {
            Ok(true) => self.stands("; theirs was put back"),
            Ok(false) => self.covers("the answer to putting theirs back does not prove it"),
            Err(error) if error.retry == Retry::Unsure => {
                self.covers(&format!("whether theirs was put back is not known: {error}"))
            }
            Err(error) => self.covers(&format!("theirs could not be put back: {error}")),
        }
    }

    /// Ours was written over theirs and stands, as far as anybody knows: a person must look.
    pub fn covers(&self, why: &str) -> DeskError {
        let next_step = format!("look at {}, and set the {} as that person had it", self.seen_in, self.what);
        self.error(Retry::Applied, format!("{}; {why}", self.happened)).next_step(next_step)
    }

    /// What a person decided stands on the ticket, and ends what ours was part of.
    fn stands(&self, how: &str) -> DeskError {
        self.error(Retry::Overruled, format!("{}{how}", self.happened))
    }

    fn error(&self, retry: Retry, words: String) -> DeskError {
        DeskError::new(DeskErrorKind::Conflict, retry, self.operation).words(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collision() -> Collision {
        Collision {
            operation: "update ticket",
            happened: "agent 7 changed the team in the moment before our update".into(),
            what: "team".into(),
            seen_in: "the ticket's history",
        }
    }

    fn lost(retry: Retry) -> DeskError {
        DeskError::new(DeskErrorKind::Unavailable, retry, PUT_BACK).words("no answer")
    }

    #[test]
    fn theirs_ends_ours_where_it_stands_and_waits_for_a_person_where_that_is_not_proved() {
        let one = collision();
        for (error, retry, words) in [
            (one.acted_since("agent 8"), Retry::Overruled, "update, and agent 8 since: that stays"),
            (one.put_back(Ok(true)), Retry::Overruled, "update; theirs was put back"),
            (one.put_back(Ok(false)), Retry::Applied, "does not prove it"),
            (one.put_back(Err(lost(Retry::Unsure))), Retry::Applied, "is not known: put back"),
            (one.put_back(Err(lost(Retry::After(None)))), Retry::Applied, "could not be put back: put back"),
        ] {
            assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, retry), "{words}");
            assert!(
                error.words.contains(words) && error.words.starts_with("agent 7 changed the team"),
                "{}",
                error.words
            );
            assert_eq!(error.next_step.is_some(), retry == Retry::Applied, "only what is open needs a person: {words}");
        }
        let step = one.covers("not put back").next_step.unwrap();
        assert_eq!(step, "look at the ticket's history, and set the team as that person had it");
    }
}
