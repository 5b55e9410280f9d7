//! Zammad's traps, one test each.

use crate::stage::traps::{self, away, queue_of};
use crate::stage::{Account, CUSTOMER, id, note, noted, reply, shown, tickets};
use futures::FutureExt;
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, Sighting, StatusSpec, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Actor, ClockState, Ending, PartKind, PartSet, Role, Status, Visibility};
use handoffd_kit::webhook::{Refusal, Unverified};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;

fn handoff() -> DeskChange {
    DeskChange::Update(Update { note: noted("Context"), ..away() })
}

fn internal(internal: bool) -> handoffd_kit::conformance::Edit {
    Arc::new(move |answer| {
        let articles = match answer {
            serde_json::Value::Array(articles) => articles.iter_mut().collect(),
            one => vec![one],
        };
        for article in articles {
            if article.get("internal").is_some() {
                article["internal"] = json!(internal);
            }
        }
    })
}

#[test]
fn note_move_and_owner_go_in_one_update_between_a_read_and_two_looks() {
    let account = Account::new();
    // Names are learnt once.
    account.run(account.desk.apply(&account.write(account.ticket(), handoff()))).unwrap();
    let ticket = account.ticket();
    account.stage.sandbox.person("frontline-1").takes(ticket);
    let write = account.write(ticket, handoff());
    account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap();
    account.asked();
    let receipt = account.run(account.desk.apply(&write)).unwrap();
    let read =
        [format!("GET /api/v1/tickets/{ticket}?expand=true"), format!("GET /api/v1/tags?object=Ticket&o_id={ticket}")];
    let looks =
        [format!("GET /api/v1/ticket_articles/by_ticket/{ticket}"), format!("GET /api/v1/ticket_history/{ticket}")];
    let [first, second] = read;
    let [articles, history] = looks;
    let expected = [first, second, format!("PUT /api/v1/tickets/{ticket}?expand=true"), articles, history];
    assert_eq!(account.asked(), expected);
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((queue_of(&account, ticket).as_str(), now.owner, now.messages.len()), ("Billing", None, 2));
    let parts =
        account.run(account.desk.parts(&account.head(ticket), PartSet::of(&[PartKind::History]), Timestamp::MAX));
    let ours = parts.unwrap().history.unwrap().into_iter().find(|change| change.mark.is_some()).unwrap();
    assert_eq!(
        (ours.id.as_str(), ours.actor),
        (receipt.id.as_str(), Actor::Us),
        "the receipt is the history's own name"
    );
    let again = DeskChange::Update(away());
    let again = account.write(ticket, again);
    account.asked();
    account.run(account.desk.apply(&again)).unwrap();
    assert!(!account.asked().iter().any(|one| one.starts_with("PUT")), "what is there already is not written again");
}

#[test]
fn a_note_that_comes_out_public_is_an_incident_alone_and_in_an_update_and_when_it_is_looked_up() {
    for change in [note("Among us"), handoff()] {
        let account = Account::new();
        let ticket = account.ticket();
        let write = account.write(ticket, change);
        account.stage.wire().edit_answers(internal(false));
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
        let error = account.run(account.desk.find(&write)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Leaked);
        account.stage.wire().mend();
        assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    }
}

#[test]
fn an_update_whose_note_cannot_be_read_back_is_unsure_and_not_repeated() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, handoff());
    // Ticket and tags are read first; then the articles.
    let lost = Fault::Answer { status: 503, headers: vec![], body: "" };
    let mut applying = account.desk.apply(&write);
    account.stage.wire().fault_next_write(Fault::Hold);
    assert!((&mut applying).now_or_never().is_none());
    account.stage.wire().fault_all(lost);
    account.stage.wire().release();
    let error = account.run(applying).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Unavailable, Retry::Unsure));
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn a_public_reply_goes_by_mail_to_the_customer_and_one_that_stayed_inside_is_told() {
    let account = Account::new();
    let ticket = account.ticket();
    account.run(account.desk.apply(&account.write(ticket, reply("We are on it.")))).unwrap();
    let said = account.stage.sandbox.ticket(ticket).unwrap().messages.pop().unwrap();
    assert_eq!((said.visibility, said.body.text().as_str()), (Visibility::Public, "We are on it."));
    account.stage.wire().edit_answers(internal(true));
    let error = account.run(account.desk.apply(&account.write(ticket, reply("Again.")))).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied));
    account.stage.sandbox.with(|desk| {
        desk.people.values_mut().filter(|one| one.email == CUSTOMER).for_each(|one| one.email = String::new());
    });
    account.pass(700);
    let error = account.run(account.desk.apply(&account.write(ticket, reply("By phone?")))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.words.contains("no mail address") && !shown(&error).contains("By phone"), "{}", error.words);
}

#[test]
fn an_owner_without_full_access_is_taken_off_silently_and_we_say_so() {
    let account = Account::new();
    let ticket = account.ticket();
    let owner = account.stage.sandbox.person("tier2-1").no().unwrap();
    let change = Update { owner: Some(OwnerSpec::User(owner.to_string().into())), note: noted("Yours"), ..away() };
    let error = account.run(account.desk.apply(&account.write(ticket, DeskChange::Update(change)))).unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Applied, None));
    assert!(error.next_step.as_ref().unwrap().contains("full access"), "{}", shown(&error));
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((queue_of(&account, ticket).as_str(), now.owner, now.messages.len()), ("Billing", None, 2));
}

#[test]
fn a_person_is_known_by_mail_address_only_where_they_have_access() {
    let account = Account::new();
    let ticket = account.ticket();
    let owned_by = |email: &str, update: Update| {
        let change = Update { owner: Some(OwnerSpec::Email(email.into())), ..update };
        account.run(account.desk.apply(&account.write(ticket, DeskChange::Update(change))))
    };
    let stranger = owned_by("billing-1@acme.example", Update::default()).unwrap_err();
    assert_eq!((stranger.kind, stranger.retry), (DeskErrorKind::Refused, Retry::Never));
    owned_by("Billing-1@acme.example", away()).unwrap();
    let owner = account.head(ticket).owner;
    let Fact::Known(Some(owner)) = owner else { panic!("{owner:?}") };
    assert_eq!((owner.email.as_deref(), owner.role), (Some("billing-1@acme.example"), Role::Agent));
}

#[test]
fn a_person_who_acts_between_decision_and_write_is_not_overruled() {
    let acts = ["takes", "moves", "prioritises", "notes", "tags"];
    traps::whoever_acts_in_between_is_not_overruled(&Account::new(), &handoff(), &acts);
}

#[test]
fn what_a_person_did_between_our_read_and_our_update_is_put_back_unless_somebody_acted_since() {
    let floater = Account::new().stage.sandbox.person("floater").no().unwrap().to_string();
    traps::whoever_acts_under_our_write_is_put_back(Account::new, &handoff(), &floater);
}

#[test]
fn labels_do_not_show_in_the_stream_and_are_part_of_what_a_write_is_decided_on() {
    let account = Account::new();
    let ticket = account.ticket();
    let (mut cursor, since) = (None, account.clock_now());
    assert_eq!(tickets(&account.poll("tickets", &mut cursor, since)), [id(ticket).to_string()]);
    let before = account.head(ticket);
    account.pass(5);
    account.stage.sandbox.person("frontline-1").tags(ticket, "vip");
    assert!(account.poll("tickets", &mut cursor, since).is_empty(), "only a hook or the next look sees it");
    let after = account.head(ticket);
    assert_eq!((before.updated_at, after.tags.clone()), (after.updated_at, Fact::Known(vec!["vip".to_owned()])));
    assert_ne!(before.version, after.version);
    let strange = account.run(account.desk.changed_since(&"deleted".into(), None, since)).unwrap_err();
    assert_eq!(strange.kind, DeskErrorKind::Refused);
}

#[test]
fn labels_are_written_one_by_one_and_half_of_them_is_looked_up_first() {
    let account = Account::new();
    let (ticket, write) = traps::tagged(&account);
    account.asked();
    account.stage.wire().fault_next_write(Fault::LostAfter);
    let lost = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!(lost.retry, Retry::Unsure);
    assert_eq!(account.run(account.desk.find(&write)).unwrap(), Sighting::NotFound, "half of it");
    account.asked();
    account.run(account.desk.apply(&write)).unwrap();
    let asked = account.asked();
    let writes: Vec<&String> = asked.iter().filter(|one| !one.starts_with("GET")).collect();
    assert_eq!(writes, ["DELETE /api/v1/tags/remove"], "what is there already is not sent again");
    traps::tags_are_as_wanted(&account, ticket);
    traps::odd_tags_are_refused(&account, ticket, &["", " ", "a,b"]);
}

#[test]
fn a_merged_ticket_names_the_other_one_and_takes_nothing_although_zammad_would() {
    let account = Account::new();
    let (ticket, target) = (account.ticket(), account.ticket());
    let write = Write { expected: None, decided_on: None, ..account.write(ticket, handoff()) };
    account.stage.sandbox.person("frontline-1").merges(ticket, target);
    assert_eq!(account.head(ticket).ending, Some(Ending::Merged { into: Some(id(target)) }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
    assert!(error.words.contains(&format!("merged into ticket {target}")), "{}", error.words);
    traps::a_deleted_ticket_is_not_found(&account, target);
}

#[test]
fn a_pending_state_is_sent_with_its_instant_and_empties_the_escalation_times() {
    let account = Account::new();
    let ticket = account.ticket();
    let clocks = || {
        let wanted = PartSet::of(&[PartKind::Clocks]);
        let parts = account.run(account.desk.parts(&account.head(ticket), wanted, Timestamp::MAX)).unwrap();
        parts.clocks.unwrap().into_iter().map(|clock| (clock.name, clock.state)).collect::<Vec<_>>()
    };
    let both = |first, second| vec![("first_reply".to_owned(), first), ("resolution".to_owned(), second)];
    assert_eq!(clocks(), both(ClockState::Running, ClockState::Running));
    account.run(account.desk.apply(&account.write(ticket, reply("We are on it.")))).unwrap();
    assert_eq!(clocks(), both(ClockState::Met, ClockState::Running));
    let status = Some(StatusSpec { word: "pending reminder".into(), means: Status::Pending });
    let pause = DeskChange::Update(Update { status, ..Update::default() });
    account.run(account.desk.apply(&account.write(ticket, pause))).unwrap();
    let pending = account.stage.sandbox.ticket(ticket).unwrap().extra["pending_time"].parse::<Timestamp>().unwrap();
    assert_eq!(pending, account.clock_now() + SignedDuration::from_hours(14 * 24));
    assert_eq!(clocks(), [("first_reply".to_owned(), ClockState::Met)], "whether there is another, nobody can tell");
    let status = Some(StatusSpec { word: "waiting for parts".into(), means: Status::Pending });
    let unknown = account.write(ticket, DeskChange::Update(Update { status, ..Update::default() }));
    let error = account.run(account.desk.apply(&unknown)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never), "nothing was sent");
    account.pass(4 * 24 * 3_600);
    account.stage.sandbox.person("frontline-1").puts(ticket, Status::Open);
    assert_eq!(clocks(), both(ClockState::Met, ClockState::Breached));
}

#[test]
fn what_a_trigger_does_within_our_update_is_an_automations_and_no_persons() {
    traps::what_an_automation_does_within_our_write_is_no_persons(&Account::new(), handoff());
}

#[test]
fn a_lost_update_without_a_note_is_found_by_the_ticket_or_by_our_row_in_its_history() {
    traps::a_lost_move_is_found(Account::new, |_| {});
}

#[test]
fn a_reply_is_found_by_its_words_in_an_article_of_our_own() {
    let html = "<p>A colleague takes over.<br>You need not repeat anything.</p><p>--<br>Acme</p>";
    traps::a_lost_reply_is_found_by_its_words(&Account::new(), Some(html));
}

#[test]
fn hooks_are_signed_by_x_hub_signature_and_known_by_their_delivery() {
    let account = Account::new();
    let ticket = account.ticket();
    let now = account.clock_now();
    let receive =
        |headers: &http::HeaderMap, body: &[u8]| account.desk.webhook(Unverified::new(headers, None, body, now));
    let post = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert!(post.headers["x-hub-signature"].to_str().unwrap().starts_with("sha1="));
    let first = receive(&post.headers, &post.body).unwrap();
    assert_eq!((first.hints[0].ticket.clone(), first.id.is_some()), (id(ticket), true));
    let again = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert_eq!(receive(&again.headers, &again.body).unwrap().id, first.id, "the same delivery");
    account.stage.sandbox.person("floater").notes(ticket, "x");
    let other = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert_ne!(receive(&other.headers, &other.body).unwrap().id, first.id);
    assert_eq!(receive(&post.headers, &other.body), Err(Refusal::Forged));
    account.stage.sandbox.with(|desk| {
        desk.hooks.values_mut().for_each(|hook| hook.template = Some(r##"{"ticket_id":"#{ticket.id}"}"##.into()));
    });
    let own = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert_eq!(own.body, format!(r#"{{"ticket_id":"{ticket}"}}"#));
    assert_eq!(receive(&own.headers, &own.body).unwrap().hints[0].ticket, id(ticket));
}
