//! What Request Tracker can do (RT sheet). It limits nothing by itself, and no header tells of a site's own limits.

use crate::cursor::{LAG, OVERLAP};
use crate::stream::TRANSACTIONS;
use crate::write::NOTE_MAX_BYTES;
use handoffd_kit::capability::{Capabilities, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust};
use handoffd_kit::id::StreamName;
use handoffd_kit::model::Status;
use std::time::Duration;

/// RT's default life cycle. A ticket that is stalled waits; its due date, where a site has one, does not count for it.
const PAUSING: &[Pausing] = &[Pausing {
    word: "stalled",
    means: Status::Pending,
    resumes: "open",
    resumed: Status::Open,
    back: &[(Status::New, "new")],
}];

/// What this connector can do, with webhooks or without.
pub(crate) fn capabilities(hooked: bool) -> Capabilities {
    Capabilities {
        connector: crate::NAME,
        user_id: IdForm::Text,
        queue_id: IdForm::Number,
        together: &[],
        fixed: &[],
        guard: Guard::Leaky,
        readable_history: true,
        sla_clocks: false,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: true,
        race_free_tags: false,
        roster: Roster::WithLoad,
        // A list of watchers is replaced as a whole, and its version check has a gap.
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(60),
        webhook: if hooked { WebhookTrust::SecretPath } else { WebhookTrust::None },
        note_format: NoteFormat::Text,
        note_max_bytes: NOTE_MAX_BYTES,
        streams: vec![Stream {
            name: StreamName::from(TRANSACTIONS),
            overlap: OVERLAP,
            lag: LAG,
            carries_heads: false,
        }],
        limits: Vec::new(),
        rights: &[
            "SeeQueue",
            "ShowTicket",
            "ShowTicketComments",
            "SeeCustomField",
            "CommentOnTicket",
            "ReplyToTicket",
            "ModifyTicket",
            "ReassignTicket",
            "CreateTicket",
            "ModifyCustomField",
            "SeeGroup (to know who works in a queue)",
        ],
        checked: "November 2026, Request Tracker 5.0.3, RT sheet",
    }
}
