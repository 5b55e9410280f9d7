//! `handoffd demo`: the whole job on an embedded sandbox desk: real HTTP, real ledger, real connector.

mod account;
mod stage;

use super::dialect::Dialect;
use super::failure::Failure;
use super::output::Context;
use crate::ledger::states::HandoffState;
use crate::policy::proposal::HandoffKind;
use account::{Account, Line};
use clap::Args;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::ticket::Visibility;
use jiff::{SignedDuration, Timestamp};
use stage::Stage;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// How long a demo may take to hand its tickets off.
const LONGEST: SignedDuration = SignedDuration::from_secs(45);

/// The whole job on an embedded helpdesk.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd demo                  hands tickets off, then keeps running until Ctrl-C
  handoffd demo --once           ends when everything is handed off
  handoffd demo --connector rt   the same on a helpdesk in Request Tracker's dialect
  handoffd --json demo --once    the account as JSON")]
pub struct DemoArgs {
    /// Which vendor's dialect the helpdesk speaks.
    #[arg(long, value_enum, default_value = "zendesk")]
    connector: Dialect,
    /// End when everything is handed off.
    #[arg(long)]
    once: bool,
}

impl DemoArgs {
    /// Runs it.
    ///
    /// # Errors
    /// When a handoff did not reach the helpdesk, or the machine has no loopback.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        super::run::runtime()?.block_on(self.play(context))
    }

    async fn play(&self, context: &Context) -> Result<ExitCode, Failure> {
        let stop = CancellationToken::new();
        let stage = Stage::set(self.connector, &stop).await?;
        context.say(&format!(
            "an embedded helpdesk ({}'s dialect) with a morning's tickets is up; handoffd reads it over HTTP …",
            self.connector.shown()
        ));
        let house = stage.house.clone();
        let pipeline = tokio::spawn({
            let (house, stop) = (house.clone(), stop.clone());
            async move { house.run(crate::daemon::pipeline::Until::Stopped, &stop).await }
        });
        let finished = settle(&stage).await?;
        let account = house.ledger.call(|ledger| account::account(ledger)).await?;
        report(context, &stage.sandbox, &account)?;
        if !self.once {
            context.say(&format!(
                "\nstill running: the dashboard is at {0}/ (token {1}), and {0}/healthz, {0}/metrics; Ctrl-C ends it",
                stage.web, stage.token
            ));
            super::run::asked_to_stop().await;
        }
        stop.cancel();
        pipeline.await.map_err(|error| anyhow::anyhow!("the pipeline broke: {error}"))??;
        let whole = finished && agrees(context, &stage.sandbox, &account);
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Waits until every ticket was looked at and nothing is on its way any more.
async fn settle(stage: &Stage) -> Result<bool, Failure> {
    let clock = &stage.house.seams.clock;
    let deadline = clock.now() + LONGEST;
    let tickets = stage.sandbox.with(|desk| desk.tickets.len());
    while clock.now() < deadline {
        clock.sleep_until(clock.now() + SignedDuration::from_millis(200)).await;
        let now: Timestamp = clock.now();
        let busy = stage.house.ledger.call(move |ledger| {
            let counts = ledger.counts(now)?;
            let open = ["due", "in_flight", "unsure"].iter().any(|state| counts.effects.contains_key(*state));
            let verifying = counts.handoffs.keys().any(|(state, _)| state == "verifying" || state == "sending");
            let looks = counts.oldest_look.is_some_and(|due| due <= now);
            Ok((open || verifying || looks, ledger.cases_seen()?))
        });
        let (busy, seen) = busy.await?;
        if !busy && seen >= tickets {
            return Ok(true);
        }
    }
    Ok(false)
}

fn report(context: &Context, sandbox: &Sandbox, account: &Account) -> Result<(), Failure> {
    if context.json {
        return context.print_json(account);
    }
    account::print(context, account);
    let settled = |one: &&Line| one.kind == HandoffKind::Escalate && one.state == HandoffState::Settled;
    let ticket = account.handoffs.iter().find(settled).and_then(ticket_no);
    let note = ticket.and_then(|no| sandbox.ticket(no)).and_then(|ticket| {
        let mut latest = ticket.messages.iter().rev();
        latest
            .find(|message| message.visibility == Visibility::Internal)
            .map(|message| (ticket.no, message.body.text()))
    });
    if let Some((no, text)) = note {
        context.print(&format!("\nthe internal note on ticket {}, as its new team reads it:\n", no.0));
        context.print(&text.lines().map(|line| format!("  │ {line}")).collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}

fn ticket_no(line: &Line) -> Option<TicketNo> {
    line.ticket.as_str().parse().ok().map(TicketNo)
}

/// The helpdesk's own journal must agree with the account: on each ticket that was handed off one marked note, on no other,
/// none of them public.
fn agrees(context: &Context, sandbox: &Sandbox, account: &Account) -> bool {
    let journal = sandbox.journal();
    let marked = journal.effects.iter().filter(|effect| {
        effect.by == handoffd_sandbox::seed::BOT
            && effect.text.as_deref().is_some_and(|text| text.contains("[handoffd h"))
    });
    let (internal, public): (Vec<_>, Vec<_>) =
        marked.partition(|effect| effect.visibility == Some(Visibility::Internal));
    let mut noted: Vec<TicketNo> = internal.iter().map(|effect| effect.ticket).collect();
    let mut sent: Vec<TicketNo> = account.handoffs.iter().filter(|line| line.sent).filter_map(ticket_no).collect();
    noted.sort();
    sent.sort();
    let agrees = noted == sent && public.is_empty();
    context.say(&format!(
        "the helpdesk's own journal: {} notes for {} handoffs, {} of them public: {}",
        internal.len() + public.len(),
        sent.len(),
        public.len(),
        if agrees { "agrees" } else { "DISAGREES" }
    ));
    agrees
}
