//! Zammad's dialect (REST API v1), written from the Zammad sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks;
//! [`words`] has the numbers and names of states and priorities; [`tickets`], [`people`] and [`history`] read; [`update`],
//! [`articles`] and [`tags`] write; [`show`] puts things into Zammad's form; [`refusals`] has the words of every refusal;
//! [`webhooks`] makes what triggers post.

mod articles;
mod history;
mod login;
mod people;
mod refusals;
mod request;
mod route;
mod show;
mod tags;
mod tickets;
mod update;
mod webhooks;
mod words;

pub use show::field_name;

use crate::dialect::{Dialect, Operation, Trouble};
use crate::ids::{ChangeNo, TicketNo};
use crate::journal::Kind;
use crate::outbox::Post;
use crate::store::{Habits, Helpdesk, Hook};
use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request, Response};
use refusals::Refusal;
use request::Call;
use route::Endpoint;

/// Zammad's dialect.
pub struct Zammad;

fn carry_out(desk: &mut Helpdesk, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let caller = login::caller(desk, call)?;
    match call.endpoint.ok_or(Refusal::NoRoute)? {
        Endpoint::Me => people::me(desk, &caller, call),
        Endpoint::User(no) => people::user(desk, no, call),
        Endpoint::Groups => people::groups(desk, &caller, call),
        Endpoint::Group(no) => people::group(desk, &caller, no),
        Endpoint::Organization(no) => people::organization(desk, no),
        Endpoint::States => people::states(call),
        Endpoint::Priorities => people::priorities(call),
        Endpoint::Search => tickets::search(desk, &caller, call),
        Endpoint::Ticket(no) => tickets::one(desk, &caller, call, no),
        Endpoint::Articles(no) => articles::of_ticket(desk, &caller, no),
        Endpoint::History(no) => history::of_ticket(desk, &caller, no),
        Endpoint::Tags => tags::list(desk, &caller, call),
        Endpoint::Links => tickets::links(desk, &caller, call),
        Endpoint::UpdateTicket(no) => update::update(desk, &caller, call, no),
        Endpoint::AddArticle => articles::add(desk, &caller, call),
        Endpoint::AddTag => tags::change(desk, &caller, call, true),
        Endpoint::RemoveTag => tags::change(desk, &caller, call, false),
    }
}

impl Dialect for Zammad {
    fn name(&self) -> &'static str {
        "zammad"
    }

    /// An owner without rights in the new group is taken off the ticket (Zammad sheet, *Write-back*).
    fn habits(&self) -> Habits {
        Habits::default()
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let call = Call::new(request);
        let kind = match (request.method(), call.endpoint) {
            (&Method::GET | &Method::HEAD, _) | (_, Some(Endpoint::Search)) => Kind::Read,
            _ => Kind::Write,
        };
        Operation { name: call.endpoint.map_or("unknown", Endpoint::name), kind, ticket: call.ticket() }
    }

    fn answer(&self, desk: &mut Helpdesk, _: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        carry_out(desk, &Call::new(request)).unwrap_or_else(|refusal| refusal.response())
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::InvalidToken,
            Trouble::Forbidden => Refusal::NotAuthorized,
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
