//! Looks an unsure effect up before anything is repeated. "Not found" counts only after the desk's settle time, and twice.

use super::{Delivery, outcome};
use crate::desks::Station;
use crate::ledger::records::{ClaimedEffect, EffectOutcome};
use handoffd_kit::desk::Sighting;

impl Delivery {
    pub(super) async fn look_up(&self, station: &Station, claimed: &ClaimedEffect) -> EffectOutcome {
        let answer = station.desk.find(&claimed.effect.write).await;
        let now = self.seams.clock.now();
        match answer {
            Ok(sighting) => {
                station.answered();
                match sighting {
                    Sighting::Found(receipt) => outcome::found(claimed, receipt, now, self.pace(station)),
                    Sighting::NotFound => outcome::not_found(claimed, station.desk.capabilities(), now),
                    Sighting::CannotTell(why) => outcome::cannot_tell(claimed, &why, now, self.pace(station)),
                }
            }
            Err(error) => {
                let tries = outcome::failed_lookups(claimed) + 1;
                let again = station.failed_on(tries, &error, now, self.seams.random.fraction());
                outcome::lookup_failed(claimed, &error, now, again)
            }
        }
    }
}
