//! Ids of handoffs and commands: derived from what they are about, so that a ledger restored from a backup meets its own
//! marks.

use crate::policy::names::RuleName;
use handoffd_kit::id::{ChangeId, DeskId, TicketId};
use sha2::{Digest, Sha256};

/// Characters behind the first: 60 bits.
const LENGTH: usize = 12;
/// Base 32 as RFC 4648 has it, in small letters.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The id of the handoff of this rule in this episode. `nth` counts from 0 the handoffs of the same rule and episode that
/// have ended before it.
pub fn handoff_id(desk: &DeskId, ticket: &TicketId, rule: &RuleName, episode: &str, nth: u32) -> String {
    derived('h', [desk.as_str(), ticket.as_str(), rule.as_str(), episode], nth)
}

/// The id of a command: of the change that it was given in, and where in it (the note, or a label).
pub fn command_id(desk: &DeskId, ticket: &TicketId, change: &ChangeId, place: &str) -> String {
    derived('c', [desk.as_str(), ticket.as_str(), change.as_str(), place], 0)
}

/// The id of the handoff that a command gives a case back with.
pub fn back_id(command: &str) -> String {
    derived('h', [command, "back", "", ""], 0)
}

fn derived(kind: char, texts: [&str; 4], nth: u32) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        // Lengths keep two neighbours from reading as one.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.update(nth.to_be_bytes());
    let bits = hash.finalize().iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letter = |place: usize| char::from(LETTERS[(bits >> (59 - 5 * place) & 31) as usize]);
    std::iter::once(kind).chain((0..LENGTH).map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_is_about_and_nothing_else() {
        let id = |desk: &str, ticket: &str, rule: &str, episode: &str, nth| {
            handoff_id(&desk.into(), &ticket.into(), &rule.into(), episode, nth)
        };
        let one = id("acme", "42", "refund", "e1", 0);
        assert_eq!(one, id("acme", "42", "refund", "e1", 0));
        assert_eq!((one.len(), one.starts_with('h')), (13, true));
        assert!(one.bytes().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte)));
        let others = [
            id("acme4", "2", "refund", "e1", 0),
            id("acme", "42", "refund", "e2", 0),
            id("acme", "42", "refunde", "1", 0),
            id("acme", "42", "refund", "e1", 1),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
