//! The dashboard in a real headless Chromium: logging in, a review, a parked effect, a number with its cases, the keyboard, a
//! phone's width, hostile tickets. The console stays empty, and nothing is asked of any other host. Each page's picture lies in
//! `target/tmp/dashboard/` afterwards.
//!
//! Without a Chromium it is left out with one line; where `HANDOFFD_TEST_REAL` is set, that is a failure.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test fails by panicking and says what it leaves out")]

mod chromium;
mod stage;

use chromium::{Chromium, Page};
use stage::{HOSTILE, Stage, TOKEN};

const PAGES: [&str; 6] = ["/", "/reviews", "/cases", "/parked", "/insight", "/policy"];
/// A small phone, in points.
const PHONE: (u32, u32) = (360, 740);
const DESK: (u32, u32) = (1280, 900);

fn chromium() -> Option<Chromium> {
    let found = Chromium::start();
    if found.is_none() {
        assert!(std::env::var_os("HANDOFFD_TEST_REAL").is_none(), "no chromium is installed");
        eprintln!("left out: no chromium is installed");
    }
    found
}

#[test]
fn a_lead_uses_the_dashboard() {
    let Some(mut chromium) = chromium() else { return };
    let stage = Stage::new();
    let mut page = chromium.page(&stage.url);
    page.size(PHONE);
    logs_in(&mut page);
    fits_a_phone(&mut page, &stage);
    page.size(DESK);
    edits_a_review(&mut page, &stage);
    approves_a_review(&mut page, &stage);
    retries_what_is_parked(&mut page, &stage);
    follows_a_number(&mut page);
    goes_by_keyboard(&mut page);
    page.dark(true);
    for path in PAGES {
        page.go(path);
        page.picture(&format!("dark{}", path.replace('/', "-")));
    }
    page.logs_out();
    assert_eq!(page.complaints(), Vec::<String>::new());
}

fn logs_in(page: &mut Page<'_>) {
    page.go("/reviews");
    assert!(page.path().starts_with("/login"), "{}", page.path());
    page.types("#token", "wrong");
    page.submits("form");
    page.waits_for("document.getElementById('wrong') !== null");
    page.picture("wrong-token");
    // A refused login is a 401, which a browser notes in its console; nothing else may be there.
    page.forgives("401");
    page.types("#token", TOKEN);
    page.submits("form");
    page.waits_for("location.pathname === '/reviews'");
}

fn fits_a_phone(page: &mut Page<'_>, stage: &Stage) {
    let review = format!("/reviews/{}", stage.review());
    let case = format!("/cases/acme/{}", stage.hostile_ticket());
    for path in PAGES.into_iter().chain([review.as_str(), case.as_str()]) {
        page.go(path);
        page.waits_for("document.querySelector('[data-part] > p:only-child > a') === null");
        let wide: f64 = page.tells("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert!(wide <= 0.0, "{path} is {wide} points wider than a phone");
        let small =
            "[...document.querySelectorAll('main button')].filter(b => b.offsetHeight && b.offsetHeight < 36).length";
        assert_eq!(page.tells::<u32>(small), 0, "{path} has buttons too small for a thumb");
        page.picture(&format!("phone{}", path.replace('/', "-")));
    }
}

fn edits_a_review(page: &mut Page<'_>, stage: &Stage) {
    page.go(&format!("/reviews/{}", stage.review()));
    page.clicks("#edit + details > summary");
    page.types("#part-question", "May we <b>refund</b> it?");
    page.picture("editing");
    page.clicks("form[action$='/edit'] button");
    page.waits_for("document.querySelector('.said.good') !== null && document.querySelector('ins') !== null");
    let said: String = page.tells("document.querySelector('ins').textContent");
    assert!(said.contains("refund") && page.tells::<bool>("document.querySelector('ins b') === null"), "{said}");
    page.picture("edited");
}

fn approves_a_review(page: &mut Page<'_>, stage: &Stage) {
    page.go("/reviews");
    page.clicks("#body .cards a");
    page.waits_for("document.querySelector('.talk') !== null");
    let said: String = page.tells("document.querySelector('.talk').textContent");
    assert!(said.contains("<script>"), "what the customer wrote is shown as they wrote it: {said}");
    assert!(!page.tells::<bool>("'hacked' in window"), "and is nothing but text");
    assert!(said.contains(HOSTILE.trim()));
    page.picture("review");
    page.clicks("form[action$='/approve'] button");
    page.waits_for("document.querySelector('.said.good') !== null");
    page.picture("approved");
    stage.waits_for_note();
}

fn retries_what_is_parked(page: &mut Page<'_>, stage: &Stage) {
    stage.waits_for_parked();
    page.go("/parked");
    page.picture("parked");
    page.clicks("form[action='/parked/retry'] button");
    page.waits_for("document.querySelector('.said.good') !== null");
    stage.was_retried_by("billing-lead (dashboard)");
}

fn follows_a_number(page: &mut Page<'_>) {
    page.go("/insight");
    page.waits_for("document.querySelector('.tiles a') !== null");
    page.picture("insight");
    let link = "a[href^='/cases?number=rule']";
    let fallback = "a[href^='/cases?number=']";
    let link = if page.tells(&format!("document.querySelector(\"{link}\") !== null")) { link } else { fallback };
    page.clicks(link);
    page.waits_for("document.querySelector('.lead') !== null && document.querySelectorAll('tbody tr').length > 0");
    page.picture("behind-a-number");
    page.clicks("tbody a");
    page.waits_for("document.querySelector('.timeline') !== null");
    page.picture("case");
}

fn goes_by_keyboard(page: &mut Page<'_>) {
    page.go("/");
    page.presses("Tab");
    assert_eq!(page.tells::<String>("document.activeElement.className"), "skip");
    let seen = "document.activeElement.getBoundingClientRect().left >= 0";
    assert!(page.tells::<bool>(seen), "what has the focus can be seen");
    page.presses("Enter");
    page.waits_for("location.hash === '#main'");
    let unnamed = "[...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
        .filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length";
    for path in PAGES {
        page.go(path);
        assert_eq!(page.tells::<u32>(unnamed), 0, "{path} has something without a name");
        let landmarks =
            "['header', 'nav[aria-label]', 'main', 'h1'].filter(name => !document.querySelector(name)).join()";
        assert_eq!(page.tells::<String>(landmarks), "", "{path} lacks a landmark");
    }
}
