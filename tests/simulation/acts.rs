//! What people, customers and other rules do on a simulated day.

use crate::by_hand::ByHand;
use crate::switches::{self, Paused};
use crate::troubles::{self, Trouble};
use crate::versions::{Rules, Version};
use fastrand::Rng;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::change::{TagChange, Update};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::person::Somebody;
use handoffd_sandbox::seed::{BOT, REFUND_EUR, STEPS, customer_writes};
use handoffd_sandbox::ticket::Status;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// A customer opens a ticket.
    Opens(Kind),
    /// Somebody does something to a ticket that is there.
    Edits(Edit),
    /// Somebody does something to the ticket that somebody changed last.
    EditsAgain(Edit),
    /// Somebody orders something at the command line.
    Orders(ByHand),
    /// The file of the policy says something else.
    Says {
        /// What.
        version: Version,
        /// The daemon is restarted for it, or takes it in as it runs.
        restarts: bool,
    },
    /// Somebody posts an old webhook again.
    Replays,
    /// A person pauses something, or lets it go on.
    Pauses(Paused, bool),
    /// The ledger cannot be written any more, or again.
    Ails(Trouble, bool),
}

/// What kind of ticket.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// To billing.
    Refund,
    /// To billing after a review.
    HugeRefund,
    /// Stays.
    SmallRefund,
    /// To the second line.
    Outage,
    /// Stays.
    Question,
    /// To the second line, once somebody has written down what was tried.
    Crash,
    /// To billing as its first team.
    Invoice,
    /// To frontline as its first team.
    Incoming,
}

/// What is done to a ticket.
#[derive(Clone, Copy, Debug)]
pub enum Edit {
    /// The customer writes again.
    CustomerReplies,
    /// An agent answers.
    AgentReplies,
    /// An agent notes something.
    AgentNotes,
    /// A colleague takes it.
    Taken,
    /// A person moves it to another queue.
    Moved,
    /// A person gives it back to Support.
    GivenBack,
    /// Another automation moves it back to Support.
    ContestedByRule,
    /// The amount changes.
    Amount,
    /// A label comes.
    Tagged,
    /// An agent writes a command.
    Orders,
    /// An agent gives one by label.
    Labels,
    /// An agent writes down what was tried.
    Supplies,
    /// It is solved.
    Solved,
    /// It is closed.
    Closed,
    /// It is merged into another one.
    Merged,
    /// It is taken away.
    Deleted,
}

/// The day's acts in order.
pub fn day(random: &mut Rng, begin: Timestamp, tickets: usize) -> BTreeMap<Timestamp, Act> {
    let mut acts = BTreeMap::new();
    let at = |random: &mut Rng, hours: u64| {
        // Whole seconds apart: within one second Zendesk's own guard cannot tell two writes apart.
        begin + SignedDuration::from_secs(random.i64(60..(hours as i64) * 3600))
    };
    for _ in 0..tickets {
        let kind = match random.u8(0..20) {
            0..=5 => Kind::Refund,
            6 => Kind::HugeRefund,
            7 | 8 => Kind::SmallRefund,
            9 | 10 => Kind::Outage,
            11 | 12 => Kind::Crash,
            13 => Kind::Question,
            14..=16 => Kind::Invoice,
            _ => Kind::Incoming,
        };
        acts.insert(at(random, 20), Act::Opens(kind));
    }
    for _ in 0..tickets * 3 {
        let edit = match random.u8(0..30) {
            0..=2 => Edit::CustomerReplies,
            3..=7 => Edit::Orders,
            8 => Edit::Labels,
            9 | 10 => Edit::Supplies,
            11 => Edit::AgentReplies,
            12 => Edit::AgentNotes,
            13..=15 => Edit::Taken,
            16 | 17 => Edit::Moved,
            18..=20 => Edit::GivenBack,
            21 => Edit::ContestedByRule,
            22 | 23 => Edit::Amount,
            24 => Edit::Tagged,
            25 | 26 => Edit::Solved,
            27 => Edit::Closed,
            28 => Edit::Merged,
            _ => Edit::Deleted,
        };
        acts.insert(at(random, 24), Act::Edits(edit));
    }
    for _ in 0..12 {
        let order = match random.u8(0..10) {
            0..=3 => ByHand::Undoes,
            4 => ByHand::Approves,
            5 => ByHand::Rejects,
            6 => ByHand::Retries,
            7 | 8 => ByHand::Drops,
            _ => ByHand::Releases,
        };
        acts.insert(at(random, 24), Act::Orders(order));
    }
    interfere(random, begin, &mut acts);
    acts
}

/// Every other change is followed by another of the same ticket, while the daemon reads it for the first.
pub fn once_more(random: &mut Rng, acts: &mut BTreeMap<Timestamp, Act>) {
    let changes = acts.iter().filter(|(_, act)| matches!(act, Act::Opens(_) | Act::Edits(_)));
    let changes: Vec<Timestamp> = changes.map(|(at, _)| *at).collect();
    for at in changes {
        let again = [Edit::AgentNotes, Edit::CustomerReplies, Edit::Amount, Edit::Taken][random.usize(0..4)];
        let after = SignedDuration::from_secs(random.i64(3..25));
        if random.bool() {
            acts.insert(at + after, Act::EditsAgain(again));
        }
    }
}

/// Leaves what happens before an instant, and what ends what has begun by then.
pub fn before(end: Timestamp, acts: &mut BTreeMap<Timestamp, Act>) {
    let ends = |act: &Act| match act {
        Act::Pauses(_, on) | Act::Ails(_, on) => !on,
        Act::Says { version, .. } => *version == Version::FIRST,
        _ => false,
    };
    acts.retain(|at, act| *at < end || ends(act));
}

/// What people do to the daemon itself, and what happens to its ledger.
fn interfere(random: &mut Rng, begin: Timestamp, acts: &mut BTreeMap<Timestamp, Act>) {
    // One version after the other, each in the place of the first, which comes back.
    let mut at = begin + SignedDuration::from_mins(random.i64(60..10 * 60));
    for _ in 0..random.u8(0..3) {
        let version = Version { shadow: random.u8(0..3) == 0, rules: random.choice(Rules::EACH).unwrap_or(Rules::All) };
        acts.insert(at, Act::Says { version, restarts: random.bool() });
        at += SignedDuration::from_mins(random.i64(5..120));
        acts.insert(at, Act::Says { version: Version::FIRST, restarts: random.bool() });
        at += SignedDuration::from_mins(random.i64(5..300));
    }
    for _ in 0..8 {
        acts.insert(begin + SignedDuration::from_secs(random.i64(600..86_000)), Act::Replays);
    }
    for (from, to, what) in switches::of_a_day(random, begin) {
        acts.insert(from, Act::Pauses(what, true));
        acts.insert(to, Act::Pauses(what, false));
    }
    for (from, to, trouble) in troubles::of_a_day(random, begin) {
        acts.insert(from, Act::Ails(trouble, true));
        acts.insert(to, Act::Ails(trouble, false));
    }
}

/// Lets it happen; gives the ticket that was opened.
pub fn happen(act: Act, sandbox: &Sandbox, random: &mut Rng, tickets: &[TicketNo]) -> Option<TicketNo> {
    match act {
        Act::Opens(kind) => Some(open(kind, sandbox, random)),
        Act::Edits(edit) => {
            let ticket = *tickets.get(random.usize(0..tickets.len().max(1)))?;
            edits(edit, sandbox, random, ticket, tickets);
            None
        }
        Act::EditsAgain(edit) => {
            let journal = sandbox.journal();
            let last = journal.effects.iter().rev().find(|effect| effect.by != BOT)?;
            edits(edit, sandbox, random, last.ticket, tickets);
            None
        }
        Act::Orders(_) | Act::Says { .. } | Act::Replays | Act::Pauses(..) | Act::Ails(..) => None,
    }
}

/// Not within the second of the last change: see `day`.
fn edits(edit: Edit, sandbox: &Sandbox, random: &mut Rng, ticket: TicketNo, tickets: &[TicketNo]) {
    let now = sandbox.clock().now();
    if sandbox.ticket(ticket).is_some_and(|ticket| ticket.updated_at + SignedDuration::from_secs(2) < now) {
        do_edit(edit, sandbox, random, ticket, tickets);
    }
}

fn open(kind: Kind, sandbox: &Sandbox, random: &mut Rng) -> TicketNo {
    let customer = random.u16(0..400);
    let tag = |tag: &str| Some(TagChange::Set(BTreeSet::from([tag.to_owned()])));
    let queue = |name: &str| Some(sandbox.with(|desk| desk.find_queue(name).map(|queue| queue.no)));
    let refund = |amount: u32| Update {
        queue: queue("Support"),
        tags: tag("refund"),
        fields: BTreeMap::from([
            (REFUND_EUR, vec![amount.to_string()]),
            (STEPS, vec!["Looked at the payments: fine".into()]),
        ]),
        ..Update::default()
    };
    let (domain, subject, set) = match kind {
        Kind::Refund => ("standard", "Refund please", refund(random.u32(501..5000))),
        Kind::HugeRefund => ("standard", "Large refund", refund(random.u32(5001..90_000))),
        Kind::SmallRefund => ("standard", "Small refund", refund(random.u32(1..500))),
        Kind::Outage => {
            let mut tags = BTreeSet::from(["outage".to_owned()]);
            tags.extend((random.u8(0..4) == 0).then(|| "keep".to_owned()));
            let set = Update { queue: queue("Support"), tags: Some(TagChange::Set(tags)), ..Update::default() };
            ("premium", "Nobody can log in", set)
        }
        Kind::Crash => {
            ("standard", "It crashes", Update { queue: queue("Support"), tags: tag("crash"), ..Update::default() })
        }
        Kind::Question => ("standard", "How do I do this?", Update { queue: queue("Support"), ..Update::default() }),
        Kind::Invoice => ("standard", "My invoice is wrong", Update { queue: queue("Incoming"), ..Update::default() }),
        Kind::Incoming => ("standard", "Hello", Update { queue: queue("Incoming"), ..Update::default() }),
    };
    let text = format!("Hello,\n\nthis is about case {}. What can we do?\n\nThank you", random.u32(..));
    customer_writes(sandbox, &format!("customer-{customer}@{domain}.example"), subject, &text, set)
}

fn do_edit(edit: Edit, sandbox: &Sandbox, random: &mut Rng, ticket: TicketNo, tickets: &[TicketNo]) {
    let agent = sandbox.person(["frontline-1", "frontline-2", "billing-1", "tier2-1"][random.usize(0..4)]);
    let customer = sandbox.ticket(ticket).map(|ticket| ticket.requester);
    let customer = customer.and_then(|no| sandbox.with(|desk| desk.person(no).map(|person| person.login.clone())));
    let _ = match edit {
        Edit::CustomerReplies => customer.and_then(|customer| sandbox.person(&customer).replies(ticket, "Any news?")),
        Edit::AgentReplies => agent.replies(ticket, "We are looking into it."),
        Edit::AgentNotes => agent.notes(ticket, "Asked a colleague."),
        Edit::Taken => agent.takes(ticket),
        Edit::Moved => agent.moves(ticket, ["Support", "Billing", "Tier 2", "Incoming"][random.usize(0..4)]),
        Edit::GivenBack => agent.moves(ticket, "Support"),
        Edit::ContestedByRule => sandbox.automation("Keep it in Support").moves(ticket, "Support"),
        Edit::Amount => agent.edits(ticket, REFUND_EUR, &random.u32(1..9000).to_string()),
        Edit::Tagged => agent.tags(ticket, ["refund", "outage", "seen"][random.usize(0..3)]),
        Edit::Orders => {
            let words = order(sandbox, random, ticket);
            // Every other yes is the reviewer's.
            let reviewer = (words == "/approve" && ticket.0.is_multiple_of(2)).then(|| sandbox.person("billing-1"));
            reviewer.unwrap_or_else(|| orderer(sandbox, ticket)).notes(ticket, &words)
        }
        Edit::Labels => {
            let label = ["handoff:billing", "handoff-back", "handoff-reject", "handoff-good"][random.usize(0..4)];
            let status = (random.u8(0..4) == 0).then_some(Status::Solved);
            let tags = Some(TagChange::Add(BTreeSet::from([label.to_owned()])));
            orderer(sandbox, ticket).updates(ticket, Update { tags, status, ..Update::default() })
        }
        Edit::Supplies => orderer(sandbox, ticket).notes(ticket, "Steps tried: started it again: still crashes"),
        Edit::Solved => agent.puts(ticket, Status::Solved),
        Edit::Closed => agent.closes(ticket),
        Edit::Merged => agent.merges(ticket, tickets[random.usize(0..tickets.len())]),
        Edit::Deleted => agent.deletes(ticket),
    };
}

/// Somebody who works where the ticket lies.
fn orderer(sandbox: &Sandbox, ticket: TicketNo) -> Somebody {
    sandbox.person(match lies_in(sandbox, ticket).as_deref() {
        Some("Billing") => "billing-1",
        Some("Tier 2") => "tier2-1",
        _ => "frontline-1",
    })
}

fn lies_in(sandbox: &Sandbox, ticket: TicketNo) -> Option<String> {
    let queue = sandbox.ticket(ticket)?.queue?;
    sandbox.with(|desk| desk.queues.get(&queue).map(|queue| queue.name.clone()))
}

/// A command that may make sense where the ticket lies, or not.
fn order(sandbox: &Sandbox, random: &mut Rng, ticket: TicketNo) -> String {
    let words = match lies_in(sandbox, ticket).as_deref() {
        Some("Billing" | "Tier 2") => ["/back done, see above", "/reject not ours", "/rate poor no order number"],
        _ => ["/handoff billing please", "/handoff second-line it crashes", "/approve"],
    };
    let anything = ["/approve", "/reject no", "/handoff nobody", "/back"];
    if random.u8(0..5) == 0 { anything[random.usize(0..4)] } else { words[random.usize(0..3)] }.to_owned()
}
