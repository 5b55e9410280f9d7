//! The facts that conditions and reasons may look at: their names, their types, and the part of a ticket that each
//! one costs. The fixed ones stand in one table; a policy's custom fields come on top of it.

use super::names::TeamName;
use super::package::{ORDER, name_of};
use super::rules::{FieldDeclaration, FieldOwner};
use handoffd_kit::model::{FieldType, PartKind};
use std::collections::BTreeMap;
use std::fmt;

/// A fact of the fixed tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say what they are; the table below gives each one's name in conditions")]
pub enum HouseFact {
    TicketId,
    TicketDesk,
    TicketSubject,
    TicketText,
    TicketStatus,
    TicketPriority,
    TicketType,
    TicketChannel,
    TicketLanguage,
    TicketTags,
    TicketAttachments,
    TicketMachineMail,
    CustomerEmail,
    CustomerDomain,
    CustomerOrganization,
    CustomerLanguage,
    CustomerZone,
    CaseTeam,
    CaseTier,
    CaseTeamsSeen,
    CaseTiersSeen,
    CaseHops,
    CaseBounces,
    CaseReturns,
    CaseReopens,
    CaseAgentReplies,
    CaseCustomerReplies,
    CaseHandoffs,
    CaseContacts30d,
    StepsTotal,
    StepsDone,
    StepsFailed,
    PlaybookId,
    PlaybookStep,
    PackageMissing,
    PackageCompleteness,
    CommandReason,
    CommandBy,
}

/// What a fact's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactType {
    /// Yes or no.
    YesNo,
    /// A whole number: a CEL int.
    Whole,
    /// A number with a fraction: a CEL double. Number fields are always this.
    Number,
    /// Text. A date field is text in the form `2026-03-31`, which compares in calendar order.
    Text,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Wholes,
}

/// The fixed facts: name, fact, type, and the part that it takes to know it.
const TABLE: [(&str, HouseFact, FactType, Option<PartKind>); 38] = {
    use FactType::{Number, Text, Texts, Whole, Wholes, YesNo};
    use HouseFact::*;
    use PartKind::{Contacts, Conversation, Customer, History};
    [
        ("ticket.id", TicketId, Text, None),
        ("ticket.desk", TicketDesk, Text, None),
        ("ticket.subject", TicketSubject, Text, None),
        // Only where the head does not carry it.
        ("ticket.text", TicketText, Text, Some(Conversation)),
        ("ticket.status", TicketStatus, Text, None),
        ("ticket.priority", TicketPriority, Text, None),
        ("ticket.type", TicketType, Text, None),
        ("ticket.channel", TicketChannel, Text, None),
        ("ticket.language", TicketLanguage, Text, None),
        ("ticket.tags", TicketTags, Texts, None),
        ("ticket.attachments", TicketAttachments, Texts, Some(Conversation)),
        ("ticket.machine_mail", TicketMachineMail, YesNo, Some(Conversation)),
        ("customer.email", CustomerEmail, Text, Some(Customer)),
        ("customer.domain", CustomerDomain, Text, Some(Customer)),
        ("customer.organization", CustomerOrganization, Text, Some(Customer)),
        ("customer.language", CustomerLanguage, Text, Some(Customer)),
        ("customer.zone", CustomerZone, Text, Some(Customer)),
        ("case.team", CaseTeam, Text, None),
        ("case.tier", CaseTier, Whole, None),
        ("case.teams_seen", CaseTeamsSeen, Texts, None),
        ("case.tiers_seen", CaseTiersSeen, Wholes, None),
        ("case.hops", CaseHops, Whole, None),
        ("case.bounces", CaseBounces, Whole, None),
        ("case.returns", CaseReturns, Whole, None),
        ("case.reopens", CaseReopens, Whole, Some(History)),
        ("case.agent_replies", CaseAgentReplies, Whole, Some(Conversation)),
        ("case.customer_replies", CaseCustomerReplies, Whole, Some(Conversation)),
        ("case.handoffs", CaseHandoffs, Whole, None),
        ("case.contacts_30d", CaseContacts30d, Whole, Some(Contacts)),
        // Only where no mapped field carries them.
        ("steps.total", StepsTotal, Whole, Some(Conversation)),
        ("steps.done", StepsDone, Whole, Some(Conversation)),
        ("steps.failed", StepsFailed, Whole, Some(Conversation)),
        ("playbook.id", PlaybookId, Text, Some(Conversation)),
        ("playbook.step", PlaybookStep, Whole, Some(Conversation)),
        // Of the rule's own package, so they may cost whatever that takes.
        ("package.missing", PackageMissing, Texts, Some(Conversation)),
        ("package.completeness", PackageCompleteness, Number, Some(Conversation)),
        // Of the latest `/handoff` inside the helpdesk; empty where nobody asked.
        ("command.reason", CommandReason, Text, None),
        ("command.by", CommandBy, Text, None),
    ]
};

/// Clocks whose state conditions may ask for.
const CLOCKS: [&str; 4] = ["first_reply", "next_reply", "resolution", INTERNAL];

/// The clock that the ledger keeps: no desk is asked for it.
const INTERNAL: &str = "internal";

/// The facts of a rule's own package begin so.
const PACKAGE: &str = "package";

/// A fact by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactName {
    /// One of the fixed tree.
    House(HouseFact),
    /// A custom field: `ticket.fields.NAME`, `customer.fields.NAME`, `organization.fields.NAME`.
    Field(FieldOwner, String),
    /// `clocks.NAME.state`.
    Clock(String),
}

impl FactName {
    /// The part that it takes to know it; none: the head, or what the ledger remembers, is enough.
    pub fn part(&self) -> Option<PartKind> {
        match self {
            Self::House(fact) => TABLE.iter().find(|row| row.1 == *fact).and_then(|row| row.3),
            Self::Field(FieldOwner::Ticket, _) => None,
            Self::Field(FieldOwner::Customer | FieldOwner::Organization, _) => Some(PartKind::Customer),
            Self::Clock(name) => (name != INTERNAL).then_some(PartKind::Clocks),
        }
    }

    /// Whether it is about the rule's own package, so that each rule sees a value of its own.
    pub fn is_of_the_package(&self) -> bool {
        matches!(self, Self::House(HouseFact::PackageMissing | HouseFact::PackageCompleteness))
    }

    /// Whether a change of it is news that opens a closed path. What our own handoffs change is none, or a bounce would open
    /// its own path; nor is the state of a clock, which time alone changes.
    pub fn opens_paths(&self) -> bool {
        !self.moves_with_the_case() && !matches!(self, Self::Clock(_))
    }

    /// Whether our own handoffs change it.
    pub fn moves_with_the_case(&self) -> bool {
        use HouseFact::*;
        matches!(
            self,
            Self::House(
                CaseTeam
                    | CaseTier
                    | CaseTeamsSeen
                    | CaseTiersSeen
                    | CaseHops
                    | CaseBounces
                    | CaseReturns
                    | CaseHandoffs
            )
        ) || matches!(self, Self::Clock(name) if name == INTERNAL)
    }
}

impl fmt::Display for FactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::House(fact) => f.write_str(TABLE.iter().find(|row| row.1 == *fact).map_or("", |row| row.0)),
            Self::Field(FieldOwner::Ticket, name) => write!(f, "ticket.fields.{name}"),
            Self::Field(FieldOwner::Customer, name) => write!(f, "customer.fields.{name}"),
            Self::Field(FieldOwner::Organization, name) => write!(f, "organization.fields.{name}"),
            Self::Clock(name) => write!(f, "clocks.{name}.state"),
        }
    }
}

/// What is known about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A fact.
    Fact(FactName, FactType),
    /// Facts begin with it; it is none itself.
    Branch,
    /// It is about the package of a rule, and there is none here.
    NoPackage,
    /// No such fact; the nearest one, if one is near.
    Nothing(Option<String>),
}

/// All facts that a policy's conditions may look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownFacts {
    fields: BTreeMap<(FieldOwner, String), FieldType>,
    /// The names of all teams; none: they are not looked at.
    teams: Vec<String>,
    without_package: bool,
}

impl KnownFacts {
    /// The fixed facts alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// These facts and a desk's declared fields. A policy over several desks adds each desk's; where two give one name
    /// different types the first one counts (the configuration refuses that case).
    #[must_use]
    pub fn with_fields<'a>(mut self, fields: impl IntoIterator<Item = (&'a String, &'a FieldDeclaration)>) -> Self {
        for (name, field) in fields {
            self.fields.entry((field.of, name.clone())).or_insert(field.kind);
        }
        self
    }

    /// These facts in a policy with these teams: no other team has a case.
    #[must_use]
    pub fn with_teams<'a>(self, teams: impl IntoIterator<Item = &'a TeamName>) -> Self {
        Self { teams: teams.into_iter().map(TeamName::to_string).collect(), ..self }
    }

    /// The words that a fact, or each entry of one, is one of, where these are a few; empty: it may be any.
    pub fn words(&self, fact: &FactName) -> Vec<&str> {
        match fact {
            FactName::House(HouseFact::TicketStatus) => vec!["new", "open", "pending", "on_hold", "solved", "closed"],
            FactName::House(HouseFact::TicketPriority) => vec!["low", "normal", "high", "urgent", ""],
            FactName::House(HouseFact::CaseTeam | HouseFact::CaseTeamsSeen) => {
                self.teams.iter().map(String::as_str).collect()
            }
            FactName::House(HouseFact::PackageMissing) => ORDER.iter().map(|part| name_of(*part)).collect(),
            FactName::Clock(_) => vec!["running", "paused", "met", "breached"],
            _ => Vec::new(),
        }
    }

    /// Whether a fact is a date, as text in the form `2026-03-31`.
    pub fn is_date(&self, fact: &FactName) -> bool {
        matches!(fact, FactName::Field(of, name) if self.fields.get(&(*of, name.clone())) == Some(&FieldType::Date))
    }

    /// These facts but for those of a package: for what is asked where nothing is handed off with one.
    #[must_use]
    pub fn without_package(self) -> Self {
        Self { without_package: true, ..self }
    }

    /// What this name is.
    pub fn look_up(&self, name: &str) -> Known {
        if self.without_package && name.split('.').next() == Some(PACKAGE) {
            return Known::NoPackage;
        }
        if let Some((_, fact, kind, _)) = TABLE.iter().find(|row| row.0 == name) {
            return Known::Fact(FactName::House(*fact), *kind);
        }
        if let Some(field) =
            self.fields.iter().find(|(key, _)| FactName::Field(key.0, key.1.clone()).to_string() == name)
        {
            return Known::Fact(FactName::Field(field.0.0, field.0.1.clone()), type_of(*field.1));
        }
        let clock = name.strip_prefix("clocks.").and_then(|rest| rest.strip_suffix(".state"));
        if let Some(clock) = clock.filter(|clock| CLOCKS.contains(clock)) {
            return Known::Fact(FactName::Clock(clock.to_owned()), FactType::Text);
        }
        let inside = format!("{name}.");
        if self.names().iter().any(|known| known.starts_with(&inside)) {
            return Known::Branch;
        }
        Known::Nothing(nearest(name, &self.names()))
    }

    /// Every name, for help texts and schemas.
    pub fn names(&self) -> Vec<String> {
        let fields = self.fields.keys().map(|(of, name)| FactName::Field(*of, name.clone()).to_string());
        let clocks = CLOCKS.iter().map(|name| FactName::Clock((*name).to_owned()).to_string());
        let fixed = TABLE.iter().map(|row| row.0).filter(|name| !(self.without_package && name.starts_with(PACKAGE)));
        fixed.map(str::to_owned).chain(fields).chain(clocks).collect()
    }
}

fn type_of(kind: FieldType) -> FactType {
    match kind {
        FieldType::Text | FieldType::Choice | FieldType::Date => FactType::Text,
        FieldType::Number => FactType::Number,
        FieldType::YesNo => FactType::YesNo,
    }
}

/// The known name that is most like this one, if one is like it at all.
pub(super) fn nearest(name: &str, known: &[impl AsRef<str>]) -> Option<String> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate.as_ref()), candidate.as_ref()))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_refund() -> KnownFacts {
        let refund = FieldDeclaration { id: "7".into(), kind: FieldType::Number, of: FieldOwner::Ticket };
        KnownFacts::new().with_fields([(&"refund_eur".to_owned(), &refund)])
    }

    #[test]
    fn every_row_of_the_table_is_found_by_its_name_and_shown_by_it() {
        for (name, fact, kind, _) in TABLE {
            assert_eq!(KnownFacts::new().look_up(name), Known::Fact(FactName::House(fact), kind));
            assert_eq!(FactName::House(fact).to_string(), name);
        }
    }

    #[test]
    fn a_declared_field_has_its_type_and_a_mistyped_one_its_nearest_name() {
        let field = FactName::Field(FieldOwner::Ticket, "refund_eur".into());
        assert_eq!(with_refund().look_up("ticket.fields.refund_eur"), Known::Fact(field, FactType::Number));
        assert_eq!(
            with_refund().look_up("ticket.fields.refund_euro"),
            Known::Nothing(Some("ticket.fields.refund_eur".into()))
        );
        assert_eq!(with_refund().look_up("zzz"), Known::Nothing(None));
    }

    #[test]
    fn the_beginning_of_a_name_is_no_fact() {
        assert_eq!(KnownFacts::new().look_up("ticket"), Known::Branch);
    }

    #[test]
    fn the_facts_of_a_package_are_known_only_where_there_is_one() {
        let routes = KnownFacts::new().without_package();
        for name in ["package.missing", "package", "package.mising"] {
            assert_eq!(routes.look_up(name), Known::NoPackage, "{name}");
        }
        assert_eq!(routes.look_up("packages"), Known::Nothing(None));
        assert!(!routes.names().iter().any(|name| name.starts_with("package")));
        assert_eq!(KnownFacts::new().look_up("package"), Known::Branch);
    }
}
