//! A policy that has run before, in place of the file's, and the file's again, where no daemon runs: from the next start on.

use super::{CommandError, Reply};
use crate::daemon::house::House;
use crate::ledger::policies::Choice;
use crate::ledger::{Act, Handle};

pub(super) async fn roll_back(house: &House, choice: Choice) -> Result<Reply, CommandError> {
    differs(&choice.version, &choice.instead_of)?;
    is_new(&house.ledger, &choice).await?;
    let said = format!(
        "the policy {} runs in place of the file's {} from the next start on, until the file says something else",
        choice.version, choice.instead_of
    );
    house.ledger.call(move |ledger| ledger.choose_policy(&choice)).await?;
    Ok(Reply::new(said, 1))
}

/// There must be something to put in the file's place.
pub(in crate::daemon) fn differs(version: &str, file: &str) -> Result<(), CommandError> {
    if version != file {
        return Ok(());
    }
    let words = format!("the file has the policy {version} already: there is nothing to put in its place");
    Err(CommandError::Refused(words))
}

/// What stands in the file's place already is not put there a second time: who did it, and why, stays known.
pub(in crate::daemon) async fn is_new(ledger: &Handle, choice: &Choice) -> Result<(), CommandError> {
    let stands = ledger.call(|ledger| ledger.chosen_policy()).await?;
    let same = |stands: &Choice| (&stands.version, &stands.instead_of) == (&choice.version, &choice.instead_of);
    let Some(Choice { version, by, reason, .. }) = stands.filter(same) else { return Ok(()) };
    let words = format!("{version} stands in the file's place already, as {by} said: {reason}. Nothing was changed");
    Err(CommandError::Refused(words))
}

pub(super) async fn file_again(house: &House, act: Act) -> Result<Reply, CommandError> {
    let forgotten = house.ledger.call(move |ledger| ledger.forget_choice(Some(&act))).await?;
    let said = if forgotten {
        "the file's policy runs again from the next start on"
    } else {
        "no other policy stands in the file's place: nothing was done"
    };
    Ok(Reply::new(said.to_owned(), usize::from(forgotten)))
}

#[cfg(test)]
mod tests {
    use super::super::{Command, CommandError, Order, Reply, execute};
    use crate::daemon::testing::{Stage, sending};
    use crate::ledger::policies::Kept;
    use std::sync::Arc;

    async fn roll(stage: &Stage, version: Option<&str>, instead_of: &str, reason: &str) -> Result<Reply, CommandError> {
        let (version, instead_of) = (version.map(str::to_owned), instead_of.to_owned());
        let command = Command::Rollback { version, instead_of, reason: reason.to_owned() };
        execute(&stage.house, Order { command, by: "lead".into() }, "tester, uid 7").await
    }

    /// A house whose ledger has kept the policy that runs.
    async fn kept() -> Stage {
        let mut stage = Stage::new(sending());
        stage.house.kept = Some(Arc::new(Kept { meaning: "{}".into(), text: "text".into() }));
        stage.house.recover().await.expect("recovered");
        stage
    }

    #[tokio::test]
    async fn only_what_was_kept_can_take_the_place_of_another_policy_and_only_with_a_reason() {
        let stage = kept().await;
        let version = stage.house.policy.version.clone();
        let long = "x".repeat(100_000);
        for (to, file, reason) in [
            (Some(""), "p9", "why"),
            (Some("p\u{1b}[2K"), "p9", "why"),
            (Some(long.as_str()), "p9", "why"),
            (Some(version.as_str()), "", "why"),
            (Some(version.as_str()), "p9", " "),
            (Some(version.as_str()), "p9", &long),
            (None, "p9", ""),
        ] {
            let answer = roll(&stage, to, file, reason).await;
            assert!(matches!(answer, Err(CommandError::Wrong(_))), "{to:.9?} {file} {reason:.9}: {answer:?}");
        }
        for (to, file) in [("never-ran", "p9"), (version.as_str(), version.as_str())] {
            let answer = roll(&stage, Some(to), file, "why").await;
            let as_told = match &answer {
                Err(CommandError::NotFound(_)) => to == "never-ran",
                Err(CommandError::Refused(_)) => to == version,
                _ => false,
            };
            assert!(as_told, "{to}: {answer:?}");
        }
        assert_eq!(stage.house.ledger.call(|ledger| ledger.chosen_policy()).await, Ok(None));

        let said = roll(&stage, Some(&version), "p9", "too many").await.expect("rolled back").said;
        assert!(said.contains("from the next start on"), "{said}");
        let choice = stage.house.ledger.call(|ledger| ledger.chosen_policy()).await.expect("read").expect("chosen");
        assert_eq!((choice.version, choice.by.as_str()), (version, "lead (tester, uid 7)"));
        assert_eq!(roll(&stage, None, "p9", "repaired").await.expect("back").touched, 1);
        assert_eq!(roll(&stage, None, "p9", "repaired").await.expect("nothing").touched, 0);
    }
}
