//! The dashboard as a browser and a script meet it: its router asked directly, the daemon's stage behind it.

mod choosing;
mod edits;

use crate::config::{Role, WebConfig};
use crate::daemon::testing::{Stage, asking, sending};
use crate::ledger::records::HandoffRecord;
use crate::policy::rules::Policy;
use crate::web::dashboard::{Entry, Limit};
use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use futures::StreamExt;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{PublicText, Said};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

pub(super) const REVIEWER: &str = "reviewer-0123456789abcdef0123456789";
pub(super) const READER: &str = "reader-0123456789abcdef0123456789";
pub(super) const OPERATOR: &str = "operator-0123456789abcdef0123456789";
/// What a customer may write.
const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3)\u{202e}\u{0}";

pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

pub(super) struct Hall {
    pub stage: Stage,
    router: Router,
    stop: CancellationToken,
}

pub(super) fn hall(policy: Policy) -> Hall {
    let stage = Stage::new(policy);
    let web = WebConfig {
        origin: url::Url::parse("https://handoffs.acme.example").ok(),
        session: SignedDuration::from_hours(1),
        logins: BTreeMap::new(),
    };
    let logins = [("lead", Role::Review, REVIEWER), ("guest", Role::Read, READER), ("ops", Role::Operate, OPERATOR)];
    let logins = logins.map(|(name, role, token)| (name.to_owned(), role, token.into()));
    let stop = CancellationToken::new();
    let systems = vec![("acme".into(), "fake".to_owned(), "acme.example".to_owned())];
    let router = stage.house.dashboard(stage.house.web(1_000_000), Entry::new(&web, &logins), systems, stop.clone());
    Hall { stage, router, stop }
}

fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8787")
}

impl Hall {
    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = TowerToHyperService::new(self.router.clone()).call(request).await.expect("infallible");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 4 << 20).await.expect("a body");
        // Templates write a slash that came from outside as its number.
        let text = String::from_utf8(body.to_vec()).expect("text").replace("&#x2f;", "/");
        Answer { status, headers, text }
    }

    async fn plain(&self, path: &str) -> Answer {
        self.ask(request("GET", path).body(Body::empty()).expect("request")).await
    }

    async fn login(&self, token: &str, next: &str) -> Answer {
        let text = form_text(&[("token", token), ("next", next)]);
        self.ask(posted("/login", text.len()).body(Body::from(text)).expect("request")).await
    }

    async fn as_(&self, token: &str) -> Visitor<'_> {
        let answer = self.login(token, "/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let cookie = answer.headers[header::SET_COOKIE].to_str().expect("text");
        for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let mut visitor = Visitor { hall: self, cookie, csrf: String::new() };
        let page = visitor.get("/policy").await;
        let csrf = page.text.split("name=\"csrf\" value=\"").nth(1).expect("a form");
        csrf.split('"').next().expect("its end").clone_into(&mut visitor.csrf);
        visitor
    }

    pub(super) async fn api(&self, method: &str, path: &str, token: &str, body: Value) -> (Answer, Value) {
        let request = request(method, path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-request-id", "my-request-1")
            .body(Body::from(body.to_string()));
        let answer = self.ask(request.expect("request")).await;
        assert_eq!(answer.headers["x-request-id"], "my-request-1");
        let json = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        (answer, json)
    }

    /// A review that waits.
    pub(super) async fn review(&self) -> HandoffRecord {
        self.stage.look().await;
        self.stage.handoffs().await.remove(0)
    }

    async fn acts(&self, about: &str) -> Vec<(String, String)> {
        let about = about.to_owned();
        let acts = self.stage.house.ledger.call(move |ledger| ledger.acts_about(&about, 9)).await.expect("acts");
        acts.into_iter().map(|act| (act.what, act.by)).collect()
    }
}

fn form_text(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn posted(path: &str, length: usize) -> Builder {
    request("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, length)
}

/// Somebody who is logged in.
struct Visitor<'h> {
    hall: &'h Hall,
    cookie: String,
    csrf: String,
}

impl Visitor<'_> {
    async fn get(&self, path: &str) -> Answer {
        self.hall
            .ask(request("GET", path).header(header::COOKIE, &self.cookie).body(Body::empty()).expect("request"))
            .await
    }

    async fn post_as_is(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let text = form_text(fields);
        let request = posted(path, text.len()).header(header::COOKIE, &self.cookie).body(Body::from(text));
        self.hall.ask(request.expect("request")).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        self.post_as_is(path, &all).await
    }

    /// What the next page says of the last order.
    async fn said(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let page = self.get(answer.headers[header::LOCATION].to_str().expect("text")).await;
        let said = page.text.split("class=\"said ").nth(1).expect("something is said");
        said.split("</p>").next().expect("its end").to_owned()
    }
}

const PAGES: [&str; 6] = ["/", "/reviews", "/cases", "/parked", "/insight", "/policy"];

#[tokio::test]
async fn nobody_sees_anything_without_a_token() {
    let hall = hall(asking());
    let review = hall.review().await;
    for path in PAGES.map(str::to_owned).into_iter().chain([format!("/reviews/{}", review.id), "/events".into()]) {
        let answer = hall.plain(&path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.headers[header::LOCATION].to_str().expect("text").starts_with("/login"), "{path}");
        assert!(!answer.text.contains("billing"));
    }
    for path in ["/api/v1/now", "/api/v1/reviews", "/api/v1/cases"] {
        let answer = hall.plain(path).await;
        assert_eq!(
            (answer.status, &answer.headers[header::WWW_AUTHENTICATE]),
            (StatusCode::UNAUTHORIZED, &"Bearer".parse().expect("a value")),
            "{path}"
        );
    }
    let answer = hall.ask(posted("/parked/retry", 0).body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let page = hall.plain("/login?next=%2Freviews").await;
    assert!(page.status == StatusCode::OK && page.text.contains("value=\"/reviews\""));
    let session = hall.plain("/session").await;
    assert_eq!(session.text, "{\"logged_in\":false}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_guessing_ends_soon() {
    let hall = hall(asking());
    for _ in 0..Limit::WRONG_A_MINUTE {
        let answer = hall.login("wrong", "/").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text.contains("nobody has this token") && !answer.headers.contains_key(header::SET_COOKIE));
    }
    let answer = hall.login(REVIEWER, "/").await;
    assert_eq!((answer.status, &answer.headers[header::RETRY_AFTER]), (StatusCode::TOO_MANY_REQUESTS, &60.into()));
    let (answer, told) = hall.api("GET", "/api/v1/now", REVIEWER, Value::Null).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("too_many")));
    hall.stage.clock.advance(SignedDuration::from_secs(60));
    hall.as_(REVIEWER).await;
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_with_leaving() {
    let hall = hall(asking());
    let lead = hall.as_(REVIEWER).await;
    assert_eq!(lead.get("/").await.status, StatusCode::OK);
    let answer = lead.post("/logout", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(lead.get("/").await.status, StatusCode::SEE_OTHER);
    let lead = hall.as_(REVIEWER).await;
    hall.stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(lead.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_lead_reads_a_review_approves_it_and_it_is_carried_out() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let list = lead.get("/reviews").await.text;
    assert!(
        list.contains(&format!("/reviews/{}", review.id)) && list.contains("the rule always asks a person"),
        "{list}"
    );
    let page = lead.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(page.contains("What travels") && page.contains(">Approve<") && page.contains("/conversation"), "{page}");
    let talk = lead.get(&format!("/reviews/{}/conversation", review.id)).await;
    assert!(talk.status == StatusCode::OK && talk.text.contains("class=\"talk\""), "{}", talk.text);
    let answer = lead.post(&format!("/reviews/{}/approve", review.id), &[("reason", "fine")]).await;
    let said = lead.said(&answer).await;
    assert!(said.starts_with("good"), "{said}");
    hall.stage.run().await;
    assert_eq!(hall.stage.desk.ticket().written.len(), 1);
    assert_eq!(hall.acts(&review.id).await, [("approve".to_owned(), "lead (dashboard)".to_owned())]);
    // A second yes is refused, and says so.
    let answer = lead.post(&format!("/reviews/{}/approve", review.id), &[]).await;
    let said = lead.said(&answer).await;
    assert!(said.starts_with("bad") && said.contains("not in review"), "{said}");
}

#[tokio::test]
async fn a_no_takes_a_reason_and_is_remembered_with_who_said_it() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let path = format!("/reviews/{}/reject", review.id);
    for empty in ["", "   "] {
        let answer = lead.post(&path, &[("reason", empty)]).await;
        assert!(lead.said(&answer).await.contains("it is empty"));
    }
    let long = lead.post(&path, &[("reason", &"x".repeat(2_001))]).await;
    assert!(lead.said(&long).await.contains("longer than"));
    let answer = lead.post(&path, &[("reason", "frontline may refund this")]).await;
    assert!(lead.said(&answer).await.contains("rejected"));
    assert_eq!(hall.acts(&review.id).await, [("reject".to_owned(), "lead (dashboard)".to_owned())]);
    let case = lead.get("/cases/acme/42").await.text;
    assert!(case.contains("reject of") && case.contains("frontline may refund this"), "{case}");
}

#[tokio::test]
async fn a_form_without_its_secret_or_from_elsewhere_does_nothing() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let path = format!("/reviews/{}/approve", review.id);
    for fields in [vec![], vec![("csrf", "")], vec![("csrf", "00")]] {
        assert_eq!(lead.post_as_is(&path, &fields).await.status, StatusCode::FORBIDDEN);
    }
    let text = form_text(&[("csrf", &lead.csrf)]);
    let elsewhere = [
        (header::ORIGIN, "https://elsewhere.example"),
        (header::ORIGIN, "null"),
        (HeaderName::from_static("sec-fetch-site"), "cross-site"),
        (HeaderName::from_static("sec-fetch-site"), "same-site"),
    ];
    for (name, value) in elsewhere {
        let request = posted(&path, text.len()).header(header::COOKIE, &lead.cookie).header(name, value);
        let answer = hall.ask(request.body(Body::from(text.clone())).expect("request")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{value}");
    }
    let other = hall.as_(OPERATOR).await;
    assert_eq!(lead.post_as_is(&path, &[("csrf", &other.csrf)]).await.status, StatusCode::FORBIDDEN, "another's");
    hall.stage.run().await;
    assert!(hall.acts(&review.id).await.is_empty() && hall.stage.desk.ticket().written.is_empty());
}

#[tokio::test]
async fn each_role_does_what_it_may() {
    let hall = hall(asking());
    let review = hall.review().await;
    let guest = hall.as_(READER).await;
    let page = guest.get(&format!("/reviews/{}", review.id)).await.text;
    assert!(!page.contains(">Approve<") && page.contains("Your role is read"), "{page}");
    let answer = guest.post(&format!("/reviews/{}/approve", review.id), &[]).await;
    assert!(answer.status == StatusCode::FORBIDDEN && answer.text.contains("takes the role review"));
    let lead = hall.as_(REVIEWER).await;
    let answer = lead.post("/parked/drop", &[("handoff", "h1"), ("number", "1"), ("reason", "x")]).await;
    assert!(answer.status == StatusCode::FORBIDDEN && answer.text.contains("takes the role operate"));
    assert!(hall.acts(&review.id).await.is_empty());
}

#[tokio::test]
async fn what_is_parked_is_retried_and_given_up() {
    let hall = hall(sending());
    hall.stage.park().await;
    let handoff = hall.stage.handoffs().await.remove(0);
    let ops = hall.as_(OPERATOR).await;
    let page = ops.get("/parked").await.text;
    assert!(page.contains("no such group") && page.contains("aria-label=\"Retry "), "{page}");
    let answer = ops.post("/parked/retry", &[("handoff", &handoff.id), ("number", "1")]).await;
    assert!(ops.said(&answer).await.starts_with("good"));
    hall.stage.run().await;
    assert_eq!(hall.stage.desk.ticket().written.len(), 1);
    assert!(ops.get("/parked").await.text.contains("Nothing is parked."));
    for (fields, words) in [
        (vec![("handoff", handoff.id.as_str()), ("number", "1")], "nothing of"),
        (vec![("handoff", "none"), ("number", "1")], "there is no effect none/1"),
        (vec![("handoff", "h1"), ("number", "x")], "no number"),
        (vec![("desk", "gone"), ("ticket", "1")], "there is no case gone/1"),
        (vec![], "name an effect"),
    ] {
        let answer = ops.post("/parked/retry", &fields).await;
        let said = ops.said(&answer).await;
        assert!(said.starts_with("bad") && said.contains(words), "{fields:?}: {said}");
    }
}

#[tokio::test]
async fn hostile_text_is_only_ever_text() {
    let hall = hall(asking());
    {
        let mut ticket = hall.stage.desk.ticket();
        ticket.head.subject = Fact::Known(HOSTILE.into());
        for message in &mut ticket.said {
            message.said = Said::Publicly(PublicText(HOSTILE.into()));
            message.author.name = Some(HOSTILE.into());
        }
    }
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let reject = lead.post(&format!("/reviews/{}/reject", review.id), &[("reason", HOSTILE)]).await;
    let talk = lead.get(&format!("/reviews/{}/conversation", review.id)).await;
    assert!(talk.text.contains("&lt;script&gt;"), "{}", talk.text);
    let search = format!("/cases?{}", form_text(&[("q", HOSTILE)]));
    let mut pages = vec![talk, lead.get(reject.headers[header::LOCATION].to_str().expect("text")).await];
    for path in
        [&*format!("/reviews/{}", review.id), "/cases/acme/42", &search, "/cases/%3Cscript%3E/%22%3E", "/parked", "/"]
    {
        pages.push(lead.get(path).await);
    }
    let script = "<script src=\"/assets/dashboard.js\" defer></script>";
    for page in &pages {
        let text = page.text.replace(script, "");
        for word in ["<script", "<img", " onerror=alert(2)>", "\" onmouseover=\"", "\u{202e}", "\u{0}"] {
            assert!(!text.contains(word), "{word:?} in {text}");
        }
    }
    assert!(pages.iter().any(|page| page.text.contains("&lt;img src=x")));
}

#[tokio::test]
async fn no_page_refers_to_anything_elsewhere_or_runs_anything_of_its_own() {
    let hall = hall(asking());
    let review = hall.review().await;
    let lead = hall.as_(REVIEWER).await;
    let more = [format!("/reviews/{}", review.id), "/cases/acme/42".into(), "/login".into(), "/none".into()];
    for path in PAGES.map(str::to_owned).into_iter().chain(more) {
        let page = lead.get(&path).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        for attribute in ["src=\"", "href=\"", "action=\"", "data-part=\""] {
            let places = page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            places
                .for_each(|to| assert!(to.starts_with('/') && !to.starts_with("//") || to == "#main", "{path}: {to}"));
        }
        for word in [" style=", "<style", " onclick", " onload", "javascript:"] {
            assert!(!page.text.contains(word), "{word} in {path}");
        }
        for word in ["<main", "<h1>", "lang=\"en\"", "name=\"viewport\""] {
            assert!(page.text.contains(word), "{word} is not in {path}");
        }
    }
    for (path, kind) in [("dashboard.css", "text/css"), ("dashboard.js", "text/javascript"), ("icon.svg", "image/svg")]
    {
        let asset = hall.plain(&format!("/assets/{path}")).await;
        let found = asset.headers[header::CONTENT_TYPE].to_str().expect("text");
        assert!(asset.status == StatusCode::OK && found.starts_with(kind), "{path}: {found}");
        assert!(
            !asset.text.contains("url(") && !asset.text.contains("@import") && !asset.text.contains(".innerHTML = ")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_or_makes_no_sense_says_so() {
    let hall = hall(asking());
    let lead = hall.as_(REVIEWER).await;
    for path in ["/reviews/none", "/cases/acme/none", "/cases/%00/%2F..", "/none", "/reviews/a/b/c"] {
        let page = lead.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("This did not work"), "{path}: {}", page.text);
    }
    let long = "x".repeat(20_000);
    for path in
        [format!("/cases?q={long}"), format!("/cases?after={long}"), "/cases?after=x".into(), "/cases?state=x".into()]
    {
        assert_eq!(lead.get(&path).await.status, StatusCode::BAD_REQUEST, "{path:.80}");
    }
    let page = lead.get("/cases?q=%25&team=none").await;
    assert!(page.status == StatusCode::OK && page.text.contains("No case fits."));
    let json = posted("/reviews/x/approve", 2).header(header::COOKIE, &lead.cookie);
    let huge = json.body(Body::from(form_text(&[("csrf", &lead.csrf), ("reason", &"x".repeat(100_000))])));
    assert_eq!(hall.ask(huge.expect("request")).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn another_name_for_this_machine_is_not_this_dashboard() {
    let hall = hall(asking());
    for (host, status) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("localhost.evil.example:8787", StatusCode::MISDIRECTED_REQUEST),
        ("handoffs.acme.example", StatusCode::OK),
        ("localhost:8787", StatusCode::OK),
        ("[::1]:8787", StatusCode::OK),
    ] {
        let request = Request::get("/login").header(header::HOST, host).body(Body::empty()).expect("request");
        let answer = hall.ask(request).await;
        assert_eq!(answer.status, status, "{host}");
        assert!(answer.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    }
    // Through the proxy the cookie is for TLS alone.
    let text = form_text(&[("token", REVIEWER)]);
    let request = Request::post("/login")
        .header(header::HOST, "handoffs.acme.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(text));
    let answer = hall.ask(request.expect("request")).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.starts_with("__Host-handoffd=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_case_tells_its_way_from_the_first_event_to_the_last_effect() {
    let hall = hall(sending());
    hall.stage.look().await;
    let handoff = hall.stage.handoffs().await.remove(0);
    let lead = hall.as_(REVIEWER).await;
    let found = lead.get(&format!("/cases?q={}", handoff.id)).await;
    assert_eq!(found.headers[header::LOCATION], "/cases/acme/42");
    let list = lead.get("/cases?q=4").await.text;
    assert!(list.contains("/cases/acme/42") && list.contains(&handoff.id), "{list}");
    let page = lead.get("/cases/acme/42").await.text;
    let places: Vec<usize> = ["met it for the first time", "looked at:", &format!("handoff {}: ", handoff.id)]
        .iter()
        .map(|word| page.find(word).unwrap_or_else(|| panic!("{word} is not in {page}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for word in ["refund@", "fires", "<h3>Effects</h3>", "receipt"] {
        assert!(page.contains(word), "{word} is not in {page}");
    }
}

#[tokio::test]
async fn every_number_of_insight_leads_to_as_many_cases() {
    let hall = hall(sending());
    hall.stage.look().await;
    hall.stage.look().await;
    let lead = hall.as_(REVIEWER).await;
    let page = lead.get("/insight").await.text;
    let links: Vec<(String, String)> = page
        .split("<a href=\"/cases?number=")
        .skip(1)
        .filter_map(|rest| {
            let (key, rest) = rest.split_once("\">")?;
            Some((key.to_owned(), rest.trim_start_matches("<b>").split('<').next()?.to_owned()))
        })
        .collect();
    let numbers = links.iter().filter(|(_, shown)| shown.parse::<u64>().is_ok());
    assert!(numbers.clone().count() >= 3, "{page}");
    for (key, shown) in numbers {
        let behind = lead.get(&format!("/cases?number={key}")).await;
        assert_eq!(behind.status, StatusCode::OK, "{key}");
        assert!(
            behind.text.contains(&format!(": {shown}, in 1 cases")) && behind.text.contains("/cases/acme/42"),
            "{key}"
        );
    }
    assert_eq!(lead.get("/cases?number=none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_number_of_what_waits_leads_to_its_cases() {
    let hall = hall(sending());
    hall.stage.park().await;
    let lead = hall.as_(REVIEWER).await;
    let page = lead.get("/").await.text;
    let links: Vec<&str> = page
        .split("<a href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|to| to.contains("waits="))
        .collect();
    for to in &links {
        let behind = lead.get(to).await;
        assert!(behind.status == StatusCode::OK && behind.text.contains("Back to Now"), "{to}: {}", behind.text);
    }
    for tile in page
        .split("<ul class=\"tiles\">")
        .nth(1)
        .expect("tiles")
        .split("</ul>")
        .next()
        .expect("an end")
        .split("<li>")
        .skip(1)
    {
        let none = tile.starts_with("<b>0</b>");
        assert_eq!(tile.starts_with("<a "), !none, "a number that counts something leads to it: {tile}");
    }
    assert!(page.contains("Rate budget"), "{page}");
}

#[tokio::test]
async fn the_same_is_given_as_json_with_the_requests_own_id() {
    let hall = hall(asking());
    let review = hall.review().await;
    let (answer, told) = hall.api("GET", "/api/v1/reviews", READER, Value::Null).await;
    assert_eq!((answer.status, told["reviews"][0]["id"].as_str()), (StatusCode::OK, Some(&*review.id)));
    for path in ["now", "parked", "policy", "cases", "cases/acme/42", &format!("reviews/{}", review.id)] {
        let (answer, _) = hall.api("GET", &format!("/api/v1/{path}"), READER, Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }
    let approve = format!("/api/v1/reviews/{}/approve", review.id);
    let (answer, told) = hall.api("POST", &approve, READER, json!({})).await;
    assert_eq!((answer.status, told["request_id"].as_str()), (StatusCode::FORBIDDEN, Some("my-request-1")));
    for wrong in [json!({ "reasons": "x" }), json!(7), json!("x")] {
        let (answer, told) = hall.api("POST", &approve, REVIEWER, wrong).await;
        assert_eq!((answer.status, told["error"].as_str()), (StatusCode::BAD_REQUEST, Some("wrong")));
    }
    let (answer, _) = hall.api("POST", &approve, REVIEWER, json!({ "reason": "fine" })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let (answer, told) = hall.api("POST", &approve, REVIEWER, json!({})).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::CONFLICT, Some("refused")));
    let (answer, told) = hall.api("POST", "/api/v1/parked/drop", OPERATOR, json!({ "handoff": "h1" })).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::BAD_REQUEST, Some("wrong")));
    let (answer, told) = hall.api("GET", "/api/v1/reviews/none", READER, Value::Null).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
}

async fn words(stream: &mut BodyDataStream) -> Option<String> {
    let bytes = stream.next().await?.expect("bytes");
    Some(String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_page_that_listens_hears_of_news_and_is_let_go_in_the_end() {
    let hall = hall(asking());
    let lead = hall.as_(REVIEWER).await;
    let request = request("GET", "/events").header(header::COOKIE, &lead.cookie).body(Body::empty()).expect("request");
    let response = TowerToHyperService::new(hall.router.clone()).call(request).await.expect("infallible");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    assert_eq!(words(&mut stream).await.as_deref(), Some("retry: 3000\n\n"));
    hall.review().await;
    let (heard, ()) = futures::join!(words(&mut stream), async {
        hall.stage.clock.advance(SignedDuration::from_secs(3));
    });
    assert!(heard.expect("news").contains("event: changed"));
    hall.stop.cancel();
    assert_eq!(words(&mut stream).await, None);
}
