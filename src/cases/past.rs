//! What a desk tells of a ticket's past: its history; or, where it keeps none, at least what was said, by whom and when. Pure.
//!
//! Words alone show no moves, no owners and no labels, and are read for what they can show: commands in notes, a claim by
//! an agent who writes, a task that is answered. For everything else such a desk's past stays unknown.

use super::examine::Look;
use handoffd_kit::id::ChangeId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Actor, Change, Conversation, Message, PartKind, Role, Visibility, What};
use std::borrow::Cow;

/// What was read of the ticket's past; none: nothing was.
pub(super) fn past<'a>(look: &Look<'a>) -> Option<Cow<'a, [Change]>> {
    match &look.parts.history {
        Some(history) => Some(Cow::Borrowed(history.as_slice())),
        None if look.capabilities.readable_history => None,
        None => look.parts.conversation.as_ref().map(|said| Cow::Owned(spoken(said))),
    }
}

/// The part that would tell the past and was not asked for yet.
pub(super) fn unread(look: &Look<'_>) -> Option<PartKind> {
    let part = if look.capabilities.readable_history { PartKind::History } else { PartKind::Conversation };
    let asked = look.parts.read().has(part) || look.refused.has(part);
    (!asked).then_some(part)
}

/// What was said on a ticket, as a history that knows nothing else.
pub fn spoken(conversation: &Conversation) -> Vec<Change> {
    conversation.messages.iter().map(said).collect()
}

fn said(message: &Message) -> Change {
    let visibility = message.said.visibility();
    let actor = match message.author.role {
        Role::Us => Actor::Us,
        Role::Automation => Actor::Automation,
        Role::Agent | Role::Customer => Actor::Person,
        Role::Unknown => Actor::Unknown,
    };
    // A mark counts in an internal note of our own account only.
    let ours = actor == Actor::Us && visibility == Visibility::Internal;
    Change {
        id: ChangeId::new(message.id.as_str()),
        at: message.at,
        by: message.author.clone(),
        actor,
        mark: ours.then(|| Mark::in_text(message.said.words())).flatten(),
        what: vec![What::Said { visibility, message: message.id.clone() }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::{Author, InternalText, PublicText, Said};

    fn message(role: Role, said: Said) -> Message {
        let author = Author { id: Some("8".into()), name: None, role };
        let at = "2026-05-03T10:00:00Z".parse().unwrap();
        Message { id: "7".into(), at, author, said, attachments: Vec::new(), by_machine: Fact::Unknown }
    }

    #[test]
    fn words_are_changes_of_whoever_said_them_and_marks_count_in_our_notes_alone() {
        let words = "Escalated\n\n[handoffd h1/1 r@v]".to_owned();
        let read = |role, said: Said| {
            let conversation = Conversation { messages: vec![message(role, said)], complete: true };
            let change = spoken(&conversation).remove(0);
            (change.actor, change.mark.is_some(), change.what)
        };
        let said = |visibility| vec![What::Said { visibility, message: "7".into() }];
        let (internal, public) = (Said::Internally(InternalText(words.clone())), Said::Publicly(PublicText(words)));
        assert_eq!(read(Role::Us, internal.clone()), (Actor::Us, true, said(Visibility::Internal)));
        assert_eq!(read(Role::Us, public.clone()), (Actor::Us, false, said(Visibility::Public)));
        assert_eq!(read(Role::Agent, internal), (Actor::Person, false, said(Visibility::Internal)));
        assert_eq!(read(Role::Unknown, public), (Actor::Unknown, false, said(Visibility::Public)));
    }
}
