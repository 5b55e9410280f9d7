//! What-if about what agents write down: the checklist of the first line and the playbook that it works by. Both are set where
//! they are read: in the field that the policy maps to them, else in an internal note.

use super::case::Case;
use super::facts::Facts;
use super::known::HouseFact;
use super::package::{Checklist, checklist, playbook};
use super::rules::{FieldOwner, Policy};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::MessageId;
use handoffd_kit::model::{Author, Conversation, InternalText, Message, Role, Said};
use jiff::Timestamp;

/// Longer checklists are nobody's.
pub(super) const STEPS_MAX: u32 = 200;

/// One count of the checklist is this; the others are kept as far as they fit: what failed was done, and what was done is one of
/// all steps. False: no checklist has no step.
pub(super) fn set_steps(fact: HouseFact, count: u32, case: &mut Case, policy: &Policy, now: Timestamp) -> bool {
    let Checklist { total, done, failed } = checklist(case, policy, &Facts::new(case, policy)).unwrap_or_default();
    let (total, done, failed) = match fact {
        HouseFact::StepsTotal => (count, done.min(count), failed.min(count)),
        HouseFact::StepsDone => (total.max(count).max(1), count, failed.min(count)),
        _ => (total.max(done).max(count).max(1), done.max(count), count),
    };
    let line = |step: u32| match step {
        step if step < failed => "- [x] a step: failed",
        step if step < done => "- [x] a step",
        _ => "- [ ] a step",
    };
    let lines: Vec<&str> = (0..total).map(line).collect();
    write("steps", "Steps tried:\n", &lines.join("\n"), case, policy, now);
    total > 0
}

/// The playbook has this name, or has come to this step; what is not said is kept.
pub(super) fn set_playbook(id: Option<&str>, step: Option<u32>, case: &mut Case, policy: &Policy, now: Timestamp) {
    let known = playbook(case, policy, &Facts::new(case, policy));
    let (known_id, known_step) = known.map_or((None, None), |known| (Some(known.id), known.step));
    let id = id.map(str::to_owned).or(known_id).unwrap_or_else(|| "a playbook".to_owned());
    let text = match step.or(known_step) {
        Some(step) => format!("{id}, step {step}"),
        None => id,
    };
    write("playbook", "Playbook: ", &text, case, policy, now);
}

/// Writes it into the field of that name, where the desk has one, else behind its label in a note newer than all others.
fn write(field: &str, label: &str, text: &str, case: &mut Case, policy: &Policy, now: Timestamp) {
    let declared = policy.desks.get(&case.desk).and_then(|desk| desk.fields.get(field));
    if let Some(field) = declared.filter(|field| field.of == FieldOwner::Ticket) {
        case.head.fields.insert(field.id.clone(), text.into());
        return;
    }
    let none = || Conversation { messages: Vec::new(), complete: true };
    let conversation = case.parts.conversation.get_or_insert_with(none);
    conversation.complete = true;
    conversation.messages.push(Message {
        id: MessageId::from("what-if"),
        at: now,
        author: Author { id: None, name: None, role: Role::Agent },
        said: Said::Internally(InternalText(format!("{label}{text}"))),
        attachments: Vec::new(),
        by_machine: Fact::Unknown,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    /// The counts after these settings, with a field for the checklist or without.
    fn after(settings: &[(HouseFact, u32)], field: bool) -> Option<(u32, u32, u32)> {
        let (mut case, mut policy) = (testing::case_with_parts(), testing::policy());
        if !field {
            policy.desks.values_mut().for_each(|desk| desk.fields.clear());
        }
        for (fact, count) in settings {
            set_steps(*fact, *count, &mut case, &policy, testing::now());
        }
        checklist(&case, &policy, &Facts::new(&case, &policy)).map(|list| (list.total, list.done, list.failed))
    }

    #[test]
    fn the_counts_of_a_checklist_fit_each_other_in_any_order() {
        use HouseFact::{StepsDone as Done, StepsFailed as Failed, StepsTotal as Total};
        for field in [true, false] {
            assert_eq!(after(&[(Failed, 2)], field), Some((2, 2, 2)));
            assert_eq!(after(&[(Total, 5), (Done, 3), (Failed, 1)], field), Some((5, 3, 1)));
            assert_eq!(after(&[(Failed, 1), (Done, 3), (Total, 5)], field), Some((5, 3, 1)));
            assert_eq!(after(&[(Done, 3), (Total, 2)], field), Some((2, 2, 0)));
            assert_eq!(after(&[(Failed, 0)], field), Some((1, 0, 0)));
            assert_eq!(after(&[(Total, STEPS_MAX)], field), Some((STEPS_MAX, 0, 0)));
            assert_eq!(after(&[(Total, 0)], field), None);
        }
    }

    #[test]
    fn a_playbook_keeps_what_was_not_set() {
        let (mut case, policy) = (testing::case_with_parts(), testing::policy());
        let mut told = |id, step| {
            set_playbook(id, step, &mut case, &policy, testing::now());
            let playbook = playbook(&case, &policy, &Facts::new(&case, &policy)).expect("one");
            (playbook.id, playbook.step)
        };
        assert_eq!(told(None, Some(4)), ("a playbook".into(), Some(4)));
        assert_eq!(told(Some("vpn-reset"), None), ("vpn-reset".into(), Some(4)));
    }
}
