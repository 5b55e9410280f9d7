//! Who may say yes or no to a handoff: the receiving team's reviewers and the giving team's lead, where reviewers are
//! named; else anybody who works on the desk. `[people]` joins the names that one person goes by.

use super::names::{PersonName, TeamName};
use super::proposal::Proposal;
use super::roster::Colleague;
use super::rules::Policy;
use super::teams::PersonEntry;
use handoffd_kit::id::{DeskId, UserId};
use std::collections::BTreeMap;

/// Somebody, by everything that is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Names that they go by in the policy, where whoever says so may be believed: never what a desk lets them call themselves.
    pub names: Vec<String>,
    /// Their mail address.
    pub email: Option<String>,
    /// Who they are on a desk.
    pub on_desk: Option<(DeskId, UserId)>,
}

impl Who {
    /// Somebody who says who they are, by a name or a mail address.
    pub fn named(name: &str) -> Self {
        let email = name.contains('@').then(|| name.to_owned());
        Self { names: vec![name.to_owned()], email, on_desk: None }
    }

    /// Whether this entry of the policy's people is about them.
    fn is(&self, name: &PersonName, entry: Option<&PersonEntry>) -> bool {
        let same_mail = |email: &String| self.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email));
        let same_login =
            |entry: &PersonEntry| self.on_desk.as_ref().is_some_and(|(desk, id)| entry.desk.get(desk) == Some(id));
        self.names.iter().any(|own| own == name.as_str())
            || entry.is_some_and(|entry| entry.email.as_ref().is_some_and(same_mail) || same_login(entry))
    }
}

/// Why somebody may not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayNot {
    /// These may.
    NoReviewer(Vec<PersonName>),
    /// They asked for it themselves.
    TheirOwn,
}

impl MayNot {
    /// In words, after "WHO may not decide this: ".
    pub fn shown(&self) -> String {
        match self {
            Self::NoReviewer(names) => {
                let names: Vec<&str> = names.iter().map(PersonName::as_str).collect();
                format!("these may: {}", names.join(", "))
            }
            Self::TheirOwn => "they asked for it themselves, so another one has to say yes".to_owned(),
        }
    }
}

/// Whether two names are one person's: the same name or address, or two that `[people]` joins.
pub fn same_person(people: &BTreeMap<PersonName, PersonEntry>, one: &str, other: &str) -> bool {
    let (first, second) = (Who::named(one), Who::named(other));
    let joined =
        |(name, entry): (&PersonName, &PersonEntry)| first.is(name, Some(entry)) && second.is(name, Some(entry));
    one.trim().eq_ignore_ascii_case(other.trim()) || people.iter().any(joined)
}

/// What is known of whether somebody works in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// They do: the policy names them there, or the desk does.
    Member,
    /// They do not: the desk says who does.
    Stranger,
    /// Nobody says.
    Unknown,
}

/// Whether somebody works in a team. `roster`: the team's people as the desk tells them, where it does.
pub fn works_in(policy: &Policy, team: &TeamName, who: &Who, roster: Option<&[Colleague]>) -> Membership {
    let named = policy.teams.get(team).into_iter().flat_map(|team| team.reviewers.iter().chain(&team.lead));
    if named.into_iter().any(|name| who.is(name, policy.people.get(name))) {
        return Membership::Member;
    }
    match (roster, &who.on_desk) {
        (Some(members), Some((_, id))) if members.iter().any(|one| one.id == *id) => Membership::Member,
        (Some(_), Some(_)) => Membership::Stranger,
        _ => Membership::Unknown,
    }
}

/// The people who may decide about a handoff; none: anybody.
pub fn reviewers<'a>(policy: &'a Policy, proposal: &Proposal) -> Vec<&'a PersonName> {
    // A rule that matches as well takes none of its guards back because another one acts.
    let rules = std::iter::once(&proposal.rule).chain(&proposal.also);
    let own = rules.filter_map(|name| policy.escalation(name)).find(|rule| !rule.reviewers.is_empty());
    own.map_or_else(
        || reviewers_between(policy, &proposal.to, proposal.from.as_ref()),
        |rule| rule.reviewers.iter().collect(),
    )
}

/// The people who may decide about what one team gives another, where its rule names nobody; none: anybody.
pub fn reviewers_between<'a>(policy: &'a Policy, to: &TeamName, from: Option<&TeamName>) -> Vec<&'a PersonName> {
    let reviewers = policy.teams.get(to).map(|team| team.reviewers.as_slice()).unwrap_or_default();
    if reviewers.is_empty() {
        return Vec::new();
    }
    let lead = from.and_then(|from| policy.teams.get(from)).and_then(|team| team.lead.as_ref());
    reviewers.iter().chain(lead.filter(|lead| !reviewers.contains(lead))).collect()
}

/// The reviewers who may say yes to this handoff: not whoever asked for it.
pub fn who_may_approve<'a>(policy: &'a Policy, proposal: &Proposal) -> Vec<&'a PersonName> {
    let somebody = |name: &PersonName| {
        let entry = policy.people.get(name);
        let id = entry.and_then(|entry| entry.desk.get(&proposal.desk));
        Who {
            names: vec![name.to_string()],
            email: entry.and_then(|entry| entry.email.clone()),
            on_desk: id.map(|id| (proposal.desk.clone(), id.clone())),
        }
    };
    let mut may = reviewers(policy, proposal);
    may.retain(|name| !asked_for_it(policy, proposal, &somebody(name)));
    may
}

/// Whether somebody may say no to this handoff, or yes if it is not their own request.
///
/// # Errors
/// Why not.
pub fn may_decide(policy: &Policy, proposal: &Proposal, who: &Who) -> Result<(), MayNot> {
    let allowed = reviewers(policy, proposal);
    if allowed.is_empty() || allowed.iter().any(|name| who.is(name, policy.people.get(*name))) {
        return Ok(());
    }
    Err(MayNot::NoReviewer(allowed.into_iter().cloned().collect()))
}

/// Whether somebody may say yes: a reviewer, and not whoever asked for the handoff.
///
/// # Errors
/// Why not.
pub fn may_approve(policy: &Policy, proposal: &Proposal, who: &Who) -> Result<(), MayNot> {
    may_decide(policy, proposal, who)?;
    if asked_for_it(policy, proposal, who) { Err(MayNot::TheirOwn) } else { Ok(()) }
}

/// Whether the request that a handoff carries out is theirs, under whatever name.
fn asked_for_it(policy: &Policy, proposal: &Proposal, who: &Who) -> bool {
    let Some(asked) = &proposal.asked else { return false };
    let requester = asked.by_id.as_ref().map(|id| (proposal.desk.clone(), id.clone()));
    if requester.is_some() && who.on_desk == requester {
        return true;
    }
    // For a no, any name will do.
    if who.names.iter().any(|name| name.trim().eq_ignore_ascii_case(asked.by.trim())) {
        return true;
    }
    let theirs = Who { names: vec![asked.by.clone()], email: asked.by_email.clone(), on_desk: requester };
    let same_mail =
        theirs.email.as_ref().zip(who.email.as_ref()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
    same_mail || policy.people.iter().any(|(name, entry)| who.is(name, Some(entry)) && theirs.is(name, Some(entry)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::proposal::AskedFor;
    use crate::policy::testing;

    /// A policy where billing-lead decides for billing, and a proposal that front-1 asked for.
    fn asked() -> (Policy, Proposal) {
        let mut policy = testing::policy();
        policy.teams.get_mut(&"billing".into()).expect("team").reviewers =
            vec!["billing-lead".into(), "front-1".into()];
        let person = |email: &str, id: &str| PersonEntry {
            email: Some(email.into()),
            desk: [(DeskId::from("acme"), UserId::from(id))].into(),
            ..PersonEntry::default()
        };
        policy.people.insert("billing-lead".into(), person("billing-lead@acme.example", "77"));
        policy.people.insert("front-1".into(), person("front-1@acme.example", "8"));
        let mut proposal = crate::ledger::samples::proposal("1", "on-request", "e1", "facts");
        proposal.asked = Some(AskedFor {
            by: "First Agent".into(),
            by_id: Some("8".into()),
            by_email: Some("front-1@acme.example".into()),
            reason: "the customer insists".into(),
            command: "c1".into(),
        });
        (policy, proposal)
    }

    fn on_desk(id: &str, email: Option<&str>) -> Who {
        Who {
            names: vec!["Somebody".into()],
            email: email.map(str::to_owned),
            on_desk: Some(("acme".into(), id.into())),
        }
    }

    #[test]
    fn a_reviewer_is_known_by_name_mail_and_desk_login() {
        let (policy, proposal) = asked();
        for who in [
            Who::named("billing-lead"),
            Who::named("Billing-Lead@Acme.example"),
            on_desk("77", None),
            on_desk("1", Some("BILLING-LEAD@acme.example")),
        ] {
            assert_eq!(may_approve(&policy, &proposal, &who), Ok(()), "{who:?}");
        }
        for who in [Who::named("lead"), on_desk("78", None), on_desk("78", Some("x@acme.example")), Who::default()] {
            let Err(MayNot::NoReviewer(names)) = may_decide(&policy, &proposal, &who) else { panic!("{who:?}") };
            assert_eq!(names, ["billing-lead".into(), "front-1".into()]);
        }
    }

    #[test]
    fn whoever_asked_may_say_no_and_not_yes_under_any_of_their_names() {
        let (policy, proposal) = asked();
        for who in [on_desk("8", None), Who::named("front-1"), Who::named("Front-1@acme.example")] {
            assert_eq!(may_decide(&policy, &proposal, &who), Ok(()), "{who:?}");
            assert_eq!(may_approve(&policy, &proposal, &who), Err(MayNot::TheirOwn), "{who:?}");
        }
    }

    #[test]
    fn two_names_are_one_person_s_where_they_are_the_same_or_the_policy_joins_them() {
        let (policy, _) = asked();
        for (one, other, same) in [
            ("a@acme.example", "A@Acme.example ", true),
            ("front-1", "FRONT-1@acme.example", true),
            ("front-1@acme.example", "front-1", true),
            ("front-1", "billing-lead@acme.example", false),
            ("a@acme.example", "b@acme.example", false),
        ] {
            assert_eq!(same_person(&policy.people, one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_rule_s_own_reviewers_decide_in_place_of_the_team_s_also_where_another_rule_acts() {
        let (mut policy, mut proposal) = asked();
        let mut rule = testing::escalation("money", "true", "billing");
        rule.reviewers = vec!["controller".into()];
        policy.escalations.push(rule);
        policy.people.insert("controller".into(), PersonEntry::default());
        let who = |proposal: &Proposal| -> Vec<String> {
            reviewers(&policy, proposal).into_iter().map(PersonName::to_string).collect()
        };
        assert_eq!(who(&proposal), ["billing-lead", "front-1"], "another rule's handoff");
        proposal.also = vec!["money".into()];
        assert_eq!(who(&proposal), ["controller"]);
        proposal.also.clear();
        proposal.rule = "money".into();
        assert_eq!(who(&proposal), ["controller"]);
        assert_eq!(may_approve(&policy, &proposal, &Who::named("controller")), Ok(()));
        assert!(may_decide(&policy, &proposal, &Who::named("billing-lead")).is_err());
    }

    #[test]
    fn where_no_reviewers_are_named_anybody_decides_but_for_their_own_request() {
        let (mut policy, proposal) = asked();
        policy.teams.get_mut(&"billing".into()).expect("team").reviewers.clear();
        assert_eq!(may_approve(&policy, &proposal, &on_desk("99", None)), Ok(()));
        assert_eq!(may_approve(&policy, &proposal, &on_desk("8", None)), Err(MayNot::TheirOwn));
    }

    #[test]
    fn a_team_s_people_are_who_the_policy_or_the_desk_says() {
        let mut policy = testing::policy();
        policy.teams.get_mut(&"billing".into()).expect("team").lead = Some("billing-lead".into());
        let team = TeamName::from("billing");
        let on_desk = |id: &str| Who { on_desk: Some(("acme".into(), id.into())), ..Who::default() };
        let lead = Who::named("billing-lead");
        assert_eq!(works_in(&policy, &team, &lead, None), Membership::Member);
        assert_eq!(works_in(&policy, &team, &on_desk("7"), None), Membership::Unknown);
        let colleague = |id: &str| Colleague { id: id.into(), name: None, email: None, active: true, open: 0 };
        let roster = ["7", "9"].map(colleague);
        assert_eq!(works_in(&policy, &team, &on_desk("7"), Some(&roster)), Membership::Member);
        assert_eq!(works_in(&policy, &team, &on_desk("8"), Some(&roster)), Membership::Stranger);
        assert_eq!(works_in(&policy, &team, &Who::named("somebody"), Some(&roster)), Membership::Unknown);
        assert_eq!(works_in(&policy, &"gone".into(), &lead, None), Membership::Unknown);
    }
}
