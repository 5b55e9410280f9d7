//! Chains for cases that nobody takes on: who is asked must be there, and no chain may lead in a circle.

use crate::problems::{BASE, error, read};

#[test]
fn a_chain_for_unclaimed_cases_names_who_is_there_and_ends_with_back() {
    let owner = |text: &str| format!("assign = \"queue\", {text}, previous");
    for (new, message, help) in [
        ("¦unclaimed = [\"lead\"]", "none is given", "claim_within"),
        ("claim_within = \"2h\", unclaimed = [¦\"leader\"]", "owner.unclaimed", "lead"),
        ("claim_within = \"2h\", unclaimed = [¦\"team:\"]", "owner.unclaimed", "team:NAME"),
        ("claim_within = \"2h\", unclaimed = [\"back\", ¦\"lead\"]", "never reached", "last"),
        ("claim_within = ¦\"two hours\"", "is no duration", "a number and a unit"),
        ("claim_within = \"2h\", ¦unclaimed = []", "asks nobody", "leave it out"),
        ("claim_within = \"2h\", unclaimed = [\"lead\", ¦7]", "is a list of texts", "team:NAME"),
        ("claim_within = \"2h\", unclaimed = ¦\"lead\"", "unclaimed", "back"),
        ("claim_within = \"2h\", unclaimed = [¦\"Lead\"]", "owner.unclaimed", "lead"),
    ] {
        error("assign = \"queue\", previous", &owner(new), message, help);
    }
    let many = |count: usize| format!("claim_within = \"2h\", unclaimed = [{}]", vec!["\"lead\""; count].join(", "));
    let words = read(&BASE.replacen("assign = \"queue\", previous", &owner(&many(21)), 1)).expect_err("refused");
    assert!(words.to_string().contains("asks 21 in a row, and 20 are the most"), "{words}");
    assert!(read(&BASE.replacen("assign = \"queue\", previous", &owner(&many(20)), 1)).is_ok());
    let right = owner("claim_within = \"2h\", unclaimed = [\"lead\", \"back\"]");
    let config =
        read(&BASE.replacen("assign = \"queue\", previous", &right, 1)).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.policy.escalations[0].owner.claim.is_some());
}

#[test]
fn a_chain_that_leads_to_a_team_that_is_not_there_or_in_a_circle_is_refused() {
    let chain = |steps: &str| format!("assign = \"queue\", claim_within = \"2h\", unclaimed = [{steps}], previous");
    let words = |steps: &str| {
        read(&BASE.replacen("assign = \"queue\", previous", &chain(steps), 1)).expect_err("refused").to_string()
    };
    assert!(words("\"team:nowhere\"").contains("which there is not"));
    assert!(words("\"team:billing\"").contains("to itself"));
    assert!(words("\"team:frontline\", \"lead\"").contains("who has none"), "frontline has no lead");
    let circle = words("\"team:frontline\"");
    assert!(circle.contains("in a circle") && circle.contains("billing → frontline"), "{circle}");
    let remedy = "or another target, or take a team out of `owner.unclaimed` of";
    assert!(circle.contains(remedy), "a review stands before no step of a chain: {circle}");
}
