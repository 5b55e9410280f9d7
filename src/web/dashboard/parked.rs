//! **Parked**: what waits for a person, each with its reason, the next step, and what can be done about it.

use super::Dashboard;
use super::forms::Form;
use super::guard::Here;
use super::handoff::Effect;
use super::layout::{Page, Tab};
use super::orders::{Target, Wish};
use super::trouble::Trouble;
use crate::ledger::DeskWaits;
use crate::ledger::records::{CaseTrouble, EffectRecord};
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

/// So many of each kind.
const MOST: usize = 100;

/// All that is parked.
#[derive(Serialize)]
pub(super) struct Parked {
    effects: Vec<ParkedEffect>,
    cases: Vec<CaseTrouble>,
    desks: Vec<ParkedDesk>,
    /// There are more.
    more: bool,
}

#[derive(Serialize)]
struct ParkedEffect {
    #[serde(flatten)]
    effect: Effect,
    desk: String,
    ticket: String,
    rule: String,
}

#[derive(Serialize)]
struct ParkedDesk {
    desk: String,
    waits: String,
    since: Option<Timestamp>,
}

pub(super) async fn page(State(dashboard): State<Dashboard>, here: Here) -> Response {
    let data = data(&dashboard).await;
    dashboard.page(&here, &Page::new("parked", Tab::Parked, "Parked"), data)
}

/// Asks.
pub(super) async fn data(dashboard: &Dashboard) -> Result<Parked, Trouble> {
    let sources = dashboard.web.sources();
    let mut configured = sources.desks.names();
    configured.extend(sources.policy.desks.keys().cloned());
    let ask = move |ledger: &crate::ledger::Ledger| {
        let absent = ledger.waits_for_others(&configured)?;
        Ok((ledger.parked_effects(MOST + 1)?, ledger.case_troubles()?, absent))
    };
    let (effects, mut cases, desks) = dashboard.reading.ask(ask).await?;
    let more = effects.len() > MOST || cases.len() > MOST;
    cases.truncate(MOST);
    let effects = effects.iter().take(MOST).map(parked).collect();
    Ok(Parked { effects, cases, desks: desks.iter().map(desk).collect(), more })
}

fn parked(effect: &EffectRecord) -> ParkedEffect {
    ParkedEffect {
        effect: Effect::of(effect),
        desk: effect.desk.to_string(),
        ticket: effect.write.ticket.to_string(),
        rule: effect.write.mark.rule.clone(),
    }
}

fn desk(waits: &DeskWaits) -> ParkedDesk {
    ParkedDesk { desk: waits.desk.to_string(), waits: waits.shown(), since: waits.since }
}

pub(super) async fn retry(State(dashboard): State<Dashboard>, here: Here, form: Form) -> Response {
    dashboard.ordered(&here, &form, target(&form).map(Wish::Retry), "/parked").await
}

pub(super) async fn give_up(State(dashboard): State<Dashboard>, here: Here, form: Form) -> Response {
    let wish = target(&form).and_then(|target| Ok(Wish::Drop { target, reason: form.given("reason")? }));
    dashboard.ordered(&here, &form, wish, "/parked").await
}

/// What a form is about: an effect, a case, or a desk.
pub(super) fn target(form: &Form) -> Result<Target, Trouble> {
    let [handoff, number, desk, ticket] =
        ["handoff", "number", "desk", "ticket"].map(|name| form.field(name).to_owned());
    match (handoff.is_empty(), desk.is_empty(), ticket.is_empty()) {
        (false, _, _) => {
            let number = number.parse().map_err(|_| Trouble::Wrong("number is no number".into()))?;
            Ok(Target::Effect { handoff, number })
        }
        (true, false, false) => Ok(Target::Case { desk, ticket }),
        (true, false, true) => Ok(Target::Desk { desk }),
        (true, true, _) => Err(Trouble::Wrong("name an effect, a case or a desk".into())),
    }
}
