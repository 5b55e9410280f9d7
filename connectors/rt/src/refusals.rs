//! RT's refusals inside a 200: sentences for people, read as what is wrong and what to do about it.
//!
//! The sentences are those of the RT sheet, *Changing*; requests ask for English.

use crate::wish::Wish;
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};

/// What a write came to that was answered 200 and is not there.
pub(crate) fn refused(wish: &Wish, operation: &'static str, sentences: &[String]) -> DeskError {
    let said = |words: &str| sentences.iter().any(|sentence| sentence.to_lowercase().contains(words));
    let (kind, step) = if said("permission denied") {
        (DeskErrorKind::Forbidden, right(wish))
    } else if said("does not exist") && matches!(wish, Wish::Queue(_)) {
        (DeskErrorKind::Refused, "correct the team's `queue`; `handoffd check --online` lists what RT shows".into())
    } else if said("may not own tickets") {
        (
            DeskErrorKind::Refused,
            "grant OwnTicket in that queue to the person or their group, or assign somebody else".into(),
        )
    } else if said("user does not exist") {
        (DeskErrorKind::Refused, "correct the person's name: RT knows nobody by it".into())
    } else if said("invalid value") {
        (DeskErrorKind::Refused, "write a value that the field's list in RT has".into())
    } else if sentences.is_empty() {
        (DeskErrorKind::Refused, nothing_said(wish))
    } else {
        (DeskErrorKind::Refused, "repair what RT names, then `handoffd parked retry`".into())
    };
    let words = match shown(wish, sentences) {
        words if words.is_empty() => "RT answered 200, gave no reason, and changed nothing".into(),
        words => words,
    };
    DeskError::new(kind, Retry::Never, operation).status(200).words(words).next_step(step)
}

/// The right that a refused wish lacks, in RT's words.
pub(crate) fn right(wish: &Wish) -> String {
    match wish {
        Wish::Queue(queue) => format!(
            "grant handoffd's user ModifyTicket in the queue that the ticket lies in and CreateTicket in {}",
            queue.shown()
        ),
        Wish::Owner(_) => "grant handoffd's user ModifyTicket and ReassignTicket in the ticket's queue".into(),
        Wish::Priority(_) | Wish::Status(_) => "grant handoffd's user ModifyTicket in the ticket's queue".into(),
        Wish::Fields(_) | Wish::Labels(_) => {
            "grant handoffd's user ModifyTicket, SeeCustomField and ModifyCustomField in the ticket's queue".into()
        }
        Wish::Note(_) => "grant handoffd's user CommentOnTicket in the ticket's queue".into(),
        Wish::Reply(_) => "grant handoffd's user ReplyToTicket in the ticket's queue".into(),
    }
}

/// RT says nothing at all about fields that it does not know or lets nobody see.
fn nothing_said(wish: &Wish) -> String {
    match wish {
        Wish::Fields(fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            format!(
                "check that the custom field exists on the ticket's queue ({}) and that handoffd's user has SeeCustomField and ModifyCustomField",
                names.join(", ")
            )
        }
        wish => right(wish),
    }
}

/// The sentences that refuse. Those that report a done change quote old and new values of fields: not for our logs.
pub(crate) fn shown(wish: &Wish, sentences: &[String]) -> String {
    let reports = |sentence: &str| {
        let fields = matches!(wish, Wish::Fields(_) | Wish::Labels(_));
        let done = ["changed to", "added", "deleted", "is no longer a value"];
        fields && done.iter().any(|words| sentence.contains(words))
    };
    sentences.iter().map(|sentence| sentence.trim()).filter(|sentence| !reports(sentence)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::QueueSpec;
    use handoffd_kit::model::FieldValue;

    #[test]
    fn every_sentence_of_the_sheet_is_told_apart() {
        use DeskErrorKind::{Forbidden, Refused};
        let queue = || Wish::Queue(QueueSpec::Name("tier2".into()));
        let owner = || Wish::Owner("chen".into());
        let field = || Wish::Fields(vec![("customer-tier".into(), FieldValue::Text("gold".into()))]);
        for (wish, sentence, kind, step) in [
            (queue(), "Ticket 3: Queue nope does not exist", Refused, "`queue`"),
            (owner(), "Ticket 3: That user does not exist", Refused, "name"),
            (owner(), "Ticket 2: That user may not own tickets in that queue", Refused, "OwnTicket"),
            (field(), "Invalid value for custom field", Refused, "list"),
            (queue(), "Ticket 18: Permission Denied", Forbidden, "CreateTicket in tier2"),
            (owner(), "Ticket 18: Permission Denied", Forbidden, "ReassignTicket"),
            (field(), "Permission Denied", Forbidden, "ModifyCustomField"),
            (owner(), "Ticket 2: The moon is full", Refused, "retry"),
        ] {
            let error = refused(&wish, "test", &[sentence.to_owned()]);
            let next = error.next_step.clone().unwrap_or_default();
            assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{sentence}");
            assert!(next.contains(step), "{sentence}: {next}");
            assert_eq!(error.words, sentence);
        }
    }

    #[test]
    fn silence_is_named_as_such() {
        let fields = Wish::Fields(vec![("nope".into(), FieldValue::Text("x".into()))]);
        let error = refused(&fields, "test", &[]);
        assert_eq!(error.kind, DeskErrorKind::Refused);
        assert!(error.words.contains("no reason") && error.next_step.unwrap().contains("nope"));
    }

    #[test]
    fn the_values_of_fields_do_not_get_into_words() {
        let fields = Wish::Fields(vec![("steps".into(), FieldValue::Text("x".into()))]);
        let sentences =
            ["steps old secret changed to new secret".to_owned(), "Invalid value for custom field".to_owned()];
        assert_eq!(refused(&fields, "test", &sentences).words, "Invalid value for custom field");
    }
}
