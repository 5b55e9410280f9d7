//! 1: the context that travels. Each part comes from the field that the policy maps to it, else from what an agent wrote
//! down in a structured internal note, else from the conversation; no model takes part, so the same ticket gives the same
//! package. Each part says where it came from, and no sentence stands in two of them.

mod checklist;
mod courtesy;
pub mod edit;
mod labels;
mod mask;
mod noted;
mod numbers;
mod parts;
mod playbook;
mod quoted;
mod repeats;
mod secrets;
mod sentences;
mod sheet;
#[cfg(test)]
mod tests;

pub use checklist::Checklist;
pub use labels::{LABELS, Label, Labels, same_words};
pub use mask::{clean, invisible, visible};
pub use parts::travelled_on;
pub use playbook::Playbook;
pub use quoted::parted;
pub use repeats::Told;
pub use sentences::is_question;

use super::case::Case;
use super::facts::Facts;
use super::proposal::Package;
use super::rules::{FieldOwner, PackageDecision, PackagePart, Policy};
use checklist::without_bullet;
use handoffd_kit::model::{PartKind, PartSet};
use noted::Noted;
use sheet::Sheet;

/// The parts in the order of the note.
pub const ORDER: [PackagePart; 7] = [
    PackagePart::Summary,
    PackagePart::Reported,
    PackagePart::Steps,
    PackagePart::Artifacts,
    PackagePart::Urgency,
    PackagePart::Question,
    PackagePart::History,
];

/// The structured parts of one internal note, in the labels that every policy knows.
pub fn noted_in(words: &str) -> Vec<(Label, Vec<String>)> {
    noted::sections(words, &Labels::default())
}

/// The name of a part, which is also the name of the field that is mapped to it.
pub fn name_of(part: PackagePart) -> &'static str {
    match part {
        PackagePart::Summary => "summary",
        PackagePart::Reported => "reported",
        PackagePart::Steps => "steps",
        PackagePart::Artifacts => "artifacts",
        PackagePart::Urgency => "urgency",
        PackagePart::Question => "question",
        PackagePart::History => "history",
    }
}

/// The part of that name.
pub fn part_named(name: &str) -> Option<PackagePart> {
    ORDER.into_iter().find(|part| name_of(*part) == name)
}

/// The names of all parts, in the order of the note.
pub fn part_names() -> impl Iterator<Item = &'static str> + Clone {
    ORDER.into_iter().map(name_of)
}

/// What a package takes. The conversation always; who asks only where urgency is required, because that costs a further call
/// on some desks. What it takes to tell the clocks, [`super::clocks::needs`] says.
pub fn needs(decision: &PackageDecision) -> PartSet {
    let mut always = PartSet::of(&[PartKind::Conversation, PartKind::History]);
    if decision.require.contains(&PackagePart::History) {
        always = always.with(PartKind::Contacts);
    }
    if decision.require.contains(&PackagePart::Urgency) { always.with(PartKind::Customer) } else { always }
}

/// The package of a case.
pub fn build(case: &Case, policy: &Policy, facts: &Facts<'_>, decision: &PackageDecision) -> Package {
    let mut sheet = Sheet::default();
    for part in ORDER {
        from_field(&mut sheet, facts, part);
    }
    let noted = Noted::of(case, &policy.labels);
    for part in ORDER {
        from_note(&mut sheet, &noted, part);
    }
    // The question first: its sentence is the one the next team needs, and it must not drown in what was reported.
    parts::question(&mut sheet, case);
    parts::summary_and_reported(&mut sheet, case);
    parts::steps(&mut sheet, case);
    parts::artifacts(&mut sheet, case);
    parts::urgency(&mut sheet, case, policy, facts);
    parts::history(&mut sheet, case);
    let missing = decision.require.iter().copied().filter(|part| !sheet.has(*part)).collect();
    let required = decision.require.len();
    Package { parts: sheet.sections(&ORDER), missing, required, unknown: unknown(case, facts) }
}

/// The first line's checklist: from the field `steps`, else from an internal note. None: there is none, as far as what was
/// read tells.
pub fn checklist(case: &Case, policy: &Policy, facts: &Facts<'_>) -> Option<Checklist> {
    let labels = &policy.labels;
    let field = facts.field_text(FieldOwner::Ticket, name_of(PackagePart::Steps));
    field.and_then(|text| Checklist::read(text.lines(), labels)).or_else(|| {
        let noted = whole_notes(case, labels);
        Checklist::read(noted.lines(Label::Part(PackagePart::Steps)).iter().map(String::as_str), labels)
    })
}

/// What agents wrote down, where all of it was read: a newer note may stand in what was not.
fn whole_notes<'a>(case: &'a Case, labels: &Labels) -> Noted<'a> {
    match &case.parts.conversation {
        Some(conversation) if conversation.complete => Noted::of(case, labels),
        _ => Noted::default(),
    }
}

/// The playbook that the first line works by: from the field `playbook`, else from an internal note. None: nobody says.
pub fn playbook(case: &Case, policy: &Policy, facts: &Facts<'_>) -> Option<Playbook> {
    let labels = &policy.labels;
    let field = facts.field_text(FieldOwner::Ticket, "playbook");
    field.and_then(|text| Playbook::read(&text, labels)).or_else(|| {
        let noted = whole_notes(case, labels);
        noted.lines(Label::Playbook).first().and_then(|line| Playbook::read(line, labels))
    })
}

/// A part from the ticket's field of the same name, where the policy declares one and it is filled in.
fn from_field(sheet: &mut Sheet, facts: &Facts<'_>, part: PackagePart) {
    let Some(text) = facts.field_text(FieldOwner::Ticket, name_of(part)) else { return };
    add_lines(sheet, part, clean(&text).lines(), &format!("field {}", name_of(part)));
}

/// A part from the newest internal note that has it, where no field has filled it.
fn from_note(sheet: &mut Sheet, noted: &Noted<'_>, part: PackagePart) {
    let label = Label::Part(part);
    let Some(source) = noted.source(label).filter(|_| !sheet.has(part)) else { return };
    add_lines(sheet, part, noted.lines(label).iter().map(String::as_str), &source);
}

fn add_lines<'t>(sheet: &mut Sheet, part: PackagePart, lines: impl Iterator<Item = &'t str>, source: &str) {
    for line in lines {
        let line = without_bullet(line.trim());
        let said = sentences::sentences(line);
        let line = if said.is_empty() { sheet.take(line).then(|| line.to_owned()) } else { sheet.line_of(&said) };
        if let Some(line) = line {
            sheet.add(part, &line, source);
        }
    }
}

fn unknown(case: &Case, facts: &Facts<'_>) -> Vec<String> {
    let mut unknown = Vec::new();
    match &case.parts.conversation {
        None => unknown.push("the conversation: it was not read".to_owned()),
        Some(conversation) if !conversation.complete => {
            unknown.push("the whole conversation: it is longer than what was read".to_owned());
        }
        Some(_) => {}
    }
    unknown.extend(parts::not_read_whole(case));
    if case.parts.clocks.is_none() && case.asked.has(PartKind::Clocks) {
        unknown.push("the helpdesk's clocks: they could not be read".to_owned());
    }
    if case.head.priority.is_unknown() {
        unknown.push("the priority".to_owned());
    }
    unknown
        .extend(facts.unconverted().into_iter().map(|name| format!("{name}: its value is not of the declared type")));
    unknown
}
