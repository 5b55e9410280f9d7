//! The common ticket. A *head* is what a list or one read gives; *parts* are read only when asked for.

mod field;
mod head;
mod parts;
mod person;
mod said;

pub use field::{FieldType, FieldValue};
pub use head::{Ending, Priority, QueueRef, Related, Status, TicketHead, Tie};
pub use parts::{
    Actor, Change, ClockState, Contacts, Conversation, Customer, Organization, PartKind, PartSet, Parts, PastTicket,
    VendorClock, What,
};
pub use person::{Author, Person, Role};
pub use said::{Attachment, InternalText, Message, PublicText, Said, Visibility};
