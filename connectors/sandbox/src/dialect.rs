//! What a vendor's dialect must answer. It reads a request, checks it as the vendor would, changes the helpdesk, and
//! writes the answer in the vendor's own form.

use crate::ids::{ChangeNo, TicketNo};
use crate::journal::Kind;
use crate::outbox::Post;
use crate::store::{Habits, Helpdesk, Hook};
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use jiff::SignedDuration;

/// A vendor's dialect.
pub trait Dialect: Send + Sync {
    /// The connector's name for this vendor.
    fn name(&self) -> &'static str;

    /// What this vendor's helpdesk does by itself.
    fn habits(&self) -> Habits;

    /// What a request is for.
    fn operation(&self, request: &Request<Bytes>) -> Operation;

    /// Carries a request out.
    fn answer(&self, desk: &mut Helpdesk, random: &mut Rng, request: &Request<Bytes>) -> Response<Bytes>;

    /// What this vendor answers when it refuses everything.
    fn trouble(&self, trouble: Trouble) -> Response<Bytes>;

    /// Signs a webhook that leaves now, where this vendor signs.
    fn sign(&self, desk: &Helpdesk, post: &mut Post);

    /// The webhooks that a hook posts about a change.
    fn webhook(&self, desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post>;
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it is called in the dialect: "update ticket".
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// The ticket that its path names.
    pub ticket: Option<TicketNo>,
}

/// Why everything is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Too many calls.
    RateLimited {
        /// How long to wait, if it is said.
        retry_after: Option<SignedDuration>,
    },
    /// The helpdesk failed.
    ServerError,
    /// The helpdesk is down for maintenance.
    Unavailable,
    /// The login is refused.
    Unauthorized,
    /// The right is missing.
    Forbidden,
}
