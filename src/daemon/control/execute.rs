//! Carries an order out: checks who may, asks desk and ledger, records who did it. Each order is one transaction in the
//! ledger; what has to be written to a desk becomes an effect and goes the way of all effects.

use super::{Command, CommandError, Order, Reply, Target};
use crate::daemon::house::House;
use crate::ledger::policies::Choice;
use crate::ledger::records::{AlertRecord, CaseTrouble, EffectRecord, ReviewAnswer, SignedWording, Switch};
use crate::ledger::states::HandoffState;
use crate::ledger::{Act, Forgotten, Ledger, LedgerError, PersonWanted};
use crate::policy::case::SignedRule;
use crate::policy::hold::waits_for_signature;
use crate::policy::names::{MessageName, RuleName};
use crate::policy::proposal::Proposal;
use crate::policy::reviewers::{MayNot, Who, may_decide, same_person};
use crate::policy::rules::{Mode, Policy, Rule};
use handoffd_kit::id::{DeskId, TicketId};

/// Where to look for what is parked.
const LISTED: &str = "`handoffd parked list` shows what is";

/// Carries out an order of this system user.
///
/// # Errors
/// Why it was not, in words for the person.
pub async fn execute(house: &House, order: Order, system_user: &str) -> Result<Reply, CommandError> {
    order.check()?;
    if house.policy.mode == Mode::Shadow && order.command.writes() {
        is_there(house, &order.command).await?;
        let words = "`[daemon] mode` is shadow: nothing is written to any desk. Set it to live, `handoffd reload`, and say it again";
        return Err(CommandError::Refused(words.into()));
    }
    let by = format!("{} ({system_user})", order.by);
    let act = |reason: Option<String>| Act { by: by.clone(), reason, at: house.seams.clock.now() };
    tracing::info!(by = %by, command = order.command.name(), "control.order");
    let reply = match order.command {
        Command::Release { rule, limit } => release(house, rule, limit, act(None)).await,
        Command::Retry { target } => retry(house, target, act(None)).await,
        Command::Drop { target, reason } => give_up(house, target, act(Some(reason))).await,
        Command::Undo { handoff, reason } => super::undo::undo(house, &handoff, act(Some(reason))).await,
        Command::Approve { handoff, reason, to } => {
            super::approve::approve(house, &handoff, to, &order.by, act(reason)).await
        }
        Command::Edit { handoff, of, parts } => {
            super::edit::edit(house, handoff, of, parts, &order.by, act(None)).await
        }
        Command::Reject { handoff, reason } => reject(house, handoff, &order.by, act(Some(reason))).await,
        Command::TaskDone { handoff } => task_done(house, handoff, act(None)).await,
        Command::Switch { switch, on } => switch_to(house, switch, on, act(None)).await,
        Command::Sign { message, wording } => sign(house, message, wording, order.by, system_user).await,
        Command::SignRule { rule, version } => sign_rule(house, rule, version, order.by, system_user).await,
        Command::Forget { person } => forget(house, person, act(None)).await,
        Command::Rollback { version: Some(version), instead_of, reason } => {
            let choice = Choice { version, instead_of, by, reason, at: house.seams.clock.now() };
            super::rollback::roll_back(house, choice).await
        }
        Command::Rollback { version: None, reason, .. } => super::rollback::file_again(house, act(Some(reason))).await,
        Command::Reload => {
            Err(CommandError::Refused("nothing runs here that could take another configuration in".into()))
        }
    }?;
    house.wake.call();
    Ok(reply)
}

/// What is not there is told as such, whatever else forbids the order.
async fn is_there(house: &House, command: &Command) -> Result<(), CommandError> {
    match command.clone() {
        Command::Retry { target } => {
            let wanted = target.clone();
            let known = house.ledger.call(move |ledger| wanted.is_known(ledger)).await?;
            if known { Ok(()) } else { Err(target.not_found()) }
        }
        Command::Approve { handoff, .. } | Command::Undo { handoff, .. } => {
            Ok(house.ledger.call(move |ledger| ledger.handoff(&handoff).map(drop)).await?)
        }
        _ => Ok(()),
    }
}

impl Command {
    /// Whether carrying it out needs the desk, and so its secrets.
    pub fn asks_a_desk(&self) -> bool {
        matches!(self, Self::Approve { .. } | Self::Undo { .. })
    }

    /// Whether carrying it out may write to a desk.
    fn writes(&self) -> bool {
        matches!(self, Self::Approve { .. } | Self::Undo { .. } | Self::Retry { .. })
    }

    /// Its word, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Release { .. } => "release",
            Self::Retry { .. } => "retry",
            Self::Drop { .. } => "drop",
            Self::Undo { .. } => "undo",
            Self::Approve { .. } => "approve",
            Self::Edit { .. } => "edit",
            Self::Reject { .. } => "reject",
            Self::TaskDone { .. } => "task done",
            Self::Switch { on: true, .. } => "pause",
            Self::Switch { on: false, .. } => "resume",
            Self::Sign { .. } | Self::SignRule { .. } => "sign",
            Self::Rollback { .. } => "rollback",
            Self::Forget { .. } => "forget",
            Self::Reload => "reload",
        }
    }
}

async fn forget(house: &House, person: PersonWanted, act: Act) -> Result<Reply, CommandError> {
    let Forgotten { cases, withdrawn, acts } = house.ledger.call(move |ledger| ledger.forget(&person, &act)).await?;
    let ended = match withdrawn {
        0 => String::new(),
        count => format!(", {count} handoffs that were not sent whole ended with it"),
    };
    let said = format!(
        "the text of {cases} cases is erased from the ledger{ended}, and {acts} names and reasons in the record of who did what. \
         What the helpdesk still has comes back with the next look at it"
    );
    Ok(Reply::new(said, cases))
}

async fn release(house: &House, rule: RuleName, limit: usize, act: Act) -> Result<Reply, CommandError> {
    let known = known_rule(&house.policy, &rule)?;
    let signed = house.ledger.call(|ledger| ledger.signed_rules()).await?;
    if known.mode == Mode::Live && waits_for_signature(known, &house.policy, &signed) {
        let reviewer = house.policy.header.second_reviewer.as_deref().unwrap_or("NAME");
        let words = format!(
            "rule {rule} is sensitive, and in shadow until its second reviewer has signed this version of it: `handoffd policy \
             approve {rule} --as {reviewer}`"
        );
        return Err(CommandError::Refused(words));
    }
    if house.policy.mode == Mode::Shadow || known.mode == Mode::Shadow {
        let whose = if known.mode == Mode::Shadow { format!("rule {rule}") } else { "[daemon]".to_owned() };
        let words = format!("{whose} is in shadow: a release would write nothing. Set its mode = \"live\" first");
        return Err(CommandError::Refused(words));
    }
    let (asked, share) = (rule.clone(), known.share);
    let released = house.ledger.call(move |ledger| ledger.release(&asked, share, limit, &act)).await?;
    let outside = match released.outside {
        0 => String::new(),
        count => format!("; {count} lie outside of its share and stay held: widen it, then release again"),
    };
    let said = match released.cases.len() {
        0 => format!("no case waits for rule {rule}{outside}"),
        count => {
            format!("{count} cases of rule {rule} are looked at again and handed off if it still matches{outside}")
        }
    };
    Ok(Reply::new(said, released.cases.len()))
}

fn known_rule<'p>(policy: &'p Policy, rule: &RuleName) -> Result<&'p Rule, CommandError> {
    policy.rule(rule).ok_or_else(|| unknown_rule(rule))
}

fn unknown_rule(rule: &RuleName) -> CommandError {
    CommandError::Wrong(format!("the running policy has no rule {rule}; `handoffd policy show` lists them"))
}

async fn retry(house: &House, target: Target, act: Act) -> Result<Reply, CommandError> {
    if let Target::Desk { desk } = &target {
        return Err(if is_configured(house, desk) { goes_on(desk) } else { nowhere_to_go(desk) });
    }
    let touched = on_parked(house, &target, act, retry_parked).await?;
    let said = format!("{} tried again; what may be on the desk already is looked up first", touched.shown());
    Ok(Reply::new(said, touched.all()))
}

async fn give_up(house: &House, target: Target, act: Act) -> Result<Reply, CommandError> {
    if let Target::Desk { desk } = target {
        return give_up_desk(house, desk, act).await;
    }
    let touched = on_parked(house, &target, act, drop_parked).await?;
    let left = match touched.left.len() {
        0 => String::new(),
        _ => format!(", and with it what was to follow: {}", touched.left.join(", ")),
    };
    let said = format!("{} given up{left}; what is on the desk stays there", touched.shown());
    Ok(Reply::new(said, touched.all()))
}

fn is_configured(house: &House, desk: &DeskId) -> bool {
    house.policy.desks.contains_key(desk) || house.desks.get(desk).is_some()
}

fn goes_on(desk: &DeskId) -> CommandError {
    CommandError::Refused(format!(
        "the desk {desk} is configured, and what waits for it goes on by itself; --all --desk {desk} is for what is parked on it"
    ))
}

fn nowhere_to_go(desk: &DeskId) -> CommandError {
    CommandError::Refused(format!(
        "the desk {desk} is not configured: configure it again, then `handoffd reload`, and everything that waits for it goes on by itself"
    ))
}

/// Gives up everything that waits for a desk that is not configured.
async fn give_up_desk(house: &House, desk: DeskId, act: Act) -> Result<Reply, CommandError> {
    if is_configured(house, &desk) {
        return Err(goes_on(&desk));
    }
    let waits = house.ledger.call(move |ledger| ledger.drop_desk(&desk, &act)).await?;
    let said = format!("{} of the desk {} are given up; what is on it stays there", waits.shown(), waits.desk);
    let all = waits.looks + waits.handoffs + waits.effects;
    Ok(Reply::new(said, usize::try_from(all).unwrap_or(usize::MAX)))
}

/// How many things were parked and fitted.
struct Touched {
    effects: usize,
    alerts: usize,
    cases: usize,
    /// Labels of what ended with them, as it was to follow.
    left: Vec<String>,
}

impl Touched {
    fn all(&self) -> usize {
        self.effects + self.alerts + self.cases
    }

    fn shown(&self) -> String {
        let count = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("one {what}")),
            count => Some(format!("{count} {what}s")),
        };
        let things = [count(self.effects, "effect"), count(self.alerts, "alert"), count(self.cases, "case")];
        let things: Vec<String> = things.into_iter().flatten().collect();
        format!("{} {}", things.join(" and "), if self.all() == 1 { "is" } else { "are" })
    }
}

/// One thing that is parked.
enum Parked {
    /// An effect, by its row.
    Effect(i64),
    /// An alert, by its row.
    Alert(i64),
    /// A case.
    Case(DeskId, TicketId),
}

fn retry_parked(ledger: &mut Ledger, parked: &Parked, act: &Act) -> Result<Vec<String>, LedgerError> {
    match parked {
        Parked::Effect(id) => {
            ledger.retry_effect(*id, act)?;
        }
        Parked::Alert(id) => ledger.retry_alert(*id, act)?,
        Parked::Case(desk, ticket) => ledger.retry_case(desk, ticket, act)?,
    }
    Ok(Vec::new())
}

fn drop_parked(ledger: &mut Ledger, parked: &Parked, act: &Act) -> Result<Vec<String>, LedgerError> {
    match parked {
        // Of all that are parked, one may have ended with another one.
        Parked::Effect(id) if !ledger.still_parked(*id)? => Ok(Vec::new()),
        Parked::Effect(id) => ledger.drop_effect(*id, act),
        Parked::Alert(id) => ledger.drop_alert(*id, act).map(|()| Vec::new()),
        Parked::Case(desk, ticket) => ledger.drop_case(desk, ticket, act).map(|()| Vec::new()),
    }
}

/// Does something with everything parked that the target names, all in one transaction.
async fn on_parked(
    house: &House,
    target: &Target,
    act: Act,
    each: impl Fn(&mut Ledger, &Parked, &Act) -> Result<Vec<String>, LedgerError> + Send + 'static,
) -> Result<Touched, CommandError> {
    let wanted = target.clone();
    let done = house
        .ledger
        .call(move |ledger| {
            let effects: Vec<Parked> = ledger
                .parked()?
                .iter()
                .filter(|effect| wanted.fits(effect))
                .map(|effect| Parked::Effect(effect.id))
                .collect();
            let cases: Vec<Parked> = ledger
                .case_troubles()?
                .into_iter()
                .filter(|trouble| wanted.fits_case(trouble))
                .map(|trouble| Parked::Case(trouble.desk, trouble.ticket))
                .collect();
            let alerts = ledger.parked_alerts()?.into_iter().filter(|alert| wanted.fits_alert(alert));
            let alerts: Vec<Parked> = alerts.map(|alert| Parked::Alert(alert.id)).collect();
            let mut left = Vec::new();
            for parked in alerts.iter().chain(&effects).chain(&cases) {
                left.extend(each(ledger, parked, &act)?);
            }
            let touched = Touched { effects: effects.len(), alerts: alerts.len(), cases: cases.len(), left };
            Ok((touched.all() > 0 || wanted.is_known(ledger)?).then_some(touched))
        })
        .await?;
    match done {
        None => Err(target.not_found()),
        Some(touched) if touched.all() == 0 => {
            Err(CommandError::Refused(format!("nothing of {} is parked; {LISTED}", target.shown())))
        }
        Some(touched) => Ok(touched),
    }
}

impl Target {
    fn fits(&self, effect: &EffectRecord) -> bool {
        match self {
            Self::Handoff { id, number } => &effect.handoff == id && number.is_none_or(|n| n == effect.number),
            Self::All { desk, rule } => {
                desk.as_ref().is_none_or(|desk| desk == &effect.desk)
                    && rule.as_ref().is_none_or(|rule| rule.as_str() == effect.write.mark.rule)
            }
            Self::Case { .. } | Self::Desk { .. } | Self::Alert { .. } => false,
        }
    }

    fn fits_alert(&self, record: &AlertRecord) -> bool {
        let alert = &record.alert;
        match self {
            Self::Alert { key } => *key == alert.key,
            Self::Handoff { id, number } => number.is_none() && *id == alert.handoff,
            Self::All { desk, rule } => {
                desk.as_ref().is_none_or(|desk| *desk == alert.desk)
                    && rule.as_ref().is_none_or(|rule| *rule == alert.rule)
            }
            Self::Case { .. } | Self::Desk { .. } => false,
        }
    }

    fn fits_case(&self, trouble: &CaseTrouble) -> bool {
        match self {
            Self::Handoff { .. } | Self::Desk { .. } | Self::Alert { .. } => false,
            Self::Case { desk, ticket } => (desk, ticket) == (&trouble.desk, &trouble.ticket),
            Self::All { desk, rule } => rule.is_none() && desk.as_ref().is_none_or(|desk| desk == &trouble.desk),
        }
    }

    fn not_found(&self) -> CommandError {
        CommandError::NotFound(format!("there is no {}; {LISTED}", self.shown()))
    }

    /// Whether there is what it names, parked or not.
    fn is_known(&self, ledger: &Ledger) -> Result<bool, LedgerError> {
        match self {
            Self::Handoff { id, number } => ledger.has_effect(id, *number),
            Self::Alert { key } => ledger.has_alert(key),
            Self::Case { desk, ticket } => Ok(ledger.case_line(desk.as_str(), ticket.as_str())?.is_some()),
            Self::Desk { .. } | Self::All { .. } => Ok(true),
        }
    }

    fn shown(&self) -> String {
        let of = |what: &str, name: Option<&str>| name.map(|name| format!(" {what} {name}")).unwrap_or_default();
        match self {
            Self::Handoff { id, number: None } => format!("handoff {id}"),
            Self::Handoff { id, number: Some(number) } => format!("effect {id}/{number}"),
            Self::Alert { key } => format!("alert {key}"),
            Self::Case { desk, ticket } => format!("case {desk}/{ticket}"),
            Self::Desk { desk } => format!("the desk {desk}"),
            Self::All { desk, rule } => {
                let desk = of("on desk", desk.as_ref().map(DeskId::as_str));
                format!("everything{desk}{}", of("of rule", rule.as_ref().map(RuleName::as_str)))
            }
        }
    }
}

async fn reject(house: &House, handoff: String, who: &str, act: Act) -> Result<Reply, CommandError> {
    let id = handoff.clone();
    let record = house.ledger.call(move |ledger| ledger.handoff(&id)).await?;
    let proposal = &record.proposal;
    may_decide(&house.policy, proposal, &Who::named(who)).map_err(|why| may_not(proposal, who, &why))?;
    let Act { by, reason, at } = act;
    let answer =
        ReviewAnswer { handoff: handoff.clone(), by, reason, at, effects: Vec::new(), proposal: None, chosen: None };
    house.ledger.call(move |ledger| ledger.reject(&answer)).await?;
    let ended = match record.state {
        HandoffState::Asking => "withdrawn: nobody is asked for package parts any more, nothing was handed off",
        _ => "rejected: nothing was written",
    };
    let said = format!("{handoff} is {ended}, and this path is closed for the case until a matched fact changes");
    Ok(Reply::new(said, 1))
}

/// The refusal of somebody who may not decide a review.
pub(super) fn may_not(proposal: &Proposal, who: &str, why: &MayNot) -> CommandError {
    CommandError::Refused(format!("{who} may not decide a review for {}; {}", proposal.to, why.shown()))
}

async fn task_done(house: &House, handoff: String, act: Act) -> Result<Reply, CommandError> {
    let said = format!("the task that {handoff} left is done");
    house.ledger.call(move |ledger| ledger.finish_task(&handoff, &act)).await?;
    Ok(Reply::new(said, 1))
}

async fn switch_to(house: &House, switch: Switch, on: bool, act: Act) -> Result<Reply, CommandError> {
    let known = match &switch {
        Switch::All => true,
        Switch::Desk(desk) => is_configured(house, desk),
        Switch::Rule(rule) => known_rule(&house.policy, rule).is_ok(),
    };
    // What a former configuration paused can still be resumed.
    if on && !known {
        return Err(match &switch {
            Switch::Rule(rule) => unknown_rule(rule),
            Switch::Desk(desk) => CommandError::Wrong(format!("no desk {desk} is configured")),
            Switch::All => CommandError::Wrong("nothing to pause".into()),
        });
    }
    let what = match &switch {
        Switch::All => "everything".to_owned(),
        Switch::Desk(desk) => format!("desk {desk}"),
        Switch::Rule(rule) => format!("rule {rule}"),
    };
    house.ledger.call(move |ledger| ledger.set_switch(&switch, on, &act)).await?;
    let said = if on {
        format!("{what} is paused: nothing more is sent; a call that has left is finished")
    } else {
        format!("{what} goes on")
    };
    Ok(Reply::new(said, 1))
}

async fn sign(
    house: &House,
    message: MessageName,
    wording: String,
    signer: String,
    system_user: &str,
) -> Result<Reply, CommandError> {
    let known = house.policy.messages.get(&message);
    let known = known.ok_or_else(|| CommandError::Wrong(format!("the running policy has no message {message}")))?;
    let people = &house.policy.people;
    let Some(signer) = known.signers.iter().find(|listed| same_person(people, listed, &signer)).cloned() else {
        let signers = known.signers.join(", ");
        return Err(CommandError::Refused(format!("{signer} may not sign {message}; these may: {signers}")));
    };
    if known.wording_hash != wording {
        let words = format!(
            "the running policy has another wording of {message} than the one you were shown: `handoffd reload` takes the \
             new file in, or read the running one's wording"
        );
        return Err(CommandError::Refused(words));
    }
    let at = house.seams.clock.now();
    let said = format!("{message} is signed by {signer} in the wording {wording}");
    let signed =
        SignedWording { message: message.to_string(), wording, signer, system_user: system_user.to_owned(), at };
    house.ledger.call(move |ledger| ledger.sign(&signed)).await?;
    Ok(Reply::new(said, 1))
}

/// Only the second reviewer signs a rule, and only as it runs.
async fn sign_rule(
    house: &House,
    rule: RuleName,
    version: String,
    signer: String,
    system_user: &str,
) -> Result<Reply, CommandError> {
    let known = known_rule(&house.policy, &rule)?;
    if !known.sensitive {
        let words = format!("rule {rule} needs no signature: it does not say sensitive = true");
        return Err(CommandError::Refused(words));
    }
    let reviewer = house.policy.header.second_reviewer.as_deref().unwrap_or_default();
    if !same_person(&house.policy.people, reviewer, &signer) {
        return Err(CommandError::Refused(format!("{signer} may not sign rule {rule}; {reviewer} may")));
    }
    // Under the name that the policy gives them.
    let signer = reviewer.to_owned();
    if known.version != version {
        let words = format!(
            "the running policy has rule {rule} in the version {}, and you were shown {version}: `handoffd reload` takes the \
             new file in, or read the running one",
            known.version
        );
        return Err(CommandError::Refused(words));
    }
    let said = format!("{rule} is signed by {signer} in the version {version}");
    let (at, user) = (house.seams.clock.now(), system_user.to_owned());
    let signed = SignedRule { rule, version, signer };
    let running = house.clone();
    // It goes live now: what already matches is held and listed, as for a rule that is live in a new file.
    let sign = move |ledger: &mut Ledger| {
        ledger.sign_rule(&signed, &user, at)?;
        ledger.take_stock(&running.in_force(&ledger.signed_rules()?), at)
    };
    house.ledger.call(sign).await?;
    Ok(Reply::new(said, 1))
}
