//! Zendesk's dialect (Ticketing API v2), written from the Zendesk sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks and
//! what their token allows; [`limits`] counts; [`tickets`], [`history`], [`export`], [`people`] and [`sla`] read;
//! [`update`] and [`tags`] write, after [`checks`]; [`show`] and [`audit`] put things into Zendesk's form; [`paging`] cuts
//! pages; [`refusals`] has the words of every refusal; [`webhooks`] makes and signs webhooks.

mod audit;
mod checks;
mod export;
mod history;
mod limits;
mod login;
mod paging;
mod people;
mod refusals;
mod request;
mod route;
mod show;
mod sla;
mod tags;
mod tickets;
mod update;
mod webhooks;

pub use limits::Limits;

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

/// Zendesk's dialect of one account.
pub struct Zendesk {
    limiter: Mutex<Limiter>,
}

impl Zendesk {
    /// An account with these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limiter: Mutex::new(Limiter::new(limits)) }
    }

    fn carry_out(&self, desk: &mut Helpdesk, random: &mut Rng, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let endpoint = call.endpoint.ok_or(Refusal::InvalidEndpoint)?;
        if endpoint == Endpoint::Token {
            return login::token(desk, random, call);
        }
        let caller = login::caller(desk, call, endpoint)?;
        let bucket = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).count(endpoint, &caller, desk.now)?;
        let mut response = dispatch(desk, &caller, call, endpoint)?;
        limits::tell(response.headers_mut(), &bucket);
        Ok(response)
    }
}

fn dispatch(
    desk: &mut Helpdesk,
    caller: &login::Caller,
    call: &Call<'_>,
    endpoint: Endpoint,
) -> Result<Response<Bytes>, Refusal> {
    let body = match endpoint {
        Endpoint::Token => return Err(Refusal::InvalidEndpoint),
        Endpoint::CurrentToken => login::current(desk, call)?,
        Endpoint::Me => people::me(desk, caller, call),
        Endpoint::User(no) => people::user(desk, call, no)?,
        Endpoint::Requested(no) => tickets::requested(desk, caller, call, no)?,
        Endpoint::UsersShowMany => people::users(desk, call)?,
        Endpoint::UsersSearch => people::search(desk, call)?,
        Endpoint::Groups => people::groups(desk, call)?,
        Endpoint::Group(no) => people::group(desk, call, no)?,
        Endpoint::Memberships(group) => people::memberships(desk, call, group)?,
        Endpoint::OrganizationsShowMany => people::organizations(desk, call)?,
        Endpoint::TicketFields => people::fields(desk, call)?,
        Endpoint::Tickets => tickets::list(desk, caller, call)?,
        Endpoint::TicketsShowMany => tickets::many(desk, caller, call)?,
        Endpoint::Ticket(no) => tickets::show(desk, caller, call, no)?,
        Endpoint::UpdateTicket(no) => update::update(desk, caller, call, no)?,
        Endpoint::Comments(no) => history::comments(desk, caller, call, no)?,
        Endpoint::Audits(no) => history::audits(desk, caller, call, no)?,
        Endpoint::PolicyMetrics(no) => sla::metrics(desk, caller, no)?,
        Endpoint::Tags(no) => tags::list(desk, caller, no)?,
        Endpoint::AddTags(no) => tags::add(desk, caller, call, no)?,
        Endpoint::RemoveTags(no) => tags::remove(desk, caller, call, no)?,
        Endpoint::Export => export::cursor(desk, call)?,
    };
    Ok(request::json(http::StatusCode::OK, &body))
}

impl Dialect for Zendesk {
    fn name(&self) -> &'static str {
        "zendesk"
    }

    fn habits(&self) -> Habits {
        Habits { owner_opens: true, merge_tag: Some("closed_by_merge"), ..Habits::default() }
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let endpoint = Call::new(request).endpoint;
        let kind = match (endpoint, request.method()) {
            (Some(Endpoint::Token), _) => Kind::Login,
            (_, &Method::GET | &Method::HEAD) => Kind::Read,
            _ => Kind::Write,
        };
        let name = endpoint.map_or("unknown", Endpoint::name);
        Operation { name, kind, ticket: endpoint.and_then(Endpoint::ticket) }
    }

    fn answer(&self, desk: &mut Helpdesk, random: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        let call = Call::new(request);
        self.carry_out(desk, random, &call).unwrap_or_else(|refusal| refusal.response())
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after, updates: false },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::Unauthenticated,
            Trouble::Forbidden => Refusal::Forbidden,
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
