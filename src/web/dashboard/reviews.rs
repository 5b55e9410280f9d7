//! **Reviews**: what waits for a yes or no; one of them with everything that would travel, beside the conversation as it is on
//! the desk now.

use super::Dashboard;
use super::edits::{Edit, Field, edits, fields, version};
use super::forms::Form;
use super::guard::Here;
use super::handoff::{Brief, Whole};
use super::layout::{Page, Tab};
use super::orders::Wish;
use super::trouble::Trouble;
use crate::ledger::HandoffFilter;
use crate::ledger::states::HandoffState;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use handoffd_kit::model::{Message, PartKind, PartSet, Visibility};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// So many lines.
const MOST: usize = 100;
/// So many messages, the latest.
const MESSAGES: usize = 50;
/// So much of one message, in characters.
const MESSAGE_CHARS: usize = 5_000;
/// How soon a desk's answer to a person who waits should come.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(10);

/// All that wait.
#[derive(Serialize)]
pub(super) struct Reviews {
    reviews: Vec<Brief>,
    /// There are more.
    more: bool,
}

pub(super) async fn list(State(dashboard): State<Dashboard>, here: Here) -> Response {
    let data = data(&dashboard).await;
    dashboard.page(&here, &Page::new("reviews", Tab::Reviews, "Reviews"), data)
}

/// Asks for all that wait.
pub(super) async fn data(dashboard: &Dashboard) -> Result<Reviews, Trouble> {
    let filter =
        HandoffFilter { state: Some(HandoffState::InReview), limit: Some(MOST + 1), ..HandoffFilter::default() };
    let handoffs = dashboard.reading.ask(move |ledger| ledger.handoffs(&filter)).await?;
    let more = handoffs.len() > MOST;
    let mut reviews: Vec<Brief> = handoffs.iter().take(MOST).map(Brief::of).collect();
    reviews.sort_by_key(|review| (review.deadline, review.created_at));
    Ok(Reviews { reviews, more })
}

/// One of them.
#[derive(Serialize)]
pub(super) struct Review {
    #[serde(flatten)]
    handoff: Whole,
    /// Whether it still waits.
    waits: bool,
    /// The version of the package that travels.
    version_of_package: u32,
    /// Its parts, to be edited.
    fields: Vec<Field>,
    /// What was edited, the latest first.
    edits: Vec<Edit>,
}

pub(super) async fn page(State(dashboard): State<Dashboard>, here: Here, Path(id): Path<String>) -> Response {
    let data = one(&dashboard, &id).await;
    dashboard.page(&here, &Page::new("review", Tab::Reviews, format!("Review of {}", short(&id))), data)
}

/// Asks for one.
pub(super) async fn one(dashboard: &Dashboard, id: &str) -> Result<Review, Trouble> {
    let wanted = id.to_owned();
    let (handoff, versions) =
        dashboard.reading.ask(move |ledger| Ok((ledger.handoff(&wanted)?, ledger.package_versions(&wanted)?))).await?;
    let waits = matches!(handoff.state, HandoffState::InReview | HandoffState::Asking);
    Ok(Review {
        handoff: Whole::of(&handoff),
        waits,
        version_of_package: version(&versions),
        fields: handoff.proposal.package.as_ref().map(fields).unwrap_or_default(),
        edits: edits(&versions),
    })
}

/// What somebody typed, fit for a title.
pub(super) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// What was said on the ticket.
#[derive(Serialize)]
struct Conversation {
    subject: Option<String>,
    link: Option<String>,
    messages: Vec<Said>,
    /// Not all of it is shown.
    cut: bool,
}

#[derive(Serialize)]
struct Said {
    at: Timestamp,
    by: String,
    role: String,
    internal: bool,
    words: String,
    files: Vec<String>,
}

/// The conversation alone, as a part of the page: read from the desk now, and kept nowhere.
pub(super) async fn conversation(State(dashboard): State<Dashboard>, here: Here, Path(id): Path<String>) -> Response {
    let page = Page::new("conversation", Tab::Reviews, "Conversation");
    let said = said(&dashboard, &id).await.and_then(|said| dashboard.body(&here, &page, &said));
    match said {
        Ok(part) => Html(part).into_response(),
        Err(trouble) => (trouble.status(), trouble.words()).into_response(),
    }
}

async fn said(dashboard: &Dashboard, id: &str) -> Result<Conversation, Trouble> {
    let wanted = id.to_owned();
    let proposal = dashboard.reading.ask(move |ledger| Ok(ledger.handoff(&wanted)?.proposal)).await?;
    let sources = dashboard.web.sources();
    let gone = || Trouble::Desk(format!("the desk {} is not configured any more", proposal.desk));
    let station = sources.desks.get(&proposal.desk).ok_or_else(gone)?;
    let deadline = sources.clock.now() + AT_ONCE;
    // The desk's own words may repeat the ticket's.
    let unread = |_| Trouble::Desk(format!("the desk {} does not tell now what was said", proposal.desk));
    let head = station.desk.head(&proposal.ticket, deadline).await.map_err(unread)?;
    let parts = station.desk.parts(&head, PartSet::of(&[PartKind::Conversation]), deadline).await.map_err(unread)?;
    let conversation = parts.conversation;
    let messages = conversation.as_ref().map(|said| said.messages.as_slice()).unwrap_or_default();
    let from = messages.len().saturating_sub(MESSAGES);
    let long = |message: &Message| message.said.words().chars().count() > MESSAGE_CHARS;
    let cut = from > 0 || conversation.as_ref().is_some_and(|said| !said.complete) || messages.iter().any(long);
    let link = head.link.clone().filter(|link| link.starts_with("https://") || link.starts_with("http://"));
    let messages = messages.iter().skip(from).map(message).collect();
    Ok(Conversation { subject: head.subject.known().cloned(), link, messages, cut })
}

fn message(message: &Message) -> Said {
    let role = format!("{:?}", message.author.role).to_lowercase();
    Said {
        at: message.at,
        by: message.author.name.clone().unwrap_or_else(|| "somebody".into()),
        role,
        internal: message.said.visibility() == Visibility::Internal,
        words: message.said.words().chars().take(MESSAGE_CHARS).collect(),
        files: message.attachments.iter().map(|file| file.name.clone()).collect(),
    }
}

pub(super) async fn approve(
    State(dashboard): State<Dashboard>,
    here: Here,
    Path(handoff): Path<String>,
    form: Form,
) -> Response {
    let back = format!("/reviews/{}", super::layout::encoded(&handoff));
    // A form that asks for a team wants one; who was shown a single one said yes to that.
    let to = form.text("to").map(|_| form.given("to")).transpose();
    let wish = to.and_then(|to| Ok(Wish::Approve { handoff, reason: form.optional("reason")?, to }));
    let back = if wish.is_ok() { "/reviews" } else { &back };
    dashboard.ordered(&here, &form, wish, back).await
}

pub(super) async fn reject(
    State(dashboard): State<Dashboard>,
    here: Here,
    Path(handoff): Path<String>,
    form: Form,
) -> Response {
    let back = format!("/reviews/{}", super::layout::encoded(&handoff));
    let wish = form.given("reason").map(|reason| Wish::Reject { handoff, reason });
    let back = if wish.is_ok() { "/reviews" } else { &back };
    dashboard.ordered(&here, &form, wish, back).await
}
