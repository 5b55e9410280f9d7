//! Problems of a configuration: each with its file, place, message and remedy; all of one run together.
//!
//! [`render`] prints them in the look of the Rust compiler, [`Problems::to_json`] for scripts. What is shown of the
//! file is masked first: text behind a key that names a secret, and logins inside addresses, never reach a screen.

use super::mask::mask;
use super::source::{Place, Source, floor};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// How many problems one run keeps; the rest is counted.
const KEPT: usize = 200;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// A key or value that is known and does nothing yet: refused, never silently ignored.
    NotSupportedYet,
    /// It works, and should be looked at.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file: as it was named on the command line, or as it was included.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The place in that file, in bytes.
    pub span: Range<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: String,
    /// Another place that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Also>,
}

/// The other place of a problem about two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Also {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The place in that file, in bytes.
    pub span: Range<usize>,
    /// What is to be seen there.
    pub label: String,
}

/// All problems of one run, in the order of the file.
#[derive(Clone, Debug)]
pub struct Problems {
    source: Source,
    list: Vec<Problem>,
    left_out: usize,
    /// Whether more may be found once these are repaired: what hangs on a broken part of the file was not judged.
    more_may_follow: bool,
}

impl Problems {
    /// None yet.
    pub fn none(source: &Source) -> Self {
        Self { source: source.clone(), list: Vec::new(), left_out: 0, more_may_follow: false }
    }

    /// One that concerns the file as a whole: it cannot be read.
    pub(super) fn unreadable(path: &Path, message: String, help: &str) -> Self {
        let mut problems = Self::none(&Source::new(&path.display().to_string(), ""));
        problems.add(0..0, Severity::Error, message, help.to_owned());
        problems
    }

    /// Adds one at its place.
    pub(super) fn add(&mut self, span: Range<usize>, severity: Severity, message: String, help: String) {
        self.add_with(span, severity, message, help, None);
    }

    /// Adds one with another place that it is about, and what is to be seen there.
    pub(super) fn add_with(
        &mut self,
        span: Range<usize>,
        severity: Severity,
        message: String,
        help: String,
        also: Option<(Range<usize>, String)>,
    ) {
        if self.list.len() >= KEPT {
            self.left_out += 1;
            return;
        }
        let also = also.map(|(span, label)| {
            let Place { file, line, column, span } = self.source.place(&span);
            Also { file, line, column, span, label }
        });
        let Place { file, line, column, span } = self.source.place(&span);
        self.list.push(Problem { file, line, column, span, severity, message, help, also });
    }

    /// Adds those of another check of the same file.
    pub fn extend(&mut self, more: Problems) {
        self.left_out += more.left_out;
        self.more_may_follow |= more.more_may_follow;
        self.list.extend(more.list);
    }

    /// What hangs on a broken part of the file was not judged.
    pub(super) fn more_may_follow(&mut self) {
        self.more_may_follow = true;
    }

    /// The problems.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any of them stops the configuration from being used.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity != Severity::Warning)
    }

    /// For `check --json`: the list, and how many more there were.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "problems": self.list, "left_out": self.left_out, "more_may_follow": self.more_may_follow,
        })
    }

    /// None of this file's, to collect those of a further check.
    pub fn of_same_file(&self) -> Self {
        Self::none(&self.source)
    }

    /// Makes warnings of all of them.
    pub fn soften(&mut self) {
        for problem in &mut self.list {
            problem.severity = Severity::Warning;
        }
    }

    fn count(&self, wanted: impl Fn(Severity) -> bool) -> usize {
        self.list.iter().filter(|problem| wanted(problem.severity)).count()
    }

    fn summary(&self) -> String {
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let errors = self.count(|severity| severity != Severity::Warning);
        let warnings = self.count(|severity| severity == Severity::Warning);
        let more = if self.left_out > 0 { format!(", {} more not shown", self.left_out) } else { String::new() };
        let follow = if self.more_may_follow {
            "; more may follow: what hangs on the rest of the file is checked once these are repaired"
        } else {
            ""
        };
        let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
        format!("{errors}, {warnings}{more} in {}{follow}", self.source.name())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self, Look::Plain))
    }
}

impl std::error::Error for Problems {}

/// Whether problems are printed with colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Text alone.
    Plain,
    /// With terminal colours.
    Colored,
}

/// All problems for a person, with the lines they stand on. Empty when there is none.
pub fn render(problems: &Problems, look: Look) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Colored => Renderer::styled(),
    };
    let mut shown = String::new();
    for problem in &problems.list {
        shown.push_str(&render_one(problem, &problems.source, &renderer));
        shown.push_str("\n\n");
    }
    shown.push_str(&problems.summary());
    shown.push('\n');
    shown
}

fn render_one(problem: &Problem, source: &Source, renderer: &Renderer) -> String {
    let (level, title) = match problem.severity {
        Severity::Error => (Level::ERROR, problem.message.clone()),
        Severity::NotSupportedYet => (Level::ERROR, format!("not supported yet: {}", problem.message)),
        Severity::Warning => (Level::WARNING, problem.message.clone()),
    };
    let title = level.primary_title(title);
    let help = Level::HELP.message(&problem.help);
    let Some((line, span)) = shown_line(source.text_of(&problem.file), &problem.span) else {
        let origin = annotate_snippets::Origin::path(&problem.file).line(problem.line).char_column(problem.column);
        return renderer.render(&[title.element(origin).element(help)]);
    };
    let snippet = Snippet::source(line).line_start(problem.line).path(&problem.file);
    let mut report = title.element(snippet.annotation(AnnotationKind::Primary.span(span)));
    if let Some(also) = &problem.also
        && let Some((line, span)) = shown_line(source.text_of(&also.file), &also.span)
    {
        let snippet = Snippet::source(line).line_start(also.line).path(&also.file);
        report = report.element(snippet.annotation(AnnotationKind::Context.span(span).label(&also.label)));
    }
    renderer.render(&[report.element(help)])
}

/// The line a span begins on, fit to be shown. A line of a thousand characters helps nobody; its place does.
fn shown_line(text: &str, span: &Range<usize>) -> Option<(String, Range<usize>)> {
    let (line, span) = line_of(text, span);
    let masked = mask(line);
    let fits = !masked.is_empty() && masked.len() <= 1_000;
    fits.then_some((masked, span))
}

/// The line a span begins on, without its end, and the span within it.
fn line_of<'a>(text: &'a str, span: &Range<usize>) -> (&'a str, Range<usize>) {
    let at = floor(text, span.start);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let bom = line.len() - line.trim_start_matches('\u{feff}').len();
    let line = &line[bom..];
    let inside = |byte: usize| floor(line, byte.saturating_sub(start + bom));
    let (from, to) = (inside(at), inside(span.end));
    (line, from..to.max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, span: Range<usize>) -> Problems {
        let mut problems = Problems::none(&Source::new("a.toml", text));
        problems.add(span, Severity::Error, "wrong".into(), "write it right".into());
        problems
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        for (text, byte, place) in [
            ("a = 1\r\nbé = 2\r\n", 7, (2, 1)),
            ("a = 1\r\nbé = 2\r\n", 13, (2, 6)),
            ("\u{feff}a = 1", 3, (1, 1)),
            ("", 9, (1, 1)),
        ] {
            let problems = one(text, byte..byte);
            let problem = problems.iter().next().unwrap();
            assert_eq!((problem.line, problem.column), place, "{text:?} {byte}");
        }
    }

    #[test]
    fn rendering_shows_place_line_and_help() {
        let shown = render(&one("mode = 1\nx = 2\n", 9..10), Look::Plain);
        for piece in ["error: wrong", "a.toml:2:1", "x = 2", "help: write it right", "1 error, 0 warnings in a.toml"] {
            assert!(shown.contains(piece), "{piece} in {shown}");
        }
    }

    #[test]
    fn any_span_of_any_text_can_be_rendered() {
        for text in ["", "\u{feff}", "é", "a\0b", "a\tb\r\n\u{202e}c", "\n\n\n"] {
            for start in 0..text.len() + 2 {
                for end in start..text.len() + 3 {
                    assert!(render(&one(text, start..end), Look::Colored).contains("wrong"));
                }
            }
        }
    }

    #[test]
    fn what_is_rendered_shows_no_secret() {
        let text = "login = { client_secret = \"hunter2\", clientid = 5 }\n";
        let shown = render(&one(text, 37..45), Look::Plain);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("clientid"), "{shown}");
    }

    #[test]
    fn a_flood_of_problems_is_counted_and_cut() {
        let mut problems = Problems::none(&Source::new("a.toml", "x"));
        for _ in 0..KEPT + 5 {
            problems.add(0..1, Severity::Warning, "w".into(), "h".into());
        }
        assert_eq!(problems.iter().count(), KEPT);
        assert_eq!(problems.to_json()["left_out"], 5);
        assert!(!problems.has_errors());
    }
}
