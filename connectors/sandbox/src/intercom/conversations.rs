//! `GET /conversations/{id}`: the conversation with its parts.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show::{self, With};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use bytes::Bytes;
use http::Response;

/// One conversation.
pub(super) fn one(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.conversation(desk, no)?;
    ok(&show::conversation(desk, ticket, With { parts: true, levels: call.speaks_levels(), plain: call.wants_plain() }))
}

/// What every write to a conversation is answered with: the conversation with its parts.
pub(super) fn written(desk: &Helpdesk, call: &Call<'_>, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotFound)?;
    ok(&show::conversation(desk, ticket, With { parts: true, levels: call.speaks_levels(), plain: false }))
}
