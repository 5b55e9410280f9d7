//! **Policy**: the readable document of what runs, which versions have run, who signed what, and what is in shadow.

use super::Dashboard;
use super::guard::Here;
use super::layout::{Page, Tab};
use super::trouble::Trouble;
use crate::ledger::records::SignedWording;
use crate::policy::document::{Around, document};
use crate::policy::hold;
use crate::policy::rules::{Mode, Rule};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use minijinja::value::Value;
use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd, html};
use serde::Serialize;

/// So many versions.
const RUNS: usize = 20;

/// What runs.
#[derive(Serialize)]
pub(super) struct Policy {
    version: String,
    mode: &'static str,
    rules: Vec<RuleLine>,
    messages: Vec<MessageLine>,
    runs: Vec<Run>,
    chosen: Option<String>,
    /// The document, as Markdown.
    markdown: String,
}

#[derive(Serialize)]
struct RuleLine {
    name: String,
    to: String,
    version: String,
    mode: &'static str,
    share: f64,
    /// Of a sensitive rule: whether this version of it is signed.
    signed: Option<bool>,
}

#[derive(Serialize)]
struct MessageLine {
    name: String,
    wording: String,
    signers: Vec<String>,
    signed_by: Option<String>,
    signed_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Run {
    version: String,
    since: Timestamp,
}

/// The page: what `/api/v1` gives, and the document as HTML.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    policy: Policy,
    document: Value,
}

pub(super) async fn page(State(dashboard): State<Dashboard>, here: Here) -> Response {
    let shown = data(&dashboard).await.map(|policy| {
        let document = Value::from_safe_string(as_html(&policy.markdown));
        Shown { policy, document }
    });
    dashboard.page(&here, &Page::new("policy", Tab::Policy, "Policy"), shown)
}

/// Asks.
pub(super) async fn data(dashboard: &Dashboard) -> Result<Policy, Trouble> {
    let ask = |ledger: &crate::ledger::Ledger| {
        let known = (ledger.signatures()?, ledger.signed_rules()?);
        Ok((known, ledger.policy_runs(RUNS)?, ledger.chosen_policy()?))
    };
    let ((signatures, signed_rules), runs, chosen) = dashboard.reading.ask(ask).await?;
    let policy = dashboard.web.sources().policy;
    let policy = policy.as_ref();
    let mode = |mode: Mode| match mode {
        Mode::Shadow => "shadow",
        Mode::Live => "live",
    };
    let line = |rule: &Rule, to: &dyn std::fmt::Display| RuleLine {
        name: rule.name.to_string(),
        to: to.to_string(),
        version: rule.version.clone(),
        mode: mode(hold::mode(rule, policy, &signed_rules)),
        share: rule.share,
        signed: rule.sensitive.then(|| !hold::waits_for_signature(rule, policy, &signed_rules)),
    };
    let routes = policy.routes.iter().map(|route| line(&route.rule, &route.to));
    let rules = routes.chain(policy.escalations.iter().map(|path| line(&path.rule, &path.to))).collect();
    let messages = policy.messages.values().map(|message| {
        let signed = signatures.iter().find(|signed| signed.covers(message.name.as_str(), &message.wording_hash));
        MessageLine {
            name: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signers: message.signers.clone(),
            signed_by: signed.map(|signed| signed.signer.clone()),
            signed_at: signed.map(|signed| signed.at),
        }
    });
    let systems: Vec<(String, String, String)> = dashboard
        .systems
        .iter()
        .map(|(id, connector, host)| (id.to_string(), connector.clone(), host.clone()))
        .collect();
    let is_signed = |message: &str, wording: &str| signed(&signatures, message, wording);
    let around = Around { systems: &systems, signed_rules: &signed_rules, is_signed: &is_signed, instead: None };
    Ok(Policy {
        version: policy.version.clone(),
        mode: mode(policy.mode),
        rules,
        messages: messages.collect(),
        runs: runs.into_iter().map(|run| Run { version: run.version, since: run.since }).collect(),
        chosen: chosen.map(|choice| {
            format!("{} runs in place of the file's, as {} said: {}", choice.version, choice.by, choice.reason)
        }),
        markdown: document(policy, &around),
    })
}

fn signed(signatures: &[SignedWording], message: &str, wording: &str) -> bool {
    signatures.iter().any(|signed| signed.covers(message, wording))
}

/// Markdown of ours as HTML: headings go two steps down, below the page's own; links and HTML are left as the text they are.
fn as_html(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) | Event::End(TagEnd::Link | TagEnd::Image) => None,
        // Cells are aligned by the style sheet: a style in the page is not allowed.
        Event::Start(Tag::Table(columns)) => Some(Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))),
        Event::Start(Tag::Heading { level, .. }) => {
            Some(Event::Start(Tag::Heading { level: below(level), id: None, classes: Vec::new(), attrs: Vec::new() }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(below(level)))),
        event => Some(event),
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>")
}

fn below(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel::{H3, H4, H5, H6};
    match level as u8 {
        1 => H3,
        2 => H4,
        3 => H5,
        _ => H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_cannot_bring_markup_or_links_of_its_own() {
        let html = as_html(
            "# A\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![y](https://elsewhere.example/y.png)\n\n| a | b |\n|---|--:|\n| `<b>` | 2 |\n",
        );
        for word in ["<script", "style=", "<a ", "<img", "javascript:", "elsewhere", "<b>"] {
            assert!(!html.contains(word), "{word} in {html}");
        }
        assert!(html.contains("<h3>A</h3>") && html.contains("&lt;script&gt;") && html.contains("<td>"), "{html}");
    }
}
