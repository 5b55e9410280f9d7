//! Who is told outside the helpdesk that a case needs them: of what, through which channels, in which hours. Pure.

use super::digest::DigestPlan;
use super::due::TeamHours;
use super::known::{FactName, FactType, HouseFact, Known, KnownFacts};
use super::matching::AnyRule;
use super::message::facts_in;
use super::names::{AlertName, RuleName};
use super::offer::{of_each, offers};
use super::proposal::{HandoffKind, Proposal};
use super::reviewers::who_may_approve;
use super::risk::counting;
use super::rules::{Escalation, FieldOwner, Missing, Mode, Policy, ReviewDecision, Then};
use super::teams::Team;
use super::verdict::Risk;
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// A case lies with the team now and needs an owner.
    Handoff,
    /// A handoff waits for a person's yes or no.
    Review,
    /// Nobody of the team has taken a case on in time.
    Unclaimed,
    /// Something that handoffd began waits for a person.
    Parked,
    /// The owner of a case of the team is gone.
    LostOwner,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Handoff, Self::Review, Self::Unclaimed, Self::Parked, Self::LostOwner];

    /// Its word: in the configuration, in keys, in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handoff => "handoff",
            Self::Review => "review",
            Self::Unclaimed => "unclaimed",
            Self::Parked => "parked",
            Self::LostOwner => "lost-owner",
        }
    }

    /// The same for people: "who is told of …".
    pub fn shown(self) -> &'static str {
        match self {
            Self::Handoff => "handoffs",
            Self::Review => "reviews that wait",
            Self::Unclaimed => "cases that nobody takes on",
            Self::Parked => "what is parked",
            Self::LostOwner => "owners who are gone",
        }
    }
}

/// What stands behind a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelKind {
    /// Slack.
    Slack,
    /// Microsoft Teams.
    Teams,
    /// Mattermost.
    Mattermost,
    /// PagerDuty.
    PagerDuty,
    /// Mail.
    Email,
    /// Anybody's HTTP endpoint.
    Webhook,
}

impl ChannelKind {
    /// A name by which its chat calls a person; none: it calls nobody.
    pub fn calls_like(self) -> Option<&'static str> {
        match self {
            Self::Slack => Some("U012AB3CD"),
            Self::Mattermost => Some("billing-lead"),
            Self::Teams => Some("Jo Lee"),
            Self::PagerDuty | Self::Email | Self::Webhook => None,
        }
    }

    /// Whether its chat can call a person so: nothing in such a name is markup there, and none is a room's or everybody's.
    pub fn calls(self, name: &str) -> bool {
        let short = (1..=64).contains(&name.len());
        short
            && match self {
                Self::Slack => {
                    let id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
                    name.starts_with(['U', 'W']) && name.len() > 6 && name.chars().all(id)
                }
                Self::Mattermost => {
                    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
                    let everybody = ["all", "channel", "here"].contains(&name);
                    !everybody && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(letter)
                }
                Self::Teams => !name.trim().is_empty() && !name.chars().any(char::is_control),
                Self::PagerDuty | Self::Email | Self::Webhook => false,
            }
    }

    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Slack, Self::Teams, Self::Mattermost, Self::PagerDuty, Self::Email, Self::Webhook];

    /// Its word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Mattermost => "mattermost",
            Self::PagerDuty => "pagerduty",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// Whether it keeps an incident open that is closed when somebody has acted.
    pub fn closes(self) -> bool {
        self == Self::PagerDuty
    }
}

/// What becomes of an alert outside of its channel's hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// It waits until they open.
    #[default]
    Wait,
    /// It is not told.
    Drop,
}

impl Outside {
    /// Its word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Drop => "drop",
        }
    }
}

/// One channel as far as it decides anything.
#[derive(Clone, Debug)]
pub struct AlertChannel {
    /// What stands behind it.
    pub kind: ChannelKind,
    /// What it is told of.
    pub tells: Vec<Occasion>,
    /// When it is told; none: always.
    pub hours: Option<Arc<TeamHours>>,
    /// What becomes of an alert outside of these hours.
    pub outside: Outside,
}

/// Whether a channel is told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// It is.
    Open,
    /// Alerts wait until then.
    OpensAt(Timestamp),
    /// Alerts are dropped.
    Shut,
}

impl AlertChannel {
    /// Whether it is told at this instant. Hours that never open again hold nothing back: an alert prefers to be told.
    pub fn window(&self, now: Timestamp) -> Window {
        let Some(hours) = self.hours.as_ref().filter(|hours| !hours.calendar.is_open(now)) else { return Window::Open };
        match self.outside {
            Outside::Drop => Window::Shut,
            Outside::Wait => hours.calendar.next_opening(now).map_or(Window::Open, Window::OpensAt),
        }
    }
}

/// All channels, and who is told what no team can put right.
#[derive(Clone, Debug, Default)]
pub struct AlertPolicy {
    /// The channels by name.
    pub channels: BTreeMap<AlertName, AlertChannel>,
    /// Who is told of what is parked; nobody: those of the receiving team.
    pub operators: Vec<AlertName>,
    /// When the lead's week is sent, and through which channels; none: it is not.
    pub digest: Option<DigestPlan>,
    /// Where people open the dashboard, without a slash at its end; none: only on the daemon's own machine, or not at all.
    pub dashboard: Option<String>,
}

/// Who is told of one handoff, worked out when it is decided: handoffs under way keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPlan {
    /// Through which channels, by occasion.
    pub told: BTreeMap<Occasion, Vec<AlertName>>,
    /// Those among them whose incidents are closed once somebody has acted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closes: Vec<AlertName>,
    /// Where the ticket is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Why, where that says nothing of what a customer or an agent wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where people open the dashboard, and with it the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
    /// By what names a channel's chat calls those who may say yes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reviewers: BTreeMap<AlertName, Vec<String>>,
}

impl AlertPlan {
    /// Whether nobody is told anything.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

impl AlertPolicy {
    /// Who is told of a handoff to this team. What its rule says replaces what the team says; of where a case starts, only
    /// those are told whom the route names. `reason` only where it may leave the helpdesk.
    pub fn plan(
        &self,
        (to, kind): (&Team, HandoffKind),
        of_rule: Option<&[AlertName]>,
        head: &TicketHead,
        reason: Option<String>,
    ) -> AlertPlan {
        let of_team: &[AlertName] = if kind == HandoffKind::Route { &[] } else { &to.alert };
        let team = of_rule.unwrap_or(of_team);
        let parked = if self.operators.is_empty() { team } else { &self.operators };
        let told: BTreeMap<Occasion, Vec<AlertName>> = Occasion::ALL
            .into_iter()
            .map(|occasion| {
                let names = if occasion == Occasion::Parked { parked } else { team };
                let tells = |name: &&AlertName| {
                    self.channels.get(*name).is_some_and(|channel| channel.tells.contains(&occasion))
                };
                (occasion, names.iter().filter(tells).cloned().collect::<Vec<_>>())
            })
            .filter(|(_, names)| !names.is_empty())
            .collect();
        if told.is_empty() {
            return AlertPlan::default();
        }
        let closes = |name: &&AlertName| self.channels.get(*name).is_some_and(|channel| channel.kind.closes());
        let mut closes: Vec<AlertName> = told.values().flatten().filter(closes).cloned().collect();
        closes.sort();
        closes.dedup();
        AlertPlan {
            told,
            closes,
            link: head.link.clone(),
            reason,
            dashboard: self.dashboard.clone(),
            reviewers: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Who is told of a handoff that waits because of these risks. Where rules want different teams, those of each of them are
    /// told of the review, and each channel once.
    pub fn review_alerts(&self, proposal: &Proposal, risks: &[Risk], head: &TicketHead) -> AlertPlan {
        let mut alert = proposal.alert.clone();
        for offer in offers(proposal, risks).into_iter().skip(1) {
            let Some(team) = self.teams.get(offer.to) else { continue };
            let of_rule = self.escalation(offer.rule).and_then(|rule| rule.rule.alert.as_deref());
            let theirs = self.alerts.plan((team, proposal.kind), of_rule, head, None);
            for channel in theirs.told.get(&Occasion::Review).into_iter().flatten() {
                let told = alert.told.entry(Occasion::Review).or_default();
                if !told.contains(channel) {
                    told.push(channel.clone());
                }
                if theirs.closes.contains(channel) && !alert.closes.contains(channel) {
                    alert.closes.push(channel.clone());
                }
            }
            alert.link = alert.link.or(theirs.link);
            alert.dashboard = alert.dashboard.or(theirs.dashboard);
        }
        alert.reviewers = self.reviewers_in_chats(proposal, risks, &alert);
        alert
    }

    /// By what names the chats of the channels that are told of a review call those who may say yes to it.
    fn reviewers_in_chats(
        &self,
        proposal: &Proposal,
        risks: &[Risk],
        alert: &AlertPlan,
    ) -> BTreeMap<AlertName, Vec<String>> {
        let people = of_each(proposal, risks, |about| who_may_approve(self, about));
        let told = alert.told.get(&Occasion::Review).into_iter().flatten();
        let called = |channel: &AlertName| {
            let entries = people.iter().filter_map(|name| self.people.get(*name));
            let names: Vec<String> = entries.filter_map(|entry| entry.chat.get(channel).cloned()).collect();
            (channel.clone(), names)
        };
        told.map(called).filter(|(_, names)| !names.is_empty()).collect()
    }

    /// Live escalations that ask a person by their own word, and nobody hears of it: no channel is told, nobody is reminded.
    pub fn unheard(&self) -> impl Iterator<Item = &RuleName> {
        let unheard = |escalation: &&Escalation| {
            let words = counting(AnyRule::Escalation(escalation), self).next().is_some();
            escalation.rule.mode == Mode::Live && (asks(escalation) || words) && !self.is_heard(escalation)
        };
        self.escalations.iter().filter(unheard).map(|escalation| &escalation.rule.name)
    }

    /// Whether anybody outside the dashboard hears that a handoff of this rule waits for a yes or no.
    fn is_heard(&self, escalation: &Escalation) -> bool {
        let terms = escalation.reviews.as_ref().or(self.reviews.as_ref());
        let of_team = self.teams.get(&escalation.to).map(|team| &team.alert);
        let mut told = escalation.rule.alert.as_ref().or(of_team).into_iter().flatten();
        let tells = |name: &AlertName| {
            self.alerts.channels.get(name).is_some_and(|channel| channel.tells.contains(&Occasion::Review))
        };
        terms.is_some_and(|terms| terms.remind_every.is_some()) || told.any(tells)
    }
}

/// Whether a rule asks a person by its own word.
fn asks(escalation: &Escalation) -> bool {
    let incomplete = match escalation.package.missing {
        Missing::Review | Missing::Ask { then: Then::Review, .. } => !escalation.package.require.is_empty(),
        Missing::Send | Missing::Ask { then: Then::Send, .. } => false,
    };
    !matches!(escalation.review, ReviewDecision::Never) || incomplete
}

/// Whether a reason of this wording may leave the helpdesk: it says nothing that a customer or an agent wrote, and nothing
/// about the customer.
pub fn may_leave(reason: &str, known: &KnownFacts) -> bool {
    facts_in(reason, known).iter().all(|fact| is_plain(fact, known))
}

fn is_plain(fact: &FactName, known: &KnownFacts) -> bool {
    use HouseFact::*;
    match fact {
        FactName::Clock(_) => true,
        FactName::Field(FieldOwner::Ticket, _) => {
            let kind = known.look_up(&fact.to_string());
            matches!(kind, Known::Fact(_, FactType::Number | FactType::YesNo | FactType::Whole))
        }
        FactName::Field(FieldOwner::Customer | FieldOwner::Organization, _) => false,
        FactName::House(fact) => !matches!(
            fact,
            TicketSubject
                | TicketText
                | TicketType
                | TicketLanguage
                | TicketTags
                | TicketAttachments
                | CustomerEmail
                | CustomerDomain
                | CustomerOrganization
                | CustomerLanguage
                | CustomerZone
                | PlaybookId
                | CommandReason
                | CommandBy
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::review_terms::{ReviewTerms, Unanswered};
    use crate::policy::rules::PackagePart;
    use crate::policy::testing;
    use jiff::SignedDuration;

    fn channel(kind: ChannelKind, tells: &[Occasion]) -> AlertChannel {
        AlertChannel { kind, tells: tells.to_vec(), hours: None, outside: Outside::Wait }
    }

    fn alerts() -> AlertPolicy {
        let channels = [
            ("room", channel(ChannelKind::Slack, &Occasion::ALL)),
            ("pager", channel(ChannelKind::PagerDuty, &[Occasion::Unclaimed, Occasion::Parked])),
        ];
        AlertPolicy { channels: channels.map(|(name, it)| (name.into(), it)).into(), ..AlertPolicy::default() }
    }

    fn billing() -> Team {
        Team {
            alert: vec!["room".into(), "pager".into()],
            ..testing::policy().teams.remove(&"billing".into()).unwrap()
        }
    }

    fn plan(alerts: &AlertPolicy, kind: HandoffKind, of_rule: Option<&[AlertName]>) -> AlertPlan {
        alerts.plan((&billing(), kind), of_rule, &testing::case().head, None)
    }

    #[test]
    fn a_team_is_told_of_what_its_channels_tell() {
        let plan = plan(&alerts(), HandoffKind::Escalate, None);
        assert_eq!(plan.told[&Occasion::Handoff], ["room".into()]);
        assert_eq!(plan.told[&Occasion::Unclaimed], ["room".into(), "pager".into()]);
        assert_eq!(plan.closes, ["pager".into()], "Slack has nothing that is closed");
    }

    #[test]
    fn a_path_names_its_own_channels_or_nobody_and_a_start_tells_only_whom_it_names() {
        let room = ["room".into()];
        assert_eq!(plan(&alerts(), HandoffKind::Escalate, Some(&room)).told[&Occasion::Unclaimed], room);
        assert!(plan(&alerts(), HandoffKind::Escalate, Some(&[])).is_empty());
        assert!(plan(&alerts(), HandoffKind::Route, None).is_empty());
        assert!(!plan(&alerts(), HandoffKind::Route, Some(&room)).is_empty());
    }

    #[test]
    fn where_rules_want_different_teams_those_of_each_are_told_of_the_review_and_each_channel_once() {
        let mut policy = testing::policy();
        policy.alerts = alerts();
        let desk = channel(ChannelKind::Slack, &[Occasion::Review, Occasion::Handoff]);
        policy.alerts.channels.insert("bugs".into(), desk);
        policy.teams.get_mut(&"engineering".into()).unwrap().alert = vec!["room".into(), "bugs".into()];
        policy.escalations.push(testing::escalation("bug", "true", "engineering"));
        let mut proposal = crate::ledger::samples::proposal("1", "refund", "e1", "f");
        proposal.alert = plan(&policy.alerts, HandoffKind::Escalate, None);
        let told = |policy: &Policy, proposal: &Proposal, risks: &[Risk]| {
            policy.review_alerts(proposal, risks, &testing::case().head).told
        };
        let wants = |rule: &str, to: &str| (RuleName::from(rule), to.into());
        let both = [Risk::Disagreement(vec![wants("refund", proposal.to.as_str()), wants("bug", "engineering")])];
        let all = told(&policy, &proposal, &both);
        assert_eq!(all[&Occasion::Review], ["room".into(), "bugs".into()]);
        assert_eq!(all[&Occasion::Handoff], ["room".into()], "whether it comes to them is not said yet");
        assert_eq!(told(&policy, &proposal, &[Risk::Always]), proposal.alert.told);
        // What a rule says of its own alerts holds here too.
        policy.escalations.last_mut().unwrap().rule.alert = Some(vec![]);
        assert_eq!(told(&policy, &proposal, &both), proposal.alert.told);
        policy.escalations.last_mut().unwrap().rule.alert = None;
        let nobody = Proposal { alert: AlertPlan::default(), ..proposal };
        assert_eq!(told(&policy, &nobody, &both)[&Occasion::Review], ["room".into(), "bugs".into()]);
    }

    #[test]
    fn what_is_parked_is_told_to_the_operators_where_there_are_any() {
        let alerts = AlertPolicy { operators: vec!["pager".into()], ..alerts() };
        let plan = plan(&alerts, HandoffKind::Escalate, Some(&["room".into()]));
        assert_eq!(plan.told[&Occasion::Parked], ["pager".into()]);
        assert_eq!(plan.told[&Occasion::Handoff], ["room".into()]);
    }

    #[test]
    fn outside_of_its_hours_a_channel_waits_or_is_not_told() {
        let mut channel = channel(ChannelKind::Slack, &Occasion::ALL);
        channel.hours = Some(testing::office_hours());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(channel.window(at("2026-11-27T13:30:00Z")), Window::Open);
        let night = at("2026-11-27T15:00:00Z");
        assert_eq!(channel.window(night), Window::OpensAt(at("2026-11-30T08:00:00Z")), "Friday to Monday");
        channel.outside = Outside::Drop;
        assert_eq!(channel.window(night), Window::Shut);
    }

    #[test]
    fn a_rule_that_asks_a_person_is_heard_through_a_channel_or_a_reminder() {
        let policy = |change: &dyn Fn(&mut Policy)| {
            let mut policy = testing::policy();
            policy.alerts = alerts();
            policy.escalations = vec![testing::escalation("refund", "has_tag('x')", "billing")];
            policy.escalations[0].review = ReviewDecision::Always;
            policy.escalations[0].rule.mode = Mode::Live;
            change(&mut policy);
            policy.unheard().count()
        };
        let remind_every = Some(SignedDuration::from_hours(1).into());
        let answer_within = SignedDuration::from_hours(8).into();
        let terms = ReviewTerms { answer_within, remind_every, unanswered: Unanswered::Wait };
        assert_eq!(policy(&|_| ()), 1, "nobody is told, nobody is reminded");
        assert_eq!(policy(&|it| it.escalations[0].rule.mode = Mode::Shadow), 0, "it asks nobody");
        assert_eq!(policy(&|it| it.escalations[0].review = ReviewDecision::Never), 0, "it asks nobody");
        assert_eq!(policy(&|it| it.escalations[0].rule.alert = Some(vec!["room".into()])), 0, "the room hears");
        assert_eq!(policy(&|it| it.escalations[0].rule.alert = Some(vec!["pager".into()])), 1, "not told of reviews");
        assert_eq!(policy(&|it| it.teams.get_mut(&"billing".into()).unwrap().alert = vec!["room".into()]), 0);
        assert_eq!(policy(&|it| it.reviews = Some(terms)), 0, "people are reminded");
        assert_eq!(policy(&|it| it.reviews = Some(ReviewTerms { remind_every: None, ..terms })), 1);
        let incomplete = |it: &mut Policy| {
            it.escalations[0].review = ReviewDecision::Never;
            it.escalations[0].package.missing = Missing::Review;
            it.escalations[0].package.require = vec![PackagePart::Summary];
        };
        assert_eq!(policy(&incomplete), 1, "a missing part asks a person too");
    }

    #[test]
    fn a_reason_that_repeats_what_somebody_wrote_stays_in_the_helpdesk() {
        let known = testing::known();
        let fine =
            ["A refund of {{ ticket.fields.refund_eur }} EUR", "{{ steps.failed }} of {{ steps.total }}", "plain"];
        assert!(fine.iter().all(|reason| may_leave(reason, &known)));
        for reason in [
            "{{ ticket.subject }}",
            "{{ customer.email }}",
            "{{ command.by }} asks",
            "steps: {{ ticket.fields.steps }}",
            "{{ organization.fields.plan }}",
        ] {
            assert!(!may_leave(reason, &known), "{reason}");
        }
    }
}
