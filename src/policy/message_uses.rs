//! How a template uses its facts: told as they are, asked whether they are there, or reckoned with. Pure.

use super::cel::Found;
use super::message::names_in;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// `{{ name }}`.
static TOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{\{-?\s*[\w.]+\s*-?\}\}"));
/// `{% if name %}`, `{% elif not name %}`.
static ASKED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{%-?\s*(el)?if\s+(?:not\s+)?[\w.]+\s*-?%\}"));

#[expect(clippy::expect_used, reason = "the two patterns are constants, which a test compiles")]
fn pattern(written: &str) -> Regex {
    Regex::new(written).expect("a pattern of ours")
}

/// The facts that a template does more with than tell them.
pub(super) struct Uses {
    /// What is told depends on them.
    depends: BTreeSet<String>,
    /// It depends on more than whether they are there: they are compared, counted or changed.
    reckons: BTreeSet<String>,
}

impl Uses {
    /// Of a template that can be read; of another, none.
    pub(super) fn of(source: &str) -> Self {
        let untold = TOLD.replace_all(source, "");
        let unasked = ASKED.replace_all(&untold, "{% ${1}if true %}");
        let names = |text: &str| names_in(text).unwrap_or_default();
        Self { depends: names(&untold), reckons: names(&unasked) }
    }

    /// Why this fact, as it was found, does not do for what the template wants of it; none: it does. To ask whether an empty
    /// field is filled is a fair question; to compare it with a number is none.
    pub(super) fn misses(&self, name: &str, found: &Found<'_>) -> Option<String> {
        match found {
            Found::Value(_) => None,
            Found::Empty => self.reckons.contains(name).then(|| format!("{name} is empty")),
            Found::Unknown | Found::Unread(_) => self.depends.contains(name).then(|| format!("{name} is unknown")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_told_may_be_missing_and_what_decides_may_not() {
        for (template, unknown, empty) in [
            ("{{ ticket.subject }}", true, true),
            ("{{-ticket.subject -}} twice {{ticket.subject}}", true, true),
            ("{% if ticket.subject %}a{% endif %}", false, true),
            ("{% if not ticket.subject %}a{% elif ticket.subject %}b{% else %}c{% endif %}", false, true),
            ("{{ ticket.subject | upper }}", false, false),
            ("{{ ticket.subject - 1 }}", false, false),
            ("{% if ticket.subject > 1 %}a{% endif %} {{ ticket.subject }}", false, false),
            ("{{ \"a\" if ticket.subject else \"b\" }}", false, false),
            ("{% for word in ticket.subject %}a{% endfor %}", false, false),
            ("{% set a = ticket.subject %}{{ a }}", false, false),
        ] {
            let uses = Uses::of(template);
            let does = |found| uses.misses("ticket.subject", &found).is_none();
            assert_eq!((does(Found::Unknown), does(Found::Empty)), (unknown, empty), "{template}");
            assert!(uses.misses("ticket.id", &Found::Unknown).is_none(), "{template}");
        }
    }
}
