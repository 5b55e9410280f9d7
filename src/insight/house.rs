//! The ledger's stays as stories: transfers by people count as well as ours. A claim is known for our handoffs alone.

use super::figures::{Figures, HandoffFigures, Source, World, compute, recent_from};
use super::log::{Instant, Names};
use super::story::{Stay, Story, Taken};
use crate::config::events::Tier;
use crate::ledger::reports::StayRow;
use crate::ledger::{Ledger, Result};
use crate::policy::names::TeamName;
use crate::policy::rules::Policy;
use jiff::Timestamp;

/// Every case of a ledger, with the tables that its stories point into.
#[derive(Debug, Default)]
pub struct House {
    /// One story a case.
    pub stories: Vec<Story>,
    /// Names of cases, as `desk/ticket`.
    pub cases: Names,
    /// Names of teams.
    pub teams: Names,
    /// Each team's tier; none: the policy no longer has that team.
    pub tiers: Vec<Option<Tier>>,
    /// Rules with their versions, as `rule@version`.
    pub rules: Names,
    /// What became of our handoffs.
    pub handoffs: HandoffFigures,
}

impl House {
    /// Reads a ledger. `now`: until when cases that are not over have been where they are.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn read(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Result<Self> {
        let mut house = Self::default();
        ledger.each_stay(|row| house.add(&row, now))?;
        for name in house.teams.iter() {
            let team = policy.teams.get(&TeamName::from(name));
            house.tiers.push(team.map(|team| Tier::new(&team.tier.to_string())));
        }
        house.handoffs = HandoffFigures::read(ledger)?;
        Ok(house)
    }

    /// Whether the first tier alone had a case.
    pub(super) fn is_contained(&self, story: &Story) -> bool {
        let first = self.tiers.iter().flatten().filter_map(Tier::number).min();
        let number = |team: u32| usize::try_from(team).ok().and_then(|at| self.tiers.get(at)?.as_ref()?.number());
        first.is_some() && !story.stays.is_empty() && story.stays.iter().all(|stay| number(stay.team) == first)
    }

    fn add(&mut self, row: &StayRow, now: Timestamp) {
        let known = self.cases.len();
        let Some(case) = self.cases.number(&row.case) else { return };
        let since = Instant::of(row.since);
        if self.cases.len() > known {
            let opened = row.first_seen.map_or(since, |first| since.min(Instant::of(first)));
            let ended = row.ended_at.map(Instant::of);
            let last = ended.unwrap_or(Instant::of(now));
            self.stories.push(Story { case, opened, last, resolved: ended, ..Story::default() });
        }
        let team = row.team.as_deref().and_then(|team| self.teams.number(team));
        let rule = row.handoff.as_ref().and_then(|by| self.rules.number(&format!("{}@{}", by.rule, by.version)));
        let (Some(story), Some(team)) = (self.stories.last_mut(), team) else { return };
        story.last = story.last.max(since);
        if story.stays.last().is_some_and(|stay| stay.team == team) {
            return; // Back from a queue that is no team's: the same stay goes on.
        }
        let taken = match &row.handoff {
            None => Taken::Untold,
            Some(by) => by.claimed_at.map_or(Taken::Never, |at| Taken::After(Instant::of(at).max(since).since(since))),
        };
        let handed_back = row.handed_back;
        story.stays.push(Stay { team, start: since, events: 0, taken, status: None, rule, handed_back });
    }

    /// Every figure. `name` is what the report calls the ledger.
    pub fn figures(&self, name: &str, now: Timestamp) -> Figures {
        let opened = self.stories.iter().map(|story| story.opened).min();
        let last = Instant::of(now);
        let first = opened.unwrap_or(last).min(last);
        let none = Names::default();
        let world = World {
            teams: &self.teams,
            tiers: &self.tiers,
            statuses: &none,
            marks: &none,
            rules: &self.rules,
            by: &[],
            like: &[],
            done_known: true,
            agents: None,
        };
        let source = Source {
            kind: "ledger",
            name: name.to_owned(),
            first: first.timestamp(),
            last: now,
            recent_from: recent_from(first, last).timestamp(),
            repairs: None,
        };
        let mut figures = compute(self.stories.iter().cloned(), world, source);
        figures.handoffs = Some(self.handoffs.clone());
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::commands::{CommandOutcome, Deed, HandledCommand, Heard};
    use crate::ledger::records::{CaseUpdate, HandoffHappening};
    use crate::ledger::samples::{
        accepted, answer, at, claim, decide, in_review, ledger, nothing_found, sending, stay,
    };
    use crate::policy::command::Rating;
    use crate::policy::proposal::Package;
    use crate::policy::rules::PackagePart;
    use crate::policy::verdict::{Outcome, StayReason};

    const HOUR: i64 = 3_600;

    fn arrives(ledger: &mut Ledger, ticket: &str, team: &str, seconds: i64, by: Option<&str>) {
        let stays = vec![stay(team, &format!("c{seconds}"), at(seconds), by)];
        ledger.record_case(&CaseUpdate { stays, ..nothing_found(ticket, at(seconds)) }).expect("recorded");
    }

    fn ends(ledger: &mut Ledger, ticket: &str, seconds: i64) {
        let mut update = nothing_found(ticket, at(seconds));
        if let Some(verdict) = &mut update.verdict {
            verdict.outcome = Outcome::Stay(StayReason::Ended);
        }
        ledger.record_case(&update).expect("recorded");
    }

    fn claimed(ledger: &mut Ledger, ticket: &str, handoff: &str, seconds: i64) {
        let happening = HandoffHappening {
            handoff: handoff.into(),
            event: None,
            detail: None,
            claimed: Some((at(seconds), "an agent".into())),
            drop_effects: false,
            closing_note: None,
        };
        let update = CaseUpdate { handoff_events: vec![happening], ..nothing_found(ticket, at(seconds)) };
        ledger.record_case(&update).expect("recorded");
    }

    fn sample() -> Ledger {
        let mut ledger = ledger();
        // 1: our handoff, claimed after an hour, then a person hands it back: a bounce of our rule.
        arrives(&mut ledger, "1", "frontline", 0, None);
        let mut handoff = sending("h1", "1", "v1");
        handoff.proposal.package = Some(Package { missing: vec![PackagePart::Steps], ..Package::default() });
        decide(&mut ledger, handoff, at(10));
        while let Some(effect) = claim(&mut ledger, at(20)) {
            ledger.record_outcome(&accepted(&effect, "v2", at(20))).expect("recorded");
        }
        arrives(&mut ledger, "1", "billing", 20, Some("h1"));
        claimed(&mut ledger, "1", "h1", 20 + HOUR);
        arrives(&mut ledger, "1", "frontline", 20 + 2 * HOUR, None);
        ends(&mut ledger, "1", 20 + 3 * HOUR);
        // 2: people alone, by way of a team that the policy no longer has.
        arrives(&mut ledger, "2", "frontline", 0, None);
        arrives(&mut ledger, "2", "sales", 50, None);
        // 3 and 4: two reviews, one yes and one no.
        for (ticket, id) in [("3", "h3"), ("4", "h4")] {
            arrives(&mut ledger, ticket, "frontline", 0, None);
            decide(&mut ledger, in_review(id, ticket), at(10));
        }
        ledger.approve(&answer("h3", Vec::new(), at(30))).expect("approved");
        ledger.reject(&answer("h4", Vec::new(), at(30))).expect("rejected");
        ledger
    }

    /// The receiving team says that a handoff lacked something.
    fn rated(handoff: &str) -> Heard {
        let command = HandledCommand {
            id: "n1".into(),
            change: "n1".into(),
            place: "note".into(),
            verb: "rate",
            by: "an agent".into(),
            by_id: None,
            given_at: at(5 * HOUR),
            outcome: CommandOutcome::Done,
            words: "rated poor".into(),
            handoff: Some(handoff.into()),
            effects: Vec::new(),
            edit: None,
            deed: Deed::Rate { handoff: handoff.into(), rating: Rating::Poor, reason: Some("no steps".into()) },
        };
        Heard { commands: vec![command], ..Heard::default() }
    }

    fn figures(ledger: &Ledger) -> Figures {
        let policy = crate::policy::testing::policy();
        let now = at(10 * HOUR);
        House::read(ledger, &policy, now).expect("read").figures("handoffd.db", now)
    }

    #[test]
    fn transfers_by_people_count_as_well_as_ours() {
        let figures = figures(&sample());
        let volumes = &figures.volumes;
        assert_eq!((volumes.cases, volumes.transfers, volumes.paths), (4, 3, 3));
        assert_eq!((figures.bounces.windows.ever.count, figures.bounces.windows.ever.of), (1, 3));
        assert_eq!((figures.waits.picked, figures.waits.never, figures.waits.untold), (1, 0, 2));
        assert_eq!(figures.waits.wait.p50_s.map(|wait| wait.as_seconds()), Some(3_600.0));
        assert_eq!(
            volumes.teams_by_tier.iter().map(|(tier, teams)| (tier.as_str(), *teams)).collect::<Vec<_>>(),
            [("1", 1), ("2", 1), ("unknown", 1)]
        );
    }

    #[test]
    fn bounces_are_told_by_rule_and_version() {
        let figures = figures(&sample());
        assert_eq!(figures.rules.len(), 1);
        let rule = &figures.rules[0];
        assert_eq!((rule.rule.as_str(), rule.transfers, rule.bounces.ever.count), ("refund@r1", 1, 1));
        assert_eq!(rule.waits.picked, 1);
    }

    /// A case that our handoff h1 has brought to billing.
    fn handed_over() -> Ledger {
        let mut ledger = ledger();
        arrives(&mut ledger, "1", "frontline", 0, None);
        decide(&mut ledger, sending("h1", "1", "v1"), at(10));
        while let Some(effect) = claim(&mut ledger, at(20)) {
            ledger.record_outcome(&accepted(&effect, "v2", at(20))).expect("recorded");
        }
        arrives(&mut ledger, "1", "billing", 20, Some("h1"));
        ledger
    }

    #[test]
    fn our_own_way_back_is_a_bounce_of_the_rule_and_no_transfer_of_it() {
        // Undone, or rejected by the receiving team: the same handoff takes it back.
        let mut ledger = handed_over();
        arrives(&mut ledger, "1", "frontline", 20 + HOUR, Some("h1"));
        let figures = figures(&ledger);
        let rule = &figures.rules[0];
        assert_eq!((figures.rules.len(), rule.transfers, rule.bounces.ever.count), (1, 1, 1));
        assert_eq!(figures.volumes.transfers, 2, "it moved all the same");
    }

    #[test]
    fn what_is_handed_back_as_done_is_a_return_and_no_bounce() {
        let mut ledger = handed_over();
        let mut back = sending("h2", "1", "v2");
        back.proposal.kind = crate::policy::proposal::HandoffKind::Back;
        (back.proposal.from, back.proposal.to) = (Some("billing".into()), "frontline".into());
        decide(&mut ledger, back, at(30));
        while let Some(effect) = claim(&mut ledger, at(40)) {
            ledger.record_outcome(&accepted(&effect, "v3", at(40))).expect("recorded");
        }
        arrives(&mut ledger, "1", "frontline", 40, Some("h2"));
        let figures = figures(&ledger);
        let rule = &figures.rules[0];
        assert_eq!((rule.transfers, rule.bounces.ever.count, rule.returns.ever.count), (1, 0, 1));
        assert_eq!((figures.bounces.windows.ever.count, figures.volumes.transfers), (0, 2));
        let handoffs = figures.handoffs.expect("handoffs");
        assert_eq!(
            handoffs.by_rule.iter().map(|rule| rule.handoffs).sum::<u64>(),
            1,
            "the way back is no handoff of it"
        );
    }

    #[test]
    fn ratings_and_the_reasons_of_rejections_are_told() {
        let mut ledger = sample();
        let update = CaseUpdate { heard: rated("h1"), ..nothing_found("1", at(5 * HOUR)) };
        ledger.record_case(&update).expect("recorded");
        let handoffs = figures(&ledger).handoffs.expect("handoffs");
        let rule = &handoffs.by_rule[0];
        assert_eq!((rule.rated_good.count, rule.rated_good.of, rule.rejected), (0, 1, 1));
        assert_eq!((rule.rejections.len(), rule.rejections[0].case.as_str()), (1, "acme/4"));
        assert!(!rule.rejections[0].reason.contains("rejected by"), "{:?}", rule.rejections);
    }

    #[test]
    fn a_case_lasts_until_it_was_seen_to_be_over() {
        let resolution = figures(&sample()).resolution;
        assert_eq!((resolution.resolved[0].n, resolution.open), (1, Some(3)));
        assert_eq!(resolution.resolved[0].median_s, Some((20 + 3 * HOUR) as f64));
        let mut reopened = sample();
        let seen = nothing_found("1", at(4 * HOUR));
        reopened.record_case(&seen).expect("recorded");
        assert_eq!(figures(&reopened).resolution.open, Some(4));
    }

    #[test]
    fn gaps_of_packages_and_answers_of_reviews_are_counted() {
        let handoffs = figures(&sample()).handoffs.expect("handoffs");
        let rule = &handoffs.by_rule[0];
        assert_eq!((rule.rule.as_str(), rule.handoffs), ("refund@r1", 3));
        assert_eq!((rule.reviews.asked, rule.reviews.approved, rule.reviews.rejected), (2, 1, 1));
        assert_eq!((rule.reviews.overridden.count, rule.reviews.overridden.of), (1, 2));
        assert_eq!((rule.incomplete.count, rule.incomplete.of), (1, 1));
        assert_eq!((rule.claim.n, rule.claim.p50_s.map(|wait| wait.as_seconds())), (1, Some(3_600.0)));
        let gap = &handoffs.gaps[0];
        assert_eq!((gap.from.as_str(), gap.to.as_str(), gap.part.as_str()), ("frontline", "billing", "steps"));
        assert_eq!((gap.missing.count, gap.missing.of), (1, 1));
    }

    #[test]
    fn an_empty_ledger_has_empty_figures() {
        let figures = figures(&ledger());
        assert_eq!((figures.volumes.cases, figures.paths.len(), figures.rules.len()), (0, 0, 0));
        assert!(figures.handoffs.is_some_and(|handoffs| handoffs.by_rule.is_empty()));
    }

    #[test]
    fn nothing_of_a_ticket_reaches_the_figures() {
        let mut ledger = ledger();
        let mut handoff = sending("h1", "1", "v1");
        handoff.proposal.reason = "the customer's card number".into();
        decide(&mut ledger, handoff, at(10));
        let told = serde_json::to_string(&figures(&ledger)).expect("json");
        assert!(!told.contains("card"), "{told}");
    }
}
