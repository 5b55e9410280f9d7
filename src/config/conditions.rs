//! Conditions in the file: compiled by the policy, with every problem at its place in the file.

use super::desks::DeskDraft;
use super::found::{At, Found};
use super::teams::Teams;
use super::walk::Section;
use crate::policy::condition::Condition;
use crate::policy::known::KnownFacts;
use jiff::SignedDuration;
use toml::de::DeValue;

/// From a second to a year.
pub(super) const WAITS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(1), SignedDuration::from_hours(365 * 24));

/// What conditions and templates may look at.
pub(super) struct Facts {
    pub known: KnownFacts,
    /// Fields whose declaration is wrong in itself. What is said about them is not judged: it may well be right.
    broken: Vec<String>,
}

impl Facts {
    /// The facts about cases of these desks.
    pub fn of<'a>(desks: impl IntoIterator<Item = &'a DeskDraft> + Clone) -> Self {
        let fields = desks.clone().into_iter().flat_map(|desk| &desk.policy.fields);
        Self {
            known: KnownFacts::new().with_fields(fields),
            broken: desks.into_iter().flat_map(|desk| desk.broken_fields.iter().cloned()).collect(),
        }
    }

    /// The same in a policy with these teams.
    pub fn with_teams(self, teams: &Teams) -> Self {
        Self { known: self.known.with_teams(teams.keys()), ..self }
    }

    /// The same where nothing is handed off with a package: routes, and `policy.never`.
    pub fn without_package(self) -> Self {
        Self { known: self.known.without_package(), ..self }
    }

    /// Whether a text speaks of a field that is wrong in itself.
    pub fn unsure_about(&self, text: &str) -> bool {
        self.broken.iter().any(|field| text.contains(field.as_str()))
    }
}

/// Compiles one condition; reports what is wrong with it.
pub(super) fn compile(found: &mut Found<'_>, text: &At<&str>, facts: &Facts) -> Option<Condition> {
    match Condition::compile(text.value, &facts.known) {
        Ok(condition) => Some(condition),
        Err(_) if facts.unsure_about(text.value) => None,
        Err(problems) => {
            for problem in problems {
                let span = found.inside(text, problem.start..problem.end);
                let help = problem
                    .help
                    .unwrap_or_else(|| "conditions are CEL over facts: 'ticket.priority == \"urgent\"'".into());
                found.error(&span, problem.message, help);
            }
            None
        }
    }
}

/// Reads `when`: one condition or a list; all must hold. `None`: it is there and cannot be used.
pub(super) fn when(found: &mut Found<'_>, section: &Section<'_>, facts: &Facts) -> Option<Vec<Condition>> {
    let Some(value) = section.raw("when") else { return Some(Vec::new()) };
    let texts = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => {
            section.texts(found, "when").filter(|texts| texts.len() == list.len())?
        }
        DeValue::Array(_) => {
            found.error(&value.span(), "`when` is an empty list", "write a condition; 'true' always holds");
            return None;
        }
        _ => vec![section.text(found, "when")?],
    };
    let compiled: Vec<Option<Condition>> = texts.iter().map(|text| compile(found, text, facts)).collect();
    compiled.into_iter().collect()
}
