//! Who may enter: persons with a token each, of which only the hash is kept; and how often a wrong one may be tried.

use crate::config::secrets::Login as NamedToken;
use crate::config::{Role, WebConfig};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// So many wrong tokens are taken within [`WRONG_WITHIN`]; then none is taken, right or wrong, until the oldest is that old.
const WRONG_TOKENS: usize = 10;
/// See [`WRONG_TOKENS`].
const WRONG_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// A longer token is nobody's.
const TOKEN_BYTES: usize = 1_024;

/// Who may enter.
pub struct Entry {
    logins: Vec<Login>,
    wrong: Mutex<VecDeque<Timestamp>>,
    /// How long a login lasts.
    pub(super) session: SignedDuration,
    /// The host, with its port, that people reach it by through a proxy with TLS.
    pub(super) host: Option<String>,
}

struct Login {
    name: String,
    role: Role,
    hash: [u8; 32],
}

/// Somebody who showed a right token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Who they are, as the configuration names them.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotIn {
    /// Nobody has this token.
    Wrong,
    /// Too many wrong ones: the next is looked at after so many seconds.
    Later(i64),
}

/// How often a wrong token may be tried: what tests and documents count with.
pub struct Limit;

impl Limit {
    /// So many wrong ones in a minute.
    pub const WRONG_A_MINUTE: usize = WRONG_TOKENS;
}

impl Entry {
    /// The persons of a configuration with their tokens.
    pub fn new(config: &WebConfig, tokens: &[NamedToken]) -> Self {
        let login = |(name, role, token): &NamedToken| Login {
            name: name.clone(),
            role: *role,
            hash: hash(token.expose_secret().as_bytes()),
        };
        let host = |origin: &url::Url| {
            let port = origin.port().map(|port| format!(":{port}")).unwrap_or_default();
            origin.host_str().map(|host| format!("{host}{port}"))
        };
        Self {
            logins: tokens.iter().map(login).collect(),
            wrong: Mutex::default(),
            session: config.session,
            host: config.origin.as_ref().and_then(host),
        }
    }

    /// Whether anybody may enter at all.
    pub(super) fn is_open(&self) -> bool {
        !self.logins.is_empty()
    }

    /// Whose token this is. Every known token is compared, whole, whichever is right.
    pub(super) fn person(&self, token: &str, now: Timestamp) -> Result<Person, NotIn> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|at| now.duration_since(*at) >= WRONG_WITHIN) {
            wrong.pop_front();
        }
        if let Some(oldest) = wrong.front().filter(|_| wrong.len() >= WRONG_TOKENS) {
            let left = WRONG_WITHIN - now.duration_since(*oldest);
            return Err(NotIn::Later(left.as_secs().max(1)));
        }
        let bytes = if token.len() > TOKEN_BYTES { &[] } else { token.as_bytes() };
        let shown = hash(bytes);
        // The place of the right one, from 1, found without a branch on the way.
        let mut found = 0_u32;
        for (place, login) in (1_u32..).zip(&self.logins) {
            let same: Choice = shown.ct_eq(&login.hash);
            found = u32::conditional_select(&found, &place, same);
        }
        let login = usize::try_from(found).ok().and_then(|found| self.logins.get(found.checked_sub(1)?));
        match login {
            Some(login) => Ok(Person { name: login.name.clone(), role: login.role }),
            None => {
                wrong.push_back(now);
                Err(NotIn::Wrong)
            }
        }
    }
}

/// The hash that stands in for a secret.
pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const RIGHT: &str = "0123456789abcdef0123456789abcdef";

    fn entry() -> Entry {
        let config = WebConfig { origin: None, session: SignedDuration::from_hours(1), logins: BTreeMap::new() };
        let other = "ffffffffffffffffffffffffffffffff";
        let tokens = [("lead", Role::Review, RIGHT), ("ops", Role::Operate, other)];
        Entry::new(&config, &tokens.map(|(name, role, token)| (name.to_owned(), role, token.into())))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("instant")
    }

    #[test]
    fn a_token_is_one_persons_whole() {
        let entry = entry();
        let lead = Person { name: "lead".into(), role: Role::Review };
        assert_eq!(entry.person(RIGHT, at(0)), Ok(lead));
        for wrong in ["", &RIGHT[..31], &format!("{RIGHT} "), &"x".repeat(100_000)] {
            assert_eq!(entry.person(wrong, at(0)), Err(NotIn::Wrong));
        }
    }

    #[test]
    fn after_ten_wrong_tokens_none_is_looked_at_for_a_minute() {
        let entry = entry();
        for second in 0..10 {
            assert_eq!(entry.person("wrong", at(second)), Err(NotIn::Wrong));
        }
        assert_eq!(entry.person("wrong", at(10)), Err(NotIn::Later(50)));
        assert_eq!(entry.person(RIGHT, at(59)), Err(NotIn::Later(1)), "guessing is not told from knowing meanwhile");
        assert!(entry.person(RIGHT, at(60)).is_ok());
        assert_eq!(entry.person("wrong", at(60)), Err(NotIn::Wrong));
        assert_eq!(entry.person("wrong", at(60)), Err(NotIn::Later(1)));
    }

    #[test]
    fn nobody_is_let_in_where_nobody_is_named() {
        let config = WebConfig { origin: None, session: SignedDuration::from_hours(1), logins: BTreeMap::new() };
        let entry = Entry::new(&config, &[]);
        assert!(!entry.is_open());
        assert_eq!(entry.person("", at(0)), Err(NotIn::Wrong));
    }
}
