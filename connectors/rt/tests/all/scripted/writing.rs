//! Writing, and looking up what was written.

use super::desk::{Answer, Script, Step, counted, desk, list, queues, step, ticket, transaction, with};
use futures::executor::block_on;
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, Receipt, Sighting, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Result, Retry};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{InternalText, Priority};
use jiff::Timestamp;
use serde_json::{Value, json};

fn mark() -> Mark {
    Mark { handoff: "h1".into(), number: 1, rule: "rule".into(), version: "v1".into() }
}

fn write(update: Update) -> Write {
    Write {
        ticket: "1".into(),
        change: DeskChange::Update(update),
        mark: mark(),
        expected: Some("100".into()),
        decided_on: None,
        first_tried: Some(super::desk::NOW.parse().unwrap()),
        deadline: Timestamp::MAX,
    }
}

fn to_tier2() -> Write {
    write(Update { queue: Some(QueueSpec::Name("tier2".into())), ..Update::default() })
}

fn note() -> Write {
    let text = InternalText(format!("words\n\n{}", mark()));
    write(Update { note: Some(text), ..Update::default() })
}

fn apply(write: &Write, steps: Vec<Step>) -> (Result<Receipt>, Script) {
    let script = Script::new(steps);
    let applied = block_on(desk(&script).apply(write));
    script.ended();
    (applied, script)
}

fn seen(version: u64, ticket: Value) -> Step {
    step("GET /ticket/1", Answer::Tagged(version, ticket))
}

fn tier2() -> Value {
    with("Queue", json!({"id": "7", "Name": "tier2", "type": "queue"}))
}

fn said(sentence: &str) -> Step {
    step("PUT /ticket/1", Answer::Json(200, json!([sentence])))
}

fn since(transactions: Vec<Value>) -> Step {
    step("GET /ticket/1/history", list(transactions))
}

#[test]
fn a_move_is_proven_by_our_own_transaction() {
    let nobody = json!({"id": 6, "Name": "Nobody"});
    let (applied, script) = apply(
        &to_tier2(),
        vec![
            seen(100, ticket(1)),
            said("Ticket 1: Queue changed from tier1 to tier2"),
            seen(103, tier2()),
            since(vec![
                transaction(101, "handoff-bot", "Set", "Queue", "6", "7"),
                transaction(102, "RT_System", "Set", "Owner", "59", "6"),
                transaction(103, "RT_System", "SetWatcher", "Owner", "59", "6"),
            ]),
            queues(),
            step("GET /user/6", Answer::Json(200, nobody)),
        ],
    );
    let receipt = applied.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.version.unwrap().as_str()), ("101", "103"));
    let put = &script.asked()[2];
    assert_eq!((put.headers["if-match"].to_str().unwrap(), &put.body), ("\"100\"", &json!({"Queue": "tier2"})));
}

#[test]
fn a_200_that_refuses_is_a_refusal() {
    let (applied, _) = apply(
        &to_tier2(),
        vec![seen(100, ticket(1)), said("Ticket 1: Queue tier2 does not exist"), seen(100, ticket(1)), since(vec![])],
    );
    let error = applied.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.words.contains("does not exist") && error.next_step.is_some());
}

#[test]
fn a_sentence_of_success_without_its_change_is_no_success() {
    let (applied, _) = apply(
        &to_tier2(),
        vec![
            seen(100, ticket(1)),
            said("Ticket 1: Queue changed from tier1 to tier2"),
            seen(100, ticket(1)),
            since(vec![]),
        ],
    );
    assert_eq!(applied.unwrap_err().kind, DeskErrorKind::Refused);
}

#[test]
fn a_colleague_in_the_gap_of_the_version_check_is_put_back() {
    let (applied, script) = apply(
        &to_tier2(),
        vec![
            seen(100, ticket(1)),
            said("Ticket 1: Queue changed from review to tier2"),
            seen(102, tier2()),
            since(vec![
                transaction(101, "agent-1", "Set", "Queue", "6", "8"),
                transaction(102, "handoff-bot", "Set", "Queue", "8", "7"),
            ]),
            queues(),
            said("Ticket 1: Queue changed from tier2 to review"),
            seen(103, with("Queue", json!({"id": "8", "Name": "review", "type": "queue"}))),
        ],
    );
    let error = applied.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Overruled));
    assert!(error.words.contains("agent-1") && error.words.ends_with("theirs was put back"), "{error}");
    let asked = script.asked();
    let back = &asked[asked.len() - 2];
    assert_eq!((back.headers["if-match"].to_str().unwrap(), &back.body), ("\"102\"", &json!({"Queue": "8"})));
}

#[test]
fn theirs_counts_as_put_back_only_once_the_ticket_shows_it() {
    let give = write(Update { owner: Some(OwnerSpec::Nobody), ..Update::default() });
    let owner = |name: &str| json!({"id": name, "Name": name, "type": "user"});
    let user = |id: u64, name: &str| Answer::Json(200, json!({"id": id, "Name": name}));
    let down = || Answer::Json(500, json!({"message": "Internal Server Error"}));
    let nobody = || Answer::Tagged(103, with("Owner", owner("Nobody")));
    let taken = || Answer::Tagged(104, with("Owner", owner("agent-1")));
    let refusal = "Ticket 1: That user may not own tickets in that queue";
    let put_back = |answer: Answer, then: Option<Answer>| {
        let mut steps = vec![
            seen(100, with("Owner", owner("agent-2"))),
            said("Ticket 1: Owner changed from agent-1 to Nobody"),
            seen(102, with("Owner", owner("Nobody"))),
            since(vec![
                transaction(101, "agent-1", "Set", "Owner", "60", "59"),
                transaction(102, "handoff-bot", "Set", "Owner", "59", "6"),
            ]),
            step("GET /user/59", user(59, "agent-1")),
            step("GET /user/6", user(6, "Nobody")),
            step("PUT /ticket/1", answer),
        ];
        steps.extend(then.map(|then| step("GET /ticket/1", then)));
        let error = apply(&give, steps).0.unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Conflict);
        (error.retry, error.words)
    };
    let (retry, words) = put_back(Answer::Json(200, json!([refusal])), Some(nobody()));
    assert_eq!(retry, Retry::Applied, "RT refuses with 200, and a person must look");
    assert!(words.contains("does not show theirs") && words.contains(refusal), "{words}");
    let (retry, words) = put_back(Answer::Json(200, json!(["Owner changed"])), Some(down()));
    assert_eq!(retry, Retry::Applied);
    assert!(words.contains("whether theirs was put back is not known"), "{words}");
    let stale = Answer::Json(412, json!({"message": "Precondition Failed"}));
    let (retry, words) = put_back(stale, None);
    assert_eq!(retry, Retry::Applied);
    assert!(words.contains("could not be put back"), "{words}");
    let (retry, words) = put_back(Answer::Lost, Some(taken()));
    assert_eq!(retry, Retry::Overruled, "the answer was lost, and the ticket shows theirs");
    assert!(words.ends_with("theirs was put back"), "{words}");
}

#[test]
fn nothing_is_put_back_once_anybody_acted_again() {
    // What RT does by itself afterwards does not hide that somebody acted.
    for (who, newest, then) in [
        ("agent-1", 103, vec![]),
        ("agent-2", 103, vec![]),
        ("agent-2", 104, vec![transaction(104, "RT_System", "Set", "Queue", "6", "8")]),
    ] {
        let mut happened = vec![
            transaction(101, "agent-1", "Set", "Queue", "6", "8"),
            transaction(102, "handoff-bot", "Set", "Queue", "8", "7"),
            transaction(103, who, "Set", "Queue", "7", "6"),
        ];
        happened.extend(then);
        let (applied, _) = apply(
            &to_tier2(),
            vec![
                seen(100, ticket(1)),
                said("Ticket 1: Queue changed from review to tier2"),
                seen(newest, ticket(1)),
                since(happened),
                queues(),
            ],
        );
        let error = applied.unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Overruled));
        assert!(error.words.contains(&format!("{who} since")), "{error}");
    }
}

#[test]
fn somebody_else_s_change_does_not_hide_behind_the_next_version() {
    let (applied, _) = apply(
        &note(),
        vec![
            seen(100, ticket(1)),
            step("POST /ticket/1/comment", Answer::Made(101)),
            seen(102, with("Priority", json!("90"))),
            since(vec![
                transaction(101, "handoff-bot", "Comment", "", "", ""),
                transaction(102, "agent-1", "Set", "Priority", "40", "90"),
            ]),
        ],
    );
    assert_eq!(applied.unwrap().version.unwrap().as_str(), "101", "not 102: the next write must notice");
}

#[test]
fn a_note_carries_no_version_and_its_address_is_the_receipt() {
    let (applied, script) = apply(
        &note(),
        vec![
            seen(100, ticket(1)),
            step("POST /ticket/1/comment", Answer::Made(101)),
            seen(101, ticket(1)),
            since(vec![transaction(101, "handoff-bot", "Comment", "", "", "")]),
        ],
    );
    assert_eq!(applied.unwrap().id, "101");
    let post = &script.asked()[2];
    assert!(!post.headers.contains_key("if-match"), "RT answers 412 to any");
    assert_eq!(post.body["ContentType"], "text/plain");
    assert!(post.body["Content"].as_str().unwrap().ends_with("\n\n[handoffd h1/1 rule@v1]"));
}

#[test]
fn what_was_written_stays_written_when_it_cannot_be_read_again() {
    let down = || step("GET /ticket/1", Answer::Json(500, json!({"message": "Internal Server Error"})));
    let made = step("POST /ticket/1/comment", Answer::Made(101));
    let (applied, _) = apply(&note(), vec![seen(100, ticket(1)), made, down()]);
    let receipt = applied.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.version, receipt.head), ("101", None, None));
    let moved = said("Ticket 1: Queue changed from tier1 to tier2");
    let (applied, _) = apply(&to_tier2(), vec![seen(100, ticket(1)), moved, down()]);
    assert_eq!(applied.unwrap_err().retry, Retry::Unsure, "a sentence alone proves nothing");
}

#[test]
fn a_move_out_of_sight_is_done_and_blind() {
    let gone = || step("GET /ticket/1", Answer::Json(403, json!({"message": "Forbidden"})));
    let moved = said("Ticket 1: Queue changed from tier1 to #7");
    let (applied, _) = apply(&to_tier2(), vec![seen(100, ticket(1)), moved, gone(), queues()]);
    let receipt = applied.unwrap();
    assert!(receipt.head.is_none() && receipt.version.is_none());
    let refused = said("Ticket 1: Permission Denied");
    let (applied, _) = apply(&to_tier2(), vec![seen(100, ticket(1)), refused, gone(), queues()]);
    let error = applied.unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Forbidden);
    assert!(error.next_step.unwrap().contains("CreateTicket in tier2"));
}

#[test]
fn a_permission_denied_note_names_its_right_and_a_412_is_a_conflict() {
    let denied = step("POST /ticket/1/comment", Answer::Json(400, json!({"message": "Permission Denied"})));
    let (applied, _) = apply(&note(), vec![seen(100, ticket(1)), denied]);
    let error = applied.unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Forbidden);
    assert!(error.next_step.unwrap().contains("CommentOnTicket"));
    let stale = step("PUT /ticket/1", Answer::Json(412, json!({"message": "Precondition Failed"})));
    let (applied, _) = apply(&to_tier2(), vec![seen(100, ticket(1)), stale]);
    let error = applied.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Never));
}

#[test]
fn an_old_version_an_ended_ticket_and_two_things_at_once_write_nothing() {
    let (applied, _) = apply(&to_tier2(), vec![seen(101, ticket(1))]);
    assert_eq!(applied.unwrap_err().kind, DeskErrorKind::Conflict);
    for ended in [ticket(38), with("Status", json!("deleted"))] {
        let (applied, _) = apply(&note(), vec![seen(100, ended)]);
        assert_eq!(applied.unwrap_err().kind, DeskErrorKind::Gone, "RT would have taken it");
    }
    let both = Update { queue: Some(QueueSpec::Id("7".into())), owner: Some(OwnerSpec::Nobody), ..Update::default() };
    let script = Script::default();
    let error = block_on(desk(&script).apply(&write(both))).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Refused);
    assert!(script.asked().is_empty());
}

#[test]
fn what_is_so_already_is_not_written_again() {
    let owner = write(Update { owner: Some(OwnerSpec::Nobody), ..Update::default() });
    let (applied, _) = apply(&owner, vec![seen(100, ticket(1))]);
    assert_eq!(applied.unwrap().version.unwrap().as_str(), "100");
}

#[test]
fn an_address_counts_only_where_rt_really_looked_for_it() {
    // Without the right to ask for addresses, RT leaves the condition out and gives everybody.
    let everybody = counted(vec![
        json!({"id": "agent-1", "Name": "agent-1", "EmailAddress": "agent-1@acme.example"}),
        json!({"id": "agent-2", "Name": "agent-2", "EmailAddress": "agent-2@acme.example"}),
    ]);
    let owner = |email: &str| write(Update { owner: Some(OwnerSpec::Email(email.into())), ..Update::default() });
    let script = Script::default();
    script.push(step("GET /users", everybody));
    let error = block_on(desk(&script).apply(&owner("lead@acme.example"))).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Refused);
}

#[test]
fn a_priority_is_proven_by_its_band() {
    let urgent = write(Update { priority: Some(Priority::Urgent), ..Update::default() });
    let (applied, script) = apply(
        &urgent,
        vec![
            seen(100, ticket(1)),
            said("Ticket 1: Priority changed from 'Low' to 'High'"),
            seen(101, with("Priority", json!("100"))),
            since(vec![transaction(101, "handoff-bot", "Set", "Priority", "40", "100")]),
        ],
    );
    assert_eq!(applied.unwrap().id, "101");
    assert_eq!(script.asked()[2].body, json!({"Priority": 100}));
}

fn find(write: &Write, steps: Vec<Step>) -> Result<Sighting> {
    let script = Script::new(steps);
    let found = block_on(desk(&script).find(write));
    script.ended();
    found
}

fn texts(transaction: u64, text: &str) -> Vec<Step> {
    let part =
        json!({"id": "9", "TransactionId": transaction.to_string(), "ContentType": "text/plain", "ContentLength": "9"});
    vec![
        step("GET /attachments", list(vec![part])),
        step("GET /attachments", list(vec![json!({"id": "9", "Content": text})])),
    ]
}

#[test]
fn a_note_is_found_by_its_mark_in_our_own_message() {
    let comment = |by: &str| since(vec![transaction(105, by, "Comment", "", "", "")]);
    let end = || since(vec![]);
    let marked = format!("words\r\n\r\n{}\r\n", mark());
    let mut steps = vec![seen(105, ticket(1)), comment("handoff-bot"), end()];
    steps.extend(texts(105, &marked));
    assert!(matches!(find(&note(), steps).unwrap(), Sighting::Found(receipt) if receipt.id == "105"));

    let mut steps = vec![seen(105, ticket(1)), comment("handoff-bot"), end()];
    steps.extend(texts(105, "another note of ours"));
    assert_eq!(find(&note(), steps).unwrap(), Sighting::NotFound);

    let steps = vec![seen(105, ticket(1)), comment("agent-1"), end()];
    assert_eq!(find(&note(), steps).unwrap(), Sighting::NotFound, "a colleague's copy is not even read");
}

#[test]
fn a_move_is_found_by_our_transaction_whatever_came_after() {
    let ours = transaction(105, "handoff-bot", "Set", "Queue", "6", "7");
    let back = transaction(109, "agent-1", "Set", "Queue", "7", "6");
    let steps = vec![seen(109, ticket(1)), since(vec![ours, back.clone()]), since(vec![]), queues()];
    assert!(matches!(find(&to_tier2(), steps).unwrap(), Sighting::Found(receipt) if receipt.id == "105"));
    let theirs = transaction(105, "agent-1", "Set", "Queue", "6", "7");
    let steps = vec![seen(105, tier2()), since(vec![theirs]), since(vec![])];
    assert_eq!(find(&to_tier2(), steps).unwrap(), Sighting::NotFound, "somebody else did it");
}

#[test]
fn what_cannot_be_seen_is_an_error_and_never_not_found() {
    let forbidden = step("GET /ticket/1", Answer::Json(403, json!({"message": "Forbidden"})));
    let error = find(&note(), vec![forbidden, queues()]).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Hidden, "the ticket, not the note");
}

#[test]
fn a_note_sent_to_a_merged_ticket_is_looked_for_on_the_other_one() {
    let mut steps = vec![
        seen(105, ticket(38)),
        step("GET /ticket/38/history", list(vec![transaction(105, "handoff-bot", "Comment", "", "", "")])),
        step("GET /ticket/38/history", list(vec![])),
    ];
    steps.extend(texts(105, &mark().to_string()));
    assert!(matches!(find(&note(), steps).unwrap(), Sighting::Found(_)));
}
