//! Where rules want different teams: the dashboard and `/api/v1` offer each of them, and a yes is to the one that is named.

use super::{Hall, REVIEWER, hall};
use crate::daemon::testing::asking;
use crate::policy::rules::Policy;
use crate::policy::testing;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// A refund is wanted by billing, after a yes, and by engineering.
fn disagreeing() -> Policy {
    let mut policy = asking();
    policy.escalations.push(testing::escalation("bug", "has_tag(\"refund\")", "engineering"));
    policy
}

async fn went_to(hall: &Hall) -> Vec<(String, &'static str)> {
    let handoffs = hall.stage.handoffs().await;
    handoffs.iter().map(|handoff| (handoff.proposal.to.to_string(), handoff.state.name())).collect()
}

#[tokio::test]
async fn the_form_asks_for_a_team_where_several_are_on_offer_and_takes_no_yes_without_one() {
    let hall = hall(disagreeing());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let page = lead.get(&format!("/reviews/{}", review.id)).await.text;
    for words in ["name=\"to\" required", "value=\"billing\"", "value=\"engineering\"", "billing or engineering"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let approve = format!("/reviews/{}/approve", review.id);
    for (to, words) in [("", "it is empty"), ("frontline", "nothing is done")] {
        let answer = lead.post(&approve, &[("to", to), ("reason", "fine")]).await;
        let said = lead.said(&answer).await;
        assert!(said.starts_with("bad") && said.contains(words), "{to}: {said}");
        assert_eq!(went_to(&hall).await, [("billing".to_owned(), "in_review")], "{to}");
    }
    let answer = lead.post(&approve, &[("to", "engineering"), ("reason", "a bug")]).await;
    let said = lead.said(&answer).await;
    assert!(said.starts_with("good") && said.contains("goes to engineering"), "{said}");
    hall.stage.run().await;
    assert!(went_to(&hall).await.contains(&("engineering".to_owned(), "verifying")), "{:?}", went_to(&hall).await);
}

#[tokio::test]
async fn a_form_of_one_team_asks_for_none() {
    let hall = hall(asking());
    let review = hall.review().await;
    let page = hall.as_(REVIEWER).await.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(!page.contains("name=\"to\""), "{page}");
}

#[tokio::test]
async fn the_api_offers_the_teams_and_sends_it_to_the_one_that_is_named() {
    let hall = hall(disagreeing());
    let review = hall.review().await;
    let path = format!("/api/v1/reviews/{}", review.id);
    let (_, told) = hall.api("GET", &path, REVIEWER, Value::Null).await;
    assert_eq!(told["offers"], json!(["billing", "engineering"]), "{told}");
    let approve = |to: &str| (format!("{path}/approve"), json!({ "to": to, "reason": "a bug" }));
    let (answer, told) = hall.api("POST", &approve("nobody").0, REVIEWER, approve("nobody").1).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{told}");
    let (answer, told) = hall.api("POST", &approve("Engineering").0, REVIEWER, approve("Engineering").1).await;
    assert_eq!(answer.status, StatusCode::OK, "{told}");
    let said = told["said"].as_str().unwrap_or_default();
    assert!(said.contains("goes to engineering"), "{said}");
}
