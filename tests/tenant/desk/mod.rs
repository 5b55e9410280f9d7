//! The tenant: tickets, people, groups; what it answers, and what it writes down about each question.
//!
//! Time is an argument, so that the same tenant serves a real daemon over loopback (`serve`) and a house in this process.

pub mod faults;
pub mod hooks;
pub mod journal;
pub mod serve;
pub mod ticket;

mod export;
mod limits;
mod login;
mod people;
mod read;
mod refusal;
mod route;
mod update;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use faults::{Does, Fault};
use hooks::Event;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use journal::{Asked, Journal};
use limits::Limits;
use login::Login;
use people::User;
use refusal::Refusal;
use route::Way;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use ticket::Ticket;

pub use login::{CLIENT, SECRET};
pub use people::{AGENTS, BILLING, BOT, CUSTOMER_FROM, INCOMING, REFUND_EUR, SALES, SUPPORT};
pub use route::Question;
pub use update::Edits;

/// One account at the vendor.
pub struct Tenant {
    pub tickets: BTreeMap<i64, Ticket>,
    pub journal: Journal,
    /// The first that fits a request decides what goes wrong with it.
    pub faults: Vec<Fault>,
    /// Events that the vendor has not posted yet.
    pub events: Vec<Event>,
    pub limits: Limits,
    pub login: Login,
    groups: BTreeMap<i64, &'static str>,
    users: BTreeMap<i64, User>,
    members: BTreeSet<(i64, i64)>,
    next_id: i64,
}

/// What comes back over the wire.
pub enum Reply {
    /// An answer.
    Answer(Response<Bytes>),
    /// The connection could not be made.
    Unreachable,
    /// The connection was closed without an answer.
    Cut,
    /// Whatever was asked has been done, and no answer ever comes.
    Held,
}

impl Tenant {
    /// An account with its groups and people, and no tickets.
    pub fn new() -> Self {
        Self {
            tickets: BTreeMap::new(),
            journal: Journal::default(),
            faults: Vec::new(),
            events: Vec::new(),
            limits: Limits::default(),
            login: Login::default(),
            groups: people::groups(),
            users: people::users(),
            members: people::members(),
            next_id: 500_000_000,
        }
    }

    /// The next id in the account's one row of numbers.
    pub fn new_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// Answers one request, and writes it down.
    pub fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Reply {
        let question = match route::read(request) {
            Ok(question) => question,
            Err(refusal) => {
                self.journal.complain(format!("{} {}: {}", request.method(), request.uri().path(), refusal.body()));
                return Reply::Answer(refusal.response());
            }
        };
        let fault = Fault::take(&mut self.faults, &question);
        match fault {
            Some(Does::Unreachable) => return self.note(&question, now, None, Reply::Unreachable),
            Some(Does::Cut) => return self.note(&question, now, None, Reply::Cut),
            Some(Does::Say(refusal)) => {
                let response = refusal.response();
                let status = response.status();
                return self.note(&question, now, Some(status), Reply::Answer(response));
            }
            _ => {}
        }
        let mut response = match self.work(&question, request, now) {
            Ok(value) => json(&value),
            Err(refusal) => refusal.response(),
        };
        self.limits.tell(response.headers_mut(), now);
        let status = response.status();
        match fault {
            Some(Does::CutAfter) => self.note(&question, now, Some(status), Reply::Cut),
            Some(Does::Hold) => self.note(&question, now, Some(status), Reply::Held),
            Some(Does::Garble) => {
                *response.body_mut() = Bytes::from_static(b"{\"ticket\":{\"id\":35");
                self.note(&question, now, Some(status), Reply::Answer(response))
            }
            _ => self.note(&question, now, Some(status), Reply::Answer(response)),
        }
    }

    fn note(&mut self, question: &Question, at: Timestamp, status: Option<StatusCode>, reply: Reply) -> Reply {
        let answered =
            matches!(&reply, Reply::Answer(response) if serde_json::from_slice::<Value>(response.body()).is_ok());
        self.journal.requests.push(Asked {
            at,
            endpoint: question.way.endpoint(),
            writes: question.way.writes(),
            ticket: question.way.ticket(),
            status: status.map(|status| status.as_u16()),
            answered,
        });
        if !answered {
            self.journal.unanswered(question.way.ticket());
        }
        reply
    }

    /// Checks login and limits, then does what is asked.
    fn work(&mut self, question: &Question, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refusal> {
        if question.way == Way::Token {
            return self.login.token(request, &mut self.journal, now);
        }
        let scope = match self.login.scope_of(request, now)? {
            Some(scope) => scope,
            None if question.way == Way::Me => return Ok(people::anonymous()),
            None => return Err(Refusal::unauthorized()),
        };
        self.limits.take(question, now)?;
        login::allowed(&scope, question)?;
        match question.way {
            Way::Token => Err(Refusal::not_found()),
            Way::Me => Ok(self.me()),
            Way::TokenInfo => Ok(serde_json::json!({ "token": { "scopes": scope } })),
            Way::Groups => self.list_groups(question),
            Way::Assignable => self.list_members(question, None),
            Way::Members(group) => self.list_members(question, Some(group)),
            Way::Users => self.show_users(question),
            Way::Organizations => Ok(serde_json::json!({ "organizations": [] })),
            Way::Fields => Ok(people::fields()),
            Way::Ticket(id) => self.show_ticket(id),
            Way::Audits(id) => self.show_audits(id, question),
            Way::Comments(id) => self.show_comments(id, question),
            Way::Clocks(id) => self.show_clocks(id),
            Way::Export => self.export(question, now),
            Way::List => self.list_tickets(question),
            Way::Update(id) => self.update(id, request, now),
            Way::AddTags(id) | Way::RemoveTags(id) => self.change_tags(id, question.way, request, now),
        }
    }
}

fn json(value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
