//! From data to a page: the frame that all share, and how values are written. Whatever comes from outside is only ever text.

use super::Dashboard;
use super::guard::Here;
use super::session::Said;
use super::trouble::Trouble;
use crate::config::Role;
use crate::insight::words;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, escape_formatter};
use serde::Serialize;

/// The templates; each lies beside the file that fills it.
const TEMPLATES: [(&str, &str); 12] = [
    ("layout", include_str!("layout.html")),
    ("login", include_str!("login.html")),
    ("trouble", include_str!("trouble.html")),
    ("now", include_str!("now.html")),
    ("reviews", include_str!("reviews.html")),
    ("review", include_str!("review.html")),
    ("conversation", include_str!("conversation.html")),
    ("cases", include_str!("cases.html")),
    ("case", include_str!("case.html")),
    ("parked", include_str!("parked.html")),
    ("insight", include_str!("insight.html")),
    ("policy", include_str!("policy.html")),
];

/// A page of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Now,
    Reviews,
    Cases,
    Parked,
    Insight,
    Policy,
}

impl Tab {
    const ALL: [Self; 6] = [Self::Now, Self::Reviews, Self::Cases, Self::Parked, Self::Insight, Self::Policy];

    fn link(self) -> Link {
        let (href, name) = match self {
            Self::Now => ("/", "Now"),
            Self::Reviews => ("/reviews", "Reviews"),
            Self::Cases => ("/cases", "Cases"),
            Self::Parked => ("/parked", "Parked"),
            Self::Insight => ("/insight", "Insight"),
            Self::Policy => ("/policy", "Policy"),
        };
        Link { href, name, here: false }
    }
}

#[derive(Serialize)]
struct Link {
    href: &'static str,
    name: &'static str,
    here: bool,
}

/// Which page.
pub(super) struct Page {
    /// Its template.
    pub template: &'static str,
    /// Where it stands in the navigation.
    pub tab: Tab,
    /// What it is called.
    pub title: String,
}

impl Page {
    /// The page of this template.
    pub fn new(template: &'static str, tab: Tab, title: impl Into<String>) -> Self {
        Self { template, tab, title: title.into() }
    }
}

/// What every template sees.
#[derive(Serialize)]
struct Seen<'d, T> {
    page: &'d T,
    title: &'d str,
    now: Timestamp,
    who: &'d str,
    role: &'static str,
    may_review: bool,
    may_operate: bool,
    csrf: &'d str,
    /// The page itself, to come back to.
    path: &'d str,
}

#[derive(Serialize)]
struct Frame<'d> {
    title: &'d str,
    body: Value,
    tabs: Vec<Link>,
    who: &'d str,
    role: &'static str,
    csrf: &'d str,
    said: Option<Said>,
}

/// The templates, ready.
pub(super) struct Layout(Environment<'static>);

impl Layout {
    /// Reads the templates.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(|out, state, value| match value.as_str().filter(|_| !value.is_safe()) {
            Some(text) => escape_formatter(out, state, &Value::from(tamed(text))),
            None => escape_formatter(out, state, value),
        });
        environment.add_filter("number", words::number);
        environment.add_filter("seconds", |seconds: i64| words::seconds(seconds as f64));
        environment.add_filter("time", time);
        environment.add_filter("path", |text: String| encoded(&text));
        environment.add_filter("words", |text: String| text.replace('_', " "));
        for (name, text) in TEMPLATES {
            if let Err(error) = environment.add_template(name, text) {
                tracing::error!(template = name, error = %error, "dashboard.template_broken");
            }
        }
        Self(environment)
    }

    /// A template with its data.
    pub fn render(&self, template: &str, data: &impl Serialize) -> Result<String, Trouble> {
        let rendered = self.0.get_template(template).and_then(|template| template.render(Serde(data)));
        rendered.map_err(|error| {
            // Its words may hold what it was to show.
            tracing::error!(template, kind = %error.kind(), line = error.line(), "dashboard.page_broken");
            Trouble::Page
        })
    }
}

impl Dashboard {
    /// A page with its data, or why there is none.
    pub fn page<T: Serialize>(&self, here: &Here, page: &Page, data: Result<T, Trouble>) -> Response {
        match data.and_then(|data| self.body(here, page, &data)).and_then(|body| self.framed(here, page, body)) {
            Ok(text) => Html(text).into_response(),
            Err(trouble) => self.trouble(here, &trouble),
        }
    }

    /// A page's inner part alone.
    pub fn body<T: Serialize>(&self, here: &Here, page: &Page, data: &T) -> Result<String, Trouble> {
        let person = &here.session.person;
        let seen = Seen {
            page: data,
            title: &page.title,
            now: self.web.sources().clock.now(),
            who: &person.name,
            role: person.role.name(),
            may_review: person.role >= Role::Review,
            may_operate: person.role >= Role::Operate,
            csrf: &here.session.csrf,
            path: &here.path,
        };
        self.layout.render(page.template, &seen)
    }

    fn framed(&self, here: &Here, page: &Page, body: String) -> Result<String, Trouble> {
        let tabs = Tab::ALL.map(|tab| Link { here: tab == page.tab, ..tab.link() });
        let frame = Frame {
            title: &page.title,
            body: Value::from_safe_string(body),
            tabs: tabs.into(),
            who: &here.session.person.name,
            role: here.session.person.role.name(),
            csrf: &here.session.csrf,
            said: here.session.said(),
        };
        self.layout.render("layout", &frame)
    }

    /// Why there is no page, as a page.
    pub fn trouble(&self, here: &Here, trouble: &Trouble) -> Response {
        #[derive(Serialize)]
        struct Told {
            words: String,
        }
        let page = Page::new("trouble", Tab::Now, "This did not work");
        let told = Told { words: trouble.words() };
        let text = self.body(here, &page, &told).and_then(|body| self.framed(here, &page, body));
        let mut response = match text {
            Ok(text) => (trouble.status(), Html(text)).into_response(),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, trouble.words()).into_response(),
        };
        if let Trouble::TooMany(seconds) = trouble
            && let Ok(seconds) = HeaderValue::from_str(&seconds.to_string())
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// Text without what could make it read as another: control characters, and those that turn the direction of writing.
fn tamed(text: &str) -> String {
    let harmless = |letter: char| match letter {
        '\n' | '\t' => letter,
        letter if letter.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        letter => letter,
    };
    text.chars().map(harmless).collect()
}

/// A part of a path.
pub(super) fn encoded(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// An instant for people and machines: `5m ago`, with the instant itself at hand.
fn time(state: &State<'_, '_>, at: Value) -> Result<Value, Error> {
    if at.is_none() {
        return Ok(Value::from("–"));
    }
    let read = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let now = state.lookup("now").as_ref().and_then(read);
    let (Some(at), Some(now)) = (read(&at), now) else {
        return Err(Error::new(ErrorKind::InvalidOperation, "no instant"));
    };
    let apart = now.duration_since(at);
    let length = words::seconds(apart.as_secs().unsigned_abs() as f64);
    let shown = if apart.is_negative() { format!("in {length}") } else { format!("{length} ago") };
    Ok(Value::from_safe_string(format!("<time datetime=\"{at}\" title=\"{at}\">{shown}</time>")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        let layout = Layout::new();
        for (name, _) in TEMPLATES {
            assert!(layout.0.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn text_is_only_ever_text() {
        let mut layout = Layout::new();
        layout.0.add_template("t", "<p title=\"{{ a }}\">{{ a }}</p><a href=\"/x/{{ a|path }}\">").expect("a template");
        let hostile = "\"><script>alert('x')</script>\u{202e}\u{0}\u{1b}[2K &";
        let page = layout.render("t", &serde_json::json!({ "a": hostile })).expect("rendered");
        for word in ["<script", "\u{202e}", "\u{0}", "\u{1b}", "\"><s"] {
            assert!(!page.contains(word), "{word:?} in {page}");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("/x/%22%3E%3Cscript"), "{page}");
    }

    #[test]
    fn instants_are_told_from_now() {
        let mut layout = Layout::new();
        layout.0.add_template("t", "{{ a|time }} {{ b|time }} {{ c|time }}").expect("a template");
        let data = serde_json::json!({
            "now": "2026-11-02T12:00:00Z", "a": "2026-11-02T11:55:00Z", "b": "2026-11-02T14:00:00Z", "c": null
        });
        let page = layout.render("t", &data).expect("rendered");
        assert!(page.contains(">5m ago</time>") && page.contains(">in 2h</time>") && page.ends_with('–'), "{page}");
    }
}
