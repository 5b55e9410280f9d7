//! The dialect of Jira Service Management (Cloud): Jira's platform API, version 3, and the service desk API above it. Written from
//! the Jira Service Management sheet and sharing no code with the connector.
//!
//! In reading order: [`request`] takes a request apart and [`route`] finds what it asks for; [`login`] says who asks and what they
//! may do; [`words`] has the names and numbers of statuses, priorities and fields; [`jql`] reads a query; [`issues`], [`comments`],
//! [`history`], [`sla`] and [`people`] read; [`update`] and [`transitions`] write; [`wiki`] is how a comment's text is taken in;
//! [`show`] puts things into Jira's form; [`refusals`] has the words of every refusal; [`webhooks`] makes what Jira posts.

mod comments;
mod history;
mod issues;
mod jql;
mod login;
mod people;
mod refusals;
mod request;
mod route;
mod show;
mod sla;
mod transitions;
mod update;
mod webhooks;
mod wiki;
mod words;

pub use words::{PROJECT, TEAM_FIELD, account_id, field_id};

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

/// Jira Service Management's dialect.
pub struct Jira;

fn carry_out(desk: &mut Helpdesk, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let caller = login::caller(desk, call).map_err(|refusal| login::as_anybody(call, refusal))?;
    match call.endpoint.ok_or(Refusal::NoRoute)? {
        Endpoint::Myself => people::myself(&caller),
        Endpoint::Fields => people::fields(desk),
        Endpoint::Statuses => people::statuses(),
        Endpoint::User => people::user(desk, call),
        Endpoint::Assignable => people::assignable(desk, &caller, call),
        Endpoint::Members => people::members(desk, call),
        Endpoint::Permissions => people::permissions(desk, &caller, call),
        Endpoint::Suggestions => people::suggestions(desk, call),
        Endpoint::Search => issues::search(desk, &caller, call),
        Endpoint::Issue(no) => issues::one(desk, &caller, call, no),
        Endpoint::EditMeta(no) => issues::edit_meta(desk, &caller, no),
        Endpoint::Changelog(no) => history::of_issue(desk, &caller, call, no),
        Endpoint::Comments(no) => comments::of_issue(desk, &caller, call, no),
        Endpoint::AddComment(no) => comments::add_on_platform(desk, &caller, call, no),
        Endpoint::DeleteComment(no, comment) => comments::delete(desk, &caller, no, comment),
        Endpoint::RequestComment(no) => comments::add_to_request(desk, &caller, call, no),
        Endpoint::Sla(no) => sla::of_request(desk, &caller, call, no),
        Endpoint::Update(no) => update::update(desk, &caller, call, no),
        Endpoint::Transitions(no) => transitions::list(desk, &caller, no),
        Endpoint::Transition(no) => transitions::go(desk, &caller, call, no),
    }
}

impl Dialect for Jira {
    fn name(&self) -> &'static str {
        "jira-service-management"
    }

    /// A field's change takes nobody off an issue.
    fn habits(&self) -> Habits {
        Habits { owner_stays: true, ..Habits::default() }
    }

    fn operation(&self, request: &Request<Bytes>) -> Operation {
        let call = Call::new(request);
        let kind = match (request.method(), call.endpoint) {
            (&Method::GET | &Method::HEAD, _) | (_, Some(Endpoint::Search)) => Kind::Read,
            _ => Kind::Write,
        };
        let ticket = call.endpoint.and_then(Endpoint::ticket);
        Operation { name: call.endpoint.map_or("unknown", Endpoint::name), kind, ticket }
    }

    fn answer(&self, desk: &mut Helpdesk, _: &mut Rng, request: &Request<Bytes>) -> Response<Bytes> {
        let call = Call::new(request);
        carry_out(desk, &call).unwrap_or_else(|refusal| refusal.response(call.of_service_desk()))
    }

    fn trouble(&self, trouble: Trouble) -> Response<Bytes> {
        match trouble {
            Trouble::RateLimited { retry_after } => Refusal::TooMany { retry_after },
            Trouble::ServerError => Refusal::ServerError,
            Trouble::Unavailable => Refusal::Unavailable,
            Trouble::Unauthorized => Refusal::Unauthorized,
            Trouble::Forbidden => Refusal::forbidden("You do not have permission to do this."),
        }
        .response(false)
    }

    fn sign(&self, desk: &Helpdesk, post: &mut Post) {
        webhooks::sign(desk, post);
    }

    fn webhook(&self, desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
        webhooks::posts(desk, hook, ticket, change)
    }
}
