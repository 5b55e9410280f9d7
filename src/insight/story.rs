//! One case as its stays: the model that both an event log and the ledger feed.
//!
//! A stay is a maximal run of a case's events with the same team; events without a team belong to none and part none. The
//! change from one stay to the next is a transfer.

use super::log::{Event, EventLog, Instant, Length};
use std::collections::HashMap;

/// One case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// Its name's number.
    pub case: u32,
    /// The first event.
    pub opened: Instant,
    /// The last event, or now for a case that goes on.
    pub last: Instant,
    /// When it was done for good: the first event of the last run of events that are done. None: it is not, or nobody says.
    pub resolved: Option<Instant>,
    /// How many events, those without a team included.
    pub events: u64,
    /// What the columns of `by` and `like` say at the first event.
    pub mark: u32,
    /// Its stays in order; no two neighbours have the same team.
    pub stays: Vec<Stay>,
}

/// One uninterrupted stay with a team.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// The team.
    pub team: u32,
    /// Its first event.
    pub start: Instant,
    /// How many events.
    pub events: u64,
    /// How the team took it.
    pub taken: Taken,
    /// The status at its first event, where statuses are known.
    pub status: Option<u32>,
    /// The rule that brought it about, with its version: a number into a table of such; none: people did.
    pub rule: Option<u32>,
    /// The team before handed it back as done: a return and no bounce.
    pub handed_back: bool,
}

/// How a team took a case that came to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The first event already shows somebody at work: no wait is measured.
    Direct,
    /// It lay waiting, and was taken after so long.
    After(Length),
    /// It lay waiting, and was not taken during the stay.
    Never,
    /// Nobody says when a case waits.
    Untold,
}

/// One transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// The giving team.
    pub from: u32,
    /// The receiving team.
    pub to: u32,
    /// The start of the receiving team's stay.
    pub at: Instant,
    /// The next stay is the giving team's again, after so long.
    pub bounced: Option<Length>,
    /// Some later stay is the giving team's again; the earliest, after so long.
    pub returned: Option<Length>,
    /// How the receiving team took it.
    pub taken: Taken,
    /// The status at the first event of the receiving stay.
    pub status: Option<u32>,
    /// The rule that brought it about.
    pub rule: Option<u32>,
}

impl Story {
    /// The story of one case's events, which are in order and not none.
    pub fn of(events: &[Event], log: &EventLog) -> Self {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Self::default() };
        let mut stays: Vec<Stay> = Vec::new();
        for event in events {
            let Some(team) = event.team() else { continue };
            match stays.last_mut().filter(|stay| stay.team == team) {
                Some(stay) => {
                    stay.events += 1;
                    if stay.taken == Taken::Never && !event.waits() {
                        stay.taken = Taken::After(event.at.since(stay.start));
                    }
                }
                None => stays.push(Stay {
                    team,
                    start: event.at,
                    events: 1,
                    taken: match (log.waits_known, event.waits()) {
                        (false, _) => Taken::Untold,
                        (true, true) => Taken::Never,
                        (true, false) => Taken::Direct,
                    },
                    status: Some(event.status()),
                    rule: None,
                    handed_back: false,
                }),
            }
        }
        let done_since = events.len() - events.iter().rev().take_while(|event| event.done()).count();
        Self {
            case: first.case,
            opened: first.at,
            last: last.at,
            resolved: events.get(done_since).map(|event| event.at),
            events: events.len() as u64,
            mark: first.mark,
            stays,
        }
    }

    /// Its transfers in order.
    pub fn transfers(&self) -> Vec<Transfer> {
        // From the end, so that the next stay of each team is at hand.
        let mut next: HashMap<u32, Instant> = HashMap::new();
        let mut transfers = Vec::with_capacity(self.stays.len().saturating_sub(1));
        for at in (0..self.stays.len()).rev() {
            let from = &self.stays[at];
            if let Some(to) = self.stays.get(at + 1) {
                let after = self.stays.get(at + 2).filter(|stay| stay.team == from.team && !stay.handed_back);
                transfers.push(Transfer {
                    from: from.team,
                    to: to.team,
                    at: to.start,
                    bounced: after.map(|stay| stay.start.since(to.start)),
                    returned: next.get(&from.team).map(|start| start.since(to.start)),
                    taken: to.taken,
                    status: to.status,
                    rule: to.rule,
                });
            }
            next.insert(from.team, from.start);
        }
        transfers.reverse();
        transfers
    }

    /// How long a stay lasted: to the next one, or to the last event.
    pub fn held(&self, stay: usize) -> Length {
        let end = self.stays.get(stay + 1).map_or(self.last, |next| next.start);
        self.stays.get(stay).map_or(Length::default(), |stay| end.since(stay.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn at(seconds: i64) -> Instant {
        Instant::of(Timestamp::from_second(seconds).expect("instant"))
    }

    fn story(stays: &[(u32, i64)]) -> Story {
        let stay = |(team, start): &(u32, i64)| Stay {
            team: *team,
            start: at(*start),
            events: 1,
            taken: Taken::Direct,
            status: None,
            rule: None,
            handed_back: false,
        };
        Story { stays: stays.iter().map(stay).collect(), last: at(1_000), ..Story::default() }
    }

    fn back(stays: &[(u32, i64)]) -> Vec<(Option<i64>, Option<i64>)> {
        let seconds = |length: Option<Length>| length.map(|length| length.micros() / 1_000_000);
        story(stays).transfers().iter().map(|one| (seconds(one.bounced), seconds(one.returned))).collect()
    }

    #[test]
    fn every_bounce_is_a_return_and_delays_count_from_the_transfer() {
        assert_eq!(back(&[(1, 0)]), []);
        assert_eq!(back(&[(1, 0), (2, 10), (1, 25)]), [(Some(15), Some(15)), (None, None)]);
        assert_eq!(back(&[(1, 0), (2, 10), (3, 20), (1, 50)]), [(None, Some(40)), (None, None), (None, None)]);
        let ping_pong = back(&[(1, 0), (2, 1), (1, 2), (2, 3)]);
        assert_eq!(ping_pong, [(Some(1), Some(1)), (Some(1), Some(1)), (None, None)]);
    }

    #[test]
    fn what_is_handed_back_as_done_is_a_return_and_no_bounce() {
        let mut done = story(&[(1, 0), (2, 10), (1, 25)]);
        done.stays[2].handed_back = true;
        let transfer = done.transfers()[0];
        assert_eq!((transfer.bounced, transfer.returned), (None, Some(Length::seconds(15))));
    }

    #[test]
    fn a_return_takes_the_earliest_stay() {
        assert_eq!(back(&[(1, 0), (2, 1), (3, 2), (1, 5), (3, 7), (1, 9)])[0], (None, Some(4)));
    }

    #[test]
    fn a_stay_lasts_to_the_next_one_or_the_end() {
        let story = story(&[(1, 0), (2, 10)]);
        assert_eq!(
            (story.held(0), story.held(1), story.held(2)),
            (Length::seconds(10), Length::seconds(990), Length::default())
        );
    }
}
