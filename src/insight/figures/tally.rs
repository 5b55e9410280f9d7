//! What some transfers come to: those of a path, a team, a pair of tiers, or all.

use crate::insight::log::Length;
use crate::insight::stats::{Share, Spread};
use crate::insight::story::{Taken, Transfer};
use serde::Serialize;

const DAY: i64 = 86_400;

/// Within 1, 3 and 7 days.
const WINDOWS: [Length; 3] = [Length::seconds(DAY), Length::seconds(3 * DAY), Length::seconds(7 * DAY)];

/// Which entry of a count by window is "within 7 days".
pub(super) const WITHIN_7D: usize = 2;

/// Counts by window; the last is "ever".
pub(super) type ByWindow = [u64; 4];

/// What some transfers come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub transfers: u64,
    pub bounced: ByWindow,
    pub returned: ByWindow,
    pub direct: u64,
    pub never: u64,
    pub untold: u64,
    pub waits: Vec<Length>,
    /// Transfers in the recent time.
    pub recent: u64,
    bounce_delays: Vec<Length>,
    return_delays: Vec<Length>,
    bounce_cases: u64,
    return_cases: u64,
}

impl Tally {
    pub fn add(&mut self, transfer: &Transfer, recent: bool) {
        self.transfers += 1;
        self.recent += u64::from(recent);
        count(&mut self.bounced, transfer.bounced);
        count(&mut self.returned, transfer.returned);
        self.bounce_delays.extend(transfer.bounced);
        self.return_delays.extend(transfer.returned);
        match transfer.taken {
            Taken::Direct => self.direct += 1,
            Taken::After(wait) => self.waits.push(wait),
            Taken::Never => self.never += 1,
            Taken::Untold => self.untold += 1,
        }
    }

    /// Counts a case once, whatever the number of its transfers.
    pub fn add_case(&mut self, transfers: &[Transfer]) {
        self.bounce_cases += u64::from(transfers.iter().any(|transfer| transfer.bounced.is_some()));
        self.return_cases += u64::from(transfers.iter().any(|transfer| transfer.returned.is_some()));
    }

    pub fn picked(&self) -> u64 {
        self.waits.len() as u64
    }

    pub fn bounces(&mut self, cases: u64) -> Back {
        Back {
            windows: Backs::of(&self.bounced, self.transfers),
            cases: Share::new(self.bounce_cases, cases),
            delay: Spread::of(&mut self.bounce_delays),
        }
    }

    pub fn returns(&mut self, cases: u64) -> Back {
        Back {
            windows: Backs::of(&self.returned, self.transfers),
            cases: Share::new(self.return_cases, cases),
            delay: Spread::of(&mut self.return_delays),
        }
    }

    pub fn waits(&mut self) -> Waits {
        let over = |hours: i64| self.waits.iter().filter(|wait| **wait > Length::seconds(hours * 3_600)).count() as u64;
        Waits {
            picked: self.picked(),
            never: self.never,
            direct: self.direct,
            untold: self.untold,
            over_1h: over(1),
            over_8h: over(8),
            over_1d: over(24),
            over_3d: over(72),
            wait: Spread::of(&mut self.waits),
        }
    }
}

fn count(windows: &mut ByWindow, delay: Option<Length>) {
    let Some(delay) = delay else { return };
    for (window, within) in windows.iter_mut().zip(WINDOWS) {
        *window += u64::from(delay <= within);
    }
    windows[WINDOWS.len()] += 1;
}

/// Cases that came back: how many transfers, in how many cases, and how soon.
#[derive(Clone, Debug, Serialize)]
pub struct Back {
    /// By how soon.
    #[serde(flatten)]
    pub windows: Backs,
    /// Cases that had such a transfer, of all cases.
    pub cases: Share,
    /// How soon.
    pub delay: Spread,
}

/// Transfers that came back, of all transfers, by how soon.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Backs {
    /// Within 86,400 seconds.
    pub within_1d: Share,
    /// Within 3 days.
    pub within_3d: Share,
    /// Within 7 days.
    pub within_7d: Share,
    /// At any time.
    pub ever: Share,
}

impl Backs {
    pub(super) fn of(windows: &ByWindow, transfers: u64) -> Self {
        let [within_1d, within_3d, within_7d, ever] = windows.map(|count| Share::new(count, transfers));
        Self { within_1d, within_3d, within_7d, ever }
    }
}

/// How receiving teams took cases.
#[derive(Clone, Debug, Serialize)]
pub struct Waits {
    /// Lay waiting and were taken.
    pub picked: u64,
    /// Lay waiting and were not taken during the stay.
    pub never: u64,
    /// The first event showed somebody at work.
    pub direct: u64,
    /// Nobody says when a case waits.
    pub untold: u64,
    /// Of those taken: after more than an hour.
    pub over_1h: u64,
    /// After more than eight hours.
    pub over_8h: u64,
    /// After more than a day.
    pub over_1d: u64,
    /// After more than three days.
    pub over_3d: u64,
    /// Of those taken: how long they waited.
    pub wait: Spread,
}
