//! `check --online`: address, login, and what our account may do in the queues that it works with. Nothing is written: RT
//! lists, with each queue and ticket, the acts that the asker has the right to.

use crate::api::Ask;
use crate::catalog::all;
use crate::read::{Account, sees_nothing};
use crate::wire::{About, Link, List, Queue, TicketLinks};
use handoffd_kit::desk::{Finding, QueueSpec, Severity};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::model::QueueRef;
use jiff::Timestamp;

/// More queues than this are not looked into one by one.
const MOST_QUEUES: usize = 60;

const OPERATION: &str = "check";

impl Account {
    /// Tries login and rights, in these queues or, where none is named, in all.
    pub async fn check(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.now();
        self.catalog.forget();
        let about: About = match self.api.read(Ask::new(OPERATION, "/rt", deadline)).await {
            Ok(about) => about,
            Err(error) => return told(error),
        };
        let mut findings = vec![Finding::fine(format!("Request Tracker {} answers", about.version))];
        findings.push(self.who(deadline).await?);
        let fields = [("fields", "Name,_hyperlinks".to_owned())];
        let (queues, _) = all::<Queue>(&self.api, OPERATION, "/queues/all", &fields, deadline).await?;
        if queues.is_empty() {
            let nothing = sees_nothing(OPERATION);
            let next_step = nothing.next_step.unwrap_or_default();
            findings.push(Finding::wrong(nothing.words, next_step));
            return Ok(findings);
        }
        let shown = |queue: &Queue| QueueRef { id: queue.id.to_string().into(), name: queue.name.clone() };
        let grant = "grant SeeQueue, ShowTicket and the other rights of the guide in it to handoffd's user";
        findings.extend(Finding::unseen(wanted, &queues.iter().map(shown).collect::<Vec<_>>(), grant));
        let tried = |queue: &&Queue| wanted.is_empty() || wanted.iter().any(|spec| spec.is(&shown(queue)));
        for queue in queues.iter().filter(tried).take(MOST_QUEUES) {
            findings.push(self.queue(queue, deadline).await?);
        }
        Ok(findings)
    }

    async fn who(&self, deadline: Timestamp) -> Result<Finding> {
        let person = self.catalog.person(&self.api, &self.user, deadline).await?;
        let problem = |what: String, next_step: &str| Finding::wrong(what, next_step);
        Ok(match person {
            None => problem(
                format!("RT does not show the user {}", self.user),
                "set `login.user` to the name of the token's user",
            ),
            Some(user) if user.privileged != Some(1) => problem(
                format!("the user {} is not privileged", user.name),
                "switch on \"Let this user be granted rights\" for it in RT",
            ),
            // RT shows group memberships to admins and to the person themselves.
            Some(user) if user.memberships.is_none() => problem(
                format!("the token belongs to somebody else than {}", user.name),
                "set `login.user` to the name of the token's user",
            ),
            Some(user) => Finding::fine(format!("the token belongs to {}", user.name)),
        })
    }

    /// What our account may do in a queue, told by one of its tickets.
    async fn queue(&self, queue: &Queue, deadline: Timestamp) -> Result<Finding> {
        let name = queue.name.clone().unwrap_or_else(|| queue.id.to_string());
        let mut missing = Vec::new();
        if !offers(&queue.links, "create") {
            missing.push("CreateTicket");
        }
        let mut ask = Ask::new(OPERATION, "/tickets", deadline);
        let quoted = name.replace('\\', r"\\").replace('\'', r"\'");
        ask.query = vec![
            ("query", format!("Queue = '{quoted}' AND Status = '__Active__'")),
            ("fields", "_hyperlinks".into()),
            ("per_page", "1".into()),
        ];
        let tickets: List<TicketLinks> = self.api.read(ask).await?;
        let Some(ticket) = tickets.items.first() else {
            let what = format!("queue {name}: no active ticket is visible, so rights on tickets were not tried");
            let next_step = format!("if {name} has tickets, grant ShowTicket and the other rights of the guide in it");
            let severity = if missing.is_empty() { Severity::Warning } else { Severity::Error };
            return Ok(Finding { severity, what, next_step });
        };
        for (rel, right) in
            [("lifecycle", "ModifyTicket"), ("comment", "CommentOnTicket"), ("correspond", "ReplyToTicket")]
        {
            if !offers(&ticket.links, rel) {
                missing.push(right);
            }
        }
        if missing.is_empty() {
            return Ok(Finding::fine(format!("queue {name}: tickets can be read, changed, commented on and answered")));
        }
        let what = format!("queue {name}: our account lacks {}", missing.join(", "));
        let next_step =
            format!("grant {} to handoffd's user in {name}, if it hands tickets over there", missing.join(", "));
        let severity = if missing == ["ReplyToTicket"] { Severity::Warning } else { Severity::Error };
        Ok(Finding { severity, what, next_step })
    }
}

fn offers(links: &[Link], rel: &str) -> bool {
    links.iter().any(|link| link.rel == rel)
}

/// What keeps the desk from answering at all is an error of the call; a refused login is what the check is for.
fn told(error: DeskError) -> Result<Vec<Finding>> {
    match error.kind {
        DeskErrorKind::Unauthorized | DeskErrorKind::Forbidden | DeskErrorKind::Protocol | DeskErrorKind::NotFound => {
            Ok(vec![Finding::failed(&error, "check `url`: Request Tracker's REST 2.0 should answer under it")])
        }
        _ => Err(error),
    }
}
