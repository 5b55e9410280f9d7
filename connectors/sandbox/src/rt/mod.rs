//! Request Tracker 5's dialect (REST 2.0), written from the RT sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks;
//! [`condition`] reads TicketSQL and JSON conditions and [`lists`] cuts pages and picks fields; [`record`] puts things
//! into RT's form; [`transactions`] derives RT's history from ours; [`tickets`], [`attachments`] and [`catalog`] read;
//! [`update`] and [`say`] write; [`refusals`] has the words of every refusal; [`hooks`] posts.

mod attachments;
mod catalog;
mod condition;
mod hooks;
mod lists;
mod login;
mod parse;
mod record;
mod refusals;
mod request;
mod route;
mod say;
mod tickets;
mod transactions;
mod update;

use crate::dialect::{Dialect, Operation, Trouble};
use crate::ids::{ChangeNo, TicketNo};
use crate::journal::Kind;
use crate::outbox::Post;
use crate::store::{Habits, Helpdesk, Hook};
use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request, Response};
use refusals::Refusal;
use request::{Call, json};
use route::Endpoint;

/// Request Tracker's dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rt;

type Answered = Result<Response<Bytes>, Refusal>;

fn carry_out(desk: &mut Helpdesk, call: &Call<'_>) -> Answered {
    let me = login::caller(desk, call)?;
    let endpoint = call.endpoint.as_ref().ok_or(Refusal::NotFound)?;
    if let Some(answer) = write(desk, me, call, endpoint) {
        return answer;
    }
    let body = match endpoint {
        Endpoint::About => catalog::about(),
        Endpoint::Ticket(no) => return tickets::show(desk, me, call, *no),
        Endpoint::Tickets => tickets::list(desk, me, call)?,
        Endpoint::History(no) => transactions::history(desk, me, call, *no)?,
        Endpoint::Transaction(no) => transactions::show(desk, me, call, *no)?,
        Endpoint::Transactions => transactions::list(desk, me, call)?,
        Endpoint::TicketAttachments(no) => attachments::of_ticket(desk, me, call, *no)?,
        Endpoint::TransactionAttachments(no) => attachments::of_transaction(desk, me, call, *no)?,
        Endpoint::Attachment(no) => attachments::show(desk, me, call, *no)?,
        Endpoint::Attachments => attachments::search(desk, me, call)?,
        Endpoint::Queues => catalog::queues(desk, me, call),
        Endpoint::Queue(name) => catalog::queue(desk, me, call, name)?,
        Endpoint::Group(no) => catalog::group(desk, me, call, *no)?,
        Endpoint::User(who) => catalog::user(desk, me, call, who)?,
        Endpoint::Users => catalog::users(desk, me, call)?,
        Endpoint::CustomFields => catalog::fields(desk, me, call)?,
        _ => return Err(Refusal::NotFound),
    };
    Ok(json(http::StatusCode::OK, &body))
}

/// Carries a write out; `None`: it is none.
fn write(desk: &mut Helpdesk, me: crate::ids::PersonNo, call: &Call<'_>, endpoint: &Endpoint) -> Option<Answered> {
    Some(match endpoint {
        Endpoint::UpdateTicket(no) => update::update(desk, me, call, *no),
        Endpoint::Own(no, act) => update::own(desk, me, *no, *act),
        Endpoint::Say(no, visibility) => say::say(desk, me, call, *no, *visibility),
        Endpoint::DeleteTicket(_) => Err(Refusal::ServerError),
        Endpoint::Patch => Err(Refusal::NotImplemented),
        _ => return None,
    })
}

impl Dialect for Rt {
    fn name(&self) -> &'static str {
        "rt"
    }

    fn habits(&self) -> Habits {
        Habits::default()
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let endpoint = Call::new(request).endpoint;
        let searches = matches!(endpoint, Some(Endpoint::Users | Endpoint::Attachments | Endpoint::CustomFields));
        let reads = matches!(*request.method(), Method::GET | Method::HEAD) || searches;
        let name = endpoint.as_ref().map_or("unknown", Endpoint::name);
        let kind = if reads { Kind::Read } else { Kind::Write };
        Operation { name, kind, ticket: endpoint.as_ref().and_then(Endpoint::ticket) }
    }

    fn answer(&self, desk: &mut Helpdesk, _random: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        carry_out(desk, &Call::new(request)).unwrap_or_else(|refusal| refusal.response())
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::Unauthorized,
            Trouble::Forbidden => Refusal::Forbidden,
        }
        .response()
    }

    fn sign(&self, _desk: &Helpdesk, _post: &mut Post) {
        // RT's hooks carry no signature: the token in the address is all there is.
    }

    fn webhook(&self, desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
        hooks::posts(desk, hook, ticket, change)
    }
}
