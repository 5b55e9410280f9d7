//! Intercom's dialect (REST API 2.16), written from the Intercom sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks and
//! [`limits`] how often they may; [`conversations`], [`search`] and [`people`] read; [`reply`], [`manage`], [`update`] and
//! [`tags`] write; [`parts`] makes the parts of a conversation of its history; [`show`] puts things into Intercom's form;
//! [`refusals`] has the words of every refusal; [`webhooks`] makes what an app's subscription posts.

mod conversations;
mod limits;
mod login;
mod manage;
mod parts;
mod people;
mod refusals;
mod reply;
mod request;
mod route;
mod search;
mod show;
mod tags;
mod update;
mod webhooks;

use crate::dialect::{Dialect, Operation, Trouble};
use crate::ids::{ChangeNo, TicketNo};
use crate::journal::Kind;
use crate::outbox::Post;
use crate::store::{Habits, Helpdesk, Hook};
use crate::ticket::FieldDef;
use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request, Response};
use limits::Limiter;
use refusals::Refusal;
use request::Call;
use route::Endpoint;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How many calls the larger of the two figures that are published allows in ten seconds (Intercom sheet, *Rate limits*).
pub const PRIVATE_APP: u32 = 1_666;

/// Intercom's dialect of one workspace.
pub struct Intercom {
    limiter: Mutex<Limiter>,
    /// Labels that were made and stand on nothing yet.
    made: Mutex<BTreeSet<String>>,
}

impl Intercom {
    /// A workspace whose app may make this many calls in ten seconds.
    pub fn new(calls: u32) -> Self {
        Self { limiter: Mutex::new(Limiter::new(calls)), made: Mutex::default() }
    }

    fn carry_out(&self, desk: &mut Helpdesk, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let caller = login::caller(desk, call)?;
        call.version()?;
        let left = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).count(desk.now);
        let mut response = match &left {
            Ok(_) => self.dispatch(desk, &caller, call).unwrap_or_else(|refusal| refusal.response()),
            Err(refusal) => refusal.response(),
        };
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner).tell(response.headers_mut());
        Ok(response)
    }

    fn dispatch(
        &self,
        desk: &mut Helpdesk,
        caller: &login::Caller,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Refusal> {
        match call.endpoint.ok_or(Refusal::NotFound)? {
            Endpoint::Me => people::me(caller),
            Endpoint::Admins => people::admins(desk, caller),
            Endpoint::Teams => people::teams(desk, caller),
            Endpoint::Contact(no) => people::contact(desk, no),
            Endpoint::Company(no) => people::company(desk, no),
            Endpoint::Search => search::conversations(desk, caller, call),
            Endpoint::Conversation(no) => conversations::one(desk, caller, call, no),
            Endpoint::Update(no) => update::update(desk, caller, call, no),
            Endpoint::Reply(no) => reply::reply(desk, caller, call, no),
            Endpoint::Manage(no) => manage::manage(desk, caller, call, no),
            Endpoint::Tags => tags::list(desk, &self.made.lock().unwrap_or_else(PoisonError::into_inner)),
            Endpoint::MakeTag => {
                tags::make(caller, call, &mut self.made.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Endpoint::AddTag(no) => {
                let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tags::add(desk, caller, call, no, &made)
            }
            Endpoint::RemoveTag(no, tag) => tags::remove(desk, caller, call, no, tag),
        }
    }
}

impl Dialect for Intercom {
    fn name(&self) -> &'static str {
        "intercom"
    }

    /// A conversation's team and admin are two slots: a move leaves the admin where they are (Intercom sheet, *Write-back*).
    fn habits(&self) -> Habits {
        Habits { owner_stays: true, ..Habits::default() }
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let endpoint = Call::new(request).endpoint;
        let kind = match (request.method(), endpoint) {
            (&Method::GET | &Method::HEAD, _) | (_, Some(Endpoint::Search)) => Kind::Read,
            _ => Kind::Write,
        };
        let ticket = endpoint.and_then(Endpoint::ticket);
        Operation { name: endpoint.map_or("unknown", Endpoint::name), kind, ticket }
    }

    fn answer(&self, desk: &mut Helpdesk, _: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        self.carry_out(desk, &Call::new(request)).unwrap_or_else(|refusal| refusal.response())
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::Unauthorized,
            Trouble::Forbidden => Refusal::Forbidden { scope: "write_conversations" },
        }
        .response()
    }

    fn sign(&self, desk: &Helpdesk, post: &mut Post) {
        webhooks::sign(desk, post);
    }

    fn webhook(&self, desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
        webhooks::posts(desk, hook, ticket, change)
    }
}

/// How the API names a custom attribute: as people do.
pub fn field_name(def: &FieldDef) -> String {
    def.name.clone()
}
