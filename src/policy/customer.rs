//! 4: the word to the customer. A message that would reach nobody, or somebody too often, or in a wording that nobody
//! signed, is held back, and the reason stands in the note.
//!
//! Where a desk does not say whether the customer side is a machine, the address decides: only one that is known, and is
//! not a machine's by its name, is written to. Where it does not say whether a reply reaches the customer, the reply is
//! sent: it stands on the ticket in any case.

use super::case::Case;
use super::due::{Wait, instant};
use super::message::{names_in, render_public};
use super::package::clean;
use super::proposal::CustomerPlan;
use super::rules::{CustomerDecision, PublicMessage, Team};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{PartKind, PartSet};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Beginnings of addresses behind which nobody reads.
const MACHINES: [&str; 8] =
    ["noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "mailer-daemon", "postmaster", "bounce"];

/// What is needed to plan the word to the customer.
pub struct Occasion<'a> {
    /// The case.
    pub case: &'a Case,
    /// The receiving team.
    pub to: &'a Team,
    /// The message that the rule names.
    pub message: &'a PublicMessage,
    /// What it promises, in the receiving team's hours.
    pub respond_within: Option<Wait>,
    /// Not within this time of our last message.
    pub quiet_for: Option<SignedDuration>,
    /// Whether this wording, with its hash, is signed.
    pub signed: &'a dyn Fn(&str, &str) -> bool,
    /// The instant.
    pub now: Timestamp,
}

impl<'a> Occasion<'a> {
    /// The occasion of a rule that tells the customer something.
    pub fn of(
        decision: &CustomerDecision,
        messages: &'a BTreeMap<super::names::MessageName, PublicMessage>,
        case: &'a Case,
        to: &'a Team,
        signed: &'a dyn Fn(&str, &str) -> bool,
        now: Timestamp,
    ) -> Option<Self> {
        let CustomerDecision::Message { name, respond_within, quiet_for } = decision else { return None };
        let message = messages.get(name)?;
        Some(Self { case, to, message, respond_within: *respond_within, quiet_for: *quiet_for, signed, now })
    }

    /// What is told, or why nothing is.
    pub fn plan(&self) -> CustomerPlan {
        match self.held_back().map_or_else(|| self.text(), Err) {
            Ok(text) => CustomerPlan::Tell {
                message: self.message.name.clone(),
                wording_hash: self.message.wording_hash.clone(),
                text,
            },
            Err(because) => CustomerPlan::Nothing { because },
        }
    }

    /// The parts that it takes; none where the message is held back anyway.
    pub fn needs(&self) -> PartSet {
        let personal = |text: &String| {
            names_in(text)
                .is_ok_and(|names| names.iter().any(|name| matches!(name.as_str(), "respond_by" | "customer.name")))
        };
        let wanted = self.message.wordings.len() > 1
            || self.case.head.machine_mail.is_unknown()
            || self.message.wordings.values().any(personal);
        if wanted && self.held_back_at_once().is_none() { PartSet::of(&[PartKind::Customer]) } else { PartSet::NONE }
    }

    /// What holds it back, as far as the head and the ledger tell.
    fn held_back_at_once(&self) -> Option<String> {
        let head = &self.case.head;
        if head.machine_mail == Fact::Known(true) {
            return Some("the customer side is a machine".into());
        }
        if head.reply_reaches_customer == Fact::Known(false) {
            return Some("a reply on this ticket does not reach the customer".into());
        }
        if let (Some(last), Some(quiet)) = (self.case.memory.last_public_message, self.quiet_for)
            && last.saturating_add(quiet).unwrap_or(Timestamp::MAX) > self.now
        {
            return Some(format!("we wrote to them at {} already", last.strftime("%Y-%m-%d %H:%M UTC")));
        }
        let name = self.message.name.as_str();
        if !(self.signed)(name, &self.message.wording_hash) {
            return Some(format!("the wording is not signed yet: handoffd policy approve {name}"));
        }
        None
    }

    fn held_back(&self) -> Option<String> {
        self.held_back_at_once().or_else(|| {
            if self.case.head.machine_mail != Fact::Unknown {
                return None;
            }
            let email = self.case.parts.customer.as_ref().and_then(|who| who.person.email.as_deref());
            match email.map(str::to_lowercase) {
                None => Some("the desk does not say who the customer is".into()),
                Some(email) if MACHINES.iter().any(|start| email.starts_with(start)) => {
                    Some("nobody reads the customer's address".into())
                }
                Some(_) => None,
            }
        })
    }

    fn text(&self) -> Result<String, String> {
        let (language, wording) = self.wording().ok_or("the message has no wording")?;
        render_public(wording, &self.values()).map_err(|error| {
            format!("the wording \"{language}\" of {} cannot be filled in: {error}", self.message.name)
        })
    }

    /// The customer's language, else the ticket's, else English, else the first.
    fn wording(&self) -> Option<(&str, &str)> {
        let customers = self.case.parts.customer.as_ref().and_then(|who| who.language.known()?.as_deref());
        let tickets = self.case.head.language.known().and_then(|language| language.as_deref());
        let short = |language: &str| language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let wanted = customers.into_iter().chain(tickets).map(short).chain(["en".to_owned()]);
        let found = wanted.into_iter().find_map(|language| self.message.wordings.get_key_value(&language));
        found
            .or_else(|| self.message.wordings.first_key_value())
            .map(|(language, text)| (language.as_str(), text.as_str()))
    }

    fn values(&self) -> BTreeMap<String, String> {
        let head = &self.case.head;
        let customer = self.case.parts.customer.as_ref();
        let promised = self.respond_within.and_then(|within| instant(self.to.hours.as_deref(), self.now, within));
        let respond_by = promised.map(|(at, _)| {
            let zone = customer.and_then(|who| who.zone.known()?.as_deref());
            shown_in_zone(at, zone.or(self.to.zone()))
        });
        let plain = |text: &str| clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
        [
            ("to.public_name", self.to.public_name.clone()),
            ("respond_by", respond_by),
            ("customer.name", customer.and_then(|who| who.person.name.as_deref()).map(plain)),
            ("ticket.subject", head.subject.known().map(|subject| plain(subject))),
            ("ticket.id", Some(head.id.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|text| !text.is_empty())?)))
        .collect()
    }
}

/// An instant as a customer reads it: in this zone where it is known, else in UTC; it says which.
pub fn shown_in_zone(at: Timestamp, zone: Option<&str>) -> String {
    let known = zone.and_then(|name| Some((TimeZoneDatabase::bundled().get(name).ok()?, name)));
    let (zone, name) = known.unwrap_or((TimeZone::UTC, "UTC"));
    format!("{} ({name})", at.to_zoned(zone).strftime("%Y-%m-%d %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    /// The plan for a case that was changed by this; the wording is signed.
    fn plan_for(change: impl FnOnce(&mut Case)) -> CustomerPlan {
        plan_with(change, &|_, _| true)
    }

    fn plan_with(change: impl FnOnce(&mut Case), signed: &dyn Fn(&str, &str) -> bool) -> CustomerPlan {
        let mut case = testing::case_with_parts();
        change(&mut case);
        let policy = testing::policy();
        let rule = testing::escalation("refund", "", "billing");
        let to = &policy.teams[&"billing".into()];
        Occasion::of(&rule.customer, &policy.messages, &case, to, signed, testing::now()).unwrap().plan()
    }

    fn because(plan: CustomerPlan) -> String {
        match plan {
            CustomerPlan::Nothing { because } => because,
            CustomerPlan::Tell { text, .. } => panic!("told: {text}"),
        }
    }

    fn text(plan: CustomerPlan) -> String {
        match plan {
            CustomerPlan::Tell { text, .. } => text,
            CustomerPlan::Nothing { because } => panic!("held back: {because}"),
        }
    }

    #[test]
    fn the_promise_stands_in_the_customers_zone_and_says_so() {
        assert_eq!(
            text(plan_for(|_| {})),
            "our billing specialists look at this now. You hear from us by 2026-11-02 21:00 (Europe/Berlin)."
        );
        let unknown_zone = |case: &mut Case| case.parts.customer.as_mut().unwrap().zone = Fact::Unknown;
        assert!(text(plan_for(unknown_zone)).ends_with("2026-11-02 20:00 (UTC)."));
    }

    #[test]
    fn the_customers_language_comes_before_the_tickets() {
        let german = |case: &mut Case| {
            case.parts.customer.as_mut().unwrap().language = Fact::Known(Some("de-AT".into()));
        };
        assert!(text(plan_for(german)).contains("kümmern"));
        let other = |case: &mut Case| {
            case.parts.customer.as_mut().unwrap().language = Fact::Known(Some("fr".into()));
            case.head.language = Fact::Known(Some("de".into()));
        };
        assert!(text(plan_for(other)).contains("kümmern"));
        let neither = |case: &mut Case| {
            case.parts.customer.as_mut().unwrap().language = Fact::Known(None);
            case.head.language = Fact::Known(Some("fr".into()));
        };
        assert!(text(plan_for(neither)).contains("look at this"));
    }

    #[test]
    fn a_message_is_held_back_from_machines_from_nobody_too_soon_and_unsigned() {
        assert!(because(plan_for(|case| case.head.machine_mail = Fact::Known(true))).contains("machine"));
        assert!(because(plan_for(|case| case.head.reply_reaches_customer = Fact::Known(false))).contains("not reach"));
        let lately =
            |case: &mut Case| case.memory.last_public_message = Some(testing::now() - SignedDuration::from_hours(23));
        assert!(because(plan_for(lately)).contains("we wrote to them at 2026-11-01 13:00 UTC"));
        let long_ago =
            |case: &mut Case| case.memory.last_public_message = Some(testing::now() - SignedDuration::from_hours(24));
        text(plan_for(long_ago));
        assert!(because(plan_with(|_| {}, &|_, _| false)).ends_with("handoffd policy approve escalated"));
    }

    #[test]
    fn where_the_desk_does_not_say_the_address_decides() {
        text(plan_for(|case| case.head.machine_mail = Fact::Unknown));
        let machine = |case: &mut Case| {
            case.head.machine_mail = Fact::Unknown;
            case.parts.customer.as_mut().unwrap().person.email = Some("No-Reply@shop.example".into());
        };
        assert!(because(plan_for(machine)).contains("nobody reads"));
        let nobody = |case: &mut Case| {
            case.head.machine_mail = Fact::Unknown;
            case.parts.customer = None;
        };
        assert!(because(plan_for(nobody)).contains("who the customer is"));
    }
}
