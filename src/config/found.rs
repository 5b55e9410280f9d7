//! What the readers find wrong, before places become lines and columns.

use super::problem::{Problems, Severity};
use super::source::Source;
use std::fmt::Display;
use std::ops::Range;

/// Of so many things that are there twice it is said where the first one stands: each takes reading the file, and nobody reads more.
const FIRSTS: usize = 20;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<T> At<T> {
    pub fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// Collects problems while the file is read.
#[derive(Debug)]
pub(super) struct Found<'t> {
    /// The file, to find a place inside a text.
    text: &'t str,
    list: Vec<Finding>,
    /// Whether a file is missing: what fits nothing here may fit something there.
    incomplete: bool,
}

#[derive(Debug)]
struct Finding {
    span: Range<usize>,
    severity: Severity,
    /// Whether it would be there in the whole file too. A file with broken syntax lost some of its keys,
    /// and blaming their absence would only mislead.
    needs: Needs,
    message: String,
    help: String,
    /// Another place that it is about, and what is to be seen there.
    also: Option<(Range<usize>, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    ItsPlace,
    TheWholeFile,
}

impl<'t> Found<'t> {
    /// Nothing yet.
    pub fn new(text: &'t str) -> Self {
        Self { text, list: Vec::new(), incomplete: false }
    }

    /// The place of a part of a text: bytes of its meaning. Escapes hide it; then it is the whole text's.
    pub fn inside(&self, text: &At<&str>, part: Range<usize>) -> Range<usize> {
        let written = self.text.get(text.span.clone()).unwrap_or_default();
        match written.find(text.value) {
            Some(offset) if !text.value.is_empty() => {
                let start = text.span.start + offset;
                start + part.start.min(text.value.len())..start + part.end.min(text.value.len())
            }
            _ => text.span.clone(),
        }
    }

    /// A value is wrong in itself.
    pub fn error(&mut self, span: &Range<usize>, message: impl Display, help: impl Display) {
        self.push(span, Severity::Error, Needs::ItsPlace, message, help);
    }

    /// Something is missing, or does not fit what stands elsewhere.
    pub fn mismatch(&mut self, span: &Range<usize>, message: impl Display, help: impl Display) {
        self.push(span, Severity::Error, Needs::TheWholeFile, message, help);
    }

    /// Known, and doing nothing yet.
    pub fn later(&mut self, span: &Range<usize>, message: impl Display, help: impl Display) {
        self.push(span, Severity::NotSupportedYet, Needs::ItsPlace, message, help);
    }

    /// Works, and should be looked at.
    pub fn warning(&mut self, span: &Range<usize>, message: impl Display, help: impl Display) {
        self.push(span, Severity::Warning, Needs::TheWholeFile, message, help);
    }

    /// The same about two places: what stands at the other one is said there.
    pub fn warning_with(
        &mut self,
        span: &Range<usize>,
        also: (&Range<usize>, String),
        message: impl Display,
        help: impl Display,
    ) {
        self.warning(span, message, help);
        if let Some(finding) = self.list.last_mut() {
            finding.also = Some((also.0.clone(), also.1));
        }
    }

    /// A part of the configuration could not be read.
    pub fn is_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether nothing was found that stops the configuration from being used.
    pub fn is_usable(&self) -> bool {
        self.errors() == 0
    }

    /// How many errors were found so far.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|finding| finding.severity != Severity::Warning).count()
    }

    /// The problems in the order of the file. With broken syntax, `syntax` comes along and what depends on the
    /// whole file is left out.
    pub fn into_problems(mut self, source: &Source, syntax: Vec<toml::de::Error>) -> Problems {
        let found = self.list.len();
        if self.incomplete {
            self.list.retain(|finding| finding.needs == Needs::ItsPlace);
        }
        for error in &syntax {
            let span = error.span().unwrap_or(0..0);
            // A value that is broken TOML was guessed; what is said about the guess would mislead too.
            let apart = |other: &Range<usize>| other.end < span.start || span.end < other.start;
            self.list.retain(|finding| finding.needs == Needs::ItsPlace && apart(&finding.span));
        }
        let mut problems = Problems::none(source);
        if self.list.len() < found {
            problems.more_may_follow();
        }
        for (nth, error) in syntax.into_iter().enumerate() {
            let span = error.span().unwrap_or(0..0);
            self.error(&span, super::syntax::words(error.message()), super::syntax::help(error.message()));
            let looked = (nth < FIRSTS).then(|| super::syntax::first(self.text, error.message(), span.start));
            let first = looked.flatten();
            if let Some(finding) = self.list.last_mut() {
                finding.also = first.map(|span| (span, "the first one stands here".to_owned()));
            }
        }
        self.list.sort_by_key(|finding| finding.span.start);
        for finding in self.list {
            problems.add_with(finding.span, finding.severity, finding.message, finding.help, finding.also);
        }
        problems
    }

    fn push(
        &mut self,
        span: &Range<usize>,
        severity: Severity,
        needs: Needs,
        message: impl Display,
        help: impl Display,
    ) {
        let (message, help) = (message.to_string(), help.to_string());
        self.list.push(Finding { span: span.clone(), severity, needs, message, help, also: None });
    }
}
