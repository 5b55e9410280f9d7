//! What agents wrote down for the next team: the structured parts of their internal notes.
//!
//! Only an internal note by an agent is read, as the desk's own history tells; never a customer's words, never a public
//! reply, never what a note quotes. A part begins with its label, as `label: text` on a line, which goes on to the next empty line,
//! or as a heading, whose lines go on to the next label, heading, rule or signature. For each part the newest note that
//! has it counts, whole.

use super::checklist::without_bullet;
use super::labels::{Label, Labels};
use super::mask::clean;
use super::quoted::parted;
use super::sentences::READ_MAX;
use crate::policy::case::Case;
use crate::policy::command::is_about_a_package;
use handoffd_kit::model::{Message, Role, Visibility};
use std::collections::BTreeMap;

/// What agents wrote down, by label.
#[derive(Debug, Default)]
pub struct Noted<'a>(BTreeMap<Label, (Vec<String>, &'a Message)>);

impl<'a> Noted<'a> {
    /// All that the internal notes of a case give. Empty where the conversation was not read.
    pub fn of(case: &'a Case, labels: &Labels) -> Self {
        let mut noted = BTreeMap::new();
        let messages = case.parts.conversation.iter().flat_map(|conversation| conversation.messages.iter().rev());
        for note in messages.filter(|message| is_agents_note(message)) {
            let mut here: BTreeMap<Label, Vec<String>> = BTreeMap::new();
            for (label, lines) in sections(note.said.words(), labels) {
                here.entry(label).or_default().extend(lines);
            }
            for (label, lines) in here.into_iter().filter(|(_, lines)| !lines.is_empty()) {
                noted.entry(label).or_insert((lines, note));
            }
        }
        Self(noted)
    }

    /// The lines under a label.
    pub fn lines(&self, label: Label) -> &[String] {
        self.0.get(&label).map_or(&[], |(lines, _)| lines)
    }

    /// Where they stand: "internal note by First Agent, 2026-11-02".
    pub fn source(&self, label: Label) -> Option<String> {
        let (_, note) = self.0.get(&label)?;
        let who = note
            .author
            .name
            .as_deref()
            .map_or_else(|| "an agent".into(), |name| super::sentences::one_line(&clean(name)));
        Some(format!("internal note by {who}, {}", note.at.strftime("%Y-%m-%d")))
    }
}

fn is_agents_note(message: &Message) -> bool {
    message.author.role == Role::Agent
        && message.said.visibility() == Visibility::Internal
        // A copy of one of our own notes tells nothing new, whoever pasted it.
        && !message.said.words().lines().any(|line| line.trim_start().starts_with("[handoffd "))
        && !is_about_a_package(message.said.words())
}

/// How far a part goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `label: text`: to the next empty line.
    Line,
    /// A heading: to the next label, heading or rule. Where it has no bullet itself, what has one below it is its own.
    Heading { bullet: bool },
}

/// The labelled parts of one note, in its order.
pub(super) fn sections(words: &str, labels: &Labels) -> Vec<(Label, Vec<String>)> {
    sections_and_strays(words, labels).0
}

/// The same, and the lines that belong to no part.
pub(super) fn sections_and_strays(words: &str, labels: &Labels) -> (Vec<(Label, Vec<String>)>, Vec<String>) {
    let mut strays = Vec::new();
    let bounded: String = words.chars().take(READ_MAX).collect();
    let text = clean(&bounded);
    let mut found: Vec<(Label, Vec<String>)> = Vec::new();
    let mut open: Option<Form> = None;
    let mut after_gap = false;
    for line in parted(&text).own {
        let bare = without_bullet(line);
        let bullet = bare != line;
        let of_its_list = bullet && !after_gap && open == Some(Form::Heading { bullet: false });
        after_gap = line.is_empty();
        if let Some((label, rest)) = opening(bare, labels).filter(|_| !of_its_list) {
            found.push((label, rest.iter().map(|text| (*text).to_owned()).collect()));
            open = Some(if rest.is_some() { Form::Line } else { Form::Heading { bullet } });
        } else if is_rule(line)
            || line.starts_with("# ")
            || line.starts_with("##")
            || (line.is_empty() && open == Some(Form::Line))
        {
            open = None;
            strays.extend(Some(line.to_owned()).filter(|line| line.starts_with('#')));
        } else if let Some((_, part)) = found.last_mut().filter(|_| open.is_some() && !line.is_empty()) {
            part.push(line.to_owned());
        } else if !line.is_empty() {
            strays.push(line.to_owned());
        }
    }
    (found, strays)
}

/// The label that a line opens, and the text behind it.
fn opening<'t>(line: &'t str, labels: &Labels) -> Option<(Label, Option<&'t str>)> {
    let of_a_note = |label| matches!(label, Label::Part(_) | Label::Playbook);
    let decoration = |letter: char| matches!(letter, '#' | '*' | '_' | '=' | ' ');
    let (key, rest) = line.split_once([':', '：']).map_or((line, ""), |(key, rest)| (key, rest));
    let label = labels.named(key.trim_matches(decoration), of_a_note)?;
    let rest = rest.trim_start_matches(decoration).trim_end();
    Some((label, Some(rest).filter(|rest| !rest.is_empty())))
}

/// A line that only parts what is above it from what is below.
fn is_rule(line: &str) -> bool {
    line.chars().count() >= 3 && line.chars().all(|letter| matches!(letter, '-' | '_' | '=' | '*' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::rules::PackagePart;

    fn part(part: PackagePart, lines: &[&str]) -> (Label, Vec<String>) {
        (Label::Part(part), lines.iter().map(|line| (*line).to_owned()).collect())
    }

    fn read(text: &str) -> Vec<(Label, Vec<String>)> {
        let versucht = BTreeMap::from([(Label::Part(PackagePart::Steps), vec!["Versucht".to_owned()])]);
        sections(text, &Labels::new(versucht))
    }

    #[test]
    fn labels_stand_on_a_line_or_above_their_lines() {
        use PackagePart::{Question, Steps, Summary};
        let note = "For billing.\n\nSummary: charged twice\nsince Monday\n\nnot a part\n\n**Steps tried:**\n- [x] restarted\n\n\
                    - [ ] reinstalled\n## Open question\nCan you refund it?\n---\nBob";
        assert_eq!(
            read(note),
            [
                part(Summary, &["charged twice", "since Monday"]),
                part(Steps, &["- [x] restarted", "- [ ] reinstalled"]),
                part(Question, &["Can you refund it?"])
            ]
        );
        assert_eq!(read("VERSUCHT： Neustart"), [part(Steps, &["Neustart"])]);
        assert_eq!(read("# Steps #\nx\n# Something else\ny"), [part(Steps, &["x"])]);
    }

    #[test]
    fn a_label_may_have_a_bullet_or_a_number() {
        use PackagePart::{Question, Steps, Summary};
        for bullet in ["- ", "* ", "• ", "1. ", "2) ", "- **"] {
            assert_eq!(read(&format!("{bullet}Steps tried: rebooted")), [part(Steps, &["rebooted"])], "{bullet}");
        }
        assert_eq!(
            read("For tier 2:\n1. Summary: no network\n2. Steps tried:\n- rebooted\n3. Open question: which cable?"),
            [part(Summary, &["no network"]), part(Steps, &["- rebooted"]), part(Question, &["which cable?"])]
        );
        assert_eq!(
            read("Steps tried:\n- rebooted\n- History: cleared\n\n- Question: why?"),
            [part(Steps, &["- rebooted", "- History: cleared"]), part(Question, &["why?"])]
        );
    }

    #[test]
    fn a_line_that_only_looks_quoted_ends_no_note() {
        use PackagePart::{Question, Steps};
        assert_eq!(
            read(
                "Steps tried:\nThis is what the printer wrote:\nPAPER JAM\n--\nOpen question: is there a known fault here?"
            ),
            [
                part(Steps, &["This is what the printer wrote:", "PAPER JAM"]),
                part(Question, &["is there a known fault here?"])
            ]
        );
    }

    #[test]
    fn what_is_quoted_signed_or_only_looks_like_a_label_is_none() {
        for text in [
            "> Steps tried: restarted",
            "On Monday Eva wrote:\nSteps tried: restarted",
            "- \"Steps tried: restarted\"",
            "-----Original Message-----\nSteps tried: x",
            "From: Eva <eva@customer.example>\nSent: Monday\nSubject: Re: x\n\nSteps tried: x",
            "-- \nSteps tried: x",
            "The steps tried: none",
            "Steps tried restarted",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
        assert_eq!(read("Steps:"), [part(PackagePart::Steps, &[])]);
    }

    #[test]
    fn what_must_not_be_copied_is_masked_before_it_is_read() {
        let [(_, lines)] = &read("Summary: password: hunter2, card 4111 1111 1111 1111")[..] else { panic!() };
        assert_eq!(lines, &["password: [removed] card [card number …1111]"]);
    }
}
