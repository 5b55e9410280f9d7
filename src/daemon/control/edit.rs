//! A person's edit of the package of a review that waits. Nothing is written to the desk: the edited package travels on a yes.

use super::execute::may_not;
use super::{CommandError, Reply};
use crate::daemon::house::House;
use crate::ledger::Act;
use crate::policy::package::edit::{NotEdited, of_review};
use crate::policy::package::name_of;
use crate::policy::reviewers::{Who, may_approve};
use crate::policy::rules::PackagePart;
use serde::{Deserialize, Serialize};

/// Words for one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartEdit {
    /// Which part.
    pub part: PackagePart,
    /// Its words; none: it is left out.
    pub text: String,
}

pub(super) async fn edit(
    house: &House,
    id: String,
    of: u32,
    parts: Vec<PartEdit>,
    who: &str,
    act: Act,
) -> Result<Reply, CommandError> {
    let asked = id.clone();
    let handoff = house.ledger.call(move |ledger| ledger.handoff(&asked)).await?;
    let proposal = &handoff.proposal;
    may_approve(&house.policy, proposal, &Who::named(who)).map_err(|why| may_not(proposal, who, &why))?;
    let named: Vec<&str> = parts.iter().map(|edit| name_of(edit.part)).collect();
    let words: Vec<_> = parts.iter().map(|edit| (edit.part, edit.text.clone())).collect();
    let package = of_review(&house.policy, proposal, &words, who).map_err(|why| match why {
        NotEdited::NoPackage => CommandError::Refused(format!("{id} is not edited: {}", why.shown())),
        NotEdited::Same | NotEdited::Wrong(_) => CommandError::Wrong(format!("{id} is not edited: {}", why.shown())),
    })?;
    let (touched, named) = (named.len(), named.join(", "));
    let handoff = id.clone();
    let number = house.ledger.call(move |ledger| ledger.edit_package(&handoff, of, &package, &act)).await?;
    let said = format!("{named} of {id} edited: version {number} of its package travels on a yes; the others are kept");
    Ok(Reply::new(said, touched))
}

#[cfg(test)]
mod tests {
    use super::super::{Command, CommandError, Order, Reply, execute};
    use super::PartEdit;
    use crate::daemon::testing::{Stage, asking};
    use crate::ledger::states::HandoffState;
    use crate::policy::rules::PackagePart;
    use handoffd_kit::clock::Clock;
    use handoffd_kit::desk::DeskChange;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::What;
    use jiff::SignedDuration;

    async fn give(stage: &Stage, who: &str, command: Command) -> Result<Reply, CommandError> {
        execute(&stage.house, Order { command, by: who.into() }, "tester, uid 7").await
    }

    fn edit(id: &str, of: u32, text: &str) -> Command {
        let parts = vec![PartEdit { part: PackagePart::Question, text: text.to_owned() }];
        Command::Edit { handoff: id.to_owned(), of, parts }
    }

    async fn in_review() -> (Stage, String) {
        let mut policy = asking();
        policy.teams.get_mut(&"billing".into()).expect("team").reviewers = vec!["billing-lead".into()];
        let stage = Stage::new(policy);
        stage.look().await;
        let id = stage.handoffs().await[0].id.clone();
        (stage, id)
    }

    fn last_note(stage: &Stage) -> String {
        let ticket = stage.desk.ticket();
        let Some(DeskChange::Update(update)) = ticket.written.last().map(|write| &write.change) else {
            panic!("a note")
        };
        update.note.as_ref().map(|note| note.0.clone()).expect("a note")
    }

    #[tokio::test]
    async fn the_last_version_travels_on_a_yes_and_every_version_is_kept_with_who_made_it() {
        let (stage, id) = in_review().await;
        give(&stage, "billing-lead", edit(&id, 1, "May we refund 600 EUR?")).await.expect("edited");
        give(&stage, "billing-lead", edit(&id, 2, "May we refund 700 EUR?\ncard 4111 1111 1111 1111"))
            .await
            .expect("again");
        // A look in between leaves the edit where it is.
        stage.look().await;
        let asked = id.clone();
        let versions = stage.house.ledger.call(move |ledger| ledger.package_versions(&asked)).await.expect("read");
        let told: Vec<_> = versions
            .iter()
            .map(|one| (one.number, one.by.as_deref(), one.package.lines(PackagePart::Question).len()))
            .collect();
        let lead = Some("billing-lead (tester, uid 7)");
        assert_eq!(told, [(1, None, told[0].2), (2, lead, 1), (3, lead, 2)]);
        give(&stage, "billing-lead", Command::Approve { handoff: id.clone(), reason: None, to: None })
            .await
            .expect("approved");
        stage.run().await;
        let note = last_note(&stage);
        assert!(note.contains("May we refund 700 EUR?") && !note.contains("refund 600 EUR"), "{note}");
        assert!(!note.contains("4111 1111"), "masked: {note}");
        assert_eq!(stage.handoffs().await[0].state, HandoffState::Verifying);
        let late = give(&stage, "billing-lead", edit(&id, 3, "too late")).await;
        assert!(matches!(&late, Err(CommandError::Refused(words)) if words.contains("not in review")), "{late:?}");
    }

    #[tokio::test]
    async fn who_may_not_decide_may_not_edit_and_nobody_edits_what_they_have_not_seen() {
        let (stage, id) = in_review().await;
        let refused = |answer: Result<Reply, CommandError>| match answer {
            Err(CommandError::Refused(words) | CommandError::NotFound(words)) => words,
            other => panic!("refused, not {other:?}"),
        };
        assert!(refused(give(&stage, "somebody", edit(&id, 1, "words")).await).contains("billing-lead"));
        give(&stage, "billing-lead", edit(&id, 1, "words")).await.expect("edited");
        assert!(refused(give(&stage, "billing-lead", edit(&id, 1, "others")).await).contains("version 2"));
        refused(give(&stage, "billing-lead", edit("no-such", 1, "words")).await);
        for wrong in ["words", "a\u{1b}[2K", &"x".repeat(20_000), &"line\n".repeat(9)] {
            let answer = give(&stage, "billing-lead", edit(&id, 2, wrong)).await;
            assert!(matches!(&answer, Err(CommandError::Wrong(why)) if !why.contains('\u{1b}')), "{answer:?}");
        }
        let nothing = Command::Edit { handoff: id.clone(), of: 2, parts: Vec::new() };
        assert!(matches!(give(&stage, "billing-lead", nothing).await, Err(CommandError::Wrong(_))));
        let versions = stage.house.ledger.call(move |ledger| ledger.package_versions(&id)).await.expect("read");
        assert_eq!(versions.len(), 2);
    }

    #[tokio::test]
    async fn an_edited_review_that_is_stale_is_not_sent_and_a_mark_cannot_be_forged_in_it() {
        let (stage, id) = in_review().await;
        give(&stage, "billing-lead", edit(&id, 1, &format!("[handoffd {id}/1 refund@v1]"))).await.expect("edited");
        stage.clock.advance(SignedDuration::from_mins(1));
        let status = What::Status { from: None, to: Some(handoffd_kit::model::Status::Pending) };
        stage
            .desk
            .agent(stage.clock.now(), status, |head| head.status = Fact::Known(handoffd_kit::model::Status::Pending));
        let answer =
            give(&stage, "billing-lead", Command::Approve { handoff: id.clone(), reason: None, to: None }).await;
        assert!(matches!(&answer, Err(CommandError::Refused(words)) if words.contains("stale")), "{answer:?}");
        stage.run().await;
        let handoffs = stage.handoffs().await;
        let anew = handoffs.iter().find(|handoff| handoff.state == HandoffState::InReview).expect("asked anew");
        assert_ne!(anew.id, id);
        let package = anew.proposal.package.as_ref().expect("a package");
        assert!(package.parts.iter().all(|section| !section.source.contains("an edit by")));
        assert!(!package.parts.iter().flat_map(|section| &section.lines).any(|line| line.contains("[handoffd")));
    }
}
