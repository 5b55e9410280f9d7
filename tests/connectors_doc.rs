//! `docs/CONNECTORS.md` is printed from what the connectors declare: it can neither be forgotten nor flatter. Each connector
//! is opened from its own `example.toml`, which must be right for that.
//!
//! `HANDOFFD_WRITE_DOCS=1 cargo test --test connectors_doc` writes the page anew.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::config::{self, secrets};
use handoffd::registry;
use handoffd_kit::capability::{Aspect, Capabilities, Guard, NoteFormat, Pausing, Roster, WebhookTrust};
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const HEAD: &str = "# Connectors

What each connector can do, as it declares it to the rest of handoffd. This page is printed from those declarations by
`tests/connectors_doc.rs`; do not edit it by hand. The conformance suite tries each declared ability. How a connector is
set up, and what its helpdesk cannot do, stands in its own README; how to add one, in
[connectors/README.md](../connectors/README.md).
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What the connector declares with its example's settings, every secret replaced by a stand-in.
fn declared(connector: &str) -> Capabilities {
    let file = root().join("connectors").join(connector).join("example.toml");
    let text = std::fs::read_to_string(&file).expect("an example.toml beside each connector's code");
    let config = config::read(&text, "example.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    let (_, settings) = secrets::stand_ins(&config).into_iter().next().expect("the example has a desk");
    let transport = Arc::new(HttpTransport::new(1));
    let seams = Seams { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
    let desk = registry::open(connector, settings, seams).unwrap_or_else(|wrong| panic!("{connector}: {wrong:?}"));
    desk.capabilities().clone()
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

fn span(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn words(aspects: &[Aspect]) -> String {
    let word = |aspect: &Aspect| match aspect {
        Aspect::Note => "note",
        Aspect::Queue => "queue",
        Aspect::Owner => "owner",
        Aspect::Priority => "priority",
        Aspect::Status => "status",
        Aspect::Fields => "fields",
    };
    aspects.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn fixed(capabilities: &Capabilities) -> String {
    if capabilities.fixed.is_empty() { "nothing".to_owned() } else { words(capabilities.fixed) }
}

fn together(capabilities: &Capabilities) -> String {
    match capabilities.together {
        [] => "one thing in each call, the note first".to_owned(),
        aspects => {
            let first = if aspects.contains(&Aspect::Note) { "" } else { "the note, then " };
            format!("{first}one call: {}", words(aspects))
        }
    }
}

fn pausing(capabilities: &Capabilities) -> String {
    let one = |pausing: &Pausing| format!("`{}`, ended by `{}`", pausing.word, pausing.resumes);
    match capabilities.pausing {
        [] => "none".to_owned(),
        statuses => statuses.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

fn guard(guard: Guard) -> String {
    match guard {
        Guard::Conditional { grain } => format!("the desk compares versions, to {}", span(grain)),
        Guard::Leaky => "the desk compares, with a gap; the history is read afterwards".to_owned(),
        Guard::Compared => "handoffd reads and compares right before it writes".to_owned(),
        Guard::None => "the desk does not compare; read before and after".to_owned(),
    }
}

fn webhook(trust: WebhookTrust) -> &'static str {
    match trust {
        WebhookTrust::Signed => "signed, with a time stamp",
        WebhookTrust::SignedDated => "signed, with a time in the body: a day at most, a hint only",
        WebhookTrust::SignedUndated => "signed, without a time: a hint only",
        WebhookTrust::SecretPath => "a secret in the address: a hint only",
        WebhookTrust::SecretHeader => "a secret in a header: a hint only",
        WebhookTrust::None => "none",
    }
}

fn roster(roster: Roster) -> &'static str {
    match roster {
        Roster::None => "no",
        Roster::Members => "yes",
        Roster::WithLoad => "yes, with what each has open",
    }
}

fn note(capabilities: &Capabilities) -> String {
    let format = match capabilities.note_format {
        NoteFormat::Html => "HTML",
        NoteFormat::Text => "plain text",
    };
    format!("{format}, at most {} bytes", capabilities.note_max_bytes)
}

fn streams(capabilities: &Capabilities) -> String {
    let one = |stream: &handoffd_kit::capability::Stream| {
        let (name, lag, overlap) = (&stream.name, span(stream.lag), span(stream.overlap));
        format!("`{name}`: up to {lag} late, read again over {overlap}")
    };
    capabilities.streams.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn limits(capabilities: &Capabilities) -> String {
    let one = |limit: &handoffd_kit::capability::DeclaredLimit| {
        let each = if limit.per_ticket { " for one ticket" } else { "" };
        format!("{}: {} in {}{each}", limit.endpoint, limit.calls, span(limit.per))
    };
    match capabilities.limits.as_slice() {
        [] => "none published".to_owned(),
        limits => limits.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

fn row(page: &mut String, what: &str, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    writeln!(page, "| {what} | {} |", cells.join(" | ")).expect("writing into a text cannot fail");
}

fn page() -> String {
    let all: Vec<Capabilities> = registry::known().iter().map(|connector| declared(connector)).collect();
    let mut page = format!("{HEAD}\n");
    row(&mut page, "", all.iter().map(|one| format!("[{0}](../connectors/{0}/README.md)", one.connector)));
    row(&mut page, "---", all.iter().map(|_| "---".to_owned()));
    type Cell = fn(&Capabilities) -> String;
    let rows: [(&str, Cell); 19] = [
        ("a handoff is", together),
        ("is shown and cannot be set", fixed),
        ("a write is guarded", |one| guard(one.guard)),
        ("a lost answer can be looked up", |one| yes(one.can_find)),
        ("“not found” counts after", |one| span(one.settle_time)),
        ("history says who changed what", |one| yes(one.readable_history)),
        ("the desk's SLA clocks are read", |one| yes(one.sla_clocks)),
        ("a customer's tickets are listed", |one| yes(one.customers_tickets)),
        ("machine mail is told from a person's", |one| yes(one.machine_mail)),
        ("statuses that stop the customer's clock", pausing),
        ("tags change without touching others", |one| yes(one.race_free_tags)),
        ("the people of a queue are told", |one| roster(one.roster).to_owned()),
        ("a colleague can follow a ticket", |one| yes(one.followers)),
        ("webhooks", |one| webhook(one.webhook).to_owned()),
        ("streams that are polled", streams),
        ("notes", note),
        ("limits that are known from the start", limits),
        ("rights that the login needs", |one| one.rights.join("; ")),
        ("read from", |one| one.checked.to_owned()),
    ];
    for (what, cell) in rows {
        row(&mut page, what, all.iter().map(cell));
    }
    page
}

#[test]
fn the_table_of_connectors_is_what_they_declare() {
    let (file, page) = (root().join("docs/CONNECTORS.md"), page());
    if std::env::var_os("HANDOFFD_WRITE_DOCS").is_some() {
        std::fs::write(&file, &page).expect("docs/CONNECTORS.md can be written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let again = "HANDOFFD_WRITE_DOCS=1 cargo test --test connectors_doc";
    assert!(written == page, "docs/CONNECTORS.md is not what the connectors declare; write it anew with\n    {again}");
}
