//! Who asks (RT sheet, *Authentication*).

use super::refusals::Refusal;
use super::request::Call;
use crate::ids::PersonNo;
use crate::store::Helpdesk;
use http::header::{AUTHORIZATION, COOKIE, USER_AGENT};

/// The person whose token it is: in the header, or in the query.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>) -> Result<PersonNo, Refusal> {
    let header = call.header(&AUTHORIZATION).and_then(|header| header.strip_prefix("token "));
    let token = header.or_else(|| call.param("token"));
    let grant = token.and_then(|token| desk.access.grant(token.trim(), desk.now));
    let person = grant.and_then(|grant| desk.person(grant.person)).filter(|person| !person.suspended);
    let looks_like_a_browser =
        call.header(&COOKIE).is_some() || call.header(&USER_AGENT).is_some_and(|agent| agent.contains("Mozilla"));
    match person {
        Some(person) => Ok(person.no),
        None if looks_like_a_browser => Err(Refusal::ToLogin),
        None => Err(Refusal::Unauthorized),
    }
}
