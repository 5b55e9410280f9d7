//! Lists of handoffs: each asked for by the index that gives its order, so that a long past costs nothing.

use crate::ledger::samples::{answer, at, decide, in_review, ledger, sending};
use crate::ledger::states::HandoffState;
use crate::ledger::{HandoffFilter, Ledger};

fn all() -> HandoffFilter {
    HandoffFilter::default()
}

fn filters() -> [(HandoffFilter, &'static str); 8] {
    let waiting = HandoffFilter { state: Some(HandoffState::InReview), ..all() };
    let of_case = HandoffFilter { desk: Some("acme".into()), ticket: Some("1".into()), ..all() };
    [
        (all(), "SCAN handoffs USING INDEX handoffs_newest"),
        (HandoffFilter { desk: Some("acme".into()), ..all() }, "SCAN handoffs USING INDEX handoffs_newest"),
        (of_case, "SEARCH handoffs USING INDEX handoffs_case (desk=? AND ticket=?)"),
        (waiting.clone(), "SEARCH handoffs USING INDEX handoffs_state (state=?)"),
        (HandoffFilter { rule: Some("refund".into()), ..all() }, "SEARCH handoffs USING INDEX handoffs_rule (rule=?)"),
        (
            HandoffFilter { rule: Some("refund".into()), ..waiting },
            "SEARCH handoffs USING INDEX handoffs_state (state=?)",
        ),
        (
            HandoffFilter { rule: Some("refund".into()), state: Some(HandoffState::Settled), ..all() },
            "SEARCH handoffs USING INDEX handoffs_rule (rule=?)",
        ),
        (HandoffFilter { weak_triage: true, ..all() }, "SCAN handoffs USING INDEX handoffs_weak"),
    ]
}

/// A scan here is a walk in the order of the list, which ends with the last row that is wanted.
#[test]
fn every_list_of_handoffs_is_read_in_its_order_and_never_sorted() {
    let ledger = ledger();
    for (filter, walks) in filters() {
        let (sql, values) = filter.query();
        assert_eq!(sql.matches('?').count(), values.len(), "{sql}");
        assert_eq!(ledger.plan(&sql), [walks], "{sql}");
    }
}

fn ids(ledger: &Ledger, filter: &HandoffFilter) -> Vec<String> {
    ledger.handoffs(filter).expect("read").into_iter().map(|handoff| handoff.id).collect()
}

#[test]
fn every_filter_gives_what_fits_it_newest_first_and_no_more_than_the_limit() {
    let mut ledger = ledger();
    for (number, ticket) in ["1", "2", "3", "4"].into_iter().enumerate() {
        let id = format!("h{ticket}");
        let new = if number % 2 == 0 { in_review(&id, ticket) } else { sending(&id, ticket, "v1") };
        // Two of one instant: the one that was stored last comes first.
        decide(&mut ledger, new, at(10 + i64::try_from(number).expect("small") / 2));
    }
    ledger.reject(&answer("h1", Vec::new(), at(30))).expect("rejected");
    decide(&mut ledger, in_review("h1b", "1"), at(40));
    assert_eq!(ids(&ledger, &all()), ["h1b", "h4", "h3", "h2", "h1"]);
    assert_eq!(ids(&ledger, &HandoffFilter { limit: Some(2), ..all() }), ["h1b", "h4"]);
    let waiting = HandoffFilter { state: Some(HandoffState::InReview), ..all() };
    assert_eq!(ids(&ledger, &waiting), ["h1b", "h3"]);
    let of_case = HandoffFilter { desk: Some("acme".into()), ticket: Some("1".into()), ..all() };
    assert_eq!(ids(&ledger, &of_case), ["h1b", "h1"]);
    assert_eq!(ids(&ledger, &HandoffFilter { state: Some(HandoffState::Rejected), ..of_case }), ["h1"]);
    assert_eq!(ids(&ledger, &HandoffFilter { desk: Some("other".into()), ..all() }), Vec::<String>::new());
    assert_eq!(ids(&ledger, &HandoffFilter { weak_triage: true, ..all() }), Vec::<String>::new());
    let rule = ledger.handoff("h4").expect("read").proposal.rule;
    assert_eq!(ids(&ledger, &HandoffFilter { rule: Some(rule), limit: Some(3), ..all() }), ["h1b", "h4", "h3"]);
    let hostile = HandoffFilter { rule: Some("' OR 1=1 --".into()), ..all() };
    assert_eq!(ids(&ledger, &hostile), Vec::<String>::new());
}
