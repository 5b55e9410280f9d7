//! What was said on a ticket. Public and internal text are different types: a function that takes one
//! cannot be given the other, and neither turns into the other.

use super::person::Author;
use crate::fact::Fact;
use crate::id::MessageId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Text that the customer can see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicText(pub String);

/// Text that only colleagues can see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternalText(pub String);

/// The words of a message, as readable plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// To everybody on the ticket.
    Publicly(PublicText),
    /// Among colleagues.
    Internally(InternalText),
}

/// Who can see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The customer too.
    Public,
    /// Colleagues only.
    Internal,
}

impl Said {
    /// Who can see it.
    pub fn visibility(&self) -> Visibility {
        match self {
            Said::Publicly(_) => Visibility::Public,
            Said::Internally(_) => Visibility::Internal,
        }
    }

    /// The words, for reading only. For sending, match on the variant and keep its type.
    pub fn words(&self) -> &str {
        match self {
            Said::Publicly(PublicText(words)) | Said::Internally(InternalText(words)) => words,
        }
    }
}

/// One message or note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The vendor's id.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Author,
    /// What it says, and to whom.
    pub said: Said,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
    /// Whether a machine wrote it (an automatic answer, a bounce), as far as the desk shows the signs.
    #[serde(default)]
    pub by_machine: Fact<bool>,
}

/// A file on a message; never downloaded by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// Its media type, where stated.
    pub media_type: Option<String>,
    /// Its size in bytes, where stated.
    pub bytes: Option<u64>,
    /// Where a colleague who is logged in can open it.
    pub link: Option<String>,
}
