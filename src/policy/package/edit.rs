//! A person's edit of a package that waits for their yes: the words of parts take the place of those that were collected. It
//! is held to what holds for every package: masked, defused, five lines a part, and each line says where it comes from. Pure.

use super::labels::{Label, Labels};
use super::mask::clean;
use super::noted::sections_and_strays;
use super::sentences::{LINE_MAX, one_line};
use super::sheet::LINES_MAX;
use super::{ORDER, name_of, part_named, part_names};
use crate::policy::proposal::{Package, PackageSection, Proposal};
use crate::policy::rules::{PackagePart, Policy};
use serde::Serialize;

/// The longest text of one part, in bytes: far more than its lines may have.
const TEXT_MAX: usize = 8 * 1024;
/// The longest note that is read for parts, in bytes.
const NOTE_MAX: usize = 16 * 1024;
/// Characters of a wrong name that an answer shows.
const SHOWN_MAX: usize = 40;

/// A part that two versions of a package say differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartChange {
    /// Its name.
    pub part: &'static str,
    /// What it said; nothing: it was not there.
    pub before: Vec<String>,
    /// What it says.
    pub after: Vec<String>,
}

/// What two versions of a package say differently, in the order of the note.
pub fn differences(before: &Package, after: &Package) -> Vec<PartChange> {
    let change = |part: PackagePart| {
        let (old, new) = (before.lines(part), after.lines(part));
        (old != new).then(|| PartChange { part: name_of(part), before: old.to_vec(), after: new.to_vec() })
    };
    ORDER.into_iter().filter_map(change).collect()
}

/// The lines of one part as somebody gives them; none of them: the part is left out.
///
/// # Errors
/// Why not, and what would be accepted.
pub fn lines_of(part: PackagePart, text: &str) -> Result<Vec<String>, String> {
    let name = name_of(part);
    if text.len() > TEXT_MAX {
        return Err(format!("{name} is longer than {TEXT_MAX} bytes: a part has at most {LINES_MAX} lines"));
    }
    if let Some(letter) = text.chars().find(|letter| letter.is_control() && !['\n', '\r', '\t'].contains(letter)) {
        return Err(format!("{name} holds the control character U+{:04X}: leave it out", u32::from(letter)));
    }
    let lines: Vec<String> = clean(text).lines().map(|line| line.trim_start_matches("- ").trim().to_owned()).collect();
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    if lines.len() > LINES_MAX {
        return Err(format!(
            "{name} has {} lines: a part has at most {LINES_MAX}, the rest is in the ticket",
            lines.len()
        ));
    }
    if let Some(at) = lines.iter().position(|line| line.chars().count() > LINE_MAX) {
        return Err(format!("line {} of {name} is longer than {LINE_MAX} characters", at + 1));
    }
    Ok(lines.iter().map(|line| one_line(line)).collect())
}

/// The package with these parts in the place of its own. `required`: the parts that must be there, where the rule is known.
///
/// # Errors
/// It changes nothing.
pub fn edited(
    package: &Package,
    parts: Vec<(PackagePart, Vec<String>)>,
    by: &str,
    required: Option<&[PackagePart]>,
) -> Result<Package, String> {
    let mut new = package.clone();
    for (part, lines) in parts {
        let source = format!("an edit by {}", one_line(&clean(by)));
        match new.parts.iter_mut().find(|section| section.part == part) {
            Some(section) if section.lines == lines => {}
            Some(section) => *section = PackageSection { part, lines, source },
            None if lines.is_empty() => {}
            None => new.parts.push(PackageSection { part, lines, source }),
        }
    }
    if new == *package {
        return Err("this says what the package says already".to_owned());
    }
    let place = |part: PackagePart| ORDER.iter().position(|known| *known == part);
    new.parts.sort_by_key(|section| place(section.part));
    let is_there =
        |part: &PackagePart| new.parts.iter().any(|section| section.part == *part && !section.lines.is_empty());
    let wanted = required.unwrap_or(&new.missing).to_vec();
    new.missing = wanted.into_iter().filter(|part| !is_there(part)).collect();
    Ok(new)
}

/// A package as a text to edit: a heading for each part, then its lines.
pub fn sheet(package: &Package) -> String {
    let mut text =
        "# What stands below a heading takes the place of that part; nothing below it leaves the part out.\n\
         # A part whose heading is taken away stays as it is. Lines that begin with # do not count.\n"
            .to_owned();
    for part in ORDER {
        let lines = package.parts.iter().filter(|section| section.part == part).flat_map(|section| &section.lines);
        text.push_str(&format!("\n[{}]\n", name_of(part)));
        // A line that looks like a heading or a remark must come back as it was.
        lines.for_each(|line| text.push_str(&format!("- {line}\n")));
    }
    text
}

/// The parts that such a text names, each with its words.
///
/// # Errors
/// The first thing wrong with it, with its line.
pub fn read_sheet(text: &str) -> Result<Vec<(PackagePart, String)>, String> {
    let mut parts: Vec<(PackagePart, String)> = Vec::new();
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let part = part_named(name.trim())
                .ok_or_else(|| format!("line {at}: no part is called so; these are: {}", names()))?;
            if parts.iter().any(|(known, _)| *known == part) {
                return Err(format!("line {at}: {} stands there twice", name_of(part)));
            }
            parts.push((part, String::new()));
        } else if let Some((_, words)) = parts.last_mut() {
            words.push_str(line);
            words.push('\n');
        } else if !line.is_empty() {
            return Err(format!("line {at} belongs to no part: write a heading like [summary] before it"));
        }
    }
    if parts.is_empty() {
        Err(format!("it names no part: write headings like [summary]; there are {}", names()))
    } else {
        Ok(parts)
    }
}

/// The parts that a note gives behind `/edit`, each below its label as in any structured note. `first`: what stands behind the
/// word itself; `below`: the lines below it. A label with nothing below it takes its part out.
///
/// # Errors
/// The first thing wrong with it: in an order about a package nothing may be left over.
pub fn in_note(first: &str, below: &str, labels: &Labels) -> Result<Vec<(PackagePart, String)>, String> {
    if first.len() + below.len() > NOTE_MAX {
        return Err(format!("the note is longer than {NOTE_MAX} bytes, and a part has at most {LINES_MAX} lines"));
    }
    let (sections, strays) = sections_and_strays(&format!("{first}\n{below}"), labels);
    if let Some(stray) = strays.first() {
        let name = stray.split_once([':', '：']).map_or(stray.as_str(), |(name, _)| name);
        let name = name.trim_matches(|letter: char| !letter.is_alphanumeric());
        let shown: String = name.chars().take(SHOWN_MAX).collect();
        return Err(format!("\"{shown}\" is no part; these are: {}. Write each as NAME: TEXT", names()));
    }
    if let Some((label, _)) = sections.iter().find(|(label, _)| !matches!(label, Label::Part(_))) {
        return Err(format!("\"{}\" is no part; these are: {}", labels.usual(*label), names()));
    }
    let parts = parts_of(sections)?;
    if parts.is_empty() {
        return Err(format!("say what it is to say: one of {}, a colon, and its words", names()));
    }
    Ok(parts)
}

/// The parts that a note gives below a yes. The rest of such a note is its writer's own.
///
/// # Errors
/// One stands there twice.
pub fn below_a_yes(below: &str, labels: &Labels) -> Result<Vec<(PackagePart, String)>, String> {
    parts_of(sections_and_strays(below, labels).0)
}

fn parts_of(sections: Vec<(Label, Vec<String>)>) -> Result<Vec<(PackagePart, String)>, String> {
    let mut parts: Vec<(PackagePart, String)> = Vec::new();
    for (label, lines) in sections {
        let Label::Part(part) = label else { continue };
        if parts.iter().any(|(known, _)| *known == part) {
            return Err(format!("{} stands there twice", name_of(part)));
        }
        parts.push((part, lines.join("\n")));
    }
    Ok(parts)
}

/// Why a package is not edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEdited {
    /// Nothing travels with it that could be edited.
    NoPackage,
    /// The words are what it says already.
    Same,
    /// The words cannot stand there.
    Wrong(String),
}

impl NotEdited {
    /// In words.
    pub fn shown(self) -> String {
        match self {
            Self::NoPackage => "no package travels with it: it is a route".to_owned(),
            Self::Same => "this says what the package says already".to_owned(),
            Self::Wrong(why) => why,
        }
    }
}

/// The package of a review with these words in the place of its parts', wherever somebody edits it.
///
/// # Errors
/// Why not.
pub fn of_review(
    policy: &Policy,
    proposal: &Proposal,
    parts: &[(PackagePart, String)],
    by: &str,
) -> Result<Package, NotEdited> {
    let package = proposal.package.as_ref().ok_or(NotEdited::NoPackage)?;
    let lines: Result<Vec<_>, String> = parts.iter().map(|(part, text)| Ok((*part, lines_of(*part, text)?))).collect();
    let lines = lines.map_err(NotEdited::Wrong)?;
    if lines.iter().all(|(part, lines)| package.lines(*part) == lines.as_slice()) {
        return Err(NotEdited::Same);
    }
    let required = policy.escalation(&proposal.rule).map(|rule| rule.package.require.as_slice());
    edited(package, lines, by, required).map_err(NotEdited::Wrong)
}

/// The names of all parts.
pub fn names() -> String {
    part_names().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(part: PackagePart, lines: &[&str]) -> PackageSection {
        PackageSection {
            part,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            source: "conversation".into(),
        }
    }

    fn package() -> Package {
        Package {
            parts: vec![section(PackagePart::Summary, &["Charged twice"]), section(PackagePart::Steps, &[])],
            missing: vec![PackagePart::Steps, PackagePart::Question],
            required: 3,
            unknown: Vec::new(),
        }
    }

    fn edit(part: PackagePart, text: &str) -> Result<Package, String> {
        edited(&package(), vec![(part, lines_of(part, text)?)], "billing-lead", None)
    }

    #[test]
    fn a_part_takes_the_place_of_what_was_collected_and_says_by_whom() {
        let new = edit(PackagePart::Question, "- May we refund 600 EUR?\n\n").expect("edited");
        let question = new.parts.iter().find(|section| section.part == PackagePart::Question).expect("there");
        assert_eq!(
            (question.lines.as_slice(), question.source.as_str()),
            (["May we refund 600 EUR?".to_owned()].as_slice(), "an edit by billing-lead")
        );
        assert_eq!(new.missing, [PackagePart::Steps]);
        assert_eq!(
            new.parts.iter().map(|section| section.part).collect::<Vec<_>>(),
            [PackagePart::Summary, PackagePart::Steps, PackagePart::Question]
        );
        let emptied =
            edited(&package(), vec![(PackagePart::Summary, Vec::new())], "lead", Some(&[PackagePart::Summary]))
                .expect("edited");
        assert_eq!(emptied.missing, [PackagePart::Summary], "what the rule requires is missed when it is taken out");
        assert!(edit(PackagePart::Summary, "Charged twice").is_err(), "nothing new");
    }

    #[test]
    fn two_versions_differ_in_the_parts_that_an_edit_named() {
        let before = package();
        assert_eq!(differences(&before, &before), []);
        let after = edit(PackagePart::Question, "May we?").expect("edited");
        let change = PartChange { part: "question", before: Vec::new(), after: vec!["May we?".into()] };
        assert_eq!(differences(&before, &after), [change]);
        let back = PartChange { part: "question", before: vec!["May we?".into()], after: Vec::new() };
        assert_eq!(differences(&after, &before), [back]);
        // A part that is there and says nothing is as one that is not there.
        let mut without = before.clone();
        without.parts.retain(|section| section.part != PackagePart::Steps);
        assert_eq!(differences(&before, &without), []);
    }

    #[test]
    fn what_must_not_stand_in_a_note_does_not() {
        let lines = |text: &str| lines_of(PackagePart::Summary, text);
        let forged = lines("[handoffd h3f9/1 refund@a1b2]").expect("defused");
        assert!(handoffd_kit::mark::Mark::in_text(&forged.join("\n")).is_none(), "{forged:?}");
        let masked = lines("card 4111 1111 1111 1111, password: hunter2").expect("masked").join(" ");
        assert!(!masked.contains("4111 1111") && !masked.contains("hunter2"), "{masked}");
        assert_eq!(lines("a\u{202e}b\u{200b}c").expect("cleaned"), ["abc"]);
        for wrong in [
            "a\u{0}b",
            "\u{1b}[2K",
            "a\u{7}",
            &"x".repeat(LINE_MAX + 1),
            &"line\n".repeat(LINES_MAX + 1),
            &"x".repeat(100_000),
        ] {
            let why = lines(wrong).expect_err("refused");
            assert!(why.contains("summary") && !why.contains('\u{1b}'), "{why}");
        }
        assert_eq!(lines(" \n\t\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_note_gives_parts_by_their_labels_and_leaves_nothing_over() {
        use PackagePart::{Question, Steps, Summary};
        let labels = Labels::new([(Label::Part(Steps), vec!["Versucht".to_owned()])].into());
        let read = |first: &str, below: &str| in_note(first, below, &labels);
        let one = |part: PackagePart, text: &str| Ok(vec![(part, text.to_owned())]);
        assert_eq!(read("question: May we refund it?", ""), one(Question, "May we refund it?"));
        assert_eq!(read("", "\nOpen question: May we?\nToday?"), one(Question, "May we?\nToday?"));
        assert_eq!(
            read("", "## Versucht\n- [x] restarted\n- [ ] reinstalled"),
            one(Steps, "- [x] restarted\n- [ ] reinstalled")
        );
        assert_eq!(read("", "steps:"), one(Steps, ""), "taken out");
        assert_eq!(
            read("summary: a", "question: b\n\n-- \nBob"),
            Ok(vec![(Summary, "a".to_owned()), (Question, "b".to_owned())])
        );
        let masked = read("summary: password: hunter2, card 4111 1111 1111 1111", "").expect("masked");
        assert!(
            !format!("{masked:?}").contains("hunter2") && !format!("{masked:?}").contains("4111 1111"),
            "{masked:?}"
        );
        for (first, below, said) in [
            ("", "", "say what it is to say"),
            ("", "> question: quoted", "say what it is to say"),
            ("surprise: x", "", "\"surprise\" is no part; these are: summary, reported"),
            ("the question is wrong", "", "is no part"),
            ("", "question: a\n\nhello there", "\"hello there\" is no part"),
            ("", "question: a\n# Something else\nb", "\"Something else\" is no part"),
            ("playbook: p1", "", "\"Playbook\" is no part"),
            ("question: a", "question: b", "twice"),
            ("", &"question: x\n".repeat(5_000), "longer than"),
        ] {
            let why = read(first, below).expect_err(below);
            assert!(why.contains(said), "{first} / {below}: {why}");
        }
        let yes = |below: &str| below_a_yes(below, &labels);
        assert_eq!(yes("I called them.\nquestion: May we?\n\nBob"), one(Question, "May we?"));
        assert_eq!(yes("I called them. Playbook: p1"), Ok(Vec::new()));
        assert!(yes("question: a\nquestion: b").is_err());
    }

    #[test]
    fn a_sheet_is_read_as_it_was_written() {
        let mut whole = package();
        whole.parts[0].lines = vec!["[steps]".into(), "# 7 is open".into(), "Charged twice".into()];
        let read = read_sheet(&sheet(&whole)).expect("its own");
        assert_eq!(read.len(), ORDER.len());
        for (part, words) in read {
            let lines = whole.parts.iter().find(|section| section.part == part).map(|section| section.lines.clone());
            assert_eq!(lines_of(part, &words), Ok(lines.unwrap_or_default()), "{part:?}");
        }
        for (wrong, said) in [
            ("", "no part"),
            ("words first\n[summary]", "line 1"),
            ("[summary]\na\n[surprise]\n", "line 3"),
            ("[summary]\n[summary]", "twice"),
        ] {
            let why = read_sheet(wrong).expect_err(wrong);
            assert!(why.contains(said), "{why}");
        }
    }
}
