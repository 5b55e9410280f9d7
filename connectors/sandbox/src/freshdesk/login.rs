//! Who asks: the API key stands where a user name would, the password is any text (Freshdesk sheet, *Base URL and auth*).

use super::refusals::Refusal;
use super::request::Call;
use crate::people::Person;
use crate::store::Helpdesk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Who asks.
pub(super) struct Caller {
    pub(super) person: Person,
}

/// Who asks, if it is an agent who is let in.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>) -> Result<Caller, Refusal> {
    let pair = call.authorization().and_then(|header| header.strip_prefix("Basic "));
    let pair = pair.and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.ok_or(Refusal::InvalidCredentials)?;
    let (key, _) = pair.split_once(':').ok_or(Refusal::InvalidCredentials)?;
    let grant = desk.access.grant(key, desk.now).ok_or(Refusal::InvalidCredentials)?;
    let person = desk.person(grant.person).filter(|person| person.role.is_staff() && !person.suspended);
    person.cloned().map(|person| Caller { person }).ok_or(Refusal::InvalidCredentials)
}
