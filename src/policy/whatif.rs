//! What-if: one fact of a case set to another value, wherever that fact comes from, so that everything that looks at it
//! sees it: scope, conditions, package, message.

use super::case::{Case, Request, Stay};
use super::cel::{FactSource, Found};
use super::clocks::ClockName;
use super::facts::{Facts, is_public_by};
use super::known::{FactName, HouseFact, Known, nearest};
use super::names::TeamName;
use super::package;
use super::rules::{FieldOwner, Policy};
use super::whatif_notes::{STEPS_MAX, set_playbook, set_steps};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, OrganizationId, QueueId, UserId};
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, ClockState, Contacts, Conversation, Customer, FieldType, Message, Organization,
    PartSet, PastTicket, Person, Priority, PublicText, QueueRef, Role, Said, Status, VendorClock, What,
};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// One fact and the value it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    fact: FactName,
    text: String,
}

impl Setting {
    /// Reads `FACT=VALUE`. `ticket.` may be left out.
    ///
    /// # Errors
    /// In words: no such fact, with the nearest one.
    pub fn read(text: &str, policy: &Policy) -> Result<Self, String> {
        let form = || format!("`{text}`: write FACT=VALUE, for example tags=refund");
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(form)?;
        let (name, value) = (name.trim(), value.trim());
        let known = policy.known_facts();
        let short = known.look_up(&format!("ticket.{name}"));
        let found = match (known.look_up(name), short) {
            (Known::Nothing(_) | Known::Branch, short @ Known::Fact(..)) => short,
            (found, _) => found,
        };
        match found {
            Known::Fact(fact, _) => Ok(Self { fact, text: value.to_owned() }),
            Known::Branch => Err(format!("`{name}` is not one fact: say which of its facts")),
            Known::NoPackage => Err(format!("`{name}` is not supported yet")),
            Known::Nothing(near) => {
                let names = known.names();
                let short: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("ticket.")).collect();
                let near = near.or_else(|| nearest(name, &short).map(|name| format!("ticket.{name}")));
                Err(match near {
                    Some(near) => format!("no fact is called `{name}`; did you mean `{near}`?"),
                    None => format!("no fact is called `{name}`; there are {}", names.join(", ")),
                })
            }
        }
    }

    /// Why settings do not fit together: the counts of one checklist bound each other. `case`: with all of them.
    pub fn contradicted(settings: &[Self], case: &Case, policy: &Policy) -> Option<String> {
        use HouseFact::{StepsDone, StepsFailed, StepsTotal};
        let facts = Facts::new(case, policy);
        let counts = |one: &&Self| matches!(one.fact, FactName::House(StepsTotal | StepsDone | StepsFailed));
        let kept = |one: &&Self| {
            let told = match facts.fact(&one.fact) {
                Found::Value(value) => value.shown(),
                _ => String::new(),
            };
            told == one.text
        };
        let lost = settings.iter().filter(counts).find(|one| !kept(one))?;
        Some(format!(
            "{}={} does not fit the other counts: what failed was done, and what was done is one of all steps",
            lost.fact, lost.text
        ))
    }

    /// The part that must be read before it is set, so that nothing else in it becomes unknown.
    pub fn part(&self) -> PartSet {
        self.fact.part().map_or(PartSet::NONE, |kind| PartSet::NONE.with(kind))
    }

    /// Sets it.
    ///
    /// # Errors
    /// In words: a value it cannot have, or a fact that follows from another one.
    pub fn apply(&self, case: &mut Case, policy: &Policy, now: Timestamp) -> Result<(), String> {
        let wrong = |like: &str| format!("{} is {like}, not \"{}\"", self.fact, self.text);
        match &self.fact {
            FactName::House(fact) => self.house(*fact, case, policy, now).map_err(|like| match like {
                Wrong::Value(like) => wrong(like),
                Wrong::Fact(why) => why,
            }),
            FactName::Field(of, name) => self.field(*of, name, case, policy).map_err(|like| match like {
                Wrong::Value(like) => wrong(like),
                Wrong::Fact(why) => why,
            }),
            FactName::Clock(name) if name == ClockName::Internal.name() => {
                // It has an instant, and no state of its own.
                let ahead = match self.word::<ClockState>() {
                    Some(ClockState::Running) => SignedDuration::from_hours(1),
                    Some(ClockState::Breached) => -SignedDuration::from_secs(1),
                    _ => return Err(wrong("running or breached")),
                };
                case.memory.internal_until = now.saturating_add(ahead).ok();
                Ok(())
            }
            FactName::Clock(name) => {
                let state: ClockState = self.word().ok_or_else(|| wrong("running, paused, met or breached"))?;
                let ends = state == ClockState::Running;
                let until = now.saturating_add(SignedDuration::from_hours(1)).ok().filter(|_| ends);
                let clocks = case.parts.clocks.get_or_insert_default();
                // One that is over or stands still has no end ahead; a desk may have several of one name.
                let ends = clocks.iter().filter(|clock| clock.name == *name).filter_map(|clock| clock.breaches_at);
                let soonest = ends.filter(|at| *at > now).min().or(until);
                clocks.retain(|clock| clock.name != *name);
                clocks.push(VendorClock { name: name.clone(), state, breaches_at: until.and(soonest) });
                Ok(())
            }
        }
    }

    fn house(&self, fact: HouseFact, case: &mut Case, policy: &Policy, now: Timestamp) -> Result<(), Wrong> {
        use HouseFact::*;
        let memory = &mut case.memory;
        match fact {
            CaseHops => memory.hops = self.count()?,
            CaseBounces => memory.bounces = self.count()?,
            CaseReturns => memory.returns = self.count()?,
            CaseHandoffs => memory.handoffs = self.count()?,
            CaseTeam => return self.team(case, policy, now),
            CaseTeamsSeen => memory.teams_seen = self.list().map(TeamName::new).collect(),
            CommandReason | CommandBy => return self.request(fact, case, policy),
            CaseTier => return Err(Wrong::Fact("case.tier follows from case.team: set that".into())),
            CaseTiersSeen => return Err(Wrong::Fact("case.tiers_seen follows from case.teams_seen: set that".into())),
            CaseReopens => {
                let reopened = What::Status { from: Some(Status::Solved), to: Some(Status::Open) };
                case.parts.history = Some((0..self.count()?).map(|_| change(reopened.clone(), now)).collect());
            }
            CaseAgentReplies => self.replies(case, Role::Agent, 0, now)?,
            // The one that opened the ticket is no reply.
            CaseCustomerReplies => self.replies(case, Role::Customer, 1, now)?,
            CaseContacts30d => {
                let past = |_| PastTicket {
                    id: "what-if".into(),
                    subject: Fact::Unknown,
                    status: Fact::Unknown,
                    created_at: Fact::Known(now),
                };
                let tickets = (0..self.count()?).map(past).collect();
                case.parts.contacts = Some(Contacts { tickets, complete: true, as_of: now });
            }
            CustomerEmail | CustomerDomain | CustomerOrganization | CustomerLanguage | CustomerZone => {
                self.customer(fact, case);
            }
            StepsTotal | StepsDone | StepsFailed => {
                let count = self.count().ok().filter(|count| *count <= STEPS_MAX);
                let count = count.ok_or(Wrong::Value("a whole number up to 200"))?;
                if !set_steps(fact, count, case, policy, now) {
                    return Err(Wrong::Value("a whole number from 1 to 200: without a step there is no checklist"));
                }
            }
            PlaybookId if self.text.is_empty() => return Err(Wrong::Value("the name of a playbook")),
            PlaybookId => set_playbook(Some(&self.text), None, case, policy, now),
            PlaybookStep => set_playbook(None, Some(self.count()?), case, policy, now),
            PackageMissing | PackageCompleteness => return Err(Wrong::Fact(self.of_the_package(case, policy))),
            _ => return self.ticket(fact, case, now),
        }
        Ok(())
    }

    /// Why a fact of the package cannot be set, and what can.
    fn of_the_package(&self, case: &Case, policy: &Policy) -> String {
        let why = format!("{} follows from the parts that the rule requires and the ticket has", self.fact);
        let fields = policy.desks.get(&case.desk).map(|desk| &desk.fields);
        let mapped = package::ORDER
            .into_iter()
            .map(package::name_of)
            .find(|name| fields.is_some_and(|all| all.contains_key(*name)));
        match mapped {
            Some(field) => format!("{why}: set a field that fills one, such as fields.{field}"),
            None => format!("{why}: no field of this desk is mapped to one, so only words on the ticket change it"),
        }
    }

    fn ticket(&self, fact: HouseFact, case: &mut Case, now: Timestamp) -> Result<(), Wrong> {
        use HouseFact::*;
        let (head, text) = (&mut case.head, self.text.clone());
        match fact {
            TicketId => head.id = text.as_str().into(),
            TicketSubject => head.subject = Fact::Known(text),
            TicketText => head.text = Fact::Known(text),
            TicketChannel => head.channel = Fact::Known(text),
            TicketType => head.kind = Fact::Known(self.some_text()),
            TicketLanguage => head.language = Fact::Known(self.some_text()),
            TicketTags => head.tags = Fact::Known(self.list().map(str::to_owned).collect()),
            TicketMachineMail => head.machine_mail = Fact::Known(self.yes_no()?),
            TicketStatus => {
                let status = self.word::<Status>();
                head.status = Fact::Known(status.ok_or(Wrong::Value("new, open, pending, on_hold, solved or closed"))?);
            }
            TicketPriority => {
                let priority = self.word::<Priority>();
                let none = self.text.is_empty();
                let priority = priority.map(Some).or(none.then_some(None));
                head.priority = Fact::Known(priority.ok_or(Wrong::Value("low, normal, high, urgent or nothing"))?);
            }
            TicketAttachments => {
                let files: Vec<String> = self.list().map(str::to_owned).collect();
                let conversation = conversation(case);
                conversation.messages.iter_mut().for_each(|message| message.attachments.clear());
                if conversation.messages.is_empty() {
                    conversation.messages.push(said(Role::Customer, now));
                }
                let file = |name| Attachment { name, media_type: None, bytes: None, link: None };
                conversation.messages[0].attachments = files.into_iter().map(file).collect();
            }
            TicketDesk => return Err(Wrong::Fact("ticket.desk is the desk that was asked".into())),
            _ => return Err(Wrong::Fact(format!("{} cannot be set", self.fact))),
        }
        Ok(())
    }

    fn customer(&self, fact: HouseFact, case: &mut Case) {
        let customer = customer(case);
        match fact {
            HouseFact::CustomerEmail => customer.person.email = self.some_text(),
            HouseFact::CustomerDomain => customer.person.email = Some(format!("somebody@{}", self.text)),
            HouseFact::CustomerLanguage => customer.language = Fact::Known(self.some_text()),
            HouseFact::CustomerZone => customer.zone = Fact::Known(self.some_text()),
            _ if self.text.is_empty() => customer.organization = Fact::Known(None),
            _ => with_organization(customer, |organization| organization.name = Some(self.text.clone())),
        }
        if fact == HouseFact::CustomerOrganization {
            // A head that says there is none would hide it.
            case.head.organization = Fact::Unknown;
        }
    }

    /// The case lies in that team's queue; with no name in none.
    fn team(&self, case: &mut Case, policy: &Policy, now: Timestamp) -> Result<(), Wrong> {
        if self.text.is_empty() {
            case.head.queue = Fact::Known(None);
            case.memory.stay = None;
            case.memory.teams_seen.clear();
            return Ok(());
        }
        let name = TeamName::new(self.text.as_str());
        let here = policy.teams.get(&name).filter(|team| team.desk == case.desk);
        let team = here.ok_or_else(|| {
            let known = policy.teams.values().filter(|team| team.desk == case.desk).map(|team| team.name.to_string());
            Wrong::Fact(format!(
                "there is no team {name} on this desk; it has {}",
                known.collect::<Vec<_>>().join(", ")
            ))
        })?;
        case.head.queue = Fact::Known(Some(match &team.queue {
            QueueSpec::Name(queue) => QueueRef { id: QueueId::new(queue), name: Some(queue.clone()) },
            QueueSpec::Id(id) => QueueRef { id: QueueId::new(id), name: None },
        }));
        if case.memory.stay.as_ref().is_none_or(|stay| stay.team != name) {
            case.memory.stay = Some(Stay { team: name.clone(), episode: "what-if".into(), since: now });
            case.memory.teams_seen.push(name);
        }
        Ok(())
    }

    /// What an agent asked for with `/handoff`: where nobody did, for the one team that can be asked for.
    fn request(&self, fact: HouseFact, case: &mut Case, policy: &Policy) -> Result<(), Wrong> {
        let stay = case.memory.stay.clone();
        let made = || {
            let stay = stay.ok_or_else(|| Wrong::Fact("the case is with no team: set case.team".into()))?;
            let [to] = policy.on_request(&stay.team)[..] else {
                let teams = policy.on_request(&stay.team);
                let teams: Vec<&str> = teams.iter().map(|team| team.as_str()).collect();
                return Err(Wrong::Fact(match teams[..] {
                    [] => format!(
                        "nobody can ask for a team from {}: no rule with trigger = \"manual\" leads from there",
                        stay.team
                    ),
                    _ => format!(
                        "{} does not say which team was asked for, and several can be: {}; have an agent write /handoff TEAM on the \
                         ticket",
                        self.fact,
                        teams.join(", ")
                    ),
                }));
            };
            Ok(Request {
                command: "what-if".into(),
                to: to.clone(),
                reason: "no reason given".into(),
                by: "an agent".into(),
                by_id: None,
                by_email: None,
                episode: stay.episode,
                open: true,
                told: false,
                led_to: None,
            })
        };
        let request = match &mut case.memory.request {
            Some(request) => request,
            none => none.insert(made()?),
        };
        request.open = true;
        match fact {
            HouseFact::CommandBy => request.by = self.text.clone(),
            _ => request.reason = self.text.clone(),
        }
        Ok(())
    }

    fn replies(&self, case: &mut Case, role: Role, but_for: usize, now: Timestamp) -> Result<(), Wrong> {
        let wanted = usize::try_from(self.count()?).unwrap_or(usize::MAX).saturating_add(but_for);
        let conversation = conversation(case);
        conversation.complete = true;
        let mut seen = 0;
        conversation.messages.retain(|message| {
            seen += usize::from(is_public_by(message, role));
            !is_public_by(message, role) || seen <= wanted
        });
        conversation.messages.extend((seen.min(wanted)..wanted).map(|_| said(role, now)));
        Ok(())
    }

    fn field(&self, of: FieldOwner, name: &str, case: &mut Case, policy: &Policy) -> Result<(), Wrong> {
        let declared = policy.desks.get(&case.desk).and_then(|desk| desk.fields.get(name));
        let field = declared
            .filter(|field| field.of == of)
            .ok_or_else(|| Wrong::Fact(format!("this desk declares no field {}", self.fact)))?;
        let value = serde_json::Value::from(self.text.as_str());
        if field.kind.read(&value).is_unknown() {
            return Err(Wrong::Value(match field.kind {
                FieldType::Number => "a number",
                FieldType::YesNo => "yes or no",
                FieldType::Date => "a date like 2026-11-02",
                FieldType::Text | FieldType::Choice => "a text",
            }));
        }
        let id = field.id.clone();
        match of {
            FieldOwner::Ticket => drop(case.head.fields.insert(id, value)),
            FieldOwner::Customer => drop(customer(case).fields.insert(id, value)),
            FieldOwner::Organization => {
                case.head.organization = Fact::Unknown;
                with_organization(customer(case), |organization| drop(organization.fields.insert(id, value)));
            }
        }
        Ok(())
    }

    fn count(&self) -> Result<u32, Wrong> {
        self.text.parse().ok().filter(|count| *count <= 10_000).ok_or(Wrong::Value("a whole number up to 10000"))
    }

    fn yes_no(&self) -> Result<bool, Wrong> {
        match self.text.as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(Wrong::Value("yes or no")),
        }
    }

    fn list(&self) -> impl Iterator<Item = &str> {
        self.text.split(',').map(str::trim).filter(|part| !part.is_empty())
    }

    fn some_text(&self) -> Option<String> {
        Some(self.text.clone()).filter(|text| !text.is_empty())
    }

    fn word<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.text.as_str().into()).ok()
    }
}

/// Why something cannot be set.
enum Wrong {
    /// The value: what it would be.
    Value(&'static str),
    /// The fact, in words.
    Fact(String),
}

fn conversation(case: &mut Case) -> &mut Conversation {
    case.parts.conversation.get_or_insert_with(|| Conversation { messages: Vec::new(), complete: true })
}

fn customer(case: &mut Case) -> &mut Customer {
    case.parts.customer.get_or_insert_with(|| Customer {
        person: Person { id: UserId::from("what-if"), name: None, email: None, role: Role::Customer },
        language: Fact::Unknown,
        zone: Fact::Unknown,
        fields: BTreeMap::new(),
        organization: Fact::Unknown,
    })
}

/// Changes the customer's organisation, or one that is made for it.
fn with_organization(customer: &mut Customer, change: impl FnOnce(&mut Organization)) {
    let made = || Organization { id: OrganizationId::from("what-if"), name: None, fields: BTreeMap::new() };
    let mut organization = customer.organization.known().cloned().flatten().unwrap_or_else(made);
    change(&mut organization);
    customer.organization = Fact::Known(Some(organization));
}

fn said(role: Role, at: Timestamp) -> Message {
    Message {
        id: MessageId::from("what-if"),
        at,
        author: Author { id: None, name: None, role },
        said: Said::Publicly(PublicText("…".into())),
        attachments: Vec::new(),
        by_machine: Fact::Unknown,
    }
}

fn change(what: What, at: Timestamp) -> Change {
    let by = Author { id: None, name: None, role: Role::Unknown };
    Change { id: ChangeId::from("what-if"), at, by, actor: Actor::Unknown, mark: None, what: vec![what] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::facts::Facts;
    use crate::policy::rules::Trigger;
    use crate::policy::testing;

    fn set(setting: &str) -> Result<(Case, String), String> {
        let (mut case, mut policy) = (testing::case_with_parts(), testing::policy());
        let mut on_request = testing::escalation("asked", "", "billing");
        on_request.trigger = Trigger::Manual;
        policy.escalations = vec![on_request];
        let setting = Setting::read(setting, &policy)?;
        setting.apply(&mut case, &policy, testing::now())?;
        let shown = Facts::new(&case, &policy).at(testing::now()).shown(&setting.fact);
        Ok((case, shown))
    }

    fn shown(setting: &str) -> String {
        set(setting).map_or_else(|error| error, |(_, shown)| shown)
    }

    #[test]
    fn every_fact_that_does_not_follow_from_another_can_be_set() {
        let follow = |name: &str| {
            ["case.tier", "case.tiers_seen", "ticket.desk"].contains(&name) || name.starts_with("package.")
        };
        for name in testing::known().names() {
            let value = match name.as_str() {
                "ticket.status" => "pending",
                "ticket.priority" => "low",
                "ticket.machine_mail" => "yes",
                "case.team" => "billing",
                "case.teams_seen" | "ticket.tags" | "ticket.attachments" => "a, b",
                "clocks.internal.state" => "breached",
                name if name.starts_with("clocks.") => "paused",
                name if name.starts_with("steps.") || name == "playbook.step" => "7",
                name if name.starts_with("case.") || name.ends_with("refund_eur") => "7",
                _ => "text",
            };
            let came = set(&format!("{name}={value}"));
            if follow(&name) {
                assert!(came.is_err(), "{name}");
            } else {
                assert_eq!(came.map(|(_, shown)| shown), Ok(value.to_owned()), "{name}");
            }
        }
    }

    #[test]
    fn short_names_are_the_tickets_and_values_must_fit() {
        assert_eq!(shown("tags=x"), "x");
        assert_eq!(shown("fields.refund_eur=12.5"), "12.5");
        assert_eq!(shown("fields.refund_eur="), "empty");
        for (setting, says) in [
            ("tags", "write FACT=VALUE"),
            (" =x", "write FACT=VALUE"),
            ("tag=x", "did you mean"),
            ("ticket=x", "not one fact"),
            ("fields.refund_eur=many", "is a number"),
            ("status=opne", "new, open, pending"),
            ("priority=hihg", "low, normal"),
            ("machine_mail=perhaps", "yes or no"),
            ("case.hops=-1", "a whole number"),
            ("case.hops=99999999999", "a whole number"),
            ("case.team=nobody", "it has billing, engineering, frontline"),
            ("clocks.resolution.state=off", "running, paused"),
            ("case.tier=2", "case.team"),
            ("steps.total=0", "from 1 to 200"),
            ("steps.failed=201", "up to 200"),
            ("steps.failed=some", "up to 200"),
            ("playbook.id=", "the name of a playbook"),
            ("playbook.step=x", "a whole number"),
            ("package.missing=steps", "such as fields."),
        ] {
            assert!(shown(setting).contains(says), "{setting}: {}", shown(setting));
        }
    }

    #[test]
    fn a_case_set_to_another_team_lies_in_its_queue() {
        let (case, _) = set("case.team=billing").unwrap();
        assert_eq!(case.head.queue.known().cloned().flatten().and_then(|queue| queue.name), Some("Billing".into()));
        assert_eq!(case.memory.teams_seen.len(), 2);
        let (case, _) = set("case.team=").unwrap();
        assert_eq!((case.head.queue, case.memory.stay), (Fact::Known(None), None));
    }

    #[test]
    fn replies_are_added_and_taken_away() {
        let (case, _) = set("case.agent_replies=3").unwrap();
        assert_eq!(case.parts.conversation.unwrap().messages.len(), 4);
        let (case, _) = set("case.customer_replies=0").unwrap();
        assert_eq!(case.parts.conversation.unwrap().messages.len(), 1);
    }
}
