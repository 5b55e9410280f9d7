//! What the conformance suite does not know about: the seed's own tickets, and RT's own ways to refuse.

use crate::hooks::Hooks;
use crate::raw::Raw;
use handoffd_kit::desk::{Desk, DeskChange, Finding, OwnerSpec, QueueSpec, Receipt, Severity, Sighting, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Result, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::TicketId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Ending, FieldValue, InternalText, PartKind, PartSet, Parts, Priority, TicketHead, What};
use handoffd_kit::webhook::Unverified;
use handoffd_rt::RtDesk;
use jiff::Timestamp;
use serde_json::json;

/// The desks and people of one instance.
pub struct Cast {
    /// `handoff-bot`, who sees everything.
    pub desk: RtDesk,
    /// `narrow-bot`, who works in tier1 only.
    pub narrow: RtDesk,
    /// `blind-bot`, who sees nothing.
    pub blind: RtDesk,
    pub admin: Raw,
    pub agent: Raw,
}

fn later() -> Timestamp {
    Timestamp::MAX
}

async fn head(desk: &RtDesk, ticket: &str) -> Result<TicketHead> {
    desk.head(&ticket.into(), later()).await
}

async fn parts(desk: &RtDesk, ticket: &str) -> Parts {
    let head = head(desk, ticket).await.unwrap();
    let all = PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks]);
    desk.parts(&head, all, later()).await.unwrap()
}

fn write(ticket: &TicketId, number: u32, change: DeskChange, head: &TicketHead) -> Write {
    let mark = Mark { handoff: format!("real-{ticket}"), number, rule: "real".into(), version: "v1".into() };
    let expected = Some(head.version.clone());
    Write { ticket: ticket.clone(), change, mark, expected, decided_on: None, first_tried: None, deadline: later() }
}

async fn set(desk: &RtDesk, ticket: &str, update: Update) -> Result<Receipt> {
    let head = head(desk, ticket).await?;
    desk.apply(&write(&ticket.into(), 1, DeskChange::Update(update), &head)).await
}

fn queue(name: &str) -> Update {
    Update { queue: Some(QueueSpec::Name(name.into())), ..Update::default() }
}

fn owner(login: &str) -> Update {
    Update { owner: Some(OwnerSpec::User(login.into())), ..Update::default() }
}

fn field(name: &str, value: &str) -> Update {
    Update { fields: vec![(name.into(), FieldValue::Text(value.into()))], ..Update::default() }
}

/// The seed's tickets: files, HTML, other scripts, a pasted log, nothing at all.
pub async fn seeded_tickets_are_read_whole(cast: &Cast) {
    let files = parts(&cast.desk, "10").await.conversation.unwrap();
    let first = &files.messages[0];
    assert_eq!(first.said.words(), "It crashes when I save. Log and screenshot are attached.");
    let seen: Vec<_> = first.attachments.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
    assert_eq!(seen, [("agent.log", Some(75_520)), ("screen.png", Some(73))]);
    let link = first.attachments[1].link.clone().unwrap();
    assert!(link.contains("/Ticket/Attachment/") && link.ends_with("/screen.png"), "{link}");

    let html = parts(&cast.desk, "11").await.conversation.unwrap();
    let words = html.messages[0].said.words();
    assert!(words.contains("roses: 450") && !words.contains('<'), "{words}");

    let unicode = head(&cast.desk, "12").await.unwrap();
    assert_eq!(unicode.subject, Fact::Known("ログインできません – Anmeldung schlägt fehl ☹".into()));
    let unicode = parts(&cast.desk, "12").await.conversation.unwrap();
    assert!(unicode.messages[0].said.words().contains("👍🏽 dank im voraus"));

    let long = parts(&cast.desk, "13").await.conversation.unwrap();
    assert_eq!((long.messages.len(), long.complete), (18, true));
    let huge = parts(&cast.desk, "14").await.conversation.unwrap();
    assert!(huge.messages[0].said.words().len() > 70_000 && huge.complete);
    let empty = head(&cast.desk, "15").await.unwrap();
    assert_eq!(empty.subject, Fact::Known(String::new()));
    assert!(parts(&cast.desk, "15").await.conversation.is_some());
}

pub async fn bounces_and_merges_stand_in_the_history(cast: &Cast) {
    let history = parts(&cast.desk, "9").await.history.unwrap();
    let name =
        |queue: &Option<handoffd_kit::model::QueueRef>| queue.clone().and_then(|queue| queue.name).unwrap_or_default();
    let moves: Vec<_> = history
        .iter()
        .flat_map(|change| change.what.iter().map(move |what| (change, what)))
        .filter_map(|(change, what)| match what {
            What::Queue { from, to } => Some((change.by.id.clone().unwrap().to_string(), name(from), name(to))),
            _ => None,
        })
        .collect();
    let expected = [("alice", "tier1", "tier2"), ("chen", "tier2", "tier1")];
    assert_eq!(moves, expected.map(|(by, from, to)| (by.to_owned(), from.to_owned(), to.to_owned())));

    let merged = head(&cast.desk, "32").await.unwrap();
    assert_eq!(merged.ending, Some(Ending::Merged { into: Some("38".into()) }));
    let history = parts(&cast.desk, "32").await.history.unwrap();
    let into = |what: &What| matches!(what, What::Merged { into: Some(into) } if into.as_str() == "38");
    assert!(history.iter().any(|change| change.what.iter().any(into)));
    let both = parts(&cast.desk, "38").await.conversation.unwrap();
    assert!(both.messages.iter().filter(|message| message.said.words().len() > 1).count() >= 2, "both tickets' words");
    let late = write(&"32".into(), 1, DeskChange::Update(queue("tier2")), &merged);
    assert_eq!(cast.desk.apply(&late).await.unwrap_err().kind, DeskErrorKind::Gone);
}

pub async fn what_rt_refuses_inside_a_200_is_refused_with_its_words(cast: &Cast) {
    use DeskErrorKind::Refused;
    for (update, words) in [
        (queue("nope"), "Queue nope does not exist"),
        (owner("nope"), "That user does not exist"),
        (owner("chen"), "That user may not own tickets in that queue"),
        (field("customer-tier", "gold"), "Invalid value for custom field"),
        (field("no-such-field", "x"), "gave no reason"),
    ] {
        let before = head(&cast.desk, "2").await.unwrap();
        let error = set(&cast.desk, "2", update.clone()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Refused, Retry::Never), "{update:?}: {error}");
        assert!(error.words.contains(words) && error.next_step.is_some(), "{update:?}: {error}");
        assert_eq!(head(&cast.desk, "2").await.unwrap().version, before.version, "{update:?} changed something");
    }
    let unknown = OwnerSpec::Email("nobody@nowhere.test".into());
    let error = set(&cast.desk, "2", Update { owner: Some(unknown), ..Update::default() }).await.unwrap_err();
    assert_eq!(error.kind, Refused, "{error}");
    let two = Update { priority: Some(Priority::High), ..queue("tier2") };
    assert_eq!(set(&cast.desk, "2", two).await.unwrap_err().kind, Refused, "two things at once");
}

pub async fn some_fields_refused_is_refused_and_an_emptied_field_is_empty(cast: &Cast) {
    let text = |text: &str| FieldValue::Text(text.into());
    let fields = vec![("steps-tried".into(), text("one\ntwo")), ("customer-tier".into(), text("gold"))];
    let error = set(&cast.desk, "3", Update { fields, ..Update::default() }).await.unwrap_err();
    assert_eq!(error.words, "Invalid value for custom field");
    set(&cast.desk, "3", field("steps-tried", "one\ntwo")).await.unwrap();
    set(&cast.desk, "3", field("steps-tried", "three")).await.unwrap();
    set(&cast.desk, "3", field("steps-tried", "")).await.unwrap();
    let shown = head(&cast.desk, "3").await.unwrap().fields["steps-tried"].clone();
    assert_eq!(shown, json!([]));
}

/// A whole handoff: note, queue, owner, each expecting what the last receipt told; RT drops the old owner on the way.
pub async fn a_handoff_goes_through_step_by_step(cast: &Cast) {
    let ticket = TicketId::from("1");
    let before_any = cast.admin.date().await;
    let before = head(&cast.desk, "1").await.unwrap();
    assert_eq!(before.owner.known().unwrap().as_ref().unwrap().id.as_str(), "alice");
    let mut note = write(&ticket, 1, DeskChange::Update(Update::default()), &before);
    let text = format!("Support → second line\nSteps tried: ログ & <b>x</b>\n\n{}", note.mark);
    note.change = DeskChange::Update(Update { note: Some(InternalText(text)), ..Update::default() });
    let noted = cast.desk.apply(&note).await.unwrap();
    let mut moved = write(&ticket, 2, DeskChange::Update(queue("tier2")), &before);
    moved.expected = noted.version;
    let receipt = cast.desk.apply(&moved).await.unwrap();
    let mut owned = write(&ticket, 3, DeskChange::Update(owner("chen")), &before);
    owned.expected = receipt.version.clone();
    let after = *cast.desk.apply(&owned).await.unwrap().head.unwrap();
    assert_eq!(after.queue.known().unwrap().as_ref().unwrap().name.as_deref(), Some("tier2"));
    assert_eq!(after.owner.known().unwrap().as_ref().unwrap().id.as_str(), "chen");
    let tried: Timestamp = before_any.parse().unwrap();
    for one in [&mut note, &mut moved, &mut owned] {
        one.first_tried = Some(tried);
        let one = &*one;
        assert!(matches!(cast.desk.find(one).await.unwrap(), Sighting::Found(_)), "{one:?}");
    }
    let history = parts(&cast.desk, "1").await.history.unwrap();
    let proof = history.iter().find(|change| change.id.as_str() == receipt.id).unwrap();
    assert!(matches!(&proof.what[..], [What::Queue { .. }]), "the receipt names the move: {proof:?}");
    let next_day = tried + jiff::SignedDuration::from_hours(24);
    let much_later = |one: &Write| Write { first_tried: Some(next_day), ..one.clone() };
    let sighted = cast.desk.find(&much_later(&moved)).await.unwrap();
    assert_eq!(sighted, Sighting::NotFound, "without a mark it may be another move");
    let sighted = cast.desk.find(&much_later(&note)).await.unwrap();
    assert!(matches!(sighted, Sighting::Found(_)), "a note is known by its mark, whatever our clock said: {sighted:?}");
    let again = cast.desk.apply(&owned).await.unwrap_err();
    assert_eq!(again.kind, DeskErrorKind::Conflict, "a repeat with the old version");
}

pub async fn a_person_between_two_writes_stops_the_second(cast: &Cast) {
    let ticket = TicketId::from("3");
    let before = head(&cast.desk, "3").await.unwrap();
    let first = Update { priority: Some(Priority::Urgent), ..Update::default() };
    let receipt = cast.desk.apply(&write(&ticket, 1, DeskChange::Update(first), &before)).await.unwrap();
    cast.agent.json("PUT", "/ticket/3", Some(json!({ "Owner": "floater" }))).await;
    let mut second = write(&ticket, 2, DeskChange::Update(queue("tier2")), &before);
    second.expected = receipt.version;
    let error = cast.desk.apply(&second).await.unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Conflict);
    let after = head(&cast.desk, "3").await.unwrap();
    assert_eq!(after.queue.known().unwrap().as_ref().unwrap().name.as_deref(), Some("tier1"));
    assert_eq!(after.owner.known().unwrap().as_ref().unwrap().id.as_str(), "floater");
    assert_eq!(cast.desk.find(&second).await.unwrap(), Sighting::NotFound);
}

pub async fn a_narrow_account_moves_and_is_blind_afterwards(cast: &Cast) {
    assert_eq!(head(&cast.narrow, "18").await.unwrap_err().kind, DeskErrorKind::Hidden, "it lies in tier2");
    let receipt = set(&cast.narrow, "16", queue("engineering")).await.unwrap();
    assert!(receipt.head.is_none() && receipt.version.is_none() && !receipt.id.is_empty());
    let lies = cast.admin.get("/ticket/16?fields[Queue]=Name").await["Queue"]["Name"].clone();
    assert_eq!(lies, "engineering");
    let error = head(&cast.narrow, "16").await.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Hidden, Retry::Never));
    assert!(error.next_step.unwrap().contains("ShowTicket"));
}

/// A hundred transactions elsewhere must not look like the end of the stream.
pub async fn a_narrow_account_finds_its_own_among_strangers_transactions(cast: &Cast) {
    let stream = cast.narrow.capabilities().streams[0].name.clone();
    let mut cursor = None;
    let mut changed = Vec::new();
    for _ in 0..40 {
        let page = cast.narrow.changed_since(&stream, cursor.as_ref(), Timestamp::UNIX_EPOCH).await.unwrap();
        changed.extend(page.changed.into_iter().map(|change| change.ticket.to_string()));
        cursor = Some(page.next);
        if !page.more {
            break;
        }
    }
    // The seed's first and last tickets of tier1, hundreds of strangers' transactions apart.
    for ticket in ["4", "52"] {
        assert!(changed.iter().any(|one| one == ticket), "{ticket} is missing in {changed:?}");
    }
    let page = cast.narrow.changed_since(&stream, cursor.as_ref(), Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(page.changed.is_empty(), "read twice: {:?}", page.changed);
}

pub async fn a_first_poll_begins_at_since(cast: &Cast) {
    let stream = cast.desk.capabilities().streams[0].name.clone();
    let start: Timestamp = cast.admin.get("/ticket/4").await["LastUpdated"].as_str().unwrap().parse().unwrap();
    let far = start + jiff::SignedDuration::from_hours(2_000);
    let page = cast.desk.changed_since(&stream, None, far).await.unwrap();
    assert!(page.changed.is_empty(), "nothing is younger than the future: {:?}", page.changed);
    cast.agent.json("POST", "/ticket/4/comment", Some(json!({ "Content": "x", "ContentType": "text/plain" }))).await;
    let next = cast.desk.changed_since(&stream, Some(&page.next), far).await.unwrap();
    assert!(next.changed.iter().any(|change| change.ticket.as_str() == "4" && !change.by_us), "{:?}", next.changed);
}

pub async fn a_blind_account_is_told_what_it_lacks(cast: &Cast) {
    let error = head(&cast.blind, "1").await.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Forbidden, Retry::Never));
    assert!(error.next_step.unwrap().contains("SeeQueue"));
    let stream = cast.blind.capabilities().streams[0].name.clone();
    let error = cast.blind.changed_since(&stream, None, Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Forbidden, "an empty list is what no right looks like");
    let findings = cast.blind.check(&[]).await.unwrap();
    assert!(findings.iter().any(|finding| finding.next_step.contains("ShowTicket")), "{findings:?}");
    let narrow = cast.narrow.check(&[]).await.unwrap();
    assert!(narrow.iter().any(|finding| finding.what.contains("tier1")), "{narrow:?}");
    assert!(!narrow.iter().any(|finding| finding.what.contains("billing")), "{narrow:?}");
    let wanted = [QueueSpec::Name("billing".into())];
    let lacks = cast.narrow.check(&wanted).await.unwrap();
    let named = |finding: &&Finding| finding.what.contains("billing") && finding.next_step.contains("SeeQueue");
    assert_eq!(lacks.iter().find(named).map(|finding| finding.severity), Some(Severity::Error), "{lacks:?}");
    assert!(!lacks.iter().any(|finding| finding.what.contains("tier1")), "nobody asked for it: {lacks:?}");
}

pub async fn the_scrips_posts_are_hints(cast: &Cast, hooks: &Hooks) {
    cast.agent.json("PUT", "/ticket/5", Some(json!({ "Priority": 61 }))).await;
    let posts = hooks.caught();
    let post = posts.iter().rfind(|post| String::from_utf8_lossy(&post.body).contains(r#""ticket":5"#)).unwrap();
    let headers = http::HeaderMap::new();
    let request = Unverified::new(&headers, Some(&post.path), &post.body, Timestamp::UNIX_EPOCH);
    let delivery = cast.desk.webhook(request).unwrap();
    assert_eq!(delivery.hints[0].ticket.as_str(), "5");
    assert_eq!(delivery.hints[0].actor.as_ref().unwrap().as_str(), "floater");
    assert!(delivery.id.is_some());
}
