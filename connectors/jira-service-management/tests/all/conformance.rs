//! The kit's conformance suite, against the sandbox in Jira's dialect.

use crate::stage::{Account, conforms};

#[test]
fn an_agent_keeps_every_promise() {
    let lacks = ["the desk's answer tells no version", "this helpdesk has no state that takes no more writes"];
    conforms::keeps(Account::new(), 45, &lacks);
}
