//! What is sent, in what order, and what is not sent: on a scripted account.

use crate::common::{ACCESS, API_TOKEN, Account, Replaced, SECRET, answer, note, raw, start, text, updated, write};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, Sighting, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{PartKind, PartSet, Role};
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::Setting;
use handoffd_kit::transport::TransportError;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

fn ticket() -> TicketId {
    "35436".into()
}

fn spoken() -> PartSet {
    PartSet::of(&[PartKind::Conversation, PartKind::History])
}

#[test]
fn in_a_steady_state_a_handoff_costs_two_reads_and_one_write() {
    let account = Account::new();
    let handoff = || {
        let head = account.run(account.desk.head(&ticket(), start())).unwrap();
        let parts = account.run(account.desk.parts(&head, spoken(), start())).unwrap();
        assert!(parts.history.is_some() && parts.conversation.unwrap().complete);
        let update = Update {
            queue: Some(QueueSpec::Name("Billing".into())),
            owner: Some(OwnerSpec::Nobody),
            ..match note().change {
                DeskChange::Update(update) => update,
                other => panic!("{other:?}"),
            }
        };
        account.run(account.desk.apply(&write(DeskChange::Update(update)))).unwrap()
    };
    handoff();
    account.sent();
    let receipt = handoff();
    let steady = ["GET /api/v2/tickets/35436", "GET /api/v2/tickets/35436/audits", "PUT /api/v2/tickets/35436"];
    assert_eq!(account.lines(), steady);
    assert_eq!(receipt.id, "35437000");
    assert_eq!(receipt.version.unwrap().as_str(), "2026-05-03T12:00:01Z");
    assert!(receipt.head.is_some());
}

#[test]
fn the_first_handoff_reads_its_people_once() {
    let account = Account::new();
    let head = account.run(account.desk.head(&ticket(), start())).unwrap();
    let parts = account.run(account.desk.parts(&head, spoken(), start())).unwrap();
    let sent = account.sent();
    let lines: Vec<String> = sent.iter().map(crate::common::Sent::line).collect();
    assert_eq!(
        lines,
        [
            "POST /oauth/tokens",
            "GET /api/v2/tickets/35436",
            "GET /api/v2/groups",
            "GET /api/v2/tickets/35436/audits",
            "GET /api/v2/users/me",
            "GET /api/v2/users/show_many",
        ]
    );
    // Neither the requester nor our own account nor the system itself is asked for.
    assert_eq!(sent[5].query["ids"], "235323");
    let roles: Vec<Role> = parts.conversation.unwrap().messages.iter().map(|message| message.author.role).collect();
    assert_eq!(roles, [Role::Customer, Role::Agent, Role::Us]);
}

#[test]
fn a_long_history_is_read_page_by_page() {
    let account = Account::new();
    account.when(|sent| {
        let page = sent.query.get("page[after]").map(String::as_str);
        let audit = |id: u64| {
            json!({ "id": id, "author_id": 20978392, "created_at": "2026-05-03T10:00:00Z",
                "events": [{ "id": id * 10, "type": "Comment", "public": true, "body": "words" }] })
        };
        let (audits, more, after) = match page {
            None => (vec![audit(1)], true, "a"),
            Some("a") => (vec![audit(2)], true, "b"),
            _ => (vec![audit(3)], false, "c"),
        };
        let body = json!({ "audits": audits, "meta": { "has_more": more, "after_cursor": after } });
        sent.path.ends_with("/audits").then(|| answer(200, &body))
    });
    let head = account.run(account.desk.head(&ticket(), start())).unwrap();
    let conversation = account.run(account.desk.parts(&head, spoken(), start())).unwrap().conversation.unwrap();
    assert_eq!((conversation.messages.len(), conversation.complete), (3, true));
}

#[test]
fn a_history_that_goes_in_circles_is_not_whole() {
    let account = Account::new();
    account.on(
        "GET",
        "/api/v2/tickets/35436/audits",
        200,
        json!({ "audits": [], "meta": { "has_more": true, "after_cursor": "a" } }),
    );
    let head = account.run(account.desk.head(&ticket(), start())).unwrap();
    let conversation = account.run(account.desk.parts(&head, spoken(), start())).unwrap().conversation.unwrap();
    assert!(!conversation.complete);
    let sighting = account.run(account.desk.find(&note())).unwrap();
    assert!(matches!(sighting, Sighting::CannotTell(_)), "what was not read may hold the mark: {sighting:?}");
}

#[test]
fn where_audits_are_closed_the_comments_are_read_and_audits_are_left_alone_for_a_while() {
    let account = Account::new();
    account.on("GET", "/api/v2/tickets/35436/audits", 403, json!({ "error": "Forbidden" }));
    let head = account.run(account.desk.head(&ticket(), start())).unwrap();
    let read = || account.run(account.desk.parts(&head, spoken(), start())).unwrap();
    let parts = read();
    assert!(parts.history.is_none(), "unread, not empty");
    assert_eq!(parts.conversation.unwrap().messages.len(), 2);
    account.sent();
    read();
    assert_eq!(account.lines(), ["GET /api/v2/tickets/35436/comments"]);
    account.pass(601);
    read();
    assert!(account.lines().contains(&"GET /api/v2/tickets/35436/audits".to_owned()));
    let sighting = account.run(account.desk.find(&note())).unwrap();
    assert!(matches!(&sighting, Sighting::CannotTell(why) if why.contains("read")), "{sighting:?}");
}

#[test]
fn clocks_of_a_ticket_without_policy_are_none_and_customers_come_with_their_organisation() {
    let account = Account::new();
    account.on("GET", "/api/v2/tickets/35436/slas/policy_metrics.json", 404, json!({ "error": "RecordNotFound" }));
    let head = account.run(account.desk.head(&ticket(), start())).unwrap();
    let wanted = PartSet::of(&[PartKind::Customer, PartKind::Clocks]);
    let parts = account.run(account.desk.parts(&head, wanted, start())).unwrap();
    assert_eq!(parts.clocks, Some(vec![]));
    assert_eq!(
        parts.customer.unwrap().organization.known().unwrap().as_ref().unwrap().name.as_deref(),
        Some("Customer Ltd")
    );
    assert!(parts.conversation.is_none() && parts.history.is_none());
}

#[test]
fn a_token_is_asked_for_once_and_renewed_before_it_runs_out() {
    let account = Account::new();
    let id = ticket();
    let (one, other) = account.run(futures::future::join(account.desk.head(&id, start()), account.desk.me()));
    assert!(one.is_ok() && other.is_ok());
    let sent = account.sent();
    let logins: Vec<_> = sent.iter().filter(|sent| sent.path == "/oauth/tokens").collect();
    assert_eq!(logins.len(), 1, "one renewal at a time");
    let body = json!({ "grant_type": "client_credentials", "client_id": "handoffd", "client_secret": SECRET,
        "scope": "read tickets:write", "expires_in": 7200 });
    assert_eq!(logins[0].body, body);
    assert!(sent.iter().skip(1).all(|sent| sent.login == format!("Bearer {ACCESS}")));
    account.pass(799);
    account.run(account.desk.head(&ticket(), start())).unwrap();
    assert!(!account.lines().contains(&"POST /oauth/tokens".to_owned()));
    account.pass(1);
    account.run(account.desk.head(&ticket(), start())).unwrap();
    assert_eq!(account.lines()[0], "POST /oauth/tokens", "at four fifths of its life");
}

#[test]
fn a_refused_token_is_renewed_once_also_for_a_write() {
    let account = Account::new();
    account.run(account.desk.head(&ticket(), start())).unwrap();
    account.sent();
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    account.when(|sent| {
        let refuse = sent.method == "PUT" && TRIES.fetch_add(1, Ordering::Relaxed) == 0;
        refuse.then(|| answer(401, &json!({ "error": "invalid_token" })))
    });
    account.run(account.desk.apply(&note())).unwrap();
    let expected = ["PUT /api/v2/tickets/35436", "POST /oauth/tokens", "PUT /api/v2/tickets/35436"];
    assert_eq!(account.lines(), expected);
}

#[test]
fn a_login_that_stays_refused_is_unauthorized_and_not_tried_for_ever() {
    let account = Account::new();
    account.on("GET", "/api/v2/tickets/35436", 401, json!({ "error": "Couldn't authenticate you" }));
    let error = account.run(account.desk.head(&ticket(), start())).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Unauthorized, Retry::Never));
    assert_eq!(account.lines().len(), 4, "login, try, login, try");
    account.on("POST", "/oauth/tokens", 400, json!({ "error": "invalid_scope" }));
    account.pass(2_000);
    let error = account.run(account.desk.head(&ticket(), start())).unwrap_err();
    assert_eq!((error.kind, error.operation), (DeskErrorKind::Unauthorized, "log in"));
}

#[test]
fn an_api_token_goes_out_as_basic_login_and_needs_no_other() {
    let account = Account::legacy();
    account.run(account.desk.head(&ticket(), start())).unwrap();
    let sent = account.sent();
    assert_eq!(sent[0].path, "/api/v2/tickets/35436");
    let encoded = sent[0].login.strip_prefix("Basic ").unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), format!("handoffd@acme.example/token:{API_TOKEN}"));
    account.on("GET", "/api/v2/tickets/35436", 401, json!({ "error": "Couldn't authenticate you" }));
    assert!(account.run(account.desk.head(&ticket(), start())).is_err());
    assert_eq!(account.lines().len(), 1, "there is nothing to renew");
}

#[test]
fn a_login_that_was_replaced_is_read_again_and_the_refused_call_made_again() {
    // An API token: read again at the refusal.
    let source = Replaced::default();
    let token = Secret::from_source(API_TOKEN.to_owned().into(), Box::new(source.clone()));
    let account = Account::with([("email", text("handoffd@acme.example")), ("token", Setting::Secret(token))]);
    let old = account.login_of_a_read();
    let refused = old.clone();
    account.when(move |sent| (sent.login == refused).then(|| answer(401, &json!({ "error": refused }))));
    source.give("canary-new");
    account.run(account.desk.apply(&note())).unwrap();
    assert_eq!(account.lines(), ["PUT /api/v2/tickets/35436", "PUT /api/v2/tickets/35436"], "refused is not done");
    // An OAuth client: read again when no token is to be had.
    let source = Replaced::default();
    let client = Secret::from_source(SECRET.to_owned().into(), Box::new(source.clone()));
    let account = Account::with([("client_id", text("handoffd")), ("client_secret", Setting::Secret(client))]);
    account.when(|sent| {
        let old = sent.body["client_secret"] == SECRET;
        old.then(|| answer(401, &json!({ "error": "invalid_client", "error_description": format!("not {SECRET}") })))
    });
    let error = account.run(account.desk.head(&ticket(), start())).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Unauthorized);
    account.sent();
    source.give("canary-new");
    account.pass(60);
    account.run(account.desk.head(&ticket(), start())).unwrap();
    assert_eq!(account.lines()[..3], ["POST /oauth/tokens", "POST /oauth/tokens", "GET /api/v2/tickets/35436"]);
    // What a vendor repeats of either is hidden.
    account.on("GET", "/api/v2/tickets/35436", 422, json!({ "error": format!("{SECRET} canary-new {ACCESS}") }));
    let words = format!("{:?}", account.run(account.desk.head(&ticket(), start())).unwrap_err());
    assert!(!words.contains("canary") && !words.contains(SECRET) && !words.contains(ACCESS), "{words}");
}

#[test]
fn an_anonymous_answer_is_a_login_that_does_not_work() {
    let account = Account::legacy();
    account.on("GET", "/api/v2/users/me", 200, json!({ "user": { "id": null, "name": "Anonymous user" } }));
    assert_eq!(account.run(account.desk.me()).unwrap_err().kind, DeskErrorKind::Unauthorized);
    let findings = account.run(account.desk.check(&[])).unwrap();
    assert_eq!(findings.len(), 1);
}

#[test]
fn an_id_that_is_no_number_never_reaches_a_path() {
    let account = Account::new();
    for odd in ["", "7/../users", "7?x=y", "../oauth/tokens", "-1", "0", "7 ", "%37", "seven"] {
        let odd = TicketId::from(odd);
        let error = account.run(account.desk.head(&odd, start())).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::NotFound);
        let write = Write { ticket: odd, ..note() };
        assert!(account.run(account.desk.apply(&write)).is_err());
        assert!(account.run(account.desk.find(&write)).is_err());
    }
    assert_eq!(account.lines(), Vec::<String>::new());
}

#[test]
fn a_group_that_does_not_exist_is_refused_before_anything_is_sent() {
    let account = Account::new();
    let to = |queue: QueueSpec| write(DeskChange::Update(Update { queue: Some(queue), ..Update::default() }));
    let missing = to(QueueSpec::Name("Bilingual".into()));
    let error = account.run(account.desk.apply(&missing)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.words.contains("Bilingual") && error.next_step.is_some());
    account.sent();
    account.run(account.desk.apply(&missing)).unwrap_err();
    assert_eq!(account.lines(), Vec::<String>::new(), "groups are not read again within a minute");
    account.pass(61);
    account.run(account.desk.apply(&missing)).unwrap_err();
    assert_eq!(account.lines(), ["GET /api/v2/groups"]);
    assert!(account.run(account.desk.apply(&to(QueueSpec::Id("x".into())))).is_err());
    account.sent();
    account.run(account.desk.apply(&to(QueueSpec::Id("98738".into())))).unwrap();
    assert_eq!(account.sent()[0].body["ticket"]["group_id"], json!(98738));
}

#[test]
fn tags_go_through_their_own_endpoint_each_half_guarded() {
    let account = Account::new();
    account.on("PUT", "/api/v2/tickets/35436/tags", 200, json!({ "tags": ["export", "vip", "ours"] }));
    account.when(|sent| (sent.method == "DELETE").then(|| raw(204, &[], "")));
    let change = DeskChange::Tags { add: vec!["ours".into()], remove: vec!["gone".into()] };
    account.run(account.desk.apply(&write(change.clone()))).unwrap();
    let sent = account.sent();
    let tags: Vec<_> = sent.iter().filter(|sent| sent.path.ends_with("/tags")).collect();
    let first = json!({ "tags": ["ours"], "safe_update": true, "updated_stamp": "2026-05-03T10:05:12Z" });
    assert_eq!((tags[0].method.as_str(), &tags[0].body), ("PUT", &first));
    let second = json!({ "tags": ["gone"], "safe_update": true, "updated_stamp": "2026-05-03T10:05:12Z" });
    assert_eq!((tags[1].method.as_str(), &tags[1].body), ("DELETE", &second));

    account.when(|sent| (sent.method == "DELETE").then(|| answer(409, &json!({ "error": "UpdateConflict" }))));
    let error = account.run(account.desk.apply(&write(change.clone()))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Unsure), "the first half was done");
    account.on("PUT", "/api/v2/tickets/35436/tags", 409, json!({ "error": "UpdateConflict" }));
    let error = account.run(account.desk.apply(&write(change.clone()))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Never), "nothing was done");
    account.on("PUT", "/api/v2/tickets/35436/tags", 200, json!({ "tags": ["export"] }));
    let error = account.run(account.desk.apply(&write(change))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure), "the answer shows otherwise");
}

#[test]
fn tags_are_found_by_being_as_wanted() {
    let account = Account::new();
    let find = |add: &[&str], remove: &[&str]| {
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        account.run(account.desk.find(&write(DeskChange::Tags { add: owned(add), remove: owned(remove) }))).unwrap()
    };
    assert!(matches!(find(&["vip"], &["gone"]), Sighting::Found(_)));
    assert_eq!(find(&["ours"], &[]), Sighting::NotFound);
    assert_eq!(find(&[], &["vip"]), Sighting::NotFound);
}

#[test]
fn a_write_is_found_by_its_key_from_our_own_account_only() {
    let account = Account::new();
    assert!(
        matches!(account.run(account.desk.find(&note())).unwrap(), Sighting::Found(receipt) if receipt.id == "35436040")
    );
    let other = Write { mark: handoffd_kit::mark::Mark { number: 2, ..crate::common::mark() }, ..note() };
    assert_eq!(account.run(account.desk.find(&other)).unwrap(), Sighting::NotFound);
    let me = json!({ "user": { "id": 99, "role": "admin" } });
    let stranger = Account::new();
    stranger.on("GET", "/api/v2/users/me", 200, me);
    assert_eq!(stranger.run(stranger.desk.find(&note())).unwrap(), Sighting::NotFound);
}

#[test]
fn a_note_that_came_out_public_is_an_incident() {
    let account = Account::new();
    account.on("PUT", "/api/v2/tickets/35436", 200, updated(true));
    let error = account.run(account.desk.apply(&note())).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
    assert!(error.words.contains("INCIDENT"), "{error}");
}

#[test]
fn only_a_write_that_may_have_happened_is_unsure() {
    type Named = (&'static str, fn() -> crate::common::Reply);
    let unsure: [Named; 8] = [
        ("lost", || Err(TransportError::Lost("reset".into()))),
        ("too large", || Err(TransportError::TooLarge(1))),
        ("500", || raw(500, &[], "<html>Oops</html>")),
        ("503 that names a time", || raw(503, &[("retry-after", "7")], "")),
        ("no JSON", || raw(200, &[], "{\"ticket\":")),
        ("nothing", || raw(200, &[], "")),
        ("another ticket", || answer(200, &json!({ "ticket": { "id": 7 }, "audit": updated(false)["audit"] }))),
        ("no audit", || answer(200, &json!({ "ticket": updated(false)["ticket"] }))),
    ];
    for (name, reply) in unsure {
        let account = Account::new();
        account.when(move |sent| (sent.method == "PUT").then(reply));
        let error = account.run(account.desk.apply(&note())).unwrap_err();
        assert_eq!(error.retry, Retry::Unsure, "{name}: {error}");
    }
    let account = Account::new();
    account.when(|sent| (sent.method == "PUT").then(|| Err(TransportError::NotSent("refused".into()))));
    let error = account.run(account.desk.apply(&note())).unwrap_err();
    assert_eq!(error.retry, Retry::After(None));
}

#[test]
fn a_written_update_stays_proven_when_a_later_read_fails() {
    let account = Account::new();
    account.run(account.desk.me()).unwrap();
    account.on("GET", "/api/v2/groups", 500, Value::Null);
    let receipt = account.run(account.desk.apply(&note())).unwrap();
    assert_eq!(receipt.version.unwrap().as_str(), "2026-05-03T12:00:01Z");
    assert!(receipt.head.is_none());
}

#[test]
fn the_plain_text_429_waits_as_told() {
    let account = Account::new();
    account.when(|sent| {
        let words = "Rate limit for ticket updates exceeded, please wait before updating this ticket again";
        (sent.method == "PUT").then(|| raw(429, &[("retry-after", "93"), ("content-type", "text/html")], words))
    });
    let error = account.run(account.desk.apply(&note())).unwrap_err();
    let until = start() + jiff::SignedDuration::from_secs(93);
    assert_eq!((error.kind, error.retry), (DeskErrorKind::RateLimited, Retry::After(Some(until))));
}

#[test]
fn no_error_and_no_debug_output_holds_a_secret() {
    let secrets = |login: &str| {
        let encoded = login.strip_prefix("Basic ").unwrap_or("-never-").to_owned();
        [SECRET.to_owned(), API_TOKEN.to_owned(), ACCESS.to_owned(), encoded]
    };
    for account in [Account::new(), Account::legacy()] {
        account.run(account.desk.head(&ticket(), start())).unwrap();
        let login = account.sent().pop().unwrap().login;
        let hidden = secrets(&login);
        for status in 300..=599 {
            let (words, all) = (login.clone(), hidden.join(" "));
            account.when(move |_| {
                let body = match status % 3 {
                    0 => json!({ "error": { "title": words, "message": all } }).to_string(),
                    1 => json!({ "error": words, "description": all, "details": { "x": [{ "description": all }] } })
                        .to_string(),
                    _ => format!("<html>{words} {all}</html>"),
                };
                Some(raw(status, &[("retry-after", "0")], body))
            });
            for shown in every_error(&account) {
                // Each kind of login only knows its own secrets.
                let own: &[String] = if login.starts_with("Basic") {
                    &[hidden[1].clone(), hidden[3].clone()]
                } else {
                    &[hidden[0].clone(), hidden[2].clone()]
                };
                for secret in own {
                    assert!(!shown.contains(secret.as_str()), "{status}: {shown}");
                }
            }
            account.pass(1);
        }
    }
}

fn every_error(account: &Account) -> Vec<String> {
    let mut shown = Vec::new();
    let mut keep =
        |error: Option<handoffd_kit::error::DeskError>| shown.extend(error.as_ref().map(crate::common::shown));
    keep(account.run(account.desk.head(&ticket(), start())).err());
    keep(account.run(account.desk.apply(&note())).err());
    keep(account.run(account.desk.find(&note())).err());
    let findings = account.run(account.desk.check(&[]));
    shown.push(format!("{findings:?}"));
    shown
}
