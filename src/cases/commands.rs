//! What a command does now: the look that hears one carries it out and answers it, and decides nothing else; the next
//! look follows at once. Pure.
//!
//! Where what is done leaves a note of its own on the ticket (a handoff, the way back, a stale review), that note is the
//! answer; else a short one says what was done, or why not and what would be accepted.

use super::chosen::{Choices, on_offer};
use super::examine::{Look, Step, effects, planned_signature};
use super::hearing::Order;
use super::overtaken::overtaken;
use super::requests::{accepted, answer_to, in_no_team, joins, out_of_scope};
use super::review::{Still, as_shown, compare};
use crate::ledger::commands::{CommandOutcome, Deed, HandledCommand};
use crate::ledger::records::{CaseUpdate, HandoffRecord, NewHandoff, ReviewAnswer};
use crate::ledger::states::HandoffState;
use crate::plan::note::one_line;
use crate::plan::{self, PlannedEffect, Rejection};
use crate::policy::case::{Case, Request, Stay};
use crate::policy::command::{Command, Parts, Rating, Target};
use crate::policy::names::TeamName;
use crate::policy::offer::{Meant, answers, offers};
use crate::policy::package::edit::{NotEdited, differences, of_review};
use crate::policy::proposal::{AskedFor, HandoffKind, Package, Proposal};
use crate::policy::reviewers::{Membership, may_approve, may_decide, works_in};
use crate::policy::rules::Mode;
use crate::policy::verdict::{Decision, StayReason, Verdict};
use handoffd_kit::desk::StatusSpec;
use handoffd_kit::model::{Change, What};
use jiff::Timestamp;

/// What is known when a command is carried out.
pub(super) struct Scene<'a> {
    /// The look.
    pub look: &'a Look<'a>,
    /// The case, as if an open handoff that has sent nothing were not there.
    pub case: &'a Case,
    /// The handoff that brought the case to its present team, if one did and it stands.
    pub came_by: Option<&'a HandoffRecord>,
    /// The open handoff that has sent nothing.
    pub unsent: Option<&'a HandoffRecord>,
    /// What the policy says now, once a person has chosen this of the teams that rules want.
    pub decide: &'a dyn Fn(Option<&TeamName>) -> Decision,
}

/// What a command comes to.
pub(super) struct Done {
    outcome: CommandOutcome,
    words: String,
    handoff: Option<String>,
    /// Whether the words are written on the ticket.
    answered: bool,
    deed: Deed,
    starts: Option<NewHandoff>,
    request: Option<Request>,
    edit: Option<Box<Package>>,
}

impl Done {
    pub fn because(outcome: CommandOutcome, words: impl Into<String>) -> Self {
        let words = words.into();
        let (handoff, deed, edit) = (None, Deed::Nothing, None);
        Self { outcome, words, handoff, answered: true, deed, starts: None, request: None, edit }
    }

    pub fn refused(words: impl Into<String>) -> Self {
        Self::because(CommandOutcome::Refused, words)
    }

    pub fn about(self, handoff: &str) -> Self {
        Self { handoff: Some(handoff.to_owned()), ..self }
    }

    /// This is done, and the note that it leaves is the answer.
    pub fn by(self, deed: Deed) -> Self {
        Self { answered: false, deed, ..self }
    }

    /// Whether it changes what other commands were said about.
    fn decides(&self) -> bool {
        let acts = !matches!(self.deed, Deed::Nothing | Deed::Rate { .. });
        self.request.is_some() || self.starts.is_some() || self.edit.is_some() || acts
    }
}

impl Scene<'_> {
    /// Carries commands out into the update of their look, or asks for what it needs to know first. Of several that want
    /// something done only the first is: what the others were said about is not so any more.
    pub fn carry_out(&self, orders: &[Order], mut update: CaseUpdate) -> Step {
        let verdict = match (self.decide)(None) {
            Decision::Need(parts) => return Step::Need(parts),
            Decision::Verdict(verdict) => verdict,
        };
        let choices = match self.choices(orders) {
            Err(parts) => return Step::Need(parts),
            Ok(choices) => choices,
        };
        let out = out_of_scope(&verdict.outcome);
        let mut before: Option<&Order> = None;
        let mut edited: Option<Box<Package>> = None;
        for order in orders {
            let done = match (out, before.filter(|first| edited.is_none() || !goes_on(first, order))) {
                // It was saved together with it, or soon after: the label goes, and what the package was like is still told.
                (Some(StayReason::Ended), _) => self.on_solved(order),
                (Some(reason), _) => Done {
                    answered: false,
                    ..Done::because(CommandOutcome::Ignored, format!("nothing is done here: {}", reason.shown()))
                },
                (None, Some(first)) if !matches!(order.command, Command::Rate { .. }) => {
                    let words = format!("{} by {} came first: look what came of it", first.command.shown(), first.by);
                    Done::refused(words)
                }
                (None, _) => self.done(order, (&verdict, &choices), edited.as_deref()),
            };
            if done.decides() {
                before = Some(order);
                edited = done.edit.clone().or(edited);
            }
            let handled = self.handled(order, &done);
            update.handoff = update.handoff.or(done.starts);
            update.heard.request = update.heard.request.or(done.request);
            update.heard.commands.push(handled);
        }
        update.look_again = Some(self.look.now);
        // Who waits for a place in the hour keeps it.
        update.over_limit = verdict.over_limit().cloned();
        Step::Done(Box::new(update))
    }

    fn on_solved(&self, order: &Order) -> Done {
        match &order.command {
            _ if self.is_shadow() => Done { answered: false, ..Done::refused("shadow mode: nothing is written") },
            Command::Rate { rating, reason } => self.rate(order, *rating, reason.as_ref()),
            _ => {
                Done::refused("the ticket is solved, nothing is handed over any more: open it again, then say it again")
            }
        }
    }

    /// A command as it is recorded.
    fn handled(&self, order: &Order, done: &Done) -> HandledCommand {
        let words = one_line(&done.words);
        HandledCommand {
            id: order.id.clone(),
            change: order.change.clone(),
            place: order.tag.as_ref().map_or_else(|| "note".to_owned(), |tag| format!("label {tag}")),
            verb: order.command.name(),
            by: self.by(order),
            by_id: order.by_id.clone(),
            given_at: order.at,
            outcome: done.outcome,
            handoff: done.handoff.clone(),
            effects: self.answers(order, done.answered.then_some(words.as_str())),
            deed: done.deed.clone(),
            edit: done.edit.clone(),
            words,
        }
    }

    /// `edited`: the package that waits, as they have just edited it.
    fn done(&self, order: &Order, (verdict, choices): (&Verdict, &Choices), edited: Option<&Package>) -> Done {
        // A request only becomes a fact that rules look at; everything else would act.
        if self.is_shadow() && !matches!(order.command, Command::Handoff { .. }) {
            return Done { answered: false, ..Done::refused("shadow mode: nothing is written") };
        }
        match &order.command {
            Command::Handoff { to, reason } => self.handoff(order, to, reason.as_deref()),
            Command::Back { reason } => self.back(order, reason.as_deref()),
            Command::Approve { reason, parts } => match self.meant(reason.as_deref()) {
                Meant::First => self.approve(order, (reason.as_ref(), parts), verdict, edited),
                Meant::Team(team, reason) => match choices.get(&team) {
                    None => self.approve(order, (reason.as_ref(), parts), verdict, edited),
                    Some(now) => self.choose(order, (&team, reason), (parts, edited), now),
                },
                Meant::Unclear(written) => self.which(&written),
            },
            Command::Edit { parts } => self.edit(order, parts, verdict, edited),
            Command::Reject { reason } => match self.unsent.filter(|open| waits_for_people(open.state)) {
                Some(waiting) => self.reject_waiting(order, waiting, reason.as_ref()),
                None => self.reject(order, reason.as_deref()),
            },
            Command::Rate { rating, reason } => self.rate(order, *rating, reason.as_ref()),
        }
    }

    /// Rules decide on it at the next look, as on everything: conditions, package, review, limits.
    fn handoff(&self, order: &Order, to: &Target, reason: Option<&str>) -> Done {
        let Some(stay) = &self.case.memory.stay else { return Done::refused(in_no_team(self.look)) };
        let accepted = self.accepted(&stay.team);
        let to = match to {
            Target::Team(team) => team,
            Target::Unknown(word) => return Done::refused(format!("no team is called \"{word}\" here. {accepted}")),
            Target::Missing => return Done::refused(format!("say to whom. {accepted}")),
        };
        if *to == stay.team {
            return Done::refused(format!("the case is with {to} already. {accepted}"));
        }
        if !self.look.policy.on_request(&stay.team).contains(&to) {
            return Done::refused(format!("nobody may ask for a handoff from {} to {to}. {accepted}", stay.team));
        }
        if let Some(open) = &self.case.memory.open {
            return Done::refused(format!("a handoff to {} is under way", open.to)).about(&open.id);
        }
        if let Some((open, asked)) = self.unsent.and_then(|open| Some((open, open.proposal.asked.as_ref()?))) {
            let words = format!("{} has asked for a handoff to {} already, and it waits", asked.by, open.proposal.to);
            return Done::refused(words).about(&open.id);
        }
        let reason = reason.unwrap_or("no reason was given").to_owned();
        if let Some(review) = self.review().filter(|review| review.proposal.to == *to) {
            let words = joins(self.look, (&review.proposal, &review.risks), &reason);
            return Done::because(CommandOutcome::Done, words).about(&review.id);
        }
        let request = Request {
            command: order.id.clone(),
            to: to.clone(),
            reason,
            by: order.by.clone(),
            by_id: order.by_id.clone(),
            by_email: order.by_email.clone(),
            episode: stay.episode.clone(),
            open: true,
            told: false,
            led_to: None,
        };
        let taken = Done::because(CommandOutcome::Taken, format!("a handoff to {to} was asked for"));
        Done { answered: false, request: Some(request), ..taken }
    }

    /// The receiving team hands back what is done: a handoff of its own, to whoever gave it.
    fn back(&self, order: &Order, reason: Option<&str>) -> Done {
        let (came, stay, to) = match self.given_by() {
            Ok(given) => given,
            Err(words) => return Done::refused(words),
        };
        if let Err(words) = self.may_give_back(order, stay) {
            return Done::refused(words).about(&came.id);
        }
        let Some(reason) = reason.or(order.tag.as_ref().map(|_| "no words were given")) else {
            return Done::refused("say what was done: /back REASON");
        };
        let Some(team) = self.look.policy.teams.get(&to) else {
            return Done::refused(format!("the team {to} is not in the policy any more: please move the case by hand"));
        };
        if let Some(open) = &self.case.memory.open {
            return Done::refused(format!("a handoff to {} is under way", open.to)).about(&open.id);
        }
        let id = plan::back_id(&order.id);
        let asked = AskedFor {
            by: order.by.clone(),
            by_id: order.by_id.clone(),
            by_email: order.by_email.clone(),
            reason: reason.to_owned(),
            command: order.id.clone(),
        };
        let deed = Deed::Finish { handoff: came.id.clone() };
        let came = came.proposal.from_its_giver();
        let back = plan::back(&came, team, &stay.episode, asked, self.look.head, self.look.now);
        let alert = self.look.policy.alerts.plan((team, back.kind), None, self.look.head, None);
        let proposal = Proposal { alert, ..back };
        let starts = NewHandoff {
            id: id.clone(),
            effects: effects(self.look, &proposal, &id, None),
            proposal,
            state: HandoffState::Sending,
            risks: Vec::new(),
            replaces: self.unsent.map(|open| open.id.clone()),
            ask_until: None,
            needs_place: false,
        };
        let done = Done::because(CommandOutcome::Done, format!("handed back to {to}: {reason}")).about(&id);
        Done { answered: false, starts: Some(starts), deed, ..done }
    }

    /// The receiving team says no to a handoff that has come: it goes back, and the path is closed.
    fn reject(&self, order: &Order, reason: Option<&str>) -> Done {
        let (came, stay, to) = match self.given_by() {
            Ok(given) => given,
            Err(words) => return Done::refused(words),
        };
        if let Err(words) = self.may_give_back(order, stay) {
            return Done::refused(words).about(&came.id);
        }
        let Some(reason) = reason.or(order.tag.as_ref().map(|_| "no reason was given")) else {
            return Done::refused("say why: /reject REASON");
        };
        let proposal = came.proposal.from_its_giver();
        if proposal.from_queue.is_none() {
            return Done::refused("the queue that the case came from is not known: please move it by hand")
                .about(&came.id);
        }
        if let Some(open) = self.case.memory.open.as_ref().filter(|open| open.id != came.id) {
            return Done::refused(format!("a handoff to {} is under way", open.to)).about(&open.id);
        }
        let (look, by) = (self.look, self.by(order));
        // An earlier handoff of the chain may have stopped the clock.
        let pause = look.record.pause.as_ref().filter(|_| came.proposal.chained.is_some());
        let earlier = pause.map(|pause| StatusSpec { word: pause.word.clone(), means: pause.means });
        let paused = came.paused_by().or(earlier.as_ref());
        let rejection = Rejection { by: &order.by, reason, paused, now: look.now };
        let effects = plan::rejected(&proposal, &came.id, &rejection, look.capabilities, look.head);
        let deed = Deed::GiveBack { handoff: came.id.clone(), reason: reason.to_owned(), effects };
        let done = Done::because(CommandOutcome::Done, format!("rejected by {by}, back to {to}: {reason}"));
        Done { answered: false, deed, ..done.about(&came.id) }
    }

    /// The review that waits for a yes or no, for somebody who may say yes, with the package that would travel.
    fn for_a_reviewer(&self, order: &Order, edited: Option<&Package>) -> Result<(&HandoffRecord, Proposal), Box<Done>> {
        let Some(review) = self.review() else {
            return Err(Box::new(Done::refused("nothing waits here for a yes or no")));
        };
        let (look, proposal) = (self.look, &review.proposal);
        if let Err(why) = may_approve(look.policy, proposal, &order.who(look)) {
            let words = format!("{} may not decide this; {}{}", order.by, why.shown(), on_offer(review));
            return Err(Box::new(Done::refused(words).about(&review.id)));
        }
        let package = edited.cloned().or_else(|| proposal.package.clone());
        Ok((review, Proposal { package, ..proposal.clone() }))
    }

    /// Whether a review still fits what the ticket is now.
    fn still(&self, review: &HandoffRecord, verdict: &Verdict) -> Still {
        let stale = overtaken(self.look, review).map(Still::Stale);
        stale.unwrap_or_else(|| compare(review, Some(verdict), self.look.policy))
    }

    pub(super) fn ends_stale(&self, review: &HandoffRecord, why: String) -> Done {
        let look = self.look;
        let note = plan::stale_note(&review.proposal, &review.id, &why, look.capabilities, look.head, look.now);
        let done = Done::refused(format!("not sent, the review ends as stale: {why}"));
        done.about(&review.id).by(Deed::EndStale { handoff: review.id.clone(), why, note: Some(Box::new(note)) })
    }

    /// The parts in other words, and which of them are other words.
    fn edited(&self, order: &Order, proposal: &Proposal, parts: &Parts) -> Result<(Box<Package>, String), NotEdited> {
        let parts = parts.as_ref().map_err(|why| NotEdited::Wrong(why.clone()))?;
        let new = of_review(self.look.policy, proposal, parts, &order.by)?;
        let old = proposal.package.clone().unwrap_or_default();
        let changed: Vec<&str> = differences(&old, &new).iter().map(|change| change.part).collect();
        Ok((Box::new(new), format!("changed: {}; every version is kept", changed.join(", "))))
    }

    /// Other words for parts of what waits. Guarded as a yes is, for a yes to something else may follow from it.
    fn edit(&self, order: &Order, parts: &Parts, verdict: &Verdict, edited: Option<&Package>) -> Done {
        let (review, proposal) = match self.for_a_reviewer(order, edited) {
            Ok(found) => found,
            Err(done) => return *done,
        };
        if let Still::Stale(why) = self.still(review, verdict) {
            return self.ends_stale(review, why);
        }
        match self.edited(order, &proposal, parts) {
            Err(why) => Done::refused(format!("nothing is edited: {}", why.shown())).about(&review.id),
            Ok((package, changed)) => {
                let answers = answers(&offers(&review.proposal, &review.risks));
                let words = format!("{changed}. The review still waits for a yes or no: {answers}");
                Done { edit: Some(package), ..Done::because(CommandOutcome::Done, words).about(&review.id) }
            }
        }
    }

    fn approve(
        &self,
        order: &Order,
        (reason, parts): (Option<&String>, &Parts),
        verdict: &Verdict,
        edited: Option<&Package>,
    ) -> Done {
        let (review, mut proposal) = match self.for_a_reviewer(order, edited) {
            Ok(found) => found,
            Err(done) => return *done,
        };
        let look = self.look;
        if self.case.memory.switched_off.stops(&proposal.rule) {
            return Done::refused("it was paused then: say /approve again").about(&review.id);
        }
        match self.still(review, verdict) {
            Still::Waits(why) => Done::refused(format!("it cannot be sent now: {why}")).about(&review.id),
            Still::Stale(why) => self.ends_stale(review, why),
            Still::Same(fresh) => {
                let (mut edit, mut words) = (None, format!("approved, the case goes to {}", proposal.to));
                if !parts.as_ref().is_ok_and(Vec::is_empty) {
                    match self.edited(order, &proposal, parts) {
                        Err(NotEdited::Same) => {}
                        Err(why) => {
                            return Done::refused(format!("nothing is approved: {}", why.shown())).about(&review.id);
                        }
                        Ok((package, changed)) => {
                            words = format!("{words}; {changed}");
                            (proposal.package, edit) = (Some((*package).clone()), Some(package));
                        }
                    }
                }
                let (reviewed, by) = (as_shown(&proposal, *fresh), self.by(order));
                let signature = planned_signature(look, &reviewed);
                let yes = plan::review::yes(&reviewed, &by, look.now, reason.map(String::as_str));
                let effects =
                    plan::approved_effects(&reviewed, &review.id, look.capabilities, look.head, signature, &yes);
                let answer = self.answer_to(review, &by, reason, effects);
                let deed = Deed::Approve(ReviewAnswer { proposal: Some(Box::new(reviewed)), ..answer });
                // The handoff's own note is the answer, but for what was edited.
                let answered = edit.is_some();
                Done { answered, deed, edit, ..Done::because(CommandOutcome::Done, words).about(&review.id) }
            }
        }
    }

    /// A no to what waits for a yes, or for what is missing.
    fn reject_waiting(&self, order: &Order, review: &HandoffRecord, reason: Option<&String>) -> Done {
        let proposal = &review.proposal;
        let decides = may_decide(self.look.policy, proposal, &order.who(self.look));
        if let Err(why) = decides.or_else(|why| self.was_asked(order, review).then_some(()).ok_or(why)) {
            return Done::refused(format!("{} may not decide this; {}", order.by, why.shown())).about(&review.id);
        }
        let by_label = order.tag.as_ref().map(|_| "no reason was given".to_owned());
        let Some(reason) = reason.cloned().or(by_label) else {
            return Done::refused("say why: /reject REASON").about(&review.id);
        };
        let words = format!(
            "rejected, nothing was changed: {reason}. Rule {} asks for {} again only when what it matched changes",
            proposal.rule, proposal.to
        );
        let deed = Deed::Reject(self.answer_to(review, &self.by(order), Some(&reason), Vec::new()));
        // Where the ticket was asked for what is missing, the end of that is the answer.
        let answered = !review.asked_on_ticket().1;
        Done { answered, deed, ..Done::because(CommandOutcome::Done, words).about(&review.id) }
    }

    /// Whether the ticket asks them for what is missing: whoever has it, or had it when it was asked; where nobody had it, its team.
    fn was_asked(&self, order: &Order, asking: &HandoffRecord) -> bool {
        let owner = self.look.head.owner.known().and_then(Option::as_ref).map(|owner| &owner.id);
        let before = asking.proposal.owner.previous_id.as_ref();
        let theirs = [owner, before].into_iter().flatten().any(|id| Some(id) == order.by_id.as_ref());
        let team = asking.proposal.from.as_ref().filter(|_| before.is_none());
        asking.state == HandoffState::Asking
            && (theirs || team.is_some_and(|team| self.membership(order, team) == Membership::Member))
    }

    /// Whoever got the package says how it was. Of a label, its going away is the answer.
    fn rate(&self, order: &Order, rating: Option<Rating>, reason: Option<&String>) -> Done {
        let Some(rating) = rating else { return Done::refused("say how the package was: /rate good or /rate poor") };
        let Some(came) = self.came_by.filter(|came| came.proposal.kind == HandoffKind::Escalate) else {
            return Done::refused("no handoff brought this case here, so there is no package to rate");
        };
        let to = &came.proposal.to;
        if let Err(words) = self.has_it(order, to, came.sent_at.unwrap_or(came.created_at)) {
            let words = format!("{words}, which got the case: only its people rate the package");
            return Done::refused(words).about(&came.id);
        }
        let deed = Deed::Rate { handoff: came.id.clone(), rating, reason: reason.cloned() };
        let done = Done::because(CommandOutcome::Done, format!("the package is rated {}", rating.name()));
        Done { answered: order.tag.is_none(), deed, ..done.about(&came.id) }
    }

    pub(super) fn review(&self) -> Option<&HandoffRecord> {
        self.unsent.filter(|open| open.state == HandoffState::InReview)
    }

    /// The handoff that another team gave the case with, the present stay, and that team.
    fn given_by(&self) -> Result<(&HandoffRecord, &Stay, TeamName), String> {
        if let Some(back) = self.unsent.filter(|open| open.proposal.kind == HandoffKind::Back) {
            let by = back.proposal.asked.as_ref().map_or("somebody", |asked| asked.by.as_str());
            return Err(format!("{by} has handed it back to {} already", back.proposal.to));
        }
        let Some((came, stay)) = self.came_by.zip(self.case.memory.stay.as_ref()) else {
            return Err("no handoff brought this case here: please move it by hand".to_owned());
        };
        match (&came.proposal.from, came.proposal.kind) {
            (Some(from), HandoffKind::Escalate) => {
                Ok((came, stay, came.proposal.giver().map_or_else(|| from.clone(), |giver| giver.team)))
            }
            (from, HandoffKind::Back) => {
                let from = from.as_ref().map_or("another team", TeamName::as_str);
                let accepted = self.accepted(&stay.team);
                Err(format!("{from} has handed this case back here. To send it there again: {accepted}"))
            }
            (from, HandoffKind::Unclaimed) => {
                let from = from.as_ref().map_or("another team", TeamName::as_str);
                let accepted = self.accepted(&stay.team);
                Err(format!("nobody of {from} had claimed this case: it came back. To send it there again: {accepted}"))
            }
            (_, _) => Err("the case started here, no team gave it: please move it by hand".to_owned()),
        }
    }

    /// Only the people of the team that has the case say that it goes back. Where nobody says who they are, those are taken
    /// for them who own the ticket, or have owned it while the team had it.
    fn may_give_back(&self, order: &Order, stay: &Stay) -> Result<(), String> {
        let first = |words: String| format!("{words}, whose case it is: take the ticket first, then say it again");
        self.has_it(order, &stay.team, stay.since).map_err(first)
    }

    /// `since`: from then on the team has the case.
    fn has_it(&self, order: &Order, team: &TeamName, since: Timestamp) -> Result<(), String> {
        match self.membership(order, team) {
            Membership::Member => Ok(()),
            // Whom somebody gave the ticket to, or who took it, has it, of the team or not.
            Membership::Stranger | Membership::Unknown if self.has_owned(order, since) => Ok(()),
            Membership::Stranger => Err(format!("{} does not work in {team}", order.by)),
            Membership::Unknown => Err(format!("it is not known whether {} works in {team}", order.by)),
        }
    }

    fn membership(&self, order: &Order, team: &TeamName) -> Membership {
        let look = self.look;
        let told = look.policy.teams.get(team).and_then(|team| look.rosters.of(team, look.now).ok());
        works_in(look.policy, team, &order.who(look), told.map(|roster| roster.members.as_slice()))
    }

    fn has_owned(&self, order: &Order, since: Timestamp) -> bool {
        let owner = self.look.head.owner.known().and_then(Option::as_ref).map(|owner| &owner.id);
        let taken = |change: &Change| {
            let to_them =
                |what: &What| matches!(what, What::Owner { to: Some(to), .. } if Some(to) == order.by_id.as_ref());
            change.at >= since && change.what.iter().any(to_them)
        };
        let history = self.look.parts.history.as_deref().unwrap_or_default();
        order.by_id.is_some() && (owner == order.by_id.as_ref() || history.iter().any(taken))
    }

    /// What an agent of this team may ask for.
    fn accepted(&self, team: &TeamName) -> String {
        accepted(self.look, team)
    }

    fn answer_to(
        &self,
        review: &HandoffRecord,
        by: &str,
        reason: Option<&String>,
        effects: Vec<PlannedEffect>,
    ) -> ReviewAnswer {
        let (by, reason) = (by.to_owned(), reason.cloned());
        ReviewAnswer {
            handoff: review.id.clone(),
            by,
            reason,
            at: self.look.now,
            effects,
            proposal: None,
            chosen: None,
        }
    }

    /// Who gave a command, for the record.
    pub(super) fn by(&self, order: &Order) -> String {
        let id = order.by_id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
        format!("{} ({}{id})", order.by, self.look.desk)
    }

    fn is_shadow(&self) -> bool {
        self.look.policy.mode == Mode::Shadow
    }

    /// The answer, and the label's end. In shadow nothing is written.
    fn answers(&self, order: &Order, words: Option<&str>) -> Vec<PlannedEffect> {
        if self.is_shadow() {
            return Vec::new();
        }
        let to = answer_to(self.look, &order.id, order.command.name());
        let text = words.map(|words| {
            let how = if order.tag.is_some() { "by label" } else { "in a note" };
            format!("Command {} ({how}, by {}): {}.", order.command.shown(), order.by, words.trim_end_matches('.'))
        });
        let note = text.map(|text| plan::answer(&to, &text, false, self.look.capabilities));
        note.into_iter().chain(order.tag.as_ref().map(|tag| plan::untag(&to, tag))).collect()
    }
}

/// Whether an order goes on with what the same person has just edited.
fn goes_on(first: &Order, next: &Order) -> bool {
    let same = first.by_id.is_some() && first.by_id == next.by_id;
    let answers = matches!(next.command, Command::Edit { .. } | Command::Approve { .. } | Command::Reject { .. });
    same && answers && matches!(first.command, Command::Edit { .. })
}

fn waits_for_people(state: HandoffState) -> bool {
    matches!(state, HandoffState::InReview | HandoffState::Asking)
}
