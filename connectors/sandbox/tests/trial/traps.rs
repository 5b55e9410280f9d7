//! What goes wrong on more than one vendor: people who act in between, tags, replies that got lost, automations.

use super::{Account, id, reply};
use futures::FutureExt;
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, Sighting, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{Actor, PartKind, PartSet, Visibility, What};
use handoffd_sandbox::change::{NewMessage, Update as Set};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::rules::{Rule, Timing, When};
use handoffd_sandbox::ticket::Body;
use jiff::{SignedDuration, Timestamp};

/// To Billing, and nobody's.
pub fn away() -> Update {
    Update { queue: Some(QueueSpec::Name("Billing".into())), owner: Some(OwnerSpec::Nobody), ..Update::default() }
}

/// To Billing, and nobody's: as a change.
pub fn billing() -> DeskChange {
    DeskChange::Update(away())
}

/// The name of the queue in which the helpdesk has this ticket.
pub fn queue_of<D: Desk>(account: &Account<D>, ticket: TicketNo) -> String {
    let queue = account.stage.sandbox.ticket(ticket).unwrap().queue.unwrap();
    account.stage.sandbox.with(|desk| desk.queues[&queue].name.clone())
}

/// A person who acts between decision and write is not overruled, whichever of these they do.
pub fn whoever_acts_in_between_is_not_overruled<D: Desk>(account: &Account<D>, change: &DeskChange, acts: &[&str]) {
    for act in acts {
        let ticket = account.ticket();
        let write = account.write(ticket, change.clone());
        account.pass(1);
        let agent = account.stage.sandbox.person("floater");
        match *act {
            "takes" => agent.takes(ticket),
            "moves" => agent.moves(ticket, "Tier 2"),
            "prioritises" => agent.prioritises(ticket, "urgent"),
            "notes" => agent.notes(ticket, "mine"),
            "tags" => agent.tags(ticket, "mine"),
            "edits" => agent.edits(ticket, handoffd_sandbox::seed::STEPS, "restart"),
            other => panic!("nobody {other}"),
        };
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Never), "{act}");
        assert_ne!(queue_of(account, ticket), "Billing", "{act}: nothing was written");
    }
}

/// What a person did between our read and our write, on a desk whose history tells it afterwards: it is put back, unless
/// somebody acted since. `who`: how the person is named.
pub fn whoever_acts_under_our_write_is_put_back<D: Desk>(
    make: impl Fn() -> Account<D>,
    change: &DeskChange,
    who: &str,
) {
    for since in [false, true] {
        let account = make();
        // Names are learnt once.
        account.run(account.desk.apply(&account.write(account.ticket(), change.clone()))).unwrap();
        let ticket = account.ticket();
        let write = account.write(ticket, change.clone());
        account.stage.wire().fault_next_write(Fault::Hold);
        let mut applying = account.desk.apply(&write);
        assert!((&mut applying).now_or_never().is_none(), "the ticket was read, and the write waits");
        account.pass(1);
        account.stage.sandbox.person("floater").takes(ticket);
        account.pass(1);
        account.stage.wire().fault_next_read(Fault::Hold);
        account.stage.wire().release();
        assert!((&mut applying).now_or_never().is_none(), "it is written, and what came of it is not read yet");
        account.pass(1);
        if since {
            account.stage.sandbox.person("frontline-1").moves(ticket, "Tier 2");
        }
        account.stage.wire().release();
        let error = account.run(applying).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Overruled), "{}", error.words);
        let floater = account.stage.sandbox.person("floater").no();
        let (words, owner, queue) =
            if since { ("that stays", None, "Tier 2") } else { ("put back", floater, "Support") };
        assert!(error.words.contains(who) && error.words.contains(words), "{}", error.words);
        let now = account.stage.sandbox.ticket(ticket).unwrap();
        assert_eq!((now.owner, queue_of(&account, ticket).as_str()), (owner, queue));
        let notes = account.stage.sandbox.ticket(ticket).unwrap().messages.len();
        let has_note = matches!(change, DeskChange::Update(Update { note: Some(_), .. }));
        assert_eq!(notes, if has_note { 2 } else { 1 }, "a note stays");
    }
}

/// A ticket with two tags, and a change of them: one more and one that is there; one less and one that never was.
pub fn tagged<D: Desk>(account: &Account<D>) -> (TicketNo, Write) {
    let ticket = account.ticket();
    for tag in ["kept", "gone"] {
        account.stage.sandbox.person("frontline-1").tags(ticket, tag);
    }
    let change =
        DeskChange::Tags { add: vec!["ours".into(), "kept".into()], remove: vec!["gone".into(), "never".into()] };
    (ticket, Write { expected: None, decided_on: None, ..account.write(ticket, change) })
}

/// The change of `tagged` is done.
pub fn tags_are_as_wanted<D: Desk>(account: &Account<D>, ticket: TicketNo) {
    let tags: Vec<String> = account.stage.sandbox.ticket(ticket).unwrap().tags.into_iter().collect();
    assert_eq!(tags, ["kept", "ours"]);
}

/// What this vendor cannot hold as a tag is refused before anything is sent.
pub fn odd_tags_are_refused<D: Desk>(account: &Account<D>, ticket: TicketNo, odd: &[&str]) {
    for odd in odd {
        let change = DeskChange::Tags { add: vec![(*odd).into()], remove: vec![] };
        let error = account.run(account.desk.apply(&account.write(ticket, change))).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never), "{odd:?}");
    }
}

/// A reply is found by its words in a public message of our own, in whatever HTML, and an older one of the same words is not it.
pub fn a_lost_reply_is_found_by_its_words<D: Desk>(account: &Account<D>, html: Option<&str>) {
    const WORDS: &str = "A colleague takes over.\nYou need not repeat anything.";
    let ticket = account.ticket();
    let write = account.write(ticket, reply(WORDS));
    account.pass(30);
    let body = html.map_or_else(|| Body::Plain(WORDS.to_owned()), |html| Body::Html(html.to_owned()));
    let say = |visibility| Set { say: vec![NewMessage::new(visibility, body.clone())], ..Set::default() };
    account.stage.sandbox.person("floater").updates(ticket, say(Visibility::Public));
    account.stage.sandbox.person("handoffd").updates(ticket, say(Visibility::Internal));
    let none = account.run(account.desk.find(&write)).unwrap();
    assert_eq!(none, Sighting::NotFound, "somebody else's words, and an internal note of ours");
    account.stage.sandbox.person("handoffd").updates(ticket, say(Visibility::Public));
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    let later = Write { first_tried: Some(account.clock_now() + SignedDuration::from_hours(1)), ..write };
    assert_eq!(account.run(account.desk.find(&later)).unwrap(), Sighting::NotFound, "an older reply of the same words");
}

/// What an automation of the helpdesk does within our write is an automation's, and no person's.
pub fn what_an_automation_does_within_our_write_is_no_persons<D: Desk>(account: &Account<D>, change: DeskChange) {
    let ticket = account.ticket();
    account.stage.sandbox.with(|desk| {
        let tier2 = desk.find_queue("Tier 2").unwrap().no;
        desk.rules.push(Rule {
            name: "Back to tier 2".into(),
            when: When { did: Some("queue"), ..When::default() },
            timing: Timing::Within,
            then: Set { queue: Some(Some(tier2)), ..Set::default() },
        });
    });
    account.run(account.desk.apply(&account.write(ticket, change))).unwrap();
    let head = account.head(ticket);
    let parts = account.run(account.desk.parts(&head, PartSet::of(&[PartKind::History]), Timestamp::MAX)).unwrap();
    let to = |what: &What| match what {
        What::Queue { to: Some(to), .. } => to.name.clone(),
        _ => None,
    };
    let moves = parts.history.unwrap().into_iter();
    let moves: Vec<(Actor, String)> =
        moves.filter_map(|change| Some((change.actor, change.what.iter().find_map(to)?))).collect();
    assert_eq!(moves, [(Actor::Us, "Billing".to_owned()), (Actor::Automation, "Tier 2".to_owned())]);
}

/// A move whose answer got lost is found by the ticket or, once somebody moved it on, by the history; one that never arrived is
/// not. `forget`: what the answers keep back before we look.
pub fn a_lost_move_is_found<D: Desk>(make: impl Fn() -> Account<D>, forget: impl Fn(&Account<D>)) {
    for (fault, since) in [(Fault::LostAfter, false), (Fault::LostAfter, true), (Fault::LostBefore, true)] {
        let account = make();
        let ticket = account.ticket();
        let arrives = fault == Fault::LostAfter;
        account.pass(5);
        let write = account.write(ticket, billing());
        account.stage.wire().fault_next_write(fault);
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        assert_eq!(error.retry, Retry::Unsure);
        account.pass(30);
        if since {
            account.stage.sandbox.person("floater").moves(ticket, "Tier 2");
        }
        forget(&account);
        let sighting = account.run(account.desk.find(&write)).unwrap();
        assert_eq!(matches!(sighting, Sighting::Found(_)), arrives, "since: {since}, {sighting:?}");
    }
}

/// A ticket that is gone is not found, for ever.
pub fn a_deleted_ticket_is_not_found<D: Desk>(account: &Account<D>, ticket: TicketNo) {
    account.stage.sandbox.person("frontline-1").deletes(ticket);
    let gone = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((gone.kind, gone.retry), (DeskErrorKind::NotFound, Retry::Never));
}
