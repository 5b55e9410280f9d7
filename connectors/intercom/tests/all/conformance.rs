//! The kit's conformance suite, against the sandbox in Intercom's dialect.

use crate::stage::{Account, conforms};

#[test]
fn an_app_with_all_permissions_keeps_every_promise() {
    let lacks = ["nothing is set together", "this helpdesk has no state that takes no more writes"];
    conforms::keeps(Account::new(), 45, &lacks);
}
