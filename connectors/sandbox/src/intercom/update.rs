//! `PUT /conversations/{id}`: custom attributes, title, whether it was read (Intercom sheet, *Write-back*). A priority is not
//! among what can be set.

use super::conversations::written;
use super::field_name;
use super::login::Caller;
use super::refusals::Refusal;
use super::request::Call;
use crate::change::{By, Update};
use crate::ids::{FieldNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Cause, FieldDef, FieldType};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Carries an update out.
pub(super) fn update(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    caller.changeable(desk, no)?;
    let body = call.body(&["custom_attributes", "title", "read", "company_id"])?;
    let mut update = Update::default();
    for (key, sent) in &body {
        match (key.as_str(), sent) {
            ("custom_attributes", Value::Object(attributes)) => update.fields = fields(desk, attributes)?,
            ("title", Value::String(title)) => update.subject = Some(title.clone()),
            // Nothing here shows whether it was read.
            ("read", Value::Bool(_)) => desk.touch(no),
            (key, _) => return Err(Refusal::invalid(format!("{key} is invalid"))),
        }
    }
    let by = By { person: caller.person.no, cause: Cause::Request, custom: Value::Null };
    desk.update(no, &by, update);
    written(desk, call, no)
}

fn fields(desk: &Helpdesk, attributes: &Map<String, Value>) -> Result<BTreeMap<FieldNo, Vec<String>>, Refusal> {
    let one = |(name, sent): (&String, &Value)| {
        let def = desk.fields.values().find(|def| field_name(def) == *name);
        let def = def.ok_or_else(|| Refusal::invalid(format!("Custom attribute '{name}' does not exist")))?;
        Ok((def.no, value(def, sent)?))
    };
    attributes.iter().map(one).collect()
}

/// A custom attribute's values.
fn value(def: &FieldDef, sent: &Value) -> Result<Vec<String>, Refusal> {
    match (def.kind, sent) {
        (_, Value::Null) => Ok(vec![]),
        (FieldType::Number, Value::Number(number)) => Ok(vec![number.to_string()]),
        (FieldType::YesNo, Value::Bool(yes)) => Ok(vec![yes.to_string()]),
        (FieldType::Date, Value::String(date)) if date.parse::<jiff::civil::Date>().is_ok() => Ok(vec![date.clone()]),
        (FieldType::Choice, Value::String(text)) if def.options.contains(text) => Ok(vec![text.clone()]),
        (FieldType::Text, Value::String(text)) if text.is_empty() => Ok(vec![]),
        (FieldType::Text, Value::String(text)) => Ok(vec![text.clone()]),
        _ => Err(Refusal::invalid(format!("Custom attribute '{}' has a value of another type", def.name))),
    }
}
