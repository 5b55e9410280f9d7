//! What stands now, asked from the ledger and the desks in one go: what health judges and metrics print.

use super::Sources;
use crate::desks::{Silence, Station};
use crate::ledger::policies::Choice;
use crate::ledger::records::{AlertCounts, Busy, DeskTrouble, RosterTrouble, SignedWording, SwitchOn};
use crate::ledger::states::HandoffState;
use crate::ledger::{Counts, DeskWaits, Ledger, LedgerError};
use crate::policy::case::Recent;
use crate::policy::clocks::ClockName;
use crate::policy::lull::{Heard, lull};
use crate::policy::names::{AlertName, MessageName, RuleName, TeamName};
use crate::policy::rules::{Limits, Mode};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::gate;
use handoffd_kit::id::{DeskId, StreamName};
use handoffd_kit::secret::{DeskSecrets, SecretTrouble};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// What stands now.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Nothing is written.
    pub(super) shadow: bool,
    /// How much there is of everything in the ledger.
    pub(super) counts: Counts,
    /// Desks that refuse login or rights.
    pub(super) troubles: Vec<DeskTrouble>,
    /// Desks that do not answer, since when, and why.
    pub(super) silent: Vec<(DeskId, Silence)>,
    /// What each desk's gate has done and how it stands.
    pub(super) gates: Vec<(DeskId, gate::Figures)>,
    /// How often each rule's conditions could not be told.
    pub(super) unknowns: BTreeMap<RuleName, u64>,
    /// How often a desk's clock and our target of the same name did not agree.
    pub(super) differences: BTreeMap<(DeskId, ClockName), u64>,
    /// How the polls stand.
    pub(super) polls: Vec<PollFigure>,
    /// When something new last came of each desk.
    pub(super) news: BTreeMap<DeskId, Timestamp>,
    /// Desks of which nothing new has come for too long, since when, and how long that may be, in words.
    pub(super) no_news: Vec<(DeskId, Timestamp, String)>,
    /// Rules, and desks, whose limit for this hour is used up.
    pub(super) over_limit: Vec<OverLimit>,
    /// Teams whose people cannot be read.
    pub(super) rosters: Vec<(DeskId, TeamName, RosterTrouble)>,
    /// The policy that runs.
    pub(super) policy: String,
    /// The policy that a person put in the place of the file's.
    pub(super) chosen: Option<Choice>,
    /// Queues of the policy that their desk does not show any more, as of its latest check.
    pub(super) queues_gone: Vec<(DeskId, QueueSpec, Timestamp)>,
    /// Rules that say live and wait for the second reviewer's signature.
    pub(super) unsigned: Vec<RuleName>,
    /// Messages of live rules that were signed once, and are not in their present wording.
    pub(super) unsigned_messages: Vec<MessageName>,
    /// Live rules that ask a person, and nobody hears of it.
    pub(super) unheard: Vec<RuleName>,
    /// When the policy should have been looked at again, if that is over.
    pub(super) overdue: Option<Date>,
    /// Secrets that could not be read again, by desk and key.
    pub(super) secrets: Vec<(DeskId, &'static str, SecretTrouble)>,
    /// What waits for desks that are not configured.
    pub(super) absent: Vec<DeskWaits>,
    /// Kill switches that are on.
    pub(super) switches: Vec<SwitchOn>,
    /// How the alerts of each channel stand.
    pub(super) alerts: BTreeMap<AlertName, AlertFigure>,
    /// Secrets of channels that could not be read again, by channel and key.
    pub(super) alert_secrets: Vec<(AlertName, &'static str, SecretTrouble)>,
}

/// How the alerts of one channel stand.
#[derive(Clone, Debug, Default)]
pub(super) struct AlertFigure {
    /// In the ledger.
    pub(super) counts: AlertCounts,
    /// Since when the channel does not answer.
    pub(super) silent: Option<Timestamp>,
}

/// How one desk's polls stand.
#[derive(Clone, Debug)]
pub(super) struct PollFigure {
    /// Which desk.
    pub(super) desk: DeskId,
    /// Its stream that has not been read for the longest time.
    pub(super) stream: StreamName,
    /// How often it should be read.
    pub(super) every: SignedDuration,
    /// When that one was last read, or the start of this process, whichever is later.
    pub(super) last: Timestamp,
}

/// A limit that is used up: further handoffs wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OverLimit {
    /// A rule's; none: the desk's own.
    pub(super) rule: Option<RuleName>,
    /// On which desk.
    pub(super) desk: DeskId,
    /// How many handoffs in the last hour.
    pub(super) count: u32,
    /// How many are allowed.
    pub(super) limit: u32,
}

impl Figures {
    /// Asks.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn collect(sources: &Sources) -> Result<Self, LedgerError> {
        let now = sources.clock.now();
        let desks: Vec<DeskId> = sources.policy.desks.keys().cloned().collect();
        let busy = Busy { only: Some(sources.desks.names()), ..Busy::default() };
        let mut configured = sources.desks.names();
        configured.extend(desks.iter().cloned());
        let ask = move |ledger: &mut Ledger| {
            let recent = desks.iter().map(|desk| Ok((desk.clone(), ledger.recent(desk, now)?)));
            let recent: Vec<(DeskId, Recent)> = recent.collect::<Result<_, LedgerError>>()?;
            let about_policy = (ledger.signed_rules()?, ledger.signatures()?, ledger.chosen_policy()?);
            let shown = (ledger.roster_troubles()?, ledger.all_queues_gone()?, ledger.waits_for_others(&configured)?);
            let counts = (ledger.counts_among(&busy, now)?, ledger.alert_counts()?, ledger.news()?);
            Ok((counts, ledger.troubles()?, ledger.switches()?, shown, recent, about_policy))
        };
        let (
            (counts, alerts, mut news),
            mut troubles,
            switches,
            (rosters, mut queues_gone, absent),
            recent,
            (signed, wordings, chosen),
        ) = sources.ledger.call(ask).await?;
        queues_gone.retain(|(desk, queue, _)| sources.policy.queues(desk).contains(queue));
        troubles.retain(|trouble| sources.desks.get(&trouble.desk).is_some());
        let silent = sources.desks.silent().map(|(desk, silence)| (desk.clone(), silence));
        let polls = sources.polls.iter().filter_map(|(desk, every)| {
            let (last, stream) = sources.desks.get(desk)?.longest_unread(desk, &counts.polled, sources.since)?;
            Some(PollFigure { desk: desk.clone(), stream: stream.clone(), every: *every, last })
        });
        news.retain(|desk, _| sources.desks.get(desk).is_some());
        let gates = sources.desks.iter().filter_map(|(desk, station)| Some((desk.clone(), station.desk.figures()?)));
        Ok(Self {
            gates: gates.collect(),
            unknowns: sources.unknowns.counts(),
            differences: sources.differences.counts(),
            shadow: sources.policy.mode == Mode::Shadow,
            policy: sources.policy.version.clone(),
            chosen,
            unsigned: sources.policy.unsigned(&signed).map(|rule| rule.name.clone()).collect(),
            unsigned_messages: unsigned_messages(sources, &wordings),
            unheard: sources.policy.unheard().cloned().collect(),
            overdue: sources.policy.header.overdue(now),
            silent: silent.collect(),
            no_news: no_news(sources, &news, now),
            news,
            polls: polls.collect(),
            over_limit: recent
                .iter()
                .flat_map(|(desk, recent)| over_limit(desk, recent, sources.policy.limits))
                .collect(),
            counts,
            troubles,
            switches,
            rosters,
            queues_gone,
            absent,
            secrets: secret_troubles(sources),
            alerts: alert_figures(sources, alerts),
            alert_secrets: sources.alerts.secret_troubles(),
        })
    }

    /// Cases that wait for a place under this limit.
    pub(super) fn waiting_for_place(&self, over: &OverLimit) -> u32 {
        let under = |(desk, rule): &(DeskId, RuleName)| {
            *desk == over.desk && over.rule.as_ref().is_none_or(|limited| limited == rule)
        };
        self.counts.place_waits.iter().filter(|(of, _)| under(of)).map(|(_, count)| count).sum()
    }

    /// Open reviews.
    pub(super) fn reviews_open(&self) -> u32 {
        let handoffs = self.counts.handoffs.iter();
        handoffs.filter(|((state, _), _)| state == HandoffState::InReview.name()).map(|(_, count)| count).sum()
    }
}

fn no_news(sources: &Sources, news: &BTreeMap<DeskId, Timestamp>, now: Timestamp) -> Vec<(DeskId, Timestamp, String)> {
    let of = |(desk, last): (&DeskId, &Timestamp)| {
        let within = sources.policy.desks.get(desk)?.news_within.as_ref()?;
        let heard = Heard { started: sources.since, read: None, every: SignedDuration::ZERO, news: Some(*last) };
        let (_, since) = lull(heard, Some(within), now)?;
        Some((desk.clone(), since, within.shown()))
    };
    news.iter().filter_map(of).collect()
}

fn alert_figures(sources: &Sources, counts: BTreeMap<AlertName, AlertCounts>) -> BTreeMap<AlertName, AlertFigure> {
    let figure = |counts| AlertFigure { counts, silent: None };
    let mut figures: BTreeMap<AlertName, AlertFigure> =
        counts.into_iter().map(|(name, counts)| (name, figure(counts))).collect();
    for (name, outlet) in sources.alerts.iter() {
        figures.entry(name.clone()).or_default().silent = outlet.silent_since();
    }
    figures
}

/// Messages of live rules that were signed once, and are not in their present wording. One that nobody has signed yet is not
/// missed by anybody.
fn unsigned_messages(sources: &Sources, signed: &[SignedWording]) -> Vec<MessageName> {
    let is_signed = |name: &str, wording: &str| signed.iter().any(|signed| signed.covers(name, wording));
    let mut unsigned = sources.policy.unsigned_messages(&is_signed);
    unsigned.retain(|name| signed.iter().any(|signed| signed.message == name.as_str()));
    unsigned
}

fn secret_troubles(sources: &Sources) -> Vec<(DeskId, &'static str, SecretTrouble)> {
    let of_desk = |(id, station): (&DeskId, &Station)| {
        let DeskSecrets { login, webhook } = station.desk.secrets();
        let id = id.clone();
        let all = login.into_iter().chain(webhook);
        all.filter_map(move |(key, secret)| Some((id.clone(), key, secret.trouble()?)))
    };
    sources.desks.iter().flat_map(of_desk).collect()
}

fn over_limit(desk: &DeskId, recent: &Recent, limits: Limits) -> Vec<OverLimit> {
    let over = |rule, count, limit| OverLimit { rule, desk: desk.clone(), count, limit };
    let rules = recent.by_rule.iter().map(|(rule, count)| over(Some(rule.clone()), *count, limits.per_rule_per_hour));
    let whole = over(None, recent.on_desk, limits.per_desk_per_hour);
    rules.chain([whole]).filter(|over| over.count >= over.limit).collect()
}
