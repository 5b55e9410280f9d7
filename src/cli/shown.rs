//! Handoffs as scripts and people see them: what `--json` prints, and the same for a terminal.

use super::handoffs::tint;
use super::output::{Context, ago, tame};
use crate::ledger::PackageVersion;
use crate::ledger::commands::CommandRecord;
use crate::ledger::records::{AlertRecord, EffectRecord, HandoffRecord, Rated, Span, SpanOf, TaskRecord};
use crate::ledger::states::HandoffState;
use crate::policy::offer::several;
use crate::policy::package::edit::differences;
use crate::policy::package::name_of;
use crate::policy::proposal::{CustomerPlan, Proposal};
use crate::policy::review_terms::Unanswered;
use crate::policy::verdict::Risk;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;

/// One line of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Brief {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: HandoffState,
    /// DESK/TICKET.
    pub ticket: String,
    /// The giving team; none for a route.
    pub from: Option<String>,
    /// The receiving team.
    pub to: String,
    /// The rule that acted.
    pub rule: String,
    /// Its version.
    pub rule_version: String,
    /// Why.
    pub reason: String,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When the last effect was done.
    pub sent_at: Option<Timestamp>,
    /// Who acted first in the receiving team.
    pub claimed_by: Option<String>,
    /// When.
    pub claimed_at: Option<Timestamp>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When they did.
    pub approved_at: Option<Timestamp>,
    /// Why, if they said so.
    pub approved_because: Option<String>,
    /// Why it stands where it stands.
    pub detail: Option<String>,
    /// Why a person is, or was, asked.
    pub risks: Vec<Risk>,
    /// The share of the required package parts that is there, 0 to 1; none for a route.
    pub completeness: Option<f64>,
    /// How long it waits, or waited, for package parts that the current agent was asked for.
    pub ask_until: Option<Timestamp>,
    /// How long it waits, or waited, for a person's yes or no.
    pub review_until: Option<Timestamp>,
    /// Where rules want different teams: which of them a yes may name, the first one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<String>,
    /// What no answer by then means: `wait`, `reject` or `approve`.
    pub unanswered: Option<Unanswered>,
    /// Of a route: for which team the case left its first one too soon, and when.
    pub weak_triage: Option<WeakTriage>,
}

/// A case that began with the wrong team.
#[derive(Clone, Debug, Serialize)]
pub struct WeakTriage {
    /// The team that has it instead.
    pub to: String,
    /// Since when.
    pub at: Timestamp,
}

impl Brief {
    /// The line for a handoff.
    pub fn of(handoff: &HandoffRecord) -> Self {
        let proposal = &handoff.proposal;
        Self {
            id: handoff.id.clone(),
            state: handoff.state,
            ticket: format!("{}/{}", proposal.desk, tame(proposal.ticket.as_str())),
            from: proposal.from.as_ref().map(ToString::to_string),
            to: proposal.to.to_string(),
            rule: proposal.rule.to_string(),
            rule_version: proposal.rule_version.clone(),
            reason: proposal.reason.clone(),
            created_at: handoff.created_at,
            sent_at: handoff.sent_at,
            claimed_by: handoff.claimed.as_ref().map(|(_, who)| who.clone()),
            claimed_at: handoff.claimed.as_ref().map(|(at, _)| *at),
            approved_by: handoff.approved_by.clone(),
            approved_at: handoff.approved.as_ref().map(|(at, _)| *at),
            approved_because: handoff.approved.as_ref().and_then(|(_, why)| why.clone()),
            detail: handoff.detail.clone(),
            risks: handoff.risks.clone(),
            completeness: handoff.completeness,
            ask_until: handoff.ask_until,
            offers: choice(handoff),
            review_until: proposal.review.as_ref().map(|plan| plan.until.at),
            unanswered: proposal.review.as_ref().map(|plan| plan.unanswered),
            weak_triage: handoff.weak_triage.as_ref().map(|(at, to)| WeakTriage { to: to.to_string(), at: *at }),
        }
    }

    /// Its state in words.
    pub fn state_shown(&self) -> String {
        self.state.name().replace('_', " ")
    }

    /// From where to where.
    pub fn path(&self) -> String {
        let to = if self.offers.is_empty() { self.to.clone() } else { self.offers.join(" or ") };
        format!("{} → {to}", self.from.as_deref().unwrap_or("intake"))
    }
}

/// The teams that a review offers which waits, where there are several.
fn choice(handoff: &HandoffRecord) -> Vec<String> {
    let offers = several(&handoff.proposal, &handoff.risks);
    let waits = handoff.state == HandoffState::InReview;
    offers.iter().filter(|_| waits).map(|offer| offer.to.to_string()).collect()
}

/// One effect.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// HANDOFF/NUMBER.
    pub key: String,
    /// What it is for.
    pub label: String,
    /// Where it stands.
    pub state: &'static str,
    /// The desk's proof.
    pub receipt: Option<String>,
    /// The last error or reason.
    pub reason: Option<String>,
    /// What a person can do.
    pub next_step: Option<String>,
}

impl Effect {
    /// An effect as stored.
    pub fn of(effect: &EffectRecord) -> Self {
        Self {
            key: effect.write.mark.key(),
            label: effect.label.clone(),
            state: effect.state.name(),
            receipt: effect.receipt.as_ref().map(|receipt| receipt.id.clone()),
            reason: effect.reason.clone(),
            next_step: effect.next_step.clone(),
        }
    }
}

/// One alert.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// HANDOFF/WHAT@CHANNEL.
    pub key: String,
    /// Where it stands.
    pub state: &'static str,
    /// When it was planned.
    pub at: Timestamp,
    /// The last error or reason.
    pub reason: Option<String>,
}

impl Told {
    /// An alert as stored.
    pub fn of(record: &AlertRecord) -> Self {
        let (key, at) = (record.alert.key.clone(), record.created_at);
        Self { key, state: record.state.name(), at, reason: record.reason.clone() }
    }
}

/// A handoff whole: with what travels, and every effect.
#[derive(Clone, Debug, Serialize)]
pub struct Whole {
    /// Its line.
    #[serde(flatten)]
    pub brief: Brief,
    /// Everything that was decided: package, owner, clock, customer.
    pub proposal: Proposal,
    /// Until when somebody of the receiving team should act, where that is waited for.
    pub claim_due: Option<Timestamp>,
    /// How many steps were taken because nobody did.
    pub unclaimed_steps: u32,
    /// What it left with the agent before.
    pub task: Option<TaskRecord>,
    /// Who had the case from when to when.
    pub ownership: Vec<Span>,
    /// Its effects in order.
    pub effects: Vec<Effect>,
    /// Who was told of it outside the helpdesk.
    pub alerts: Vec<Told>,
    /// What the receiving team thinks of its package, if somebody said.
    pub rated: Option<Rated>,
    /// What agents ordered on its ticket, with the answers.
    pub commands: Vec<CommandRecord>,
    /// Every version of its package, where a person has edited it.
    pub packages: Vec<PackageVersion>,
}

impl Whole {
    /// A handoff as stored, with what the ledger knows of its ticket.
    pub fn of(
        handoff: &HandoffRecord,
        commands: Vec<CommandRecord>,
        task: Option<TaskRecord>,
        ownership: Vec<Span>,
        alerts: &[AlertRecord],
    ) -> Self {
        Self {
            alerts: alerts.iter().map(Told::of).collect(),
            rated: handoff.rated.clone(),
            packages: Vec::new(),
            commands,
            task,
            ownership,
            brief: Brief::of(handoff),
            proposal: handoff.proposal.clone(),
            claim_due: handoff.claim_due,
            unclaimed_steps: handoff.unclaimed_steps,
            effects: handoff.effects.iter().map(Effect::of).collect(),
        }
    }

    /// For a terminal.
    pub fn text(&self, context: &Context, now: Timestamp) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = self.write(&mut text, context, now);
        text.trim_end().to_owned()
    }

    fn write(&self, text: &mut String, context: &Context, now: Timestamp) -> std::fmt::Result {
        let (brief, proposal) = (&self.brief, &self.proposal);
        let state = context.tinted(&brief.state_shown(), tint(brief.state));
        writeln!(text, "{}  {}  {state}", context.strong(&brief.id), brief.ticket)?;
        writeln!(text, "  {}  by rule {}@{}", brief.path(), brief.rule, brief.rule_version)?;
        writeln!(text, "  why       {}", tame(&brief.reason))?;
        for risk in &brief.risks {
            writeln!(text, "  review    {}", tame(&risk_shown(risk)))?;
        }
        for (nth, team) in brief.offers.iter().enumerate() {
            let (id, word) = (&brief.id, if nth == 0 { "choose" } else { "or" });
            writeln!(text, "  {word:<8}  {team}: handoffd reviews approve {id} --as NAME --to {team}")?;
        }
        if let Some(plan) = &proposal.review {
            writeln!(text, "  answer    until {}; if nobody does, {}", plan.until.told(), plan.unanswered.shown())?;
        }
        writeln!(text, "  decided   {} ({} ago)", brief.created_at, ago(brief.created_at, now))?;
        if let Some(until) = brief.ask_until {
            writeln!(text, "  asked     for package parts, until {until}")?;
        }
        if let Some(detail) = &brief.detail {
            writeln!(text, "  because   {}", tame(detail))?;
        }
        if let Some(asked) = &proposal.asked {
            writeln!(text, "  asked by  {}: {}", tame(&asked.by), tame(&asked.reason))?;
        }
        if let Some(by) = &brief.approved_by {
            let at = brief.approved_at.map_or_else(String::new, |at| format!(" at {at}"));
            let why = brief.approved_because.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            writeln!(text, "  approved  {}", tame(&format!("{by}{at}{why}")))?;
        }
        if let (Some(by), Some(at)) = (&brief.claimed_by, brief.claimed_at) {
            writeln!(text, "  claimed   {} at {at}", tame(by))?;
        }
        if let Some(other) = &proposal.instead_of {
            writeln!(text, "  instead   of {}: {}", other.team, tame(&other.why))?;
        }
        if let Some(weak) = &brief.weak_triage {
            writeln!(text, "  triage    weak: {} has it since {}", weak.to, weak.at)?;
        }
        if let Some(due) = self.claim_due.filter(|_| brief.claimed_at.is_none()) {
            let steps = match self.unclaimed_steps {
                0 => String::new(),
                steps => format!("; steps taken because nobody did: {steps}"),
            };
            writeln!(text, "  claim     awaited until {due}{steps}")?;
        }
        for (name, value) in &proposal.facts {
            writeln!(text, "  fact      {name} = {}", tame(value))?;
        }
        if let Some(rated) = &self.rated {
            let why = rated.reason.as_ref().map_or_else(String::new, |why| format!(": {}", tame(why)));
            writeln!(text, "  rated     {} by {}{why}", rated.rating.name(), tame(&rated.by))?;
        }
        write_decisions(text, proposal)?;
        self.write_edits(text)?;
        self.write_ownership(text, now)?;
        for command in &self.commands {
            let (by, words) = (tame(&command.by), tame(&command.words));
            writeln!(text, "  command   /{} by {by}, {}: {words}", command.verb, command.outcome)?;
        }
        writeln!(text, "  effects")?;
        for effect in &self.effects {
            writeln!(text, "    {}  {}  {}", effect.key, effect.state.replace('_', " "), effect.label)?;
            for (word, words) in [("because", &effect.reason), ("next", &effect.next_step)] {
                if let Some(words) = words {
                    writeln!(text, "      {word}: {}", tame(words))?;
                }
            }
        }
        self.write_alerts(text)
    }

    fn write_alerts(&self, text: &mut String) -> std::fmt::Result {
        if !self.alerts.is_empty() {
            writeln!(text, "  alerts")?;
        }
        for told in &self.alerts {
            let why = told.reason.as_ref().map_or_else(String::new, |why| format!(": {}", tame(why)));
            writeln!(text, "    {}  {}{why}", told.key, told.state.replace('_', " "))?;
        }
        Ok(())
    }

    /// What each edit changed; the present words stand above.
    fn write_edits(&self, text: &mut String) -> std::fmt::Result {
        for two in self.packages.windows(2) {
            let [before, after] = two else { continue };
            let by = tame(after.by.as_deref().unwrap_or_default());
            writeln!(text, "  edited    version {} by {by} at {}", after.number, after.at)?;
            for change in differences(&before.package, &after.package) {
                let was = if change.before.is_empty() { "nothing".to_owned() } else { change.before.join(" / ") };
                writeln!(text, "            {} was: {}", change.part, tame(&was))?;
            }
        }
        Ok(())
    }

    fn write_ownership(&self, text: &mut String, now: Timestamp) -> std::fmt::Result {
        if let Some(task) = &self.task {
            let who = tame(task.who.as_deref().unwrap_or("the agent before"));
            let stands = match (&task.done, task.until) {
                (Some((at, by)), _) => format!("done by {} at {at}", tame(by)),
                (None, Some(until)) if until <= now => format!("overdue since {until}"),
                (None, Some(until)) => format!("open until {until}"),
                (None, None) => "open".to_owned(),
            };
            writeln!(text, "  task      with {who}: {} ({stands})", tame(&task.task))?;
        }
        for span in &self.ownership {
            let (word, nobody) = match span.of {
                SpanOf::Team => ("team", "no team of ours"),
                SpanOf::Owner => ("owner", "nobody"),
            };
            let who = tame(span.name.as_deref().or(span.id.as_deref()).unwrap_or(nobody));
            let until = span.until.map_or_else(|| "now".to_owned(), |until| until.to_string());
            let by = match (&span.handoff, &span.by) {
                (Some(handoff), _) => format!(", by {handoff}"),
                (None, Some(by)) => format!(", by {}", tame(by)),
                (None, None) => String::new(),
            };
            writeln!(text, "  had it    {word} {who}: {} to {until}{by}", span.from)?;
        }
        Ok(())
    }
}

/// The answers of a proposal: what travels, who owns it, what the clocks do, what the customer is told.
pub fn decisions(proposal: &Proposal) -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = write_decisions(&mut text, proposal);
    text.trim_end().to_owned()
}

fn write_decisions(text: &mut String, proposal: &Proposal) -> std::fmt::Result {
    for section in proposal.package.iter().flat_map(|package| &package.parts) {
        let name = format!("{:?}", section.part).to_lowercase();
        for line in &section.lines {
            writeln!(text, "  {name:<9} {}", tame(line))?;
        }
    }
    for missing in proposal.package.iter().flat_map(|package| &package.missing) {
        writeln!(text, "  missing   {}", name_of(*missing))?;
    }
    if let Some(package) = proposal.package.as_ref() {
        writeln!(text, "  package   {:.0} % of the required parts", package.completeness() * 100.0)?;
    }
    writeln!(text, "  owner     {}", tame(&proposal.owner.shown))?;
    if let Some(why) = &proposal.owner.fallback {
        writeln!(text, "            not as declared: {}", tame(why))?;
    }
    if let Some(until) = &proposal.clock.internal_until {
        writeln!(text, "  clock     internal until {}", until.told())?;
    }
    if let Some((name, until)) = &proposal.clock.customer_until {
        let verb = if until.at > proposal.decided_at { "until" } else { "ran out" };
        writeln!(text, "  clock     {} {verb} {}", tame(name), until.told())?;
    }
    if let Some(until) = &proposal.owner.previous_until {
        writeln!(text, "  previous  until {}", until.told())?;
    }
    match &proposal.customer {
        CustomerPlan::Tell { message, text: words, .. } => {
            writeln!(text, "  customer  is told ({message}): {}", tame(words))
        }
        CustomerPlan::Nothing { because } => writeln!(text, "  customer  is told nothing: {}", tame(because)),
    }
}

/// Why a person is asked, in words.
pub fn risk_shown(risk: &Risk) -> String {
    risk.shown()
}
