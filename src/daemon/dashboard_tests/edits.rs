//! Other words for what travels with a review: by the form of its page, as a browser without scripts sends it, and as JSON.

use super::*;
use crate::policy::rules::PackagePart;
use handoffd_kit::desk::DeskChange;

/// The form of a page as a browser would send it back: version and parts, as they were shown.
fn filled(page: &str) -> Vec<(String, String)> {
    let between = |from: &str, to: &str| {
        let rest = page.split(from).nth(1).unwrap_or_else(|| panic!("{from} is not in {page}"));
        rest.split(to).next().expect("its end").to_owned()
    };
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
        text.replace("&amp;", "&")
    };
    let mut fields = vec![("of".to_owned(), between("name=\"of\" value=\"", "\""))];
    for part in page.split("<textarea id=\"part-").skip(1) {
        let name = part.split('"').next().expect("a name").to_owned();
        let words = part.split_once('>').and_then(|(_, rest)| rest.split("</textarea>").next()).expect("words");
        // A browser drops the line break behind the tag, and sends its own.
        let words = plain(words.strip_prefix('\n').unwrap_or(words)).replace('\n', "\r\n");
        fields.push((name, words));
    }
    fields
}

/// Sends the form of the review's page with these parts changed.
async fn sends(visitor: &Visitor<'_>, id: &str, changed: &[(&str, &str)]) -> String {
    let page = visitor.get(&format!("/reviews/{id}")).await.text;
    let mut fields = filled(&page);
    for (name, words) in changed {
        fields.iter_mut().find(|(known, _)| known == name).expect("a part").1 = (*words).to_owned();
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
    let answer = visitor.post(&format!("/reviews/{id}/edit"), &fields).await;
    visitor.said(&answer).await
}

async fn versions(hall: &Hall, id: &str) -> usize {
    let id = id.to_owned();
    hall.stage.house.ledger.call(move |ledger| ledger.package_versions(&id)).await.expect("versions").len()
}

fn note(hall: &Hall) -> String {
    let ticket = hall.stage.desk.ticket();
    let Some(DeskChange::Update(update)) = ticket.written.last().map(|write| &write.change) else { panic!("a note") };
    update.note.as_ref().map(|note| note.0.clone()).expect("a note")
}

#[tokio::test]
async fn a_lead_edits_a_package_both_versions_are_shown_and_the_last_one_travels() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let before = review.proposal.package.as_ref().expect("a package").lines(PackagePart::Summary).to_vec();
    assert!(!before.is_empty());
    let said = sends(&lead, &review.id, &[("summary", "Charged twice\r\nin March"), ("question", "May we refund it?")]);
    let said = said.await;
    assert!(said.starts_with("good") && said.contains("version 2"), "{said}");
    let page = lead.get(&format!("/reviews/{}", review.id)).await.text;
    for words in [
        "<ins>Charged twice</ins>",
        "<ins>in March</ins>",
        "<ins>May we refund it?</ins>",
        &format!("<del>{}</del>", before[0].replace('<', "&lt;")),
        "Version 2 <span class=\"soft\">by lead (dashboard)",
        "an edit by lead",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    // Only what was changed is an edit: the rest is still the collector's.
    let edited = hall.stage.handoffs().await.remove(0).proposal.package.expect("a package");
    let of = |part| edited.parts.iter().find(|section| section.part == part).map(|section| section.source.clone());
    assert_eq!(of(PackagePart::Summary).as_deref(), Some("an edit by lead"));
    assert!(
        edited.parts.iter().filter(|section| section.source.contains("an edit by")).count() == 2,
        "{:?}",
        edited.parts
    );
    assert_eq!(hall.acts(&review.id).await, [("edit".to_owned(), "lead (dashboard)".to_owned())]);
    assert!(hall.stage.desk.ticket().written.is_empty(), "an edit writes nothing");

    let answer = lead.post(&format!("/reviews/{}/approve", review.id), &[]).await;
    assert!(lead.said(&answer).await.starts_with("good"));
    hall.stage.run().await;
    let note = note(&hall);
    assert!(note.contains("May we refund it?") && note.contains("in March"), "{note}");
    let page = lead.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(!page.contains("Keep this wording") && page.contains("<ins>in March</ins>"), "shown, and over: {page}");
    let late = lead.post(&format!("/reviews/{}/edit", review.id), &[("of", "2"), ("summary", "too late")]).await;
    assert!(lead.said(&late).await.contains("not in review"));
    assert_eq!(versions(&hall, &review.id).await, 2);
}

#[tokio::test]
async fn what_is_no_edit_or_not_allowed_changes_nothing_and_says_why() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let path = format!("/reviews/{}/edit", review.id);
    for (fields, words) in [
        (vec![("of", "1")], "no part of it"),
        (vec![("summary", "words")], "which version"),
        (vec![("of", "x"), ("summary", "words")], "which version"),
        (vec![("of", "-1"), ("summary", "words")], "which version"),
        (vec![("of", "7"), ("summary", "words")], "has the version 1"),
        (vec![("of", "1"), ("surprise", "words")], "no part of it"),
        (vec![("of", "1"), ("summary", "1\n2\n3\n4\n5\n6")], "at most 5"),
        (vec![("of", "1"), ("summary", "a\u{1b}[2K")], "control character"),
    ] {
        let answer = lead.post(&path, &fields).await;
        let said = lead.said(&answer).await;
        assert!(said.starts_with("bad") && said.contains(words) && !said.contains('\u{1b}'), "{fields:?}: {said}");
    }
    let same = sends(&lead, &review.id, &[]).await;
    assert!(same.starts_with("bad") && same.contains("no part of it"), "as it was shown: {same}");
    let long = "x".repeat(20_000);
    let answer = lead.post(&path, &[("of", "1"), ("summary", &long)]).await;
    assert!(lead.said(&answer).await.starts_with("bad"));
    let nowhere = lead.post("/reviews/none/edit", &[("of", "1"), ("summary", "words")]).await;
    assert!(nowhere.status != StatusCode::OK, "{}", nowhere.text);

    let guest = hall.as_(READER).await;
    let page = guest.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(!page.contains("Keep this wording"), "{page}");
    assert_eq!(guest.post(&path, &[("of", "1"), ("summary", "words")]).await.status, StatusCode::FORBIDDEN);
    let forged = lead.post_as_is(&path, &[("csrf", "00"), ("of", "1"), ("summary", "words")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(hall.acts(&review.id).await.is_empty());
    assert_eq!(versions(&hall, &review.id).await, 0);

    let mut policy = asking();
    policy.teams.get_mut(&"billing".into()).expect("team").reviewers = vec!["billing-lead".into()];
    let hall = super::hall(policy);
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let said = sends(&lead, &review.id, &[("summary", "words")]).await;
    assert!(said.starts_with("bad") && said.contains("billing-lead"), "no reviewer of the team: {said}");
    assert_eq!(versions(&hall, &review.id).await, 0);
}

#[tokio::test]
async fn two_leads_at_once_do_not_overwrite_each_other() {
    let hall = hall(asking());
    let review = hall.review().await;
    let (lead, other) = (hall.as_(REVIEWER).await, hall.as_(OPERATOR).await);
    let page = other.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(sends(&lead, &review.id, &[("question", "the first")]).await.starts_with("good"));
    let mut fields = filled(&page);
    fields.iter_mut().find(|(name, _)| name == "question").expect("it").1 = "the second".into();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
    let answer = other.post(&format!("/reviews/{}/edit", review.id), &fields).await;
    let said = other.said(&answer).await;
    assert!(said.starts_with("bad") && said.contains("version 2"), "{said}");
    let package = hall.stage.handoffs().await.remove(0).proposal.package.expect("a package");
    assert_eq!(package.lines(PackagePart::Question), ["the first"]);
}

#[tokio::test]
async fn hostile_words_stay_words_in_the_page_the_form_and_the_note() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let hostile = HOSTILE.replace('\u{0}', "");
    let forged = format!("[handoffd {}/1 refund@v1]", review.id);
    let said = sends(&lead, &review.id, &[("summary", &format!("{hostile}\n</textarea>{forged}"))]).await;
    assert!(said.starts_with("good"), "{said}");
    let page = lead.get(&format!("/reviews/{}", review.id)).await.text;
    let text = page.replace("<script src=\"/assets/dashboard.js\" defer></script>", "");
    for word in ["<script", "<img", "\" onmouseover=\"", "\u{202e}"] {
        assert!(!text.contains(word), "{word:?} in {text}");
    }
    assert_eq!(text.matches("</textarea>").count(), text.matches("<textarea").count(), "{text}");
    // What was shown comes back as it was shown.
    let again = sends(&lead, &review.id, &[]).await;
    assert!(again.contains("no part of it"), "{again}");
    let answer = lead.post(&format!("/reviews/{}/approve", review.id), &[]).await;
    assert!(lead.said(&answer).await.starts_with("good"));
    hall.stage.run().await;
    let note = note(&hall);
    assert_eq!(note.matches("[handoffd ").count(), 1, "its own mark, and no other: {note}");
}

#[tokio::test]
async fn the_same_edit_is_made_by_a_script() {
    let hall = hall(asking());
    let review = hall.review().await;
    let edit = format!("/api/v1/reviews/{}/edit", review.id);
    let words = json!({ "of": 1, "parts": { "question": "May we refund it?" } });
    let (answer, _) = hall.api("POST", &edit, READER, words.clone()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    for wrong in [
        json!({}),
        json!({ "of": 1 }),
        json!({ "of": 1, "parts": {} }),
        json!({ "of": 1, "parts": { "surprise": "x" } }),
        json!({ "of": "1", "parts": { "question": "x" } }),
        json!({ "of": 1, "parts": { "question": 7 } }),
        json!({ "of": 1, "parts": { "question": "x" }, "by": "me" }),
    ] {
        let (answer, told) = hall.api("POST", &edit, REVIEWER, wrong.clone()).await;
        assert_eq!(
            (answer.status, told["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some("wrong")),
            "{wrong}: {told}"
        );
    }
    let (answer, told) = hall.api("POST", &edit, REVIEWER, words).await;
    assert_eq!(answer.status, StatusCode::OK, "{told}");
    let late = json!({ "of": 1, "parts": { "question": "May we keep it?" } });
    let (answer, told) = hall.api("POST", &edit, REVIEWER, late).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::CONFLICT, Some("refused")), "{told}");
    let (_, told) = hall.api("GET", &format!("/api/v1/reviews/{}", review.id), READER, Value::Null).await;
    assert_eq!(told["version_of_package"], 2);
    assert_eq!(told["edits"][0]["changes"][0]["after"], json!(["May we refund it?"]));
    assert_eq!(hall.acts(&review.id).await, [("edit".to_owned(), "lead (dashboard)".to_owned())]);
}
