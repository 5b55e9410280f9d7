//! What people are told outside the helpdesk, in which words. An alert names the ticket, where it is opened, the team, the
//! reason and the deadline, and nothing that a customer or an agent wrote. Pure.
//!
//! A channel escapes the words of a [`Card`] for its own markup and lays them out; it adds none.

use super::note::one_line;
use crate::policy::alert::{AlertPlan, Occasion};
use crate::policy::due::Due;
use crate::policy::lull::{Lull, WITHOUT_NEWS};
use crate::policy::names::{AlertName, RuleName, TeamName};
use crate::policy::offer::{in_a_note, several};
use crate::policy::proposal::{HandoffKind, Proposal};
use crate::policy::review_terms::Unanswered;
use crate::policy::verdict::Risk;
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::text::cut;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest value on a card, in bytes: what a policy or a desk says may be endless.
const VALUE_BYTES: usize = 300;

/// One message to one channel, as it is kept until it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its key: the same over all its tries, in its text, in lists and commands.
    pub key: String,
    /// What belongs together: the incident that a later one closes.
    pub thread: String,
    /// Whether it tells something, or closes what was told.
    pub act: AlertAct,
    /// What is told.
    pub about: About,
    /// The handoff.
    pub handoff: String,
    /// On which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// Where it is opened.
    pub link: Option<String>,
    /// The rule that acts.
    pub rule: RuleName,
    /// The giving team; none: the case starts.
    pub from: Option<TeamName>,
    /// The team that it is about.
    pub to: TeamName,
    /// Why, where that may leave the helpdesk.
    pub reason: Option<String>,
    /// Of a review: where it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Of a review: by what names the channel's chat calls those who may say yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
    /// Until when.
    pub until: Option<Until>,
    /// Whether its channel keeps an incident open until it is closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes: bool,
    /// When it was planned.
    pub at: Timestamp,
}

/// An instant until which something is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Until {
    /// In the team's words.
    pub shown: String,
    /// The instant.
    pub at: Timestamp,
    /// What becomes of it then, where that is a person's answer that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Unanswered>,
}

/// What an alert does to its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertAct {
    /// Tells something.
    Tell,
    /// Closes what was told: somebody has acted.
    Close,
}

impl AlertAct {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tell => "tell",
            Self::Close => "close",
        }
    }
}

/// What is told of a handoff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// It was carried out: the team has the case.
    Handoff {
        /// Which way it went.
        kind: HandoffKind,
    },
    /// It waits for a yes or no.
    Review {
        /// Why a person is asked, in words.
        because: Vec<String>,
        /// Where rules want different teams: which of them a yes may name, the first one first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        offers: Vec<TeamName>,
    },
    /// Nobody has taken the case on; so many steps were taken.
    Unclaimed {
        /// The step, from 1.
        step: u32,
    },
    /// One of its effects waits for a person.
    Parked {
        /// Which effect.
        number: u32,
        /// What it is for.
        label: String,
        /// Tries so far: parked again after a retry, it is told again.
        attempt: u32,
    },
    /// The case's owner is gone.
    LostOwner {
        /// The number of the note that says so.
        number: u32,
    },
    /// The lead's week.
    Digest {
        /// From when until when.
        week: String,
        /// Its lines: what they are about, and what they say.
        lines: Vec<(DigestPart, String)>,
    },
    /// Alerts of another channel wait for a person.
    Channel {
        /// Which channel.
        name: AlertName,
        /// How many of them.
        parked: u32,
    },
    /// Nothing has come of a desk for too long.
    Lull {
        /// Which desk.
        desk: DeskId,
        /// What does not come.
        lull: Lull,
        /// Since when.
        since: Timestamp,
    },
    /// Nothing: somebody tries the channel.
    Test,
}

/// What a line of a digest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestPart {
    /// A figure of the week, beside the week before.
    Week,
    /// A path on which cases came right back.
    CameBack,
    /// A part that packages lacked.
    Lacked,
    /// What waits for a person.
    Waits,
    /// What should be looked at.
    LookAt,
}

impl DigestPart {
    /// For people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Week => "Week",
            Self::CameBack => "Came back",
            Self::Lacked => "Lacked",
            Self::Waits => "Waits",
            Self::LookAt => "Look at",
        }
    }
}

impl About {
    /// That a handoff waits for a yes or no because of these risks.
    pub fn of_review(proposal: &Proposal, risks: &[Risk]) -> Self {
        let offers = several(proposal, risks).into_iter().map(|offer| offer.to.clone()).collect();
        Self::Review { because: risks.iter().map(because).collect(), offers }
    }

    /// What kind of thing it is; none for what is about no case.
    pub fn occasion(&self) -> Option<Occasion> {
        match self {
            Self::Handoff { .. } => Some(Occasion::Handoff),
            Self::Review { .. } => Some(Occasion::Review),
            Self::Unclaimed { .. } => Some(Occasion::Unclaimed),
            Self::Parked { .. } => Some(Occasion::Parked),
            Self::LostOwner { .. } => Some(Occasion::LostOwner),
            Self::Digest { .. } | Self::Channel { .. } | Self::Lull { .. } | Self::Test => None,
        }
    }

    /// Its part of a key.
    fn word(&self) -> String {
        let name = self.occasion().map_or("test", Occasion::name);
        match self {
            Self::Digest { .. } => "digest".to_owned(),
            Self::Channel { .. } => "alert-channel".to_owned(),
            Self::Lull { .. } => LULL.to_owned(),
            Self::Handoff { .. } | Self::Review { .. } | Self::Test => name.to_owned(),
            Self::Unclaimed { step } => format!("{name}-{step}"),
            Self::Parked { number, attempt, .. } => format!("{name}-{number}-{attempt}"),
            Self::LostOwner { number } => format!("{name}-{number}"),
        }
    }

    /// What belongs together within a handoff. That nobody takes a case on and that its owner is gone is over with the same
    /// act as that it needs one.
    fn thread(&self) -> String {
        match self {
            Self::Handoff { .. } | Self::Unclaimed { .. } | Self::LostOwner { .. } => HANDED_OVER.to_owned(),
            Self::Review { .. } => IN_REVIEW.to_owned(),
            Self::Parked { number, .. } => parked_thread(*number),
            Self::Digest { .. } => "digest".to_owned(),
            Self::Channel { name, .. } => format!("alert-channel-{name}"),
            Self::Lull { desk, lull, since } => lull_thread(desk, lull.name(), *since),
            Self::Test => "test".to_owned(),
        }
    }
}

/// The thread of a case that needs an owner.
pub const HANDED_OVER: &str = "handoff";
/// The thread of a handoff that waits for a yes or no.
pub const IN_REVIEW: &str = "review";

/// What stands in the place of a handoff where nothing has come of a desk for too long.
pub const LULL: &str = "lull";

/// The thread of a lull of a desk.
pub fn lull_thread(desk: &DeskId, lull: &str, since: Timestamp) -> String {
    format!("{desk}/{lull}/{}", since.as_millisecond())
}

/// The thread of an effect that is parked.
pub fn parked_thread(number: u32) -> String {
    format!("parked-{number}")
}

/// An alert and the channel that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAlert {
    /// Which channel.
    pub channel: AlertName,
    /// What it says.
    pub alert: Alert,
}

/// The alerts of something that happened to a handoff. `nth` counts from 0 how often the same was told before.
pub fn alerts(proposal: &Proposal, handoff: &str, about: &About, nth: u32, now: Timestamp) -> Vec<PlannedAlert> {
    let AlertPlan { told, closes, link, reason, dashboard, reviewers } = &proposal.alert;
    let channels = about.occasion().and_then(|occasion| told.get(&occasion));
    let page = || dashboard.as_ref().map(|dashboard| format!("{dashboard}/reviews/{handoff}"));
    let review = matches!(about, About::Review { .. }).then(page).flatten();
    let again = if nth == 0 { String::new() } else { format!("-again-{nth}") };
    let planned = |channel: &AlertName| PlannedAlert {
        channel: channel.clone(),
        alert: Alert {
            key: format!("{handoff}/{}{again}@{channel}", about.word()),
            thread: format!("{handoff}/{}", about.thread()),
            act: AlertAct::Tell,
            about: about.clone(),
            handoff: handoff.to_owned(),
            desk: proposal.desk.clone(),
            ticket: proposal.ticket.clone(),
            link: link.clone(),
            rule: proposal.rule.clone(),
            from: proposal.from.clone(),
            to: proposal.to.clone(),
            reason: reason.clone(),
            review: review.clone(),
            reviewers: match about {
                About::Review { .. } => reviewers.get(channel).cloned().unwrap_or_default(),
                _ => Vec::new(),
            },
            until: until(proposal, about),
            closes: closes.contains(channel),
            at: now,
        },
    };
    channels.into_iter().flatten().map(planned).collect()
}

impl Alert {
    /// The alert that closes what this one told.
    pub fn closing(&self) -> Self {
        Self { key: format!("{}-closed", self.key), act: AlertAct::Close, ..self.clone() }
    }

    /// A trial of a channel.
    pub fn test(channel: &AlertName, nonce: u64, now: Timestamp) -> Self {
        let thread = format!("test-{nonce:016x}");
        Self::of_no_case(format!("{thread}@{channel}"), thread, About::Test, now)
    }

    /// The lead's week; `due`: the day that calls it.
    pub fn digest(channel: &AlertName, due: Date, about: About, now: Timestamp) -> Self {
        let thread = format!("digest/{due}");
        Self::of_no_case(format!("{thread}@{channel}"), thread, about, now)
    }

    /// That alerts of another channel wait for a person, the oldest since then.
    pub fn of_channel(to: &AlertName, (name, parked): (AlertName, u32), since: Timestamp, now: Timestamp) -> Self {
        let about = About::Channel { name, parked };
        let thread = format!("{}/{}", about.thread(), since.as_millisecond());
        Self::of_no_case(format!("{thread}@{to}"), thread, about, now)
    }

    /// That nothing has come of a desk for too long.
    pub fn of_lull(to: &AlertName, desk: &DeskId, (lull, since): (Lull, Timestamp), now: Timestamp) -> Self {
        let about = About::Lull { desk: desk.clone(), lull, since };
        let thread = format!("{LULL}/{}", about.thread());
        Self::of_no_case(format!("{thread}@{to}"), thread, about, now)
    }

    fn of_no_case(key: String, thread: String, about: About, now: Timestamp) -> Self {
        let what = about.word();
        Self {
            key,
            thread,
            act: AlertAct::Tell,
            about,
            desk: DeskId::from(what.as_str()),
            ticket: TicketId::from("0"),
            link: None,
            rule: RuleName::from(what.as_str()),
            handoff: what,
            from: None,
            to: TeamName::from("nobody"),
            reason: None,
            review: None,
            reviewers: Vec::new(),
            until: None,
            closes: false,
            at: now,
        }
    }
}

/// Of a review: until when it is to be answered, if there is such a time. Else the nearest deadline that a person reads: until it
/// is claimed, the team's own target, the customer's clock.
fn until(proposal: &Proposal, about: &About) -> Option<Until> {
    if matches!(about, About::Review { .. }) {
        let review = proposal.review.as_ref()?;
        let Due { shown, at, .. } = review.until.clone();
        return Some(Until { shown, at, then: Some(review.unanswered) });
    }
    let claim = proposal.owner.claim.as_ref().and_then(|claim| claim.until.as_ref());
    let internal = proposal.clock.internal_until.as_ref();
    let customer = proposal.clock.customer_runs_until(proposal.decided_at).map(|(_, due)| due);
    let nearest = claim.into_iter().chain(internal).chain(customer).min_by_key(|due| due.at);
    nearest.map(|due| Until { shown: due.shown.clone(), at: due.at, then: None })
}

/// What a channel shows: a line that says what it is, facts with their names, where the ticket is opened, and the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// In one line.
    pub title: String,
    /// Names and values, each one line.
    pub facts: Vec<(&'static str, String)>,
    /// Where the ticket is opened: an address of the web.
    pub link: Option<String>,
    /// Where the review is opened: an address of the web.
    pub review: Option<String>,
    /// Whom the channel's chat is to call, by the names that it knows; it checks that they are names of its kind.
    pub calls: Vec<String>,
    /// The key, as the last line says it.
    pub mark: String,
}

impl Card {
    /// What can be opened: what it is called, and its address.
    pub fn links(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let review = self.review.iter().map(|link| ("Open the review", link.as_str()));
        self.link.iter().map(|link| ("Open the ticket", link.as_str())).chain(review)
    }
}

/// An alert in words. `repeated`: the answer to an earlier try was lost, so it may have arrived already.
pub fn card(alert: &Alert, repeated: bool) -> Card {
    let Alert { desk, rule, from, to, .. } = alert;
    let ticket = value(&format!("{desk}/{}", alert.ticket));
    let title = match &alert.about {
        About::Handoff { kind: HandoffKind::Route } => format!("Ticket {ticket} starts with {to}"),
        About::Handoff { kind: HandoffKind::Back } => format!("Ticket {ticket} came back to {to}, done"),
        About::Handoff { kind: HandoffKind::Unclaimed } => format!("Ticket {ticket} came back to {to}, not taken on"),
        About::Handoff { kind: HandoffKind::Escalate } => format!("Ticket {ticket} was handed to {to}"),
        About::Review { offers, .. } => {
            let teams = offers.iter().skip(1).fold(to.to_string(), |teams, other| format!("{teams} or {other}"));
            format!("A handoff of ticket {ticket} to {teams} waits for a yes or no")
        }
        About::Unclaimed { .. } => format!("Nobody of {to} has taken on ticket {ticket}"),
        About::Parked { .. } => format!("Work of handoffd on ticket {ticket} waits for a person"),
        About::LostOwner { .. } => format!("The owner of ticket {ticket} of {to} is gone"),
        About::Digest { week, .. } => format!("Handoffs {week}"),
        About::Channel { name, parked: 1 } => format!("An alert of the channel {name} waits for a person"),
        About::Channel { name, parked } => format!("{parked} alerts of the channel {name} wait for a person"),
        About::Lull { desk, lull: Lull::Unread, .. } => format!("Nothing can be read of the desk {desk}"),
        About::Lull { desk, lull: Lull::NoNews, .. } => format!("Nothing new has come of the desk {desk} for too long"),
        About::Test => "A trial of this alert channel: nothing is to be done".to_owned(),
    };
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    if let About::Digest { lines, .. } = &alert.about {
        facts.extend(lines.iter().map(|(part, line)| (part.shown(), line.clone())));
    } else if alert.about.occasion().is_some() {
        let came = from.as_ref().map_or_else(|| to.to_string(), |from| format!("{from} → {to}"));
        facts.push(("Team", came));
        facts.push((
            "Why",
            alert.reason.clone().unwrap_or_else(|| format!("rule {rule}; the reason stands in the ticket")),
        ));
    }
    if let About::Lull { since, .. } = &alert.about {
        facts.push(("Since", since.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    }
    if let About::Review { because, .. } = &alert.about
        && !because.is_empty()
    {
        facts.push(("Asked", because.join("; ")));
    }
    facts.extend(alert.until.as_ref().map(|until| ("Until", until_shown(until))));
    facts.extend(next_step(alert).map(|next| ("Next", next)));
    if repeated {
        facts.push(("Note", "it may have arrived before: the answer to it was lost".to_owned()));
    }
    let facts = facts.into_iter().map(|(name, text)| (name, value(&text))).collect();
    Card {
        title: value(&title),
        facts,
        link: safe(alert.link.as_deref()),
        review: safe(alert.review.as_deref()),
        calls: alert.reviewers.clone(),
        mark: format!("[handoffd {}]", alert.key),
    }
}

fn until_shown(until: &Until) -> String {
    match until.then {
        Some(then) => format!("{}; if nobody answers by then, {}", until.shown, then.shown()),
        None => until.shown.clone(),
    }
}

/// Why a person is asked, in words that may leave the helpdesk: of a risk, its name, and not the words that were found.
pub fn because(risk: &Risk) -> String {
    match risk {
        Risk::Words { risk, .. } => format!("the ticket's words are of the risk {risk}"),
        Risk::Agreeing(rule, why) => format!("{rule} agrees, and would ask first: {}", because(why)),
        other => other.shown(),
    }
}

/// What to do about it.
pub fn next_step(alert: &Alert) -> Option<String> {
    let handoff = &alert.handoff;
    match &alert.about {
        About::Review { offers, .. } => {
            let (note, to) = match offers.as_slice() {
                [] | [_] => ("/approve or /reject REASON".to_owned(), ""),
                several => (in_a_note(several), " --to TEAM"),
            };
            Some(format!(
                "read it: handoffd reviews show {handoff}; answer with {note} in an internal note, or handoffd reviews approve \
                 {handoff} --as NAME{to}"
            ))
        }
        About::Unclaimed { .. } | About::LostOwner { .. } => {
            Some("take it on, or hand it on, in the helpdesk".to_owned())
        }
        About::Parked { number, label, .. } => {
            Some(format!("{label} ({handoff}/{number}): handoffd parked list says why, and what to do"))
        }
        About::Channel { .. } => Some(
            "handoffd parked list says why, and what to do; nobody is told anything there until then, and nothing more is said of it here"
                .to_owned(),
        ),
        About::Lull { lull: Lull::Unread, .. } => Some(
            "handoffd health says why, and what to do; everything keeps meanwhile, and goes on by itself when it can be read"
                .to_owned(),
        ),
        About::Lull { desk, lull: Lull::NoNews, .. } => {
            Some(format!("{WITHOUT_NEWS}, and [desks.{desk}] news_within where it is just quiet"))
        }
        About::Handoff { .. } | About::Digest { .. } | About::Test => None,
    }
}

/// A link, where it is an address of the web. Its characters are those of an address: nothing in it ends a link of a
/// channel's markup.
fn safe(link: Option<&str>) -> Option<String> {
    let url = url::Url::parse(link?).ok()?;
    if !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    let coded = |letter: char| match letter {
        '|' | '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'' | '`' | '*' | '\\' | '^' | '{' | '}' => {
            format!("%{:02X}", u32::from(letter))
        }
        letter => letter.to_string(),
    };
    // An IPv6 host keeps its brackets.
    let text = url.as_str();
    let path = text.len() - (url.path().len() + url.query().map_or(0, |query| query.len() + 1));
    let path = path - url.fragment().map_or(0, |fragment| fragment.len() + 1);
    let (site, rest) = text.split_at_checked(path)?;
    Some(format!("{site}{}", rest.chars().map(coded).collect::<String>()))
}

/// One line of bounded length without characters that are not shown.
fn value(text: &str) -> String {
    let hidden = |letter: &char| {
        letter.is_control() && !letter.is_whitespace()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    cut(&one_line(&text.chars().filter(|letter| !hidden(letter)).collect::<String>()), VALUE_BYTES)
}

#[cfg(test)]
use crate::ledger::samples;

#[cfg(test)]
mod tests;
