//! How long the daemon takes to answer each page of the dashboard with 100,000 cases in its ledger: on the disk, over connections
//! that can only read, as `run` does. What a browser and a network add is not in it.
//!
//! `cargo bench --bench dashboard`, or with another number of cases: `cargo bench --bench dashboard -- 10000`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench fails by panicking and prints its figures")]

mod common;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use common::{A_WHILE, MATCHES, STAYS, Vendor, middle_and_worst, ms, open};
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::config::{Role, WebConfig};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::ledger::records::{
    Busy, CaseUpdate, EffectOutcome, HandoffRecord, NewHandoff, OwnerSeen, Presence, StayChange,
};
use handoffd::ledger::states::{EffectEvent, HandoffEvent, HandoffState};
use handoffd::ledger::{Durability, HandoffFilter, Ledger};
use handoffd::plan::PlannedEffect;
use handoffd::policy::case::Stay;
use handoffd::policy::rules::Limits;
use handoffd::policy::verdict::{Risk, Verdict};
use handoffd::web::dashboard::Entry;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::Receipt;
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use handoffd_sandbox::Sandbox;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Cases in the ledger.
const CASES: usize = 100_000;
/// Of these, so many hand off: one in so many.
const HANDED: usize = 5;
/// Of those, one in so many waits for a yes, and one in so many is parked.
const REVIEWED: usize = 100;
const PARKED: usize = 150;
/// How often each page is asked.
const TIMES: usize = 20;
/// What no page may take.
const MOST: Duration = Duration::from_millis(200);
const TOKEN: &str = "a-token-of-the-benches-that-is-long-enough";

/// What real looks decided and wrote: the pattern for all others.
struct Pattern {
    handoff: HandoffRecord,
    stays: Verdict,
    hands_off: Verdict,
}

async fn pattern(house: &House, sandbox: &Sandbox) -> Pattern {
    let matching = open(sandbox, 1, MATCHES, A_WHILE)[0];
    let staying = open(sandbox, 1, STAYS, A_WHILE)[0];
    house.run(Until::NothingDueBy(SystemClock.now()), &CancellationToken::new()).await.expect("ran");
    let read = move |ledger: &mut Ledger| {
        let verdict = |ticket: String| -> handoffd::ledger::Result<Verdict> {
            let all = ledger.verdicts(&DeskId::from("acme"), &TicketId::from(ticket.as_str()), 9)?;
            Ok(all.last().expect("a verdict").1.clone())
        };
        let handoff = ledger.handoffs(&HandoffFilter::default())?.remove(0);
        Ok(Pattern { handoff, stays: verdict(staying.0.to_string())?, hands_off: verdict(matching.0.to_string())? })
    };
    house.ledger.call(read).await.expect("read")
}

fn seen(ticket: &TicketId, at: Timestamp, team: &str, verdict: Verdict) -> CaseUpdate {
    let owner = OwnerSeen {
        owner: Some("21".into()),
        name: Some("Agent 21".into()),
        held_by: Some(team.into()),
        open: !ticket.as_str().ends_with('7'),
        since: None,
        told: None,
        presence: Presence::Here,
    };
    let episode = format!("e{}", at.as_millisecond());
    let stay = Stay { team: team.into(), episode, since: at };
    CaseUpdate {
        verdict: Some(verdict),
        owner: Some(owner),
        stays: vec![StayChange { stay: Some(stay), by_handoff: None, by: None }],
        ..CaseUpdate::nothing("acme".into(), ticket.clone(), true, Limits::default(), at)
    }
}

/// One case as it would stand after its looks.
fn fill(ledger: &mut Ledger, pattern: &Pattern, number: usize, now: Timestamp) -> handoffd::ledger::Result<()> {
    let minutes = i64::try_from(CASES.saturating_sub(number)).unwrap_or(0);
    let at = now - SignedDuration::from_mins(minutes);
    let ticket = TicketId::from((1_000_000 + number).to_string().as_str());
    let hands_off = number.is_multiple_of(HANDED);
    let verdict = if hands_off { &pattern.hands_off } else { &pattern.stays };
    let mut update = seen(&ticket, at, "frontline", verdict.clone());
    if !hands_off {
        return ledger.record_case(&update).map(drop);
    }
    let id = format!("h{number:06}");
    let nth = number / HANDED;
    let in_review = nth.is_multiple_of(REVIEWED);
    let effect = pattern.handoff.effects.first().expect("an effect");
    let mut write = effect.write.clone();
    (write.ticket, write.mark.handoff) = (ticket.clone(), id.clone());
    let planned = PlannedEffect { number: effect.number, label: effect.label.clone(), write };
    let mut proposal = pattern.handoff.proposal.clone();
    (proposal.ticket, proposal.episode, proposal.decided_at) = (ticket.clone(), format!("e{number}"), at);
    update.handoff = Some(NewHandoff {
        id: id.clone(),
        proposal,
        state: if in_review { HandoffState::InReview } else { HandoffState::Sending },
        risks: if in_review { vec![Risk::Always] } else { Vec::new() },
        effects: if in_review { Vec::new() } else { vec![planned] },
        ask_until: None,
        replaces: None,
        needs_place: false,
    });
    ledger.record_case(&update)?;
    if in_review {
        return Ok(());
    }
    let claimed = ledger.claim_due_effect(now, &Busy::default())?.expect("the effect just planned");
    if nth.is_multiple_of(PARKED) {
        let reason = Some("the desk says: no such group".to_owned());
        let parked = EffectOutcome { reason, ..EffectOutcome::new(claimed.effect.id, EffectEvent::Park, at) };
        return ledger.record_outcome(&parked).map(drop);
    }
    let receipt = Some(Receipt { id: "1".into(), version: None, head: None });
    let sent = handoffd::ledger::records::HandoffHappening {
        handoff: id.clone(),
        event: Some(HandoffEvent::Sent),
        detail: None,
        claimed: Some((at, "Agent 21".into())),
        drop_effects: false,
        closing_note: None,
    };
    let done = EffectOutcome {
        receipt,
        handoff: Some(sent),
        ..EffectOutcome::new(claimed.effect.id, EffectEvent::Accepted, at)
    };
    ledger.record_outcome(&done)?;
    let mut arrived = seen(&ticket, at + SignedDuration::from_secs(30), "billing", pattern.stays.clone());
    arrived.stays[0].by_handoff = Some(id);
    ledger.record_case(&arrived).map(drop)
}

async fn ask(router: &Router, path: &str, cookie: &str) -> (StatusCode, String, Option<String>) {
    let request = Request::get(path).header(header::HOST, "127.0.0.1").header(header::COOKIE, cookie);
    let response = TowerToHyperService::new(router.clone()).call(request.body(Body::empty()).expect("request")).await;
    let response = response.expect("infallible");
    let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
    let status = response.status();
    let body = to_bytes(response.into_body(), 16 << 20).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"), location)
}

async fn login(router: &Router) -> String {
    let request = Request::post("/login")
        .header(header::HOST, "127.0.0.1")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={TOKEN}")));
    let response = TowerToHyperService::new(router.clone()).call(request.expect("request")).await.expect("infallible");
    let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    cookie.split(';').next().expect("a pair").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
async fn measure(router: &Router, name: &str, path: &str, cookie: &str) -> bool {
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let (status, text, _) = ask(router, path, cookie).await;
        times.push(begin.elapsed());
        assert_eq!(status, StatusCode::OK, "{path}: {text:.200}");
        bytes = text.len();
    }
    let (middle, worst) = middle_and_worst(times);
    let over = worst > MOST;
    println!(
        "{name:<28} p50 {:>9}, worst {:>9}, {:>4} kB{}",
        ms(middle),
        ms(worst),
        bytes / 1_000,
        if over { "  OVER" } else { "" }
    );
    over
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
async fn run(cases: usize) {
    let seams = Seams {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        transport: Arc::new(HttpTransport::new(2)),
    };
    let sandbox = Vendor::Zendesk.sandbox(seams.clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(handoffd_sandbox::server::serve(listener, sandbox.clone(), None, std::future::pending::<()>()));
    let folder = common::folder();
    let house = Vendor::Zendesk.house(&url, folder.path(), Durability::Process, seams);
    let pattern = Arc::new(pattern(&house, &sandbox).await);
    let begin = Instant::now();
    for first in (0..cases).step_by(1_000) {
        let pattern = pattern.clone();
        let some = move |ledger: &mut Ledger| {
            (first..(first + 1_000).min(cases)).try_for_each(|number| fill(ledger, &pattern, number, SystemClock.now()))
        };
        house.ledger.call(some).await.expect("recorded");
    }
    println!("{cases} cases, {} handoffs recorded in {:.1} s", cases / HANDED, begin.elapsed().as_secs_f64());
    let web = WebConfig { origin: None, session: SignedDuration::from_hours(1), logins: BTreeMap::new() };
    let entry = Entry::new(&web, &[("lead".to_owned(), Role::Operate, TOKEN.into())]);
    let systems = vec![("acme".into(), "zendesk".to_owned(), "127.0.0.1".to_owned())];
    let router = house.dashboard(house.web(1_000_000), entry, systems, CancellationToken::new());
    let cookie = login(&router).await;
    let begin = Instant::now();
    let mut over = measure(&router, "Insight, being worked out", "/insight", &cookie).await;
    while !ask(&router, "/insight", &cookie).await.1.contains("As of") {
        SystemClock.sleep_until(SystemClock.now() + SignedDuration::from_millis(20)).await;
    }
    println!("its figures are there after {:.1} s, beside everything else", begin.elapsed().as_secs_f64());
    let insight = ask(&router, "/insight", &cookie).await.1;
    let number = insight.split("/cases?number=").nth(1).and_then(|rest| rest.split('"').next()).expect("a number");
    let pages = [
        ("Now", "/".to_owned()),
        ("Reviews", "/reviews".to_owned()),
        ("one review", "/reviews/h000000".to_owned()),
        ("Cases", "/cases".to_owned()),
        ("Cases, by ticket", "/cases?q=1000001".to_owned()),
        ("Cases, none found", "/cases?q=none".to_owned()),
        ("Cases, by team and state", "/cases?team=billing&state=over".to_owned()),
        ("one case", format!("/cases/acme/{}", 1_000_000 + HANDED)),
        ("Parked", "/parked".to_owned()),
        ("Insight", "/insight".to_owned()),
        ("the cases behind a number", format!("/cases?number={number}")),
        ("Policy", "/policy".to_owned()),
    ];
    for (name, path) in pages {
        over |= measure(&router, name, &path, &cookie).await;
    }
    assert!(!over, "a page takes longer than {}", ms(MOST));
}

fn main() {
    let cases = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(CASES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(run(cases));
}
