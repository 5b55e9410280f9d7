//! The lead's week: what was handed off, what came back, what people said, what packages lacked, and what waits now; each figure
//! beside the one of the week before. No ticket's text is in it.

use super::figures::Rejection;
use super::house::House;
use super::log::Instant;
use super::stats::Share;
use super::words;
use crate::ledger::states::HandoffState;
use crate::ledger::{Counts, Ledger, Result};
use crate::plan::alert::{About, DigestPart};
use crate::policy::command::Rating;
use crate::policy::package::name_of;
use crate::policy::rules::{Mode, Policy};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So many lines of a list.
const LINES: usize = 5;

/// A week.
#[derive(Clone, Debug, Serialize)]
pub struct Digest {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The zone that its text tells them in, and the zone's name.
    #[serde(skip)]
    pub zone: (TimeZone, String),
    /// The policy's version.
    pub policy: String,
    /// The master switch.
    pub mode: Mode,
    /// The week.
    pub week: Week,
    /// The week before.
    pub before: Week,
    /// Paths by what was handed right back in the week, most first.
    pub came_back: Vec<PathBack>,
    /// Parts that the week's packages lacked, most first.
    pub lacked: Vec<(String, Share)>,
    /// Why the week's handoffs were rejected, in the words of whoever did, the latest first. They are people's words and stay out
    /// of alerts.
    pub rejections: Vec<Rejection>,
    /// What waits for a person now.
    pub waits: Vec<(String, u64)>,
    /// What should be looked at.
    pub watch: Vec<String>,
}

/// What happened in a week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Week {
    /// Cases that were opened.
    pub cases: u64,
    /// Transfers, by people and by us.
    pub transfers: u64,
    /// Of these, handed right back so far.
    pub bounced: Share,
    /// Handoffs of ours that were decided.
    pub decided: u64,
    /// Of these, carried out.
    pub sent: u64,
    /// Of those carried out: that a member of the receiving team has taken on.
    pub claimed: Share,
    /// Reviews that were answered with yes, of all answered.
    pub approved: Share,
    /// Packages that lacked a required part, of all packages.
    pub incomplete: Share,
    /// Rated good by the receiving team, of those rated.
    pub rated_good: Share,
    /// Rejected, in a review or by the receiving team.
    pub rejected: u64,
}

/// What came back on a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathBack {
    /// The giving team.
    pub from: String,
    /// The receiving team.
    pub to: String,
    /// Handed right back, of the path's transfers in the week.
    pub bounced: Share,
}

impl PathBack {
    fn shown(&self) -> String {
        format!("{} → {}: {}", self.from, self.to, words::counted(self.bounced))
    }
}

impl Digest {
    /// The week until now.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn read(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Result<Self> {
        let house = House::read(ledger, policy, now)?;
        let handoffs = Handoffs::read(ledger, now)?;
        let (from, before) = (now - WEEK, now - WEEK * 2);
        let counts = ledger.counts(now)?;
        let signed = ledger.signed_rules()?;
        let mut watch: Vec<String> = policy.header.overdue(now).map(overdue).into_iter().collect();
        watch.extend(policy.unsigned(&signed).map(|rule| format!("rule {} waits for a signature", rule.name)));
        watch.extend(ledger.switches()?.iter().map(|on| format!("a pause is on since {}, by {}", on.at, on.by)));
        let (week, came_back) = moved(&house, from, now);
        let (week_before, _) = moved(&house, before, from);
        Ok(Self {
            from,
            until: now,
            zone: policy
                .alerts
                .digest
                .as_ref()
                .map_or((TimeZone::UTC, "UTC".to_owned()), |plan| (plan.zone.clone(), plan.zone_name.clone())),
            policy: policy.version.clone(),
            mode: policy.mode,
            week: handoffs.week.on(week),
            before: handoffs.before.on(week_before),
            came_back,
            lacked: handoffs.lacked(),
            rejections: handoffs.week.rejections.iter().rev().take(LINES).cloned().collect(),
            waits: waits(&counts),
            watch,
        })
    }

    /// As an alert: its lines one by one.
    pub fn about(&self) -> About {
        let line = |part: DigestPart| move |text: String| (part, text);
        let mut lines: Vec<(DigestPart, String)> = self.figures().into_iter().map(line(DigestPart::Week)).collect();
        lines.extend(self.came_back.iter().map(PathBack::shown).map(line(DigestPart::CameBack)));
        lines.extend(
            self.lacked
                .iter()
                .map(|(part, share)| format!("{part}: {}", words::counted(*share)))
                .map(line(DigestPart::Lacked)),
        );
        lines.extend(
            self.waits
                .iter()
                .map(|(name, count)| format!("{name}: {}", words::number(*count)))
                .map(line(DigestPart::Waits)),
        );
        lines.extend(self.watch.iter().cloned().map(line(DigestPart::LookAt)));
        About::Digest { week: self.span(), lines }
    }

    fn span(&self) -> String {
        let (zone, name) = &self.zone;
        let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        format!("from {} to {} ({name})", shown(self.from), shown(self.until))
    }

    /// The week's figures, each beside the one of the week before.
    fn figures(&self) -> Vec<String> {
        let (week, before) = (&self.week, &self.before);
        let numbers = [
            ("cases opened", week.cases, before.cases),
            ("transfers", week.transfers, before.transfers),
            ("handoffs decided", week.decided, before.decided),
            ("handoffs carried out", week.sent, before.sent),
            ("handoffs rejected", week.rejected, before.rejected),
        ];
        let shares = [
            ("transfers handed right back", week.bounced, before.bounced),
            ("taken on by the receiving team", week.claimed, before.claimed),
            ("reviews answered with yes", week.approved, before.approved),
            ("packages that lacked a part", week.incomplete, before.incomplete),
            ("rated good by the receiving team", week.rated_good, before.rated_good),
        ];
        let numbers =
            numbers.map(|(name, now, then)| format!("{name}: {} ({})", words::number(now), words::number(then)));
        let shares =
            shares.map(|(name, now, then)| format!("{name}: {} ({})", words::counted(now), words::counted(then)));
        numbers.into_iter().chain(shares).collect()
    }

    /// As Markdown, which reads well as text too.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let mode = match self.mode {
            Mode::Live => "live",
            Mode::Shadow => "in shadow: nothing is written",
        };
        writeln!(text, "# Handoffs {}\n", self.span())?;
        writeln!(text, "Policy {}, {mode}. In brackets: the week before.\n", self.policy)?;
        self.figures().iter().try_for_each(|line| writeln!(text, "- {line}"))?;
        writeln!(text, "\n## What came back\n")?;
        for path in &self.came_back {
            writeln!(text, "- {}", path.shown())?;
        }
        if self.came_back.is_empty() {
            writeln!(text, "Nothing was handed right back.")?;
        }
        if !self.lacked.is_empty() {
            writeln!(text, "\n## What packages lacked\n")?;
            for (part, share) in &self.lacked {
                writeln!(text, "- {part}: {}", words::counted(*share))?;
            }
        }
        if !self.rejections.is_empty() {
            writeln!(text, "\n## Why handoffs were rejected\n")?;
            // One line each, whatever people wrote.
            let line = |reason: &str| reason.split_whitespace().collect::<Vec<_>>().join(" ");
            self.rejections.iter().try_for_each(|one| writeln!(text, "- {}: {}", one.case, line(&one.reason)))?;
        }
        writeln!(text, "\n## What waits for a person now\n")?;
        for (name, count) in &self.waits {
            writeln!(text, "- {}: {}", name, words::number(*count))?;
        }
        if self.waits.is_empty() {
            writeln!(text, "Nothing.")?;
        }
        if !self.watch.is_empty() {
            writeln!(text, "\n## What should be looked at\n")?;
            self.watch.iter().try_for_each(|line| writeln!(text, "- {line}"))?;
        }
        Ok(())
    }
}

fn overdue(day: jiff::civil::Date) -> String {
    format!("the policy should have been looked at again by {day}")
}

/// Cases and transfers of a time, and the paths that came back.
fn moved(house: &House, from: Timestamp, until: Timestamp) -> (Week, Vec<PathBack>) {
    let (from, until) = (Instant::of(from), Instant::of(until));
    let within = |at: Instant| at >= from && at < until;
    let mut week = Week::default();
    let mut paths: BTreeMap<(u32, u32), Share> = BTreeMap::new();
    for story in &house.stories {
        week.cases += u64::from(within(story.opened));
        for transfer in story.transfers().iter().filter(|transfer| within(transfer.at)) {
            let back = u64::from(transfer.bounced.is_some());
            week.transfers += 1;
            let path = paths.entry((transfer.from, transfer.to)).or_default();
            *path = Share::new(path.count + back, path.of + 1);
            week.bounced = Share::new(week.bounced.count + back, week.transfers);
        }
    }
    let back = paths.into_iter().filter(|(_, share)| share.count > 0);
    let mut came_back: Vec<PathBack> = back
        .map(|((from, to), bounced)| PathBack {
            from: house.teams.name(from).to_owned(),
            to: house.teams.name(to).to_owned(),
            bounced,
        })
        .collect();
    came_back.sort_by(|one, other| other.bounced.count.cmp(&one.bounced.count).then_with(|| one.from.cmp(&other.from)));
    came_back.truncate(LINES);
    (week, came_back)
}

/// What became of our handoffs of the two weeks.
#[derive(Default)]
struct Handoffs {
    week: Ours,
    before: Ours,
}

#[derive(Default)]
struct Ours {
    decided: u64,
    sent: u64,
    claimed: u64,
    approved: u64,
    answered: u64,
    packages: u64,
    incomplete: u64,
    lacked: BTreeMap<&'static str, u64>,
    rated: Share,
    rejected: u64,
    rejections: Vec<Rejection>,
}

impl Handoffs {
    fn read(ledger: &Ledger, now: Timestamp) -> Result<Self> {
        let mut handoffs = Self::default();
        ledger.each_handoff(|row| {
            let age = now.duration_since(row.created_at);
            let ours = match age {
                age if age <= WEEK => &mut handoffs.week,
                age if age <= WEEK * 2 => &mut handoffs.before,
                _ => return,
            };
            ours.decided += 1;
            ours.sent += u64::from(row.sent_at.is_some());
            ours.claimed += u64::from(row.sent_at.is_some() && row.claimed_at.is_some());
            ours.approved += u64::from(row.asked && row.approved);
            ours.answered += u64::from(row.asked && (row.approved || row.state == HandoffState::Rejected));
            ours.rejected += u64::from(row.state == HandoffState::Rejected);
            if let Some(rating) = row.rating {
                ours.rated.of += 1;
                ours.rated.count += u64::from(rating == Rating::Good);
            }
            if let Some(reason) = row.rejection {
                ours.rejections.push(Rejection { case: row.case, reason });
            }
            if let Some(missing) = &row.missing {
                ours.packages += 1;
                ours.incomplete += u64::from(!missing.is_empty());
                missing.iter().for_each(|part| *ours.lacked.entry(name_of(*part)).or_default() += 1);
            }
        })?;
        Ok(handoffs)
    }

    fn lacked(&self) -> Vec<(String, Share)> {
        let share = |(part, count): (&&str, &u64)| ((*part).to_owned(), Share::new(*count, self.week.packages));
        let mut lacked: Vec<(String, Share)> = self.week.lacked.iter().map(share).collect();
        lacked.sort_by_key(|(_, share)| std::cmp::Reverse(share.count));
        lacked.truncate(LINES);
        lacked
    }
}

impl Ours {
    fn on(&self, moved: Week) -> Week {
        Week {
            decided: self.decided,
            sent: self.sent,
            claimed: Share::new(self.claimed, self.sent),
            approved: Share::new(self.approved, self.answered),
            incomplete: Share::new(self.incomplete, self.packages),
            rated_good: self.rated,
            rejected: self.rejected,
            ..moved
        }
    }
}

fn waits(counts: &Counts) -> Vec<(String, u64)> {
    let state = HandoffState::InReview.name();
    let reviews = counts.handoffs.iter().filter(|((of, _), _)| of == state).map(|(_, count)| u64::from(*count)).sum();
    let sum = |all: &mut dyn Iterator<Item = u32>| all.map(u64::from).sum::<u64>();
    let parked = sum(&mut counts.parked.values().map(|(count, _)| *count))
        + sum(&mut counts.case_troubles.values().map(|(count, _)| *count));
    let all = [
        ("reviews", reviews),
        ("parked", parked),
        ("handoffs that nobody took on in time", sum(&mut counts.unclaimed.values().map(|(count, _)| *count))),
        ("cases whose owner is gone", sum(&mut counts.lost_owners.values().map(|(count, _)| *count))),
        ("overdue tasks of agents before", counts.overdue_tasks.into()),
        ("cases that a rule would hand off and may not", counts.would.into()),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::records::CaseUpdate;
    use crate::ledger::samples::{
        accepted, answer, at, claim, decide, in_review, ledger, nothing_found, sending, stay,
    };

    const DAY: i64 = 86_400;

    fn arrives(ledger: &mut Ledger, ticket: &str, team: &str, seconds: i64, by: Option<&str>) {
        let stays = vec![stay(team, &format!("c{seconds}"), at(seconds), by)];
        ledger.record_case(&CaseUpdate { stays, ..nothing_found(ticket, at(seconds)) }).expect("recorded");
    }

    fn sample() -> Ledger {
        let mut ledger = ledger();
        // The week before: one case, moved by people.
        arrives(&mut ledger, "1", "frontline", 8 * DAY, None);
        arrives(&mut ledger, "1", "billing", 9 * DAY, None);
        // This week: our handoff comes right back, a review is refused and one waits.
        arrives(&mut ledger, "2", "frontline", 15 * DAY, None);
        decide(&mut ledger, sending("h2", "2", "v1"), at(15 * DAY + 10));
        while let Some(effect) = claim(&mut ledger, at(15 * DAY + 20)) {
            ledger.record_outcome(&accepted(&effect, "v2", at(15 * DAY + 20))).expect("recorded");
        }
        arrives(&mut ledger, "2", "billing", 15 * DAY + 30, Some("h2"));
        arrives(&mut ledger, "2", "frontline", 16 * DAY, None);
        for (ticket, id) in [("3", "h3"), ("4", "h4")] {
            arrives(&mut ledger, ticket, "frontline", 17 * DAY, None);
            decide(&mut ledger, in_review(id, ticket), at(17 * DAY + 10));
        }
        ledger.reject(&answer("h3", Vec::new(), at(17 * DAY + 30))).expect("rejected");
        ledger
    }

    #[test]
    fn a_week_stands_beside_the_week_before() {
        let policy = crate::policy::testing::policy();
        let digest = Digest::read(&sample(), &policy, at(20 * DAY)).expect("read");
        assert_eq!((digest.week.cases, digest.before.cases), (3, 1));
        assert_eq!((digest.week.transfers, digest.before.transfers), (2, 1));
        assert_eq!((digest.week.bounced, digest.before.bounced), (Share::new(1, 2), Share::new(0, 1)));
        assert_eq!((digest.week.decided, digest.week.sent, digest.before.decided), (3, 1, 0));
        assert_eq!(digest.week.approved, Share::new(0, 1));
        assert_eq!(digest.came_back.len(), 1);
        assert_eq!(digest.waits, [("reviews".to_owned(), 1)]);
        let text = digest.text();
        let until = at(20 * DAY).to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string();
        assert!(text.lines().next().is_some_and(|title| title.ends_with(&format!(" to {until} (UTC)"))), "{text}");
        for words in ["- cases opened: 3 (1)", "frontline → billing: 1 of 1", "- reviews: 1"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    }

    #[test]
    fn an_empty_ledger_has_an_empty_week() {
        let policy = crate::policy::testing::policy();
        let digest = Digest::read(&ledger(), &policy, at(20 * DAY)).expect("read");
        assert_eq!((digest.week.clone(), digest.waits.len()), (digest.before.clone(), 0));
        assert!(digest.text().contains("Nothing was handed right back."));
    }
}
