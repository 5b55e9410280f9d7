//! What Zammad can do and allows (Zammad sheet, *Write-back*, *Rate limits*).

use crate::NAME;
use handoffd_kit::ask::ACCOUNT;
use handoffd_kit::capability::{
    Aspect, Capabilities, DeclaredLimit, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::model::Status;
use std::time::Duration;

/// The stream of tickets that changed.
pub(crate) const TICKETS: &str = "tickets";

/// No limit is published for an article; a longer one would be no note.
pub(crate) const NOTE_BYTES: usize = 60_000;

/// A self-hosted Zammad has a handful of workers: more calls at once would take it away from its people.
pub(crate) const CONCURRENCY: usize = 2;

/// No limit is published, and no header tells of one: this is ours, five calls a second at the most, of which the desk's
/// `budget` is the share that is used (Zammad sheet, *Rate limits*: 2 to 5 a second).
const PACE: DeclaredLimit =
    DeclaredLimit { endpoint: ACCOUNT, calls: 300, per: Duration::from_secs(60), per_ticket: false };

/// States of this type stop the SLA's clocks as Zammad sets them up (`check --online` reads whether they do here).
const PAUSING: &[Pausing] = &[Pausing {
    word: "pending reminder",
    means: Status::Pending,
    resumes: "open",
    resumed: Status::Open,
    back: &[(Status::New, "new")],
}];

/// What this connector can do, with webhooks or without.
pub(crate) fn capabilities(hooked: bool) -> Capabilities {
    Capabilities {
        connector: NAME,
        user_id: IdForm::Number,
        queue_id: IdForm::Number,
        together: &[Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Status, Aspect::Fields],
        fixed: &[],
        guard: Guard::Compared,
        readable_history: true,
        sla_clocks: true,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: false,
        race_free_tags: true,
        roster: Roster::Members,
        // Mentions would do, and are not tried.
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(120),
        webhook: if hooked { WebhookTrust::SignedUndated } else { WebhookTrust::None },
        note_format: NoteFormat::Html,
        note_max_bytes: NOTE_BYTES,
        streams: vec![Stream {
            name: TICKETS.into(),
            overlap: Duration::from_millis(crate::stream::OVERLAP_MILLIS.unsigned_abs()),
            // A change shows when its transaction ends, with the stamp of when it began.
            lag: Duration::from_secs(60),
            carries_heads: false,
        }],
        limits: vec![PACE],
        rights: &[
            "an agent with full access to every group that handoffd works in",
            "an access token of that agent with ticket.agent and admin.group (to list groups)",
        ],
        checked: "Zammad sheet, documentation of 2026 and source of 2022 to 2024",
    }
}
