//! Commands that agents give inside the helpdesk: as the first line of an internal note, or as a label. Here only the
//! words are read; who may give one, and where one counts, is for `cases::hearing`.
//!
//! In a note only the first line that shows anything counts, and it must begin with the slash: a quote (`> /approve`), a
//! list item or a greeting before it is talk about a command and none. Case, a full-width slash, invisible direction
//! marks around the line and punctuation behind the word are forgiven. A line that turns the direction of reading
//! round is no command: what people see there is not what stands there.

use super::called::{NAME_WORDS, called, words_of};
use super::names::TeamName;
use super::package::{clean, edit, invisible};
use super::rules::{CommandWords, PackagePart, Policy};
use handoffd_kit::id::DeskId;
use serde::{Deserialize, Serialize};

/// A longer reason is cut visibly: the note that it stands in is on the ticket anyway.
const REASON_CHARS: usize = 500;
/// So much of it is looked at, before what must not be copied is masked.
const REASON_READ: usize = 8_000;
/// A longer word cannot name a command or a team; what is shown of it in an answer.
const WORD_CHARS: usize = 60;

/// The label of a case whose agent is asked for package parts.
pub const ASKING: &str = "handoffd-asking";

/// What an agent orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hand the case to another team.
    Handoff {
        /// To whom.
        to: Target,
        /// Why.
        reason: Option<String>,
    },
    /// Give the case back: what was asked for is done.
    Back {
        /// What was done.
        reason: Option<String>,
    },
    /// Say no: to a handoff that waits for a yes, or to one that has just come.
    Reject {
        /// Why.
        reason: Option<String>,
    },
    /// Say yes to a handoff that waits for it.
    Approve {
        /// Why, if there is something to say.
        reason: Option<String>,
        /// Parts of its package in other words, which travel with the yes; mostly none.
        parts: Parts,
    },
    /// Put other words in the place of parts of the package of a handoff that waits for a yes.
    Edit {
        /// Which, and what they say.
        parts: Parts,
    },
    /// Rate the package of the handoff that brought the case.
    Rate {
        /// How good it was; none: the word was neither.
        rating: Option<Rating>,
        /// Why, if there is something to say.
        reason: Option<String>,
    },
}

/// Parts of a package as a note gives them, or why it gives none that can be used.
pub type Parts = Result<Vec<(PackagePart, String)>, String>;

/// To whom a case is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A team of this desk.
    Team(TeamName),
    /// No team is called so: the word as it was written.
    Unknown(String),
    /// Nobody was named.
    Missing,
}

/// What the receiving team thinks of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// It had what they needed.
    Good,
    /// It lacked something.
    Poor,
}

impl Rating {
    /// The word: in commands, SQL, lists, metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Poor => "poor",
        }
    }

    /// The rating of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Good, Self::Poor].into_iter().find(|rating| rating.name() == word)
    }
}

impl Command {
    /// Its word: in answers, marks, SQL.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Handoff { .. } => "handoff",
            Self::Back { .. } => "back",
            Self::Reject { .. } => "reject",
            Self::Approve { .. } => "approve",
            Self::Edit { .. } => "edit",
            Self::Rate { .. } => "rate",
        }
    }

    /// Its reason.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Handoff { reason, .. }
            | Self::Back { reason }
            | Self::Reject { reason }
            | Self::Approve { reason, .. }
            | Self::Rate { reason, .. } => reason.as_deref(),
            Self::Edit { .. } => None,
        }
    }

    /// The same command with this reason, where it has none of its own: a label has no room for one.
    #[must_use]
    pub fn because(mut self, words: Option<String>) -> Self {
        match &mut self {
            Self::Handoff { reason, .. }
            | Self::Back { reason }
            | Self::Reject { reason }
            | Self::Approve { reason, .. }
            | Self::Rate { reason, .. } => {
                *reason = reason.take().or(words);
            }
            Self::Edit { .. } => {}
        }
        self
    }

    /// How it may be shown again, in one line: `/handoff billing`.
    pub fn shown(&self) -> String {
        match self {
            Self::Handoff { to: Target::Team(team), .. } => format!("/handoff {team}"),
            Self::Handoff { to: Target::Unknown(word), .. } => format!("/handoff {word}"),
            Self::Rate { rating: Some(rating), .. } => format!("/rate {}", rating.name()),
            _ => format!("/{}", self.name()),
        }
    }
}

/// What commands may name on one desk.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    policy: &'a Policy,
    desk: &'a DeskId,
    words: Option<&'a CommandWords>,
}

impl<'a> Vocabulary<'a> {
    /// The vocabulary of a desk.
    pub fn new(policy: &'a Policy, desk: &'a DeskId) -> Self {
        Self { policy, desk, words: policy.desks.get(desk).map(|desk| &desk.commands) }
    }

    /// Whether anybody is listened to at all.
    pub fn listens(self) -> bool {
        self.words.is_some_and(|words| words.notes || words.tags)
    }

    /// Whether commands in notes are listened to.
    pub fn listens_to_notes(self) -> bool {
        self.words.is_some_and(|words| words.notes)
    }

    /// Whether a label is a word between agents and us, set and taken back again: no fact about the case.
    pub fn is_between_us(self, tag: &str) -> bool {
        tag == ASKING || self.in_tag(tag).is_some()
    }

    /// The command in a note's words.
    pub fn in_note(self, words: &str) -> Option<Command> {
        self.words.filter(|words| words.notes)?;
        let (line, below) = first_line(words)?;
        let (verb, rest) = verb_and_rest(line)?;
        let reason = || clean_reason(rest);
        let labels = &self.policy.labels;
        Some(match verb.as_str() {
            "handoff" => {
                let (to, reason) = self.target(rest);
                Command::Handoff { to, reason }
            }
            "back" => Command::Back { reason: reason() },
            "reject" => Command::Reject { reason: reason() },
            "approve" => Command::Approve { reason: reason(), parts: edit::below_a_yes(below, labels) },
            "edit" => Command::Edit { parts: edit::in_note(rest, below, labels) },
            "rate" => {
                let (word, rest) = rest.split_once(is_break).unwrap_or((rest, ""));
                Command::Rate { rating: Rating::named(&bare_word(word).to_lowercase()), reason: clean_reason(rest) }
            }
            _ => return None,
        })
    }

    /// The command that a label gives.
    pub fn in_tag(self, tag: &str) -> Option<Command> {
        let words = self.words.filter(|words| words.tags)?;
        let is = |word: &String| word.to_lowercase() == tag.to_lowercase();
        let none = None;
        // A whole word first: `handoff-back` is no team called "back".
        if is(&words.back) {
            return Some(Command::Back { reason: none });
        } else if is(&words.reject) {
            return Some(Command::Reject { reason: none });
        } else if is(&words.approve) {
            return Some(Command::Approve { reason: none, parts: Ok(Vec::new()) });
        } else if is(&words.good) {
            return Some(Command::Rate { rating: Some(Rating::Good), reason: none });
        } else if is(&words.poor) {
            return Some(Command::Rate { rating: Some(Rating::Poor), reason: none });
        }
        let named = words.handoff.iter().find_map(|form| between(tag, form))?;
        let to = self.team(&named).map_or_else(|| Target::Unknown(shown_word(&named)), Target::Team);
        Some(Command::Handoff { to, reason: none })
    }

    /// The team that the words begin with, and what follows: the longest name wins, so that "Tier 2" is not "Tier".
    fn target(self, rest: &str) -> (Target, Option<String>) {
        let words = words_of(rest);
        let Some(first) = words.first() else { return (Target::Missing, None) };
        for count in (1..=words.len().min(NAME_WORDS)).rev() {
            if let Some(team) = self.team(&words[..count].join(" ")) {
                return (Target::Team(team), clean_reason(&words[count..].join(" ")));
            }
        }
        (Target::Unknown(shown_word(bare_word(first))), clean_reason(&words[1..].join(" ")))
    }

    /// The one team of this desk that goes by this name: its key, its queue, or what customers call it.
    fn team(self, name: &str) -> Option<TeamName> {
        match called(self.policy, self.desk, name).as_slice() {
            [team] => Some((*team).clone()),
            _ => None,
        }
    }
}

/// What a form of a label holds in its place for the team's name.
fn between(tag: &str, form: &str) -> Option<String> {
    let (before, behind) = form.split_once(TEAM)?;
    let (tag, before, behind) = (tag.to_lowercase(), before.to_lowercase(), behind.to_lowercase());
    let name = tag.strip_prefix(&before)?.strip_suffix(&behind)?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Where a label's form has the team's name.
pub const TEAM: &str = "{team}";

/// Whether a note is an order about a package that waits, whose parts are for that package and tell nothing else.
pub fn is_about_a_package(words: &str) -> bool {
    let verb = first_line(words).and_then(|(line, _)| verb_and_rest(line)).map(|(verb, _)| verb);
    verb.is_some_and(|verb| ["approve", "edit"].contains(&verb.as_str()))
}

/// The first line that shows anything, without what cannot be seen around it, and what stands below it.
fn first_line(words: &str) -> Option<(&str, &str)> {
    const BREAKS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let around = |c: char| is_blank(c) && !turns_round(c);
    let mut rest = Some(words);
    while let Some(text) = rest {
        let (line, below) = text.split_once(BREAKS).map_or((text, None), |(line, below)| (line, Some(below)));
        let line = line.trim_matches(around);
        if !line.is_empty() {
            return Some((line, below.unwrap_or_default()));
        }
        rest = below;
    }
    None
}

/// The word behind the slash, in small letters, and what follows it.
fn verb_and_rest(line: &str) -> Option<(String, &str)> {
    if line.contains(turns_round) {
        return None;
    }
    let line = line.strip_prefix(['/', '／'])?;
    let end = line.find(|c: char| is_break(c) || [':', '：'].contains(&c)).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let word = word.trim_end_matches(is_stop);
    let verb: String = word.chars().take(WORD_CHARS).map(narrow).flat_map(char::to_lowercase).collect();
    let rest = rest.trim_start_matches(|c: char| is_blank(c) || is_stop(c));
    Some((verb, rest))
}

/// Letters as East Asian keyboards write them: wide.
fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        other => other,
    }
}

/// A reason in one line, ready to stand in a note of ours: without what cannot be seen or must not be copied, cut where it is
/// too long.
fn clean_reason(words: &str) -> Option<String> {
    let read: String = words.chars().take(REASON_READ).collect();
    let seen: String =
        clean(&read).chars().filter(|c| !invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches(|c| is_stop(c) || c == '-' || c == '–' || c == ' ');
    if !line.contains(char::is_alphanumeric) {
        return None;
    }
    Some(match line.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    })
}

/// The first words of a note as a reason, if they say anything: for a label that came with it.
pub fn reason_in(words: &str) -> Option<String> {
    clean_reason(first_line(words)?.0)
}

/// A word without quotes and punctuation around it.
pub(super) fn bare_word(word: &str) -> &str {
    let around = |c: char| is_stop(c) || is_blank(c) || "\"'“”„‚‘’«»()[]".contains(c);
    word.trim_matches(around)
}

fn shown_word(word: &str) -> String {
    let read: String = word.chars().take(REASON_READ).collect();
    let seen: String = clean(&read).chars().filter(|c| !invisible(*c) && !c.is_control()).collect();
    match seen.char_indices().nth(WORD_CHARS) {
        Some((end, _)) => format!("{}…", &seen[..end]),
        None => seen,
    }
}

pub(super) fn is_break(c: char) -> bool {
    c.is_whitespace()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || invisible(c)
}

/// Punctuation behind a word.
pub(super) fn is_stop(c: char) -> bool {
    ",.;:!?…，。；：！？、".contains(c)
}

/// Overrides of the direction: they make letters appear in another order than they stand.
fn turns_round(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}')
}

#[cfg(test)]
mod tests;
