//! The teams that a review offers. Where rules want different ones, a person says yes to one of them: here is which, how that is
//! said, and which of them the words of a yes mean. Pure.
//!
//! A case must not go to a team that nobody meant: words that look like a team which is not on offer are no reason of a yes to
//! another one, nor are words that name another one of those on offer anywhere.

use super::called::{NAME_WORDS, almost, begins, called, goes_by, is_name, words_of};
use super::command::bare_word;
use super::names::{PersonName, RuleName, TeamName};
use super::proposal::Proposal;
use super::rules::Policy;
use super::teams::Team;
use super::verdict::Risk;
use handoffd_kit::id::DeskId;

/// One team on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The rule that wants it; where several do, the first.
    pub rule: &'a RuleName,
    /// The team.
    pub to: &'a TeamName,
}

impl Offer<'_> {
    /// A review's proposal as it would be about this team: to ask who may decide.
    pub fn about(&self, proposal: &Proposal) -> Proposal {
        Proposal { rule: self.rule.clone(), to: self.to.clone(), ..proposal.clone() }
    }
}

/// Which team a yes names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// None: it is a yes to the first, and its words are its reason.
    First,
    /// This one, which is on offer, with the reason that follows.
    Team(TeamName, Option<String>),
    /// These words, which are a team that is not on offer, more than one, or almost one: nobody can tell.
    Unclear(String),
}

/// The teams on offer, the review's own first; mostly it alone.
pub fn offers<'a>(proposal: &'a Proposal, risks: &'a [Risk]) -> Vec<Offer<'a>> {
    let mut offers = vec![Offer { rule: &proposal.rule, to: &proposal.to }];
    for (rule, to) in wanted(risks) {
        if offers.iter().all(|offer| offer.to != to) {
            offers.push(Offer { rule, to });
        }
    }
    offers
}

/// The same where a person chooses among several; none: there is one.
pub fn several<'a>(proposal: &'a Proposal, risks: &'a [Risk]) -> Vec<Offer<'a>> {
    let offers = offers(proposal, risks);
    if offers.len() > 1 { offers } else { Vec::new() }
}

/// The people of each team on offer, in this order and each once. `of`: those of a review about one team.
pub fn of_each<'p>(
    proposal: &Proposal,
    risks: &[Risk],
    of: impl Fn(&Proposal) -> Vec<&'p PersonName>,
) -> Vec<&'p PersonName> {
    let mut people = Vec::new();
    for name in offers(proposal, risks).iter().flat_map(|offer| of(&offer.about(proposal))) {
        if !people.contains(&name) {
            people.push(name);
        }
    }
    people
}

/// Which rules want which teams, where they disagree.
pub fn wanted(risks: &[Risk]) -> impl Iterator<Item = &(RuleName, TeamName)> {
    risks.iter().flat_map(|risk| match risk {
        Risk::Disagreement(wanted) => wanted.as_slice(),
        _ => &[],
    })
}

/// How a yes and a no are said in an internal note.
pub fn in_a_note<'a>(teams: impl IntoIterator<Item = &'a TeamName>) -> String {
    let teams: Vec<&TeamName> = teams.into_iter().collect();
    match teams.as_slice() {
        [] | [_] => "/approve, or /reject REASON".to_owned(),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(|team| format!("/approve {team}")).collect();
            format!("/approve {first} (or only /approve), {}, or /reject REASON", others.join(", "))
        }
    }
}

/// The same for the offers of a review.
pub fn answers(offers: &[Offer<'_>]) -> String {
    in_a_note(offers.iter().map(|offer| offer.to))
}

/// Which team the words of a yes mean. Where only one is on offer, a name counts as one only where it stands for itself: a reason
/// may begin with a team. Where several are, words that name another than the one they begin with mean neither: "billing cannot,
/// second-line please".
pub fn meant(policy: &Policy, desk: &DeskId, offers: &[Offer<'_>], words: &str) -> Meant {
    let meant = begun(policy, desk, offers, words);
    let to = match &meant {
        Meant::First => offers.first().map(|offer| offer.to),
        Meant::Team(team, _) => Some(team),
        Meant::Unclear(_) => None,
    };
    let other = to.and_then(|to| {
        let others: Vec<&Offer<'_>> = offers.iter().filter(|offer| offer.to != to).collect();
        names_one(policy, desk, &others, words)
    });
    other.map_or(meant, Meant::Unclear)
}

/// Where words name one of these offers, by any of its team's names or by its rule's.
fn names_one(policy: &Policy, desk: &DeskId, others: &[&Offer<'_>], words: &str) -> Option<String> {
    if others.is_empty() {
        return None;
    }
    let words = words_of(words);
    let is_called = |offer: &Offer<'_>, name: &str| {
        // A name of this team may be the key of another one, which goes first.
        policy.teams.get(offer.to).is_some_and(|team| goes_by(team, name))
            && called(policy, desk, name).contains(&offer.to)
    };
    let names = |name: &str| others.iter().any(|offer| is_name(offer.rule.as_str(), name) || is_called(offer, name));
    let beginnings = (0..words.len()).map(|at| &words[at..]);
    let mut written = beginnings.flat_map(|from| {
        (1..=from.len().min(NAME_WORDS)).rev().map(|count| bare_word(&from[..count].join(" ")).to_owned())
    });
    written.find(|name| names(name))
}

/// Which team words begin with.
fn begun(policy: &Policy, desk: &DeskId, offers: &[Offer<'_>], words: &str) -> Meant {
    let several = offers.len() > 1;
    if let Some(beginning) = begins(policy, desk, words) {
        if !several && !beginning.apart {
            return Meant::First;
        }
        let mut on_offer = offers.iter().filter(|offer| beginning.teams.contains(&offer.to));
        return match (on_offer.next(), on_offer.next()) {
            (Some(offer), None) => {
                Meant::Team(offer.to.clone(), (!beginning.rest.is_empty()).then_some(beginning.rest))
            }
            _ => Meant::Unclear(beginning.name),
        };
    }
    let teams: Vec<&Team> = policy.teams.values().filter(|team| &team.desk == desk).collect();
    let own: Vec<&Team> =
        teams.iter().copied().filter(|team| offers.iter().any(|offer| *offer.to == team.name)).collect();
    if !several && almost(words, true, &own).is_some() {
        return Meant::First;
    }
    almost(words, !several, &teams).map_or(Meant::First, Meant::Unclear)
}

/// The team on offer that somebody names with nothing else beside it.
///
/// # Errors
/// What would be accepted.
pub fn chosen(policy: &Policy, desk: &DeskId, offers: &[Offer<'_>], name: &str) -> Result<TeamName, String> {
    let beginning = begins(policy, desk, name).filter(|beginning| beginning.rest.is_empty());
    let teams = beginning.map(|beginning| beginning.teams).unwrap_or_default();
    let mut on_offer = offers.iter().filter(|offer| teams.contains(&offer.to));
    match (on_offer.next(), on_offer.next()) {
        (Some(offer), None) => Ok(offer.to.clone()),
        _ => Err(offers.iter().map(|offer| offer.to.as_str()).collect::<Vec<_>>().join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::languages::PublicName;
    use crate::policy::testing;
    use handoffd_kit::desk::QueueSpec;
    use proptest::prelude::*;

    /// Billing's queue is "Money Desk", and customers know it as "our billing specialists"; bugs go to "Tier 2".
    fn policy() -> Policy {
        let mut policy = testing::policy();
        let billing = policy.teams.get_mut(&TeamName::from("billing")).expect("a team");
        billing.queue = QueueSpec::Name("Money Desk".into());
        billing.public_name = Some(PublicName::everywhere("our billing specialists"));
        let second = Team { name: "second_line".into(), queue: QueueSpec::Name("Tier 2".into()), ..billing.clone() };
        let second = Team { public_name: Some(PublicName::everywhere("our bug hunters")), ..second };
        policy.teams.insert(second.name.clone(), second);
        policy
    }

    fn named(teams: &[&str], words: &str) -> Meant {
        let teams: Vec<TeamName> = teams.iter().map(|team| (*team).into()).collect();
        let rules = ["wants-money", "wants-bugs"].map(RuleName::from);
        let offers: Vec<Offer<'_>> = rules.iter().zip(&teams).map(|(rule, to)| Offer { rule, to }).collect();
        meant(&policy(), &"acme".into(), &offers, words)
    }

    fn team(name: &str, reason: Option<&str>) -> Meant {
        Meant::Team(name.into(), reason.map(str::to_owned))
    }

    const BOTH: [&str; 2] = ["billing", "second_line"];

    #[test]
    fn where_several_are_on_offer_each_goes_by_all_its_names() {
        for (words, meant) in [
            ("billing", team("billing", None)),
            ("Money desk: they know him", team("billing", Some("they know him"))),
            ("our billing specialists know him", team("billing", Some("know him"))),
            ("TIER2 - a bug", team("second_line", Some("a bug"))),
            ("\"Second Line\", a bug", team("second_line", Some("a bug"))),
            ("second-line", team("second_line", None)),
            ("they know him", Meant::First),
            ("", Meant::First),
            ("!!", Meant::First),
            ("ok", Meant::First),
            ("we know him, and billing does", Meant::First),
        ] {
            assert_eq!(named(&BOTH, words), meant, "{words}");
        }
    }

    #[test]
    fn what_is_no_team_on_offer_or_almost_one_is_unclear() {
        for (words, written) in [
            ("frontline has called", "frontline"),
            ("Tier 3", "Tier 3"),
            ("teir 2 please", "teir 2"),
            ("bilings", "bilings"),
            ("monney desk", "monney desk"),
            ("second", "second"),
            ("Money please", "Money"),
            ("for second_line please", "second_line"),
            ("send it to Tier 2", "Tier 2"),
            ("team second line", "second line"),
            ("billing cannot, second-line please", "second-line"),
            ("second_line, not the money desk", "money desk"),
            ("billing specialists, no: our bug hunters", "our bug hunters"),
            ("rule wants-bugs", "wants-bugs"),
        ] {
            assert_eq!(named(&BOTH, words), Meant::Unclear(written.to_owned()), "{words}");
        }
    }

    #[test]
    fn where_one_is_on_offer_only_a_name_that_stands_for_itself_is_one() {
        for (words, meant) in [
            ("billing", team("billing", None)),
            ("bilings", Meant::First),
            ("billing knows him", Meant::First),
            ("second_line: a bug", Meant::Unclear("second_line".to_owned())),
            ("Tier 2", Meant::Unclear("Tier 2".to_owned())),
            ("teir 2", Meant::Unclear("teir 2".to_owned())),
            ("tier 2 has called them", Meant::First),
            ("teir 2 has called them", Meant::First),
        ] {
            assert_eq!(named(&["billing"], words), meant, "{words}");
        }
    }

    #[test]
    fn an_order_names_a_team_and_nothing_else() {
        let rule = RuleName::from("r");
        let (billing, second) = (TeamName::from("billing"), TeamName::from("second_line"));
        let offers = [Offer { rule: &rule, to: &billing }, Offer { rule: &rule, to: &second }];
        let chosen = |name: &str| chosen(&policy(), &"acme".into(), &offers, name);
        assert_eq!((chosen("tier 2"), chosen("Money Desk")), (Ok(second.clone()), Ok(billing.clone())));
        for name in ["frontline", "tier 2 please", "", "teir 2"] {
            assert_eq!(chosen(name), Err("billing or second_line".to_owned()), "{name}");
        }
    }

    #[test]
    fn every_team_that_rules_want_is_on_offer_once_and_the_review_s_own_is_the_first() {
        let proposal = crate::ledger::samples::proposal("1", "refund", "e1", "f");
        let pair = |rule: &str, to: &str| (RuleName::from(rule), TeamName::from(to));
        let wanted =
            vec![pair("bug", "second_line"), pair("refund", proposal.to.as_str()), pair("bug2", "second_line")];
        let risks = [Risk::Always, Risk::Disagreement(wanted)];
        let all = offers(&proposal, &risks);
        let told: Vec<(&str, &str)> = all.iter().map(|offer| (offer.rule.as_str(), offer.to.as_str())).collect();
        assert_eq!(told, [("refund", proposal.to.as_str()), ("bug", "second_line")]);
        assert!(answers(&all).ends_with("/approve second_line, or /reject REASON"));
        assert_eq!(answers(&offers(&proposal, &[Risk::Always])), "/approve, or /reject REASON");
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_team_is_meant_only_by_one_of_its_names(words in "[a-z2 .:-]{0,24}") {
            if let Meant::Team(team, _) = named(&BOTH, &words) {
                let letters: String = words.chars().filter(|c| c.is_alphanumeric()).collect();
                let known =
                    ["billing", "moneydesk", "ourbillingspecialists", "secondline", "tier2", "ourbughunters"];
                prop_assert!(known.iter().any(|name| letters.starts_with(name)), "{words}: {team}");
            }
        }
    }
}
