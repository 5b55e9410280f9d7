//! The tenant's tickets, and what people do to them: for each ticket one kind of thing, of which exactly one is a reason to
//! escalate. Whoever reads the census needs to know no more than this file.

use crate::desk::ticket::{Audit, Ticket};
use crate::desk::{AGENTS, BILLING, CUSTOMER_FROM, Edits, INCOMING, SALES, SUPPORT, Tenant};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// The policy of all scenarios here.
pub const POLICY: &str = include_str!("policy.toml");

/// What happens to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An agent tags it as a refund and enters more than 500 EUR: the only reason to escalate.
    LargeRefund,
    /// The same with too small an amount.
    SmallRefund,
    /// The tag without an amount.
    TagAlone,
    /// The amount without a tag.
    AmountAlone,
    /// A large refund that lies with billing already.
    WithBilling,
    /// A large refund in a group of no team.
    WithSales,
    /// A large refund on a ticket that is solved.
    Solved,
    /// A large refund on a ticket that the policy never touches.
    LegalHold,
    /// The customer writes.
    Talk,
}

const OTHERS: [Kind; 8] = [
    Kind::SmallRefund,
    Kind::TagAlone,
    Kind::AmountAlone,
    Kind::WithBilling,
    Kind::WithSales,
    Kind::Solved,
    Kind::LegalHold,
    Kind::Talk,
];

/// One ticket of the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub ticket: i64,
    pub kind: Kind,
    /// The customer writes first, so that the ticket changes twice and its events can arrive in the wrong order.
    pub twice: bool,
}

/// A round of so many tickets, so many of them to be escalated, all opened long ago.
pub fn round(tenant: &mut Tenant, random: &mut Rng, tickets: usize, refunds: usize, now: Timestamp) -> Vec<Part> {
    let mut kinds: Vec<Kind> = (0..tickets)
        .map(|n| if n < refunds { Kind::LargeRefund } else { OTHERS[random.usize(..OTHERS.len())] })
        .collect();
    random.shuffle(&mut kinds);
    let parts = kinds.into_iter().map(|kind| Part {
        ticket: old_ticket(tenant, random, kind, now),
        kind,
        twice: random.u8(..10) == 0,
    });
    parts.collect()
}

/// A ticket that was opened days ago and has lain still since yesterday.
fn old_ticket(tenant: &mut Tenant, random: &mut Rng, kind: Kind, now: Timestamp) -> i64 {
    let opened = now - SignedDuration::from_hours(random.i64(48..700));
    let group = match kind {
        Kind::WithBilling => BILLING,
        Kind::WithSales => SALES,
        _ => SUPPORT,
    };
    let id = open(tenant, random, group, opened);
    let ticket = tenant.tickets.get_mut(&id).expect("just opened");
    if kind == Kind::Solved {
        ticket.status = "solved";
    }
    if kind == Kind::LegalHold {
        ticket.tags.insert("legal-hold".into());
    }
    id
}

/// A customer opens a ticket, and an agent has answered. Nobody is told.
pub fn open(tenant: &mut Tenant, random: &mut Rng, group: i64, at: Timestamp) -> i64 {
    let id = 1_000 + i64::try_from(tenant.tickets.len()).expect("few");
    let requester = CUSTOMER_FROM + id - 1_000;
    let text = format!("I was charged twice for order {id}. Can you refund me?");
    let answered = at + SignedDuration::from_mins(random.i64(5..600));
    let comment = |tenant: &mut Tenant, author: i64, text: &str| {
        json!({ "id": tenant.new_id(), "type": "Comment", "author_id": author, "public": true, "body": text,
                "plain_body": text, "html_body": format!("<p>{text}</p>"), "attachments": [] })
    };
    let created =
        json!({ "id": tenant.new_id(), "type": "Create", "field_name": "group_id", "value": group.to_string() });
    let said = comment(tenant, requester, &text);
    let opening = Audit { id: tenant.new_id(), at, author: requester, custom: json!({}), events: vec![created, said] };
    let agent = AGENTS[random.usize(..2)];
    let reply = comment(tenant, agent, "I have checked the order in our books and asked the bank.");
    let reply = Audit { id: tenant.new_id(), at: answered, author: agent, custom: json!({}), events: vec![reply] };
    let ticket = Ticket {
        id,
        subject: format!("Charged twice for order {id}"),
        description: text,
        status: "open",
        priority: Some("normal".into()),
        tags: ["order".to_owned()].into(),
        requester,
        assignee: None,
        group: (group != INCOMING).then_some(group).or(Some(INCOMING)),
        refund_eur: None,
        created_at: at,
        updated_at: answered,
        generated_at: answered,
        audits: vec![opening, reply],
    };
    tenant.tickets.insert(id, ticket);
    id
}

/// It happens.
pub fn happen(tenant: &mut Tenant, part: &Part, now: Timestamp) {
    let customer = tenant.tickets[&part.ticket].requester;
    let words = Edits { comment: Some(("<p>Is there any news?</p>".into(), true)), ..Edits::default() };
    if part.twice {
        tenant.edit(part.ticket, customer, &words, now);
    }
    let refund =
        |amount: &str| Edits { add_tags: vec!["refund".into()], refund_eur: Some(amount.into()), ..Edits::default() };
    let edits = match part.kind {
        Kind::SmallRefund => refund("120"),
        Kind::TagAlone => Edits { refund_eur: None, ..refund("") },
        Kind::AmountAlone => Edits { add_tags: Vec::new(), ..refund("900") },
        Kind::Talk => words,
        _ => refund("900"),
    };
    let author = if part.kind == Kind::Talk { customer } else { AGENTS[0] };
    tenant.edit(part.ticket, author, &edits, now);
}
