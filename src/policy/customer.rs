//! 4: the word to the customer: which wording, filled in, or why nothing is said ([`super::silence`]).
//!
//! A promised time is an instant in the receiving team's hours, written in the wording's language and in the customer's
//! zone, else the team's. Where a desk does not say whether a reply reaches the customer, the reply is sent: it stands on the
//! ticket in any case.

use super::case::Case;
use super::date_words;
use super::due::{Wait, instant};
use super::languages;
use super::message::render_public;
use super::package::clean;
use super::proposal::CustomerPlan;
use super::rules::{CustomerDecision, Policy, PublicMessage};
use super::silence::{Quiet, Silence, Silencer};
use super::teams::Team;
use handoffd_kit::model::PartSet;
use handoffd_kit::text::cut;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A name or subject in a message is cut visibly where it is longer.
const NAME_BYTES: usize = 500;

/// What is needed to plan the word to the customer.
pub struct Occasion<'a> {
    /// What may hold it back.
    silencer: Silencer<'a>,
    /// The receiving team.
    to: &'a Team,
    /// The message that the rule names.
    message: &'a PublicMessage,
    /// What it promises, in the receiving team's hours.
    respond_within: Option<Wait>,
    /// Whether this wording, with its hash, is signed.
    signed: &'a dyn Fn(&str, &str) -> bool,
}

impl<'a> Occasion<'a> {
    /// The occasion of a rule that tells the customer something.
    pub fn of(
        decision: &CustomerDecision,
        policy: &'a Policy,
        case: &'a Case,
        to: &'a Team,
        signed: &'a dyn Fn(&str, &str) -> bool,
        now: Timestamp,
    ) -> Option<Self> {
        let CustomerDecision::Message { name, respond_within, quiet_for, after_reply } = decision else { return None };
        let message = policy.messages.get(name)?;
        let quiet = Quiet { after_ours: *quiet_for, after_agent: *after_reply };
        let silencer = Silencer { case, to: &to.name, quiet, suppress: &policy.suppress, now };
        Some(Self { silencer, to, message, respond_within: *respond_within, signed })
    }

    /// What is told, or why nothing is.
    pub fn plan(&self) -> CustomerPlan {
        let held_back = self.at_once().or_else(|| self.silencer.once_read());
        match held_back.map_or_else(|| self.text(), |why| Err(why.shown())) {
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
        if self.at_once().is_none() { self.silencer.needs() } else { PartSet::NONE }
    }

    /// What holds it back, as far as the head and the ledger tell.
    fn at_once(&self) -> Option<Silence> {
        self.silencer.at_once().or_else(|| {
            let name = self.message.name.as_str();
            let signed = (self.signed)(name, &self.message.wording_hash);
            (!signed).then(|| Silence::Unsigned(name.to_owned()))
        })
    }

    fn case(&self) -> &'a Case {
        self.silencer.case
    }

    fn text(&self) -> Result<String, String> {
        let (language, wording) = self.wording().ok_or("the message has no wording")?;
        render_public(wording, &self.values(language)).map_err(|error| {
            format!("the wording \"{language}\" of {} cannot be filled in: {error}", self.message.name)
        })
    }

    /// In the customer's language, else the ticket's, each with what stands in for it; else English, else the first.
    fn wording(&self) -> Option<(&str, &str)> {
        let customers = self.case().parts.customer.as_ref().and_then(|who| who.language.known()?.as_deref());
        let tickets = self.case().head.language.known().and_then(|language| language.as_deref());
        languages::chosen(&self.message.wordings, customers.into_iter().chain(tickets))
    }

    fn values(&self, language: &str) -> BTreeMap<String, String> {
        let (head, now) = (&self.case().head, self.silencer.now);
        let customer = self.case().parts.customer.as_ref();
        let promised = self.respond_within.and_then(|within| instant(self.to.hours.as_deref(), now, within));
        let respond_by = promised.map(|(at, _)| {
            let zone = customer.and_then(|who| who.zone.known()?.as_deref()).filter(|name| date_words::is_zone(name));
            date_words::shown(at, now, language, zone.or(self.to.zone()))
        });
        // Words of the customer cannot make the whole too long to be sent.
        let plain = |text: &str| cut(&clean(text).split_whitespace().collect::<Vec<_>>().join(" "), NAME_BYTES);
        [
            ("to.public_name", self.to.public_name.as_ref().map(|name| name.in_language(language).to_owned())),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::address::AddressPattern;
    use crate::policy::testing;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::{Conversation, InternalText, Message, PartKind, Role, Said};
    use jiff::SignedDuration;

    /// The plan for a case that was changed by this; the wording is signed.
    fn plan_for(change: impl FnOnce(&mut Case)) -> CustomerPlan {
        plan_with(change, &|_, _| true)
    }

    fn plan_with(change: impl FnOnce(&mut Case), signed: &dyn Fn(&str, &str) -> bool) -> CustomerPlan {
        plan_in(change, signed, |_| {})
    }

    fn plan_in(
        change: impl FnOnce(&mut Case),
        signed: &dyn Fn(&str, &str) -> bool,
        adapt: impl FnOnce(&mut Policy),
    ) -> CustomerPlan {
        let (mut case, mut policy) = (testing::case_with_parts(), testing::policy());
        change(&mut case);
        adapt(&mut policy);
        let rule = testing::escalation("refund", "", "billing");
        let to = &policy.teams[&"billing".into()];
        Occasion::of(&rule.customer, &policy, &case, to, signed, testing::now()).unwrap().plan()
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
            "Our billing specialists look at this now. You hear from us by Monday, 2 November, 21:00 (Europe/Berlin)."
        );
        let unknown_zone = |case: &mut Case| case.parts.customer.as_mut().unwrap().zone = Fact::Unknown;
        assert!(text(plan_for(unknown_zone)).ends_with("Monday, 2 November, 20:00 (UTC)."));
        // A word that names no zone is as good as none: the receiving team's own.
        let in_the_office = |policy: &mut Policy| {
            policy.teams.get_mut(&"billing".into()).unwrap().hours = Some(testing::office_hours());
        };
        let no_zone =
            |case: &mut Case| case.parts.customer.as_mut().unwrap().zone = Fact::Known(Some("Mars/Olympus".into()));
        let told = text(plan_in(no_zone, &|_, _| true, in_the_office));
        assert!(told.ends_with("(Europe/Berlin)."), "{told}");
    }

    #[test]
    fn the_customers_language_comes_before_the_tickets() {
        let german = |case: &mut Case| {
            case.parts.customer.as_mut().unwrap().language = Fact::Known(Some("de-AT".into()));
        };
        assert_eq!(
            text(plan_for(german)),
            "Our billing specialists kümmern sich darum, bis Montag, 2. November, 21:00 Uhr (Europe/Berlin)."
        );
        let other = |case: &mut Case| {
            case.parts.customer.as_mut().unwrap().language = Fact::Known(Some("fr".into()));
            case.head.language = Fact::Known(Some("de".into()));
        };
        assert!(text(plan_for(other)).contains("kümmern"));
        let varieties = |wanted: &'static str| {
            let speaks = move |case: &mut Case| {
                case.parts.customer.as_mut().unwrap().language = Fact::Known(Some(wanted.into()));
            };
            text(plan_in(speaks, &|_, _| true, |policy| {
                let wordings = &mut policy.messages.get_mut(&"escalated".into()).unwrap().wordings;
                wordings.insert("pt".into(), "{{ to.public_name }} até {{ respond_by }}".into());
                wordings.insert("pt-BR".into(), "{{ to.public_name }} no Brasil até {{ respond_by }}".into());
                let names = [("en", "our people"), ("pt", "os nossos")].map(|(tag, name)| (tag.into(), name.into()));
                let team = policy.teams.get_mut(&"billing".into()).unwrap();
                team.public_name = languages::PublicName::by_language(names.into(), None);
            }))
        };
        assert!(varieties("pt-BR").starts_with("Os nossos no Brasil até segunda-feira"), "{}", varieties("pt-BR"));
        assert!(varieties("pt-PT").starts_with("Os nossos até segunda-feira"), "{}", varieties("pt-PT"));
        assert!(varieties("de").starts_with("Our people kümmern"), "{}", varieties("de"));
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
    fn a_customer_with_several_cases_is_told_as_seldom_as_one_with_one() {
        use crate::policy::case::ToldElsewhere;
        let told = |hours: Option<i64>| {
            let at = hours.map(|hours| testing::now() - SignedDuration::from_hours(hours));
            move |case: &mut Case| case.memory.told_elsewhere = Some(ToldElsewhere { ticket: "77".into(), at })
        };
        assert!(because(plan_for(told(Some(23)))).ends_with("2026-11-01 13:00 UTC already, on their ticket 77"));
        assert!(because(plan_for(told(None))).contains("about to write to them on their ticket 77"));
        text(plan_for(told(Some(24))));
    }

    #[test]
    fn a_case_that_came_back_or_goes_where_it_has_been_is_for_people_to_explain() {
        assert!(because(plan_for(|case| case.memory.bounces = 1)).contains("handed back before"));
        let been = |case: &mut Case| case.memory.teams_seen = vec!["billing".into(), "frontline".into()];
        assert!(because(plan_for(been)).contains("been with billing before"));
    }

    #[test]
    fn nothing_is_said_right_after_an_agent_wrote() {
        let wrote = |minutes: i64, role: Role, internal: bool| {
            move |case: &mut Case| {
                let mut message = testing::said_by_agent("Hello");
                message.at = testing::now() - SignedDuration::from_mins(minutes);
                message.author.role = role;
                if internal {
                    message.said = Said::Internally(InternalText("a note".into()));
                }
                case.parts.conversation.as_mut().unwrap().messages.push(message);
            }
        };
        assert_eq!(because(plan_for(wrote(9, Role::Agent, false))), "an agent wrote to them at 2026-11-02 11:51 UTC");
        text(plan_for(wrote(10, Role::Agent, false)));
        text(plan_for(wrote(1, Role::Agent, true)));
        text(plan_for(wrote(1, Role::Customer, false)));
        text(plan_for(wrote(1, Role::Automation, false)));
        let unread = because(plan_for(|case| case.parts.conversation = None));
        assert!(unread.contains("could not be read"), "{unread}");
    }

    #[test]
    fn suppressed_addresses_and_those_of_machines_are_never_written_to() {
        let suppressing = |email: Option<&str>| {
            let email = email.map(str::to_owned);
            let change = |case: &mut Case| case.parts.customer.as_mut().unwrap().person.email = email;
            plan_in(change, &|_, _| true, |policy| {
                policy.suppress = vec![AddressPattern::read("*@Bounces.example").unwrap()];
            })
        };
        assert_eq!(
            because(suppressing(Some("x@bounces.EXAMPLE"))),
            "the policy suppresses addresses like *@Bounces.example"
        );
        assert!(because(suppressing(None)).contains("who the customer is"));
        // Whatever the desk says of the customer side.
        assert!(because(suppressing(Some("noreply@shop.example"))).contains("nobody reads"));
        text(suppressing(Some("eva@customer.example")));
    }

    #[test]
    fn a_message_that_is_held_back_at_once_costs_no_read() {
        let needs = |signed: bool| {
            let (case, policy) = (testing::case(), testing::policy());
            let rule = testing::escalation("refund", "", "billing");
            let to = &policy.teams[&"billing".into()];
            let signed = |_: &str, _: &str| signed;
            Occasion::of(&rule.customer, &policy, &case, to, &signed, testing::now()).unwrap().needs()
        };
        assert_eq!(needs(true), PartSet::of(&[PartKind::Customer, PartKind::Conversation]));
        assert_eq!(needs(false), PartSet::NONE);
    }

    #[test]
    fn where_the_desk_does_not_say_the_address_decides() {
        text(plan_for(|case| case.head.machine_mail = Fact::Unknown));
        let machine = |case: &mut Case| {
            case.head.machine_mail = Fact::Unknown;
            case.parts.customer.as_mut().unwrap().person.email = Some("No-Reply@shop.example".into());
        };
        assert!(because(plan_for(machine)).contains("nobody reads"));
        let autoreply = |case: &mut Case| {
            case.head.machine_mail = Fact::Unknown;
            let messages = vec![Message { by_machine: Fact::Known(true), ..testing::said_by_customer("I am away") }];
            case.parts.conversation = Some(Conversation { messages, complete: true });
        };
        assert!(because(plan_for(autoreply)).contains("machine"), "the message that opened the ticket tells");
        let later = |case: &mut Case| {
            autoreply(case);
            let messages = &mut case.parts.conversation.as_mut().unwrap().messages;
            messages.insert(0, Message { by_machine: Fact::Known(false), ..testing::said_by_customer("Please help") });
        };
        text(plan_for(later));
        let nobody = |case: &mut Case| {
            case.head.machine_mail = Fact::Unknown;
            case.parts.customer = None;
        };
        assert!(because(plan_for(nobody)).contains("who the customer is"));
    }
}
