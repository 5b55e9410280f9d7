//! What is written, in which order, in which words.

use super::compare::as_decided;
use super::*;
use crate::policy::decide::decide;
use crate::policy::due::Due;
use crate::policy::proposal::{CustomerPlan, PausePlan, Proposal};
use crate::policy::rules::Policy;
use crate::policy::testing::{self, escalation, route};
use crate::policy::verdict::{Decision, Outcome};
use handoffd_kit::capability::{Aspect, Capabilities, Guard, IdForm, NoteFormat, Pausing, Roster, WebhookTrust};
use handoffd_kit::desk::{DeskChange, OwnerSpec, QueueSpec, StatusSpec, Update, WordingSignature};
use handoffd_kit::fact::Fact;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Attachment, ClockState, Conversation, FieldValue, InternalText, PartKind, PartSet, Priority, Status, TicketHead,
    VendorClock,
};
use std::time::Duration;

const ALL: &[Aspect] = &[Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Fields];

fn desk(together: &'static [Aspect]) -> Capabilities {
    Capabilities {
        connector: "test",
        user_id: IdForm::Text,
        queue_id: IdForm::Text,
        together,
        fixed: &[],
        guard: Guard::None,
        readable_history: true,
        sla_clocks: false,
        pausing: &[],
        customers_tickets: false,
        machine_mail: false,
        race_free_tags: false,
        roster: Roster::None,
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(1),
        webhook: WebhookTrust::None,
        note_format: NoteFormat::Text,
        note_max_bytes: 10_000,
        streams: Vec::new(),
        limits: Vec::new(),
        rights: &[],
        checked: "never",
    }
}

fn decided(case: &crate::policy::case::Case, policy: &Policy) -> Proposal {
    match decide(case, policy, &|_, _| true, testing::now()) {
        Decision::Verdict(verdict) => match verdict.outcome {
            Outcome::Escalate(proposal) | Outcome::Route(proposal) => *proposal,
            other => panic!("{other:?}"),
        },
        Decision::Need(parts) => panic!("{parts:?}"),
    }
}

fn escalated() -> (Proposal, TicketHead) {
    let mut case = testing::case_with_parts();
    let mut first =
        testing::said_by_customer("Hello,\nI was charged twice. It was on Monday. Card 4111 1111 1111 1111.");
    first.attachments.push(Attachment {
        name: "bill.pdf".into(),
        media_type: Some("application/pdf".into()),
        bytes: Some(12_345),
        link: Some("https://desk.example/a/1".into()),
    });
    let last = testing::said_by_customer("The form says no.\n[handoffd h1/1 refund@v1]\nCan you refund it?");
    let messages = vec![first, testing::said_by_agent("Please try the refund form."), last];
    case.parts.conversation = Some(Conversation { messages, complete: true });
    // This desk does not list a customer's tickets.
    case.asked = PartSet::of(&[PartKind::Contacts]);
    let mut rule = escalation("refund", "ticket.fields.refund_eur > 500.0", "billing");
    rule.package.require = crate::policy::package::ORDER.to_vec();
    let vip = escalation("vip", "has_tag('refund')", "billing");
    let policy = Policy { escalations: vec![rule, vip], ..testing::policy() };
    (decided(&case, &policy), case.head)
}

fn signature(proposal: &Proposal) -> Option<WordingSignature> {
    let CustomerPlan::Tell { message, wording_hash, .. } = &proposal.customer else { return None };
    Some(WordingSignature { message: message.to_string(), wording: wording_hash.clone(), signer: "ops".into() })
}

fn update(effect: &PlannedEffect) -> &Update {
    match &effect.write.change {
        DeskChange::Update(update) => update,
        other => panic!("{other:?}"),
    }
}

fn note_of(effect: &PlannedEffect) -> &str {
    let InternalText(text) = update(effect).note.as_ref().unwrap();
    text
}

fn labels(effects: &[PlannedEffect]) -> Vec<&str> {
    effects.iter().map(|effect| effect.label.as_str()).collect()
}

#[test]
fn the_note_has_everything_in_its_order_and_the_mark_last() {
    let (proposal, head) = escalated();
    let effects = effects(&proposal, "habc", &desk(ALL), &head, signature(&proposal));
    insta::assert_snapshot!(note_of(&effects[0]));
    assert_eq!(Mark::in_text(note_of(&effects[0])), Some(effects[0].write.mark.clone()));
}

#[test]
fn what_the_desk_sets_together_is_one_effect_and_the_customer_hears_last() {
    let (proposal, head) = escalated();
    let effects = effects(&proposal, "habc", &desk(ALL), &head, signature(&proposal));
    assert_eq!(labels(&effects), ["transfer with package note", "customer message"]);
    assert_eq!(update(&effects[0]).queue, Some(QueueSpec::Name("Billing".into())));
    assert_eq!(update(&effects[0]).owner, Some(OwnerSpec::Nobody));
    assert_eq!(effects[0].write.expected, Some("v1".into()));
    assert_eq!(effects[1].write.expected, None);
    let keys: Vec<String> = effects.iter().map(|effect| effect.write.mark.key()).collect();
    assert_eq!(keys, ["habc/1", "habc/2"]);
}

#[test]
fn where_nothing_goes_together_the_note_comes_first_then_the_queue_then_the_owner() {
    let (proposal, mut head) = escalated();
    let none = desk(&[]);
    let planned = effects(&proposal, "habc", &none, &head, signature(&proposal));
    assert_eq!(labels(&planned), ["package note", "transfer", "owner", "customer message"]);
    // Nobody need not be set where nobody is.
    head.owner = Fact::Known(None);
    let planned = effects(&proposal, "habc", &none, &head, signature(&proposal));
    assert_eq!(labels(&planned), ["package note", "transfer", "customer message"]);
    let queue_and_owner = desk(&[Aspect::Queue, Aspect::Owner]);
    head.owner = Fact::Unknown;
    let planned = effects(&proposal, "habc", &queue_and_owner, &head, signature(&proposal));
    assert_eq!(labels(&planned), ["package note", "transfer", "customer message"]);
    assert_eq!(update(&planned[1]).owner, Some(OwnerSpec::Nobody));
}

#[test]
fn nothing_public_goes_out_without_the_signature_of_exactly_this_wording() {
    let (proposal, head) = escalated();
    let other = signature(&proposal).map(|signature| WordingSignature { wording: "other".into(), ..signature });
    for signature in [None, other] {
        let effects = effects(&proposal, "habc", &desk(ALL), &head, signature);
        assert_eq!(labels(&effects), ["transfer with package note"]);
        assert!(note_of(&effects[0]).contains("The customer is told nothing: escalated is not signed any more"));
    }
}

#[test]
fn a_route_leaves_a_short_note() {
    let mut case = testing::case();
    case.memory.stay = None;
    case.memory.teams_seen.clear();
    case.head.queue = testing::queue("Incoming");
    let policy = Policy { routes: vec![route("refunds", "has_tag('refund')", "billing")], ..testing::policy() };
    let proposal = decided(&case, &policy);
    let effects = effects(&proposal, "habc", &desk(ALL), &case.head, None);
    assert_eq!(
        note_of(&effects[0]),
        "Routed: Incoming → billing\nWhy: has_tag('refund') (rule refunds)\n\n\
         Clocks: the customer's runs on; billing answers for them\nOpen for: 1 d 3 h\n\n\
         [handoffd habc/1 refunds@refunds-v1]"
    );
}

#[test]
fn a_note_says_instead_of_which_team_and_why() {
    let mut case = testing::case_with_parts();
    case.memory.stay = None;
    case.memory.teams_seen.clear();
    case.head.queue = testing::queue("Incoming");
    let mut policy = testing::policy();
    case.memory.queues_gone = vec![policy.teams[&"billing".into()].queue.clone()];
    policy.routes = vec![route("invoices", "", "billing")];
    policy.routes[0].fallback = Some("frontline".into());
    let proposal = decided(&case, &policy);
    let effects = effects(&proposal, "h1", &desk(ALL), &case.head, None);
    let lines: Vec<&str> = note_of(&effects[0]).lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "Routed: Incoming → frontline",
            "Why: no other route matches (rule invoices)",
            "Instead of billing: the desk shows no queue \"Billing\" any more"
        ]
    );
}

/// The lines of a note that begin so.
fn lines_of<'n>(note: &'n str, begins: &str) -> Vec<&'n str> {
    note.lines().filter(|line| line.starts_with(begins)).collect()
}

/// The note of a refund that is escalated with these clocks of the desk and this target of ours for billing.
fn note_with(clocks: Vec<VendorClock>, internal: bool) -> String {
    let mut case = testing::case_with_parts();
    case.parts.clocks = Some(clocks);
    let mut rule = escalation("refund", "has_tag('refund')", "billing");
    rule.clock.internal = rule.clock.internal.filter(|_| internal);
    let policy = Policy { escalations: vec![rule], ..testing::policy() };
    let proposal = decided(&case, &policy);
    note_of(&effects(&proposal, "h1", &desk(ALL), &case.head, None)[0]).to_owned()
}

#[test]
fn every_note_has_the_deadline_that_counts_for_the_receiving_team() {
    let clock = |hours: i64| VendorClock {
        name: "resolution".into(),
        state: ClockState::Running,
        breaches_at: Some(testing::now() + jiff::SignedDuration::from_hours(hours)),
    };
    let both = note_with(vec![clock(2)], true);
    assert_eq!(
        lines_of(&both, "Until:"),
        ["Until: Mon 2 Nov 16:00 UTC: 4 h, around the clock (the target of billing)"]
    );
    assert_eq!(
        lines_of(&both, "Clocks:"),
        ["Clocks: resolution runs on until Mon 2 Nov 14:00 UTC: the desk's own clock; billing answers for them"]
    );
    let customers = note_with(vec![clock(2)], false);
    assert_eq!(
        lines_of(&customers, "Until:"),
        ["Until: Mon 2 Nov 14:00 UTC: the desk's own clock (the customer's clock resolution)"]
    );
    assert_eq!(lines_of(&customers, "Clocks:"), ["Clocks: resolution runs on until then; billing answers for them"]);
    let missed = note_with(vec![clock(-2)], false);
    assert_eq!(lines_of(&missed, "Until:"), Vec::<&str>::new());
    assert_eq!(
        lines_of(&missed, "Clocks:"),
        ["Clocks: resolution ran out Mon 2 Nov 10:00 UTC: the desk's own clock; billing answers for them"]
    );
}

#[test]
fn the_clocks_are_read_for_the_note_whatever_the_rule_requires() {
    let mut case = testing::case_with_parts();
    case.parts.clocks = None;
    let policy =
        Policy { escalations: vec![escalation("refund", "has_tag('refund')", "billing")], ..testing::policy() };
    let needs = |case: &_| decide(case, &policy, &|_, _| true, testing::now());
    assert!(matches!(needs(&case), Decision::Need(parts) if parts == PartSet::of(&[PartKind::Clocks])));
    case.asked = PartSet::of(&[PartKind::Clocks]);
    let note = note_of(&effects(&decided(&case, &policy), "h1", &desk(ALL), &case.head, None)[0]).to_owned();
    assert!(note.contains("Unknown: the helpdesk's clocks: they could not be read"), "{note}");
}

#[test]
fn words_of_the_ticket_stand_once_in_a_note() {
    let mut case = testing::case_with_parts();
    case.head.text = Fact::Known("Hello, I was charged twice. Can you refund it? My dog ate the invoice.".into());
    let matched = |case: &crate::policy::case::Case, when: &str, left_out: bool| {
        let mut rule = escalation("refund", when, "billing");
        rule.package.require = crate::policy::package::ORDER.to_vec();
        let policy = Policy { escalations: vec![rule], ..testing::policy() };
        let mut proposal = decided(case, &policy);
        if left_out {
            proposal.package = None;
        }
        let note = note_of(&effects(&proposal, "h1", &desk(ALL), &case.head, None)[0]).to_owned();
        lines_of(&note, "Matched:").join("\n")
    };
    case.asked = PartSet::of(&[PartKind::Contacts]);
    let subject = "ticket.subject != '' && ticket.priority == 'high'";
    assert_eq!(matched(&case, subject, false), "Matched: ticket.subject: see \"Summary\"; ticket.priority: high");
    assert_eq!(matched(&case, subject, true), "Matched: ticket.subject: Refund please; ticket.priority: high");
    assert_eq!(
        matched(&case, "ticket.text != ''", false),
        "Matched: ticket.text: My dog ate the invoice. (and see \"The customer reported\", \"Open question\")"
    );
}

#[test]
fn an_approved_handoff_names_who_said_yes() {
    let (proposal, head) = escalated();
    let effects = approved_effects(&proposal, "habc", &desk(ALL), &head, None, "billing-lead (system user ops)");
    assert!(note_of(&effects[0]).contains("\nApproved by: billing-lead (system user ops)\n"));
}

#[test]
fn a_note_that_is_too_long_is_cut_visibly_and_keeps_its_mark() {
    let (proposal, head) = escalated();
    let small = Capabilities { note_max_bytes: 300, ..desk(ALL) };
    let effects = effects(&proposal, "habc", &small, &head, None);
    let text = note_of(&effects[0]);
    assert!(text.len() <= 300 && text.contains("[cut]"), "{text}");
    assert_eq!(Mark::in_text(text), Some(effects[0].write.mark.clone()));
}

#[test]
fn what_a_note_has_no_room_for_is_left_out_part_by_part_and_named() {
    let (proposal, head) = escalated();
    let whole = effects(&proposal, "habc", &desk(ALL), &head, None);
    let bytes = note_of(&whole[0]).len();
    let room = |note_max_bytes| {
        let effects = effects(&proposal, "habc", &Capabilities { note_max_bytes, ..desk(ALL) }, &head, None);
        note_of(&effects[0]).to_owned()
    };
    assert_eq!(room(bytes), note_of(&whole[0]), "it just fits");
    let text = room(bytes - 1);
    assert!(text.len() < bytes && !text.contains("[cut]"), "{text}");
    assert!(
        text.contains(&format!("Left out, because a note here holds at most {} bytes: history", bytes - 1)),
        "{text}"
    );
    assert!(!text.contains("History (from") && text.contains("Steps tried (from"), "{text}");
    assert_eq!(Mark::in_text(&text), Some(whole[0].write.mark.clone()));
}

#[test]
fn what_was_not_done_is_said_in_one_closing_note_with_its_own_key() {
    let (proposal, head) = escalated();
    let effects = effects(&proposal, "habc", &desk(&[]), &head, signature(&proposal));
    let left: Vec<String> = effects[2..].iter().map(|effect| effect.label.clone()).collect();
    let closing = closing_note(
        &effects[1].write,
        &effects[1].label,
        &left,
        ("an agent took it meanwhile", " It stays."),
        &desk(&[]),
    );
    assert_eq!(
        note_of(&closing),
        "This handoff was stopped: an agent took it meanwhile.\nNot done: transfer, owner, customer message.\n\
         What was done before stays as it is; nothing more of it follows. It stays.\n\n[handoffd habc/90 refund@refund-v1]"
    );
    let correcting = correcting_note(&effects[3].write, "the desk refused it", &desk(&[]));
    assert!(note_of(&correcting).starts_with("The customer was not told"));
    assert_eq!(correcting.write.mark.key(), "habc/91");
}

#[test]
fn an_undo_puts_queue_and_owner_back_with_a_note() {
    let (proposal, head) = escalated();
    let by = Undo { by: "ops", reason: Some("wrong team"), paused: None, now: testing::now() };
    let effects = undo(&proposal, "habc", &desk(ALL), &head, &by);
    assert_eq!(effects.len(), 1);
    assert_eq!(update(&effects[0]).queue, Some(QueueSpec::Id("q-Support".into())));
    assert_eq!(update(&effects[0]).owner, Some(OwnerSpec::User("7".into())));
    assert!(note_of(&effects[0]).starts_with("The handoff to billing was taken back by ops: wrong team.\n"));
    assert_eq!(effects[0].write.mark.key(), "habc/50");
    let from_nowhere = Proposal { from_queue: None, ..proposal };
    let effects = undo(&from_nowhere, "habc", &desk(ALL), &head, &by);
    assert_eq!((update(&effects[0]).queue.clone(), update(&effects[0]).owner.clone()), (None, None));
}

#[test]
fn a_reason_that_a_person_gave_is_copied_like_the_words_of_a_package() {
    let (proposal, head) = escalated();
    let reason = "password: hunter2, 4111 1111 1111 1111\n[handoffd h/1 r@v]";
    let rejection = Rejection { by: "Chen", reason, paused: None, now: testing::now() };
    let by = Undo { by: "ops", reason: Some(reason), paused: None, now: testing::now() };
    let asking = asking::Asking { proposal: &proposal, id: "h1", note_max_bytes: 10_000 };
    for effects in [
        rejected(&proposal, "h1", &rejection, &desk(ALL), &head),
        undo(&proposal, "h1", &desk(ALL), &head, &by),
        asking.end(false, Some(reason)),
    ] {
        let note = note_of(&effects[0]);
        assert!(note.contains("password: [removed] [card number …1111] (handoffd h/1 r@v]"), "{note}");
    }
}

#[test]
fn a_ticket_is_as_decided_or_the_difference_has_a_name() {
    let (proposal, mut head) = escalated();
    let effects = effects(&proposal, "habc", &desk(ALL), &head, None);
    let change = &effects[0].write.change;
    let shown = |head: &TicketHead| as_decided(change, head).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&head), ["queue is Support instead of Billing", "owner is First Agent instead of nobody"]);
    head.queue = testing::queue("Billing");
    head.owner = Fact::Known(None);
    assert_eq!(shown(&head), Vec::<String>::new());
    head.queue = Fact::Unknown;
    assert_eq!(shown(&head), Vec::<String>::new());
    let update = Update {
        priority: Some(Priority::Urgent),
        fields: vec![("f-refund".into(), FieldValue::Number(1.0)), ("none".into(), FieldValue::YesNo(true))],
        ..Update::default()
    };
    let differences = as_decided(&DeskChange::Update(update), &head);
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["priority is high instead of urgent", "field is 6000 instead of 1 (f-refund)"]);
}

#[test]
fn the_effects_of_one_handoff_never_share_a_number() {
    // Own ones count from 1; an update is split into six at the most.
    let own: Vec<u32> = (1..50).collect();
    let several = |first: u32| (first..first + restore::NUMBERS).collect::<Vec<u32>>();
    assert_eq!(reminder::NUMBERS.len(), reminder::STEPS);
    let ranges = [
        own,
        several(undo::FIRST),
        asking::NUMBERS.collect(),
        several(back::FIRST),
        vec![effects::CLOSING],
        vec![effects::CORRECTING],
        reminder::NUMBERS.collect(),
        pause::NUMBERS.collect(),
        lost::NUMBERS.collect(),
        review::NUMBERS.collect(),
    ];
    let mut all: Vec<u32> = ranges.concat();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "two kinds of effects share a number: the second one would be lost");
}

#[test]
fn a_case_that_goes_back_ends_the_pause_that_its_handoff_began_and_no_other() {
    const HOLD: Pausing = Pausing {
        word: "hold",
        means: Status::OnHold,
        resumes: "open",
        resumed: Status::Open,
        back: &[(Status::Pending, "pending")],
    };
    let capabilities = Capabilities { pausing: &[HOLD], ..desk(ALL) };
    let (mut proposal, mut head) = escalated();
    let set = StatusSpec { word: "hold".into(), means: Status::OnHold };
    let status = |proposal: &Proposal, head: &TicketHead, paused: Option<&StatusSpec>| {
        let rejection = Rejection { by: "Chen", reason: "not ours", paused, now: testing::now() };
        let rejected = rejected(proposal, "h1", &rejection, &capabilities, head);
        let by = Undo { by: "ops", reason: None, paused, now: testing::now() };
        let undone = undo(proposal, "h1", &capabilities, head, &by);
        let status = |effects: &[PlannedEffect]| effects.iter().find_map(|one| update(one).status.clone());
        assert_eq!(status(&rejected), status(&undone));
        let told = |effects: &[PlannedEffect]| {
            effects.iter().any(|one| update(one).note.as_ref().is_some_and(|note| note.0.contains("the status is ")))
        };
        assert_eq!((told(&rejected), told(&undone)), (status(&undone).is_some(), status(&undone).is_some()));
        status(&undone).map(|status| status.word)
    };
    head.status = Fact::Known(Status::OnHold);
    assert_eq!(status(&proposal, &head, Some(&set)).as_deref(), Some("open"));
    assert_eq!(status(&proposal, &head, None), None, "somebody else's status is theirs");
    let until = Due { at: testing::now(), shown: "then".into(), working: "a while".into() };
    for (before, again) in [(Status::New, "open"), (Status::Open, "open"), (Status::Pending, "pending")] {
        proposal.clock.pause = Some(PausePlan { status: "hold".into(), before: Some(before), until: until.clone() });
        assert_eq!(status(&proposal, &head, Some(&set)).as_deref(), Some(again), "{before:?}");
    }
    head.status = Fact::Known(Status::Pending);
    assert_eq!(status(&proposal, &head, Some(&set)), None, "nor is it set over one that came later");
}

#[test]
fn what_was_written_later_is_what_must_be_there() {
    let (_, mut head) = escalated();
    head.status = Fact::Known(Status::Open);
    let to = |word: &str, means| {
        let status = Some(StatusSpec { word: word.into(), means });
        DeskChange::Update(Update { status, ..Update::default() })
    };
    let (paused, resumed) = (to("hold", Status::OnHold), to("open", Status::Open));
    assert_eq!(compare::as_left([&paused, &resumed], &head), []);
    assert_eq!(compare::as_left([&resumed, &paused], &head).len(), 1);
}
