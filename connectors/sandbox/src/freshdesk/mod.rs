//! Freshdesk's dialect (REST API v2), written from the Freshdesk sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks;
//! [`limits`] counts; [`tickets`] and [`people`] read; [`update`] and [`say`] write; [`show`] puts things into Freshdesk's
//! form; [`refusals`] has the words of every refusal; [`webhooks`] makes what automation rules post.

mod limits;
mod login;
mod people;
mod refusals;
mod request;
mod route;
mod say;
mod show;
mod tickets;
mod update;
mod webhooks;

pub use limits::Plan;
pub use show::field_name;
pub use webhooks::SECRET_HEADER;

use crate::dialect::{Dialect, Operation, Trouble};
use crate::ids::{ChangeNo, TicketNo};
use crate::journal::Kind;
use crate::outbox::Post;
use crate::store::{Habits, Helpdesk, Hook};
use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request, Response};
use limits::Limiter;
use refusals::Refusal;
use request::Call;
use route::Endpoint;
use std::sync::{Mutex, PoisonError};

/// Freshdesk's dialect of one account.
pub struct Freshdesk {
    limiter: Mutex<Limiter>,
}

impl Freshdesk {
    /// An account on this plan.
    pub fn new(plan: Plan) -> Self {
        Self { limiter: Mutex::new(Limiter::new(plan)) }
    }

    fn carry_out(&self, desk: &mut Helpdesk, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let caller = login::caller(desk, call)?;
        let endpoint = call.endpoint.ok_or(Refusal::NotFound)?;
        let left = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).count(endpoint, call, desk.now)?;
        let mut response = dispatch(desk, &caller, call, endpoint).unwrap_or_else(|refusal| refusal.response());
        limits::tell(response.headers_mut(), &left);
        Ok(response)
    }
}

fn dispatch(
    desk: &mut Helpdesk,
    caller: &login::Caller,
    call: &Call<'_>,
    endpoint: Endpoint,
) -> Result<Response<Bytes>, Refusal> {
    match endpoint {
        Endpoint::Me => people::me(desk, caller),
        Endpoint::Agents => people::agents(desk, call),
        Endpoint::Groups => people::groups(desk, call),
        Endpoint::Group(no) => people::group(desk, no),
        Endpoint::Contact(no) => people::contact(desk, no),
        Endpoint::Company(no) => people::company(desk, no),
        Endpoint::TicketFields => people::fields(desk, call),
        Endpoint::AdminFields => people::admin_fields(desk, caller, call),
        Endpoint::AdminField(no) => people::admin_field(desk, caller, no),
        Endpoint::Tickets => tickets::list(desk, caller, call),
        Endpoint::Ticket(no) => tickets::one(desk, caller, call, no),
        Endpoint::Conversations(no) => tickets::conversations(desk, caller, call, no),
        Endpoint::UpdateTicket(no) => update::update(desk, caller, call, no),
        Endpoint::AddNote(no) => say::note(desk, caller, call, no),
        Endpoint::Reply(no) => say::reply(desk, caller, call, no),
    }
}

impl Dialect for Freshdesk {
    fn name(&self) -> &'static str {
        "freshdesk"
    }

    fn habits(&self) -> Habits {
        // A group's change does not clear the agent by itself (from memory in the sheet).
        Habits { owner_stays: true, ..Habits::default() }
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let endpoint = Call::new(request).endpoint;
        let kind = match *request.method() {
            Method::GET | Method::HEAD => Kind::Read,
            _ => Kind::Write,
        };
        Operation {
            name: endpoint.map_or("unknown", Endpoint::name),
            kind,
            ticket: endpoint.and_then(Endpoint::ticket),
        }
    }

    fn answer(&self, desk: &mut Helpdesk, _: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        let call = Call::new(request);
        self.carry_out(desk, &call).unwrap_or_else(|refusal| refusal.response())
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::InvalidCredentials,
            Trouble::Forbidden => Refusal::AccessDenied,
        }
        .response()
    }

    /// Freshdesk signs nothing (Freshdesk sheet, *Webhooks*).
    fn sign(&self, _: &Helpdesk, _: &mut Post) {}

    fn webhook(&self, desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
        webhooks::posts(desk, hook, ticket, change)
    }
}
