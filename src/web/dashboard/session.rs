//! Who is logged in: an unguessable id in a cookie that no script and no other site can use, of which only the hash is kept;
//! and a second secret that every form carries. A restart ends all of them.

use super::entry::{Person, hash};
use axum::http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// More are not kept: the one that ends soonest makes room.
const MOST: usize = 1_000;

/// All that are logged in.
pub(super) struct Sessions {
    lasts: SignedDuration,
    open: Mutex<HashMap<[u8; 32], Arc<Session>>>,
}

/// One login.
pub(super) struct Session {
    /// Who.
    pub person: Person,
    /// What every form of theirs carries.
    pub csrf: String,
    until: Timestamp,
    /// What the last order came to, to be said on the next page.
    said: Mutex<Option<Said>>,
}

/// What an order came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Said {
    /// Whether it was carried out.
    pub done: bool,
    /// In words.
    pub words: String,
}

impl Session {
    /// Whether a form carries this session's secret.
    pub fn is_from_here(&self, csrf: &str) -> bool {
        self.csrf.as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    /// Says it on the next page.
    pub fn say(&self, done: bool, words: String) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(Said { done, words });
    }

    /// What is to be said, once.
    pub fn said(&self) -> Option<Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Sessions {
    /// Nobody; each login lasts so long.
    pub fn new(lasts: SignedDuration) -> Self {
        Self { lasts, open: Mutex::default() }
    }

    /// Somebody logs in. Gives the id of their session. `chance`: two unguessable numbers.
    pub fn begin(&self, person: Person, chance: [[u8; 32]; 2], now: Timestamp) -> String {
        let [id, csrf] = chance.map(hex::encode);
        let session = Session { person, csrf, until: now + self.lasts, said: Mutex::default() };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.until > now);
        if open.len() >= MOST
            && let Some(soonest) = open.iter().min_by_key(|(_, session)| session.until).map(|(id, _)| *id)
        {
            open.remove(&soonest);
        }
        open.insert(hash(id.as_bytes()), Arc::new(session));
        id
    }

    /// The session of a request.
    pub fn of(&self, headers: &HeaderMap, now: Timestamp) -> Option<Arc<Session>> {
        let id = cookie(headers)?;
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&hash(id.as_bytes())).filter(|session| session.until > now).cloned()
    }

    /// Ends the session of a request.
    pub fn end(&self, headers: &HeaderMap) {
        if let Some(id) = cookie(headers) {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(id.as_bytes()));
        }
    }

    /// The cookie that keeps a session; `secure`: people come through TLS.
    pub fn cookie(&self, id: &str, secure: bool) -> Option<HeaderValue> {
        set(id, self.lasts.as_secs(), secure)
    }

    /// The cookie that forgets it.
    pub fn no_cookie(secure: bool) -> Option<HeaderValue> {
        set("", 0, secure)
    }
}

const NAME: &str = "handoffd";

fn set(id: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let (name, secure) = if secure { ("__Host-handoffd", "; Secure") } else { (NAME, "") };
    let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// The id that a request's cookie holds.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| name.trim_start_matches("__Host-") == NAME).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("instant")
    }

    fn begin(sessions: &Sessions, number: u16, now: Timestamp) -> String {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let person = Person { name: format!("p{number}"), role: Role::Read };
        sessions.begin(person, [id, [7; 32]], now)
    }

    fn with(id: &str) -> HeaderMap {
        let cookie = HeaderValue::from_str(&format!("other=1; handoffd={id}")).expect("a value");
        HeaderMap::from_iter([(header::COOKIE, cookie)])
    }

    #[test]
    fn a_session_is_its_persons_until_it_is_over() {
        let sessions = Sessions::new(SignedDuration::from_secs(10));
        let id = begin(&sessions, 1, at(0));
        let session = sessions.of(&with(&id), at(9)).expect("logged in");
        assert_eq!(session.person.name, "p1");
        assert!(
            session.is_from_here(&hex::encode([7; 32])) && !session.is_from_here("") && !session.is_from_here("07")
        );
        assert!(sessions.of(&with(&id), at(10)).is_none());
        assert!(sessions.of(&with("guess"), at(1)).is_none() && sessions.of(&HeaderMap::new(), at(1)).is_none());
        sessions.end(&with(&id));
        assert!(sessions.of(&with(&id), at(1)).is_none(), "logged out");
    }

    #[test]
    fn there_are_never_too_many() {
        let sessions = Sessions::new(SignedDuration::from_hours(1));
        let ids: Vec<String> = (0..1_001).map(|number| begin(&sessions, number, at(i64::from(number)))).collect();
        assert_eq!(sessions.open.lock().expect("free").len(), MOST);
        assert!(sessions.of(&with(&ids[0]), at(1_001)).is_none());
        assert!(sessions.of(&with(&ids[1_000]), at(1_001)).is_some());
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let sessions = Sessions::new(SignedDuration::from_hours(1));
        let cookie = sessions.cookie("abc", false).expect("a value");
        assert_eq!(cookie, "handoffd=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600");
        let cookie = Sessions::no_cookie(true).expect("a value");
        assert_eq!(cookie, "__Host-handoffd=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure");
    }

    #[test]
    fn what_is_said_is_said_once() {
        let sessions = Sessions::new(SignedDuration::from_hours(1));
        let session = sessions.of(&with(&begin(&sessions, 1, at(0))), at(1)).expect("logged in");
        session.say(true, "done".into());
        assert_eq!(session.said(), Some(Said { done: true, words: "done".into() }));
        assert_eq!(session.said(), None);
    }
}
