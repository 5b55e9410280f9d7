//! The checks, one file for each group of promises.

mod ending;
mod finding;
mod guarding;
mod owning;
mod reading;
mod refusing;
mod streaming;
mod webhooks;
mod writing;

use super::ground::{Ground, Tried};
use crate::capability::Capabilities;
use std::future::Future;
use std::pin::Pin;

/// A promise and how it is tried.
pub(super) struct Check {
    /// The promise as a sentence.
    pub promise: &'static str,
    /// Why the desk does not make it; none: it does.
    pub not_declared: fn(&Capabilities) -> Option<&'static str>,
    /// Tries it.
    pub try_it: TryIt,
}

type TryIt = for<'a, 'b> fn(&'a mut Ground<'b>) -> Pin<Box<dyn Future<Output = Tried> + 'a>>;

/// A promise that every desk makes.
const fn always(promise: &'static str, try_it: TryIt) -> Check {
    Check { promise, not_declared: |_| None, try_it }
}

/// All checks, in the order in which a reader of the report wants them.
pub(super) fn all() -> impl Iterator<Item = &'static Check> {
    [
        reading::CHECKS,
        streaming::CHECKS,
        writing::CHECKS,
        owning::CHECKS,
        guarding::CHECKS,
        finding::CHECKS,
        ending::CHECKS,
        refusing::CHECKS,
        webhooks::CHECKS,
    ]
    .into_iter()
    .flatten()
}
