//! One decision to hand over, kept small: what many fires share is kept once, and names are numbers until they are shown.

use crate::insight::log::{EventLog, Instant, Length};
use crate::policy::alert::Occasion;
use crate::policy::names::{AlertName, MessageName, RuleName, TeamName};
use jiff::Timestamp;
use serde::ser::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};

/// One decision to hand over, as it would have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fire {
    /// The case: a number of the log's.
    pub case: u32,
    /// What would have been done: an index into the answers of its [`Fires`].
    pub answer: u32,
    /// The giving team, a number of the log's; none for a route.
    pub from: Option<u32>,
    /// The exact instant.
    pub at: Instant,
    /// How old the case was.
    pub age: Length,
    /// How long the receiving team has by its own target, in time as it passes.
    pub internal: Option<Length>,
    /// Whether it fired at an event, or between two at an instant that the policy waited for.
    pub by: By,
    /// What people did with the case afterwards.
    pub then: Then,
    /// Whether they gave it to the same team.
    pub same_team: SameTeam,
}

/// What made the policy look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An event of the log.
    Event,
    /// The time that a rule waits for.
    Time,
}

/// Who would have been asked first, for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Nobody.
    Nobody,
    /// A person, for a yes.
    Review,
}

/// Who would have been asked first if what the log does not hold is so: whether a part of the package is missing, or what the
/// condition of a review looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Perhaps {
    /// A person, for a yes.
    Review,
    /// The agent, for missing parts.
    Parts,
}

/// What people did afterwards. An escalation: whether a later event shows the case outside the giving team's tier. A route:
/// whether one shows it with the team that the route names.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// They handed it over too, so many seconds later.
    Confirmed {
        /// How much earlier the policy was, in seconds.
        earlier_s: f64,
    },
    /// They never did.
    Never,
}

/// Whether a later event shows the case with the very team that the policy names.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameTeam {
    /// So many seconds later.
    Later {
        /// How much earlier the policy was, in seconds.
        earlier_s: f64,
    },
    /// Never.
    Never,
    /// The log has no such team: it cannot be told.
    NotInLog,
}

/// What would have been done: shared by many fires.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The rule: an index into the rules of the run.
    pub rule: u32,
    /// The receiving team of the policy.
    pub to: TeamName,
    /// Who would have been asked first.
    pub asks: Asks,
    /// Who else, perhaps.
    pub perhaps_asks: Option<Perhaps>,
    /// The message that the customer would have got, if they may be written to.
    pub message: Option<MessageName>,
    /// The channels that are told, by occasion.
    pub told: BTreeMap<Occasion, Vec<AlertName>>,
}

impl Answer {
    /// The channels that are told at that moment: of the handoff, or of the person who is asked.
    pub fn alerts(&self) -> &[AlertName] {
        let occasion = match self.asks {
            Asks::Nobody => Occasion::Handoff,
            Asks::Review => Occasion::Review,
        };
        self.told.get(&occasion).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Answers, each kept once.
#[derive(Debug, Default)]
pub(super) struct Answers {
    list: Vec<Answer>,
    numbers: HashMap<Answer, u32>,
}

impl Answers {
    pub(super) fn number(&mut self, answer: Answer) -> u32 {
        if let Some(number) = self.numbers.get(&answer) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(answer.clone());
        self.numbers.insert(answer, number);
        number
    }

    /// Takes another's in: gives the new number of each.
    pub(super) fn add(&mut self, more: Answers) -> Vec<u32> {
        more.list.into_iter().map(|answer| self.number(answer)).collect()
    }

    pub(super) fn into_list(self) -> Vec<Answer> {
        self.list
    }
}

/// What a rule answers whatever the case, in sentences: for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAnswers {
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: String,
    /// Each answer with its name: owner, clock, package, message.
    pub answers: Vec<(&'static str, String)>,
}

/// Every fire, by case and instant.
#[derive(Clone, Debug)]
pub struct Fires<'l> {
    pub(super) list: Vec<Fire>,
    pub(super) answers: Vec<Answer>,
    pub(super) rules: Vec<RuleAnswers>,
    pub(super) log: &'l EventLog,
}

impl Fires<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, with their names.
    pub fn iter(&self) -> impl Iterator<Item = Shown<'_>> {
        self.list.iter().filter_map(|fire| self.shown(fire))
    }

    /// What would have been done.
    pub(super) fn answer(&self, fire: &Fire) -> Option<&Answer> {
        usize::try_from(fire.answer).ok().and_then(|at| self.answers.get(at))
    }

    pub(super) fn rule(&self, answer: &Answer) -> Option<&RuleAnswers> {
        usize::try_from(answer.rule).ok().and_then(|at| self.rules.get(at))
    }

    /// A fire with its names.
    pub fn shown(&self, fire: &Fire) -> Option<Shown<'_>> {
        let answer = self.answer(fire)?;
        let rule = self.rule(answer)?;
        Some(Shown {
            case: self.log.cases.name(fire.case),
            rule: &rule.rule,
            version: &rule.version,
            from: fire.from.map(|team| self.log.teams.name(team)),
            to: &answer.to,
            at: fire.at.timestamp(),
            age_s: fire.age,
            by: fire.by,
            asks: answer.asks,
            perhaps_asks: answer.perhaps_asks,
            message: answer.message.as_ref(),
            alerts: answer.alerts(),
            then: fire.then,
            same_team: fire.same_team,
        })
    }
}

impl Serialize for Fires<'_> {
    /// One after the other: a list of millions is never whole in memory as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A fire with its names, for people and scripts.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Shown<'f> {
    /// The case.
    pub case: &'f str,
    /// The rule.
    pub rule: &'f RuleName,
    /// Its version.
    pub version: &'f str,
    /// The giving team, as the log names it; none for a route.
    pub from: Option<&'f str>,
    /// The receiving team of the policy.
    pub to: &'f TeamName,
    /// The exact instant.
    pub at: Timestamp,
    /// How old the case was, in seconds.
    pub age_s: Length,
    /// Whether it fired at an event, or between two at an instant that the policy waited for.
    pub by: By,
    /// Whether a person would have been asked first.
    pub asks: Asks,
    /// Who would have been asked first if what the log does not hold is so.
    pub perhaps_asks: Option<Perhaps>,
    /// The message that the customer would have got, if they may be written to.
    pub message: Option<&'f MessageName>,
    /// The channels that would have been told at that moment.
    pub alerts: &'f [AlertName],
    /// What people did with the case afterwards.
    pub then: Then,
    /// Whether they gave it to the same team.
    pub same_team: SameTeam,
}

impl Shown<'_> {
    /// Who would have been asked first, in words.
    pub fn asked(&self) -> String {
        let certain = match self.asks {
            Asks::Nobody => None,
            Asks::Review => Some("a person"),
        };
        let perhaps = self.perhaps_asks.map(|perhaps| match perhaps {
            Perhaps::Review => "perhaps a person",
            Perhaps::Parts => "perhaps the agent, for missing parts",
        });
        let all: Vec<&str> = certain.into_iter().chain(perhaps).collect();
        if all.is_empty() { "nobody".to_owned() } else { all.join(" and ") }
    }
}
