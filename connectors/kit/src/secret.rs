//! Secrets that may be replaced while the daemon runs. The kit knows no files and no commands: whoever reads the
//! configuration hands in a [`SecretSource`], and a connector asks for the [`Secret`] at every use.
//!
//! A login's secret is read again when the desk refuses it ([`Secret::renew`]). A webhook's secret is read again when a
//! signature is wrong ([`Secret::look`]); what was read takes over only when a request is signed with it
//! ([`Secret::verified`]), so that it does not matter whether the vendor's side or ours is changed first, and a stranger's
//! request changes nothing.

use crate::webhook::Refusal;
use futures::future::BoxFuture;
use futures::lock::Mutex as Turn;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A source is not asked more often, whatever refuses us: a command may cost something, and strangers can post webhooks.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Where a secret can be read again.
pub trait SecretSource: Send + Sync {
    /// Reads it, in bounded time.
    ///
    /// # Errors
    /// Why not, in words that hold nothing of any secret.
    fn read(&self) -> BoxFuture<'_, Result<SecretString, String>>;
}

/// Checks that a text can be this secret, and gives it in the form in which it is used.
type Form = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A secret as it is now. Clones share it; its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    source: Option<Box<dyn SecretSource>>,
    state: Mutex<State>,
    /// One reading at a time.
    turn: Turn<()>,
}

struct State {
    current: SecretString,
    /// What it was before: vendors may still repeat it in their words.
    former: Option<SecretString>,
    /// Read, and not yet proven by a request.
    candidate: Option<SecretString>,
    form: Option<Form>,
    read_at: Option<Timestamp>,
    due_from: Option<Timestamp>,
    trouble: Option<SecretTrouble>,
}

/// A secret that could not be read again: the one that was known before is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretTrouble {
    /// Why.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
}

/// The secrets that a desk uses, each with its key in the desk's table.
#[derive(Clone, Debug, Default)]
pub struct DeskSecrets {
    /// Those of its login.
    pub login: Vec<(&'static str, Secret)>,
    /// Those of its webhooks.
    pub webhook: Vec<(&'static str, Secret)>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self::with(SecretString::from(text.into()), None)
    }
}

impl Secret {
    /// A secret that was read from a source, and can be read from it again.
    pub fn from_source(current: SecretString, source: Box<dyn SecretSource>) -> Self {
        Self::with(current, Some(source))
    }

    fn with(current: SecretString, source: Option<Box<dyn SecretSource>>) -> Self {
        let (former, candidate, form, read_at, due_from, trouble) = (None, None, None, None, None, None);
        let state = State { current, former, candidate, form, read_at, due_from, trouble };
        Self(Arc::new(Inner { source, state: Mutex::new(state), turn: Turn::new(()) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same secret in the form in which it is used, from now on and for whatever is read later. None: the present one
    /// cannot be brought into it.
    pub fn shaped(&self, form: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Option<Self> {
        let mut state = self.state();
        state.current = SecretString::from(form(state.current.expose_secret())?);
        state.form = Some(Arc::new(form));
        drop(state);
        Some(self.clone())
    }

    /// The secret to use now.
    pub fn current(&self) -> SecretString {
        self.state().current.clone()
    }

    /// What is and what was the secret, to keep it out of words.
    pub fn known(&self) -> Vec<SecretString> {
        let state = self.state();
        [Some(state.current.clone()), state.former.clone()].into_iter().flatten().collect()
    }

    /// Why it could not be read again the last time.
    pub fn trouble(&self) -> Option<SecretTrouble> {
        self.state().trouble.clone()
    }

    /// Whether it is time to read it again, where that is to be done every so often; the first question starts the time.
    pub fn is_due(&self, every: SignedDuration, now: Timestamp) -> bool {
        let mut state = self.state();
        let from = *state.due_from.get_or_insert(now);
        let due = self.0.source.is_some() && now.duration_since(from) >= every;
        if due {
            state.due_from = Some(now);
        }
        due
    }

    /// For the secret of a login that was refused, or that is due: reads it again. Whether there is now another one than
    /// `used`.
    pub async fn renew(&self, used: &SecretString, now: Timestamp) -> bool {
        if let Some(source) = &self.0.source {
            let _turn = self.0.turn.lock().await;
            if self.is_allowed(now) {
                let read = source.read().await;
                if let Some(secret) = self.take_note(read, now) {
                    self.state().take_over(secret);
                }
            }
        }
        self.state().current.expose_secret() != used.expose_secret()
    }

    /// For the secret of a webhook whose signature is wrong, or that is due: reads it again, unless somebody is just doing
    /// that. Whether another one was read, with which the request may be tried.
    pub async fn look(&self, now: Timestamp) -> bool {
        let Some((source, _turn)) = self.0.source.as_ref().zip(self.0.turn.try_lock()) else { return false };
        if !self.is_allowed(now) {
            return false;
        }
        let read = source.read().await;
        let Some(secret) = self.take_note(read, now) else { return false };
        let mut state = self.state();
        let other = secret.expose_secret() != state.current.expose_secret();
        state.candidate = other.then_some(secret);
        other
    }

    /// Verifies a request with the secret; where that is not the one, with the one that was read since, which takes over
    /// if it is.
    ///
    /// # Errors
    /// The refusal under the present secret.
    pub fn verified<T>(&self, verify: impl Fn(&SecretString) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let refused = match verify(&self.current()) {
            Err(refusal @ Refusal::Forged) => refusal,
            answer => return answer,
        };
        let Some(candidate) = self.state().candidate.clone() else { return Err(refused) };
        let verified = verify(&candidate).map_err(|_| refused)?;
        self.state().take_over(candidate);
        Ok(verified)
    }

    fn is_allowed(&self, now: Timestamp) -> bool {
        self.state().read_at.is_none_or(|at| now.duration_since(at).abs() >= AT_MOST_EVERY)
    }

    fn take_note(&self, read: Result<SecretString, String>, now: Timestamp) -> Option<SecretString> {
        let mut state = self.state();
        state.read_at = Some(now);
        let form = |secret: SecretString| match &state.form {
            Some(form) => form(secret.expose_secret()).map(SecretString::from),
            None => Some(secret),
        };
        let read =
            read.and_then(|secret| form(secret).ok_or_else(|| "what was read has not the form of it".to_owned()));
        match read {
            Ok(secret) => {
                state.trouble = None;
                Some(secret)
            }
            Err(what) => {
                let since = state.trouble.as_ref().map_or(now, |trouble| trouble.since);
                state.trouble = Some(SecretTrouble { what, since });
                None
            }
        }
    }
}

impl State {
    fn take_over(&mut self, secret: SecretString) {
        self.candidate = None;
        if secret.expose_secret() != self.current.expose_secret() {
            self.former = Some(std::mem::replace(&mut self.current, secret));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::collections::VecDeque;

    type Readings = VecDeque<Result<&'static str, &'static str>>;

    /// Gives what it is told, one after the other, and counts.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<(Readings, u32)>>);

    impl SecretSource for Told {
        fn read(&self) -> BoxFuture<'_, Result<SecretString, String>> {
            let mut told = self.0.lock().unwrap();
            told.1 += 1;
            let next = told.0.pop_front().unwrap();
            Box::pin(std::future::ready(next.map(SecretString::from).map_err(str::to_owned)))
        }
    }

    fn secret(told: &[Result<&'static str, &'static str>]) -> (Secret, Told) {
        let source = Told::default();
        source.0.lock().unwrap().0.extend(told);
        (Secret::from_source("old".into(), Box::new(source.clone())), source)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn shown(secret: &Secret) -> String {
        secret.current().expose_secret().to_owned()
    }

    fn signed(by: &'static str) -> impl Fn(&SecretString) -> Result<&'static str, Refusal> {
        move |secret| if secret.expose_secret() == by { Ok(by) } else { Err(Refusal::Forged) }
    }

    #[test]
    fn a_login_is_read_again_at_most_every_half_minute() {
        let (secret, source) = secret(&[Ok("old"), Ok("new")]);
        let used = secret.current();
        assert!(!block_on(secret.renew(&used, at(0))), "the same: nothing to try");
        assert!(!block_on(secret.renew(&used, at(29))));
        assert!(block_on(secret.renew(&used, at(30))));
        assert!(block_on(secret.renew(&used, at(31))), "somebody else has read it meanwhile");
        assert_eq!((shown(&secret).as_str(), source.0.lock().unwrap().1), ("new", 2));
        assert_eq!(secret.known().len(), 2, "what it was stays out of words too");
    }

    #[test]
    fn what_cannot_be_read_leaves_the_old_one_and_says_since_when() {
        let (secret, _) = secret(&[Err("gone"), Err("still gone"), Ok("new")]);
        let used = secret.current();
        assert!(!block_on(secret.renew(&used, at(0))) && !block_on(secret.renew(&used, at(60))));
        assert_eq!(secret.trouble(), Some(SecretTrouble { what: "still gone".into(), since: at(0) }));
        assert_eq!(shown(&secret), "old");
        assert!(block_on(secret.renew(&used, at(120))));
        assert_eq!(secret.trouble(), None);
    }

    #[test]
    fn a_webhooks_new_secret_takes_over_when_a_request_is_signed_with_it() {
        let (secret, source) = secret(&[Ok("new")]);
        assert_eq!(secret.verified(signed("new")), Err(Refusal::Forged));
        assert!(block_on(secret.look(at(0))));
        assert_eq!(secret.verified(signed("a stranger")), Err(Refusal::Forged));
        assert_eq!(secret.verified(signed("old")), Ok("old"), "the vendor's side was not changed yet");
        assert_eq!(secret.verified(signed("new")), Ok("new"));
        assert_eq!(secret.verified(signed("old")), Err(Refusal::Forged), "and that is the end of the old one");
        for second in 1..30 {
            assert!(!block_on(secret.look(at(second))), "a storm of strangers asks nobody");
        }
        assert_eq!(source.0.lock().unwrap().1, 1);
    }

    #[test]
    fn what_has_not_the_form_is_not_taken() {
        let (secret, _) = secret(&[Ok("x"), Ok(" newer ")]);
        let secret = secret.shaped(|text| (text.len() > 2).then(|| text.trim().to_owned())).unwrap();
        let used = secret.current();
        assert!(!block_on(secret.renew(&used, at(0))) && secret.trouble().is_some());
        assert!(block_on(secret.renew(&used, at(60))));
        assert_eq!(shown(&secret), "newer");
        assert!(Secret::from("x").shaped(|_| None).is_none());
    }

    #[test]
    fn what_has_no_source_is_never_due_and_never_another() {
        let (sourced, _) = secret(&[]);
        let fixed = Secret::from("from the environment");
        let used = fixed.current();
        assert!(!block_on(fixed.renew(&used, at(0))) && !block_on(fixed.look(at(0))));
        let every = SignedDuration::from_mins(5);
        assert!(!fixed.is_due(every, at(0)) && !fixed.is_due(every, at(1_000)));
        assert!(!sourced.is_due(every, at(0)) && !sourced.is_due(every, at(299)));
        assert!(sourced.is_due(every, at(300)) && !sourced.is_due(every, at(301)));
        assert_eq!(format!("{fixed:?}"), "Secret(…)");
    }
}
