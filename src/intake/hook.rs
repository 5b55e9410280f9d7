//! Webhooks: verified, stored with their looks, then answered. A known delivery is answered the same way and does nothing.

use super::Intake;
use crate::desks::Station;
use crate::ledger::LedgerError;
use crate::ledger::records::{Freshness, NewLook, ReceivedWebhook};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A webhook as it came in.
pub struct HookRequest<'a> {
    /// The desk in its address.
    pub desk: &'a DeskId,
    /// What followed the desk in its address.
    pub path: Option<&'a str>,
    /// Its headers.
    pub headers: &'a http::HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// What to answer, and to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HookAnswer {
    /// Stored: the looks are durable.
    Stored,
    /// Known already.
    Known,
    /// Verified, and there is nothing in it for us.
    Nothing,
    /// No such desk.
    UnknownDesk,
    /// Not verified, or not readable.
    Refused(Refusal),
}

/// Whether there is another secret than the one under which a webhook was refused: somebody may have replaced it.
async fn other_secret(station: &Station, now: Timestamp) -> bool {
    for (_, secret) in station.desk.secrets().webhook {
        if secret.look(now).await {
            return true;
        }
    }
    false
}

impl Intake {
    /// Takes one webhook in. Answers only after the durable commit.
    ///
    /// # Errors
    /// The ledger's: answer 503, the vendor will send it again.
    pub async fn webhook(&self, request: HookRequest<'_>) -> Result<HookAnswer, LedgerError> {
        let Some(station) = self.desks.get(request.desk) else { return Ok(HookAnswer::UnknownDesk) };
        let now = self.seams.clock.now();
        let read = || station.desk.webhook(Unverified::new(request.headers, request.path, request.body, now));
        let delivery = match read() {
            Err(Refusal::Forged) if other_secret(station, now).await => read(),
            answer => answer,
        };
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(refusal) => return Ok(HookAnswer::Refused(refusal)),
        };
        let due = Self::look_at(station.desk.capabilities().guard, now);
        let looks = self.looks(request.desk, &delivery, due);
        let received = ReceivedWebhook {
            desk: request.desk.clone(),
            delivery: delivery.id.clone(),
            body_hash: hex::encode(Sha256::digest(request.body)),
            body: request.body.to_vec(),
            looks,
            others: self.others(request.desk, &delivery),
            at: now,
        };
        let nothing = received.looks.is_empty();
        Ok(match self.ledger.call(move |ledger| ledger.note_webhook(&received)).await? {
            Freshness::Known => HookAnswer::Known,
            Freshness::New if nothing => HookAnswer::Nothing,
            Freshness::New => HookAnswer::Stored,
        })
    }

    /// What somebody else did for certain.
    fn others(&self, desk: &DeskId, delivery: &Delivery) -> Vec<TicketId> {
        let Some(me) = self.me(desk) else { return Vec::new() };
        let theirs = delivery.hints.iter().filter(|hint| hint.actor.as_ref().is_some_and(|actor| *actor != me));
        theirs.map(|hint| hint.ticket.clone()).collect()
    }

    /// One look per ticket, except for what we did ourselves: the write's answer told us already.
    fn looks(&self, desk: &DeskId, delivery: &Delivery, due: Timestamp) -> Vec<NewLook> {
        let me = self.me(desk);
        let others = delivery.hints.iter().filter(|hint| hint.actor.is_none() || hint.actor != me);
        others.map(|hint| NewLook { ticket: hint.ticket.clone(), due, head: None }).collect()
    }
}
