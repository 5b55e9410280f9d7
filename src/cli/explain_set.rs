//! What-if for `explain`: sets facts of a ticket that was read, in memory only.

use crate::policy::rules::DeskPolicy;
use anyhow::{Context as _, bail};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::TicketHead;
use serde_json::Value;

/// Sets one `FACT=VALUE` on a head.
///
/// # Errors
/// An unknown fact, or a value it cannot have.
pub fn set(head: &mut TicketHead, setting: &str, desk: Option<&DeskPolicy>) -> anyhow::Result<()> {
    let (fact, value) = setting.split_once('=').with_context(|| format!("`{setting}`: write FACT=VALUE"))?;
    let word = |value: &str| Value::String(value.to_owned());
    match fact.strip_prefix("ticket.").unwrap_or(fact) {
        "subject" => head.subject = Fact::Known(value.to_owned()),
        "text" => head.text = Fact::Known(value.to_owned()),
        "channel" => head.channel = Fact::Known(value.to_owned()),
        "tags" => {
            head.tags =
                Fact::Known(value.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Into::into).collect())
        }
        "status" => {
            let status = serde_json::from_value(word(value));
            head.status = Fact::Known(status.context("status is one of new, open, pending, on_hold, solved, closed")?);
        }
        "priority" => {
            let priority = serde_json::from_value(word(value));
            head.priority = Fact::Known(Some(priority.context("priority is one of low, normal, high, urgent")?));
        }
        other => {
            let Some(name) = other.strip_prefix("fields.") else {
                bail!("`{fact}` cannot be set; use subject, text, channel, tags, status, priority or fields.NAME");
            };
            let field = desk.and_then(|desk| desk.fields.get(name));
            let field = field.with_context(|| format!("the desk declares no field {name}"))?;
            head.fields.insert(field.id.clone(), word(value));
        }
    }
    Ok(())
}
