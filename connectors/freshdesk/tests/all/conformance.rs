//! The kit's conformance suite, against the sandbox in Freshdesk's dialect: for an agent with an admin's role and for one
//! without.

use crate::stage::{Account, conforms};

#[test]
fn an_agent_who_may_see_the_admins_fields_keeps_every_promise() {
    let lacks = [
        "no readable history is declared",
        "tags are not declared to be race-free",
        "the desk's answer tells no version",
        "webhooks are not signed with a time",
    ];
    conforms::keeps(Account::new(), 40, &lacks);
}

#[test]
fn an_ordinary_agent_keeps_every_promise() {
    conforms::run(Account::new().with_bot(|bot| bot.rights.admin = false));
}
