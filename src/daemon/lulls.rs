//! The alert of a house that would else only stay silent: where nothing has come of a desk for too long, whoever the policy names
//! is told once, and an incident is closed when something comes. In shadow nobody is told anything.

use super::house::House;
use crate::ledger::{Ledger, LedgerError, Lulls};
use crate::policy::lull::{Heard, lull};
use crate::policy::names::AlertName;
use crate::policy::rules::Mode;
use handoffd_kit::id::DeskId;
use jiff::SignedDuration;

impl House {
    /// Tells what does not come any more, and closes what does again.
    pub(super) async fn tell_lulls(&self) -> Result<(), LedgerError> {
        let closes = |name: &AlertName| self.policy.alerts.channels.get(name).is_some_and(|it| it.kind.closes());
        let operators: Vec<(AlertName, bool)> = match self.policy.mode {
            Mode::Live => self.policy.alerts.operators.iter().map(|name| (name.clone(), closes(name))).collect(),
            Mode::Shadow => Vec::new(),
        };
        let house = self.clone();
        self.ledger
            .call(move |ledger| {
                let now = house.seams.clock.now();
                // What nobody was told of is told to whoever is named next.
                let stand = if operators.is_empty() { Lulls::new() } else { house.lulls(ledger)? };
                ledger.tell_lulls(&stand, &operators, now)
            })
            .await
    }

    fn lulls(&self, ledger: &Ledger) -> Result<Lulls, LedgerError> {
        let (polled, news, now) = (ledger.polled()?, ledger.news()?, self.seams.clock.now());
        let of = |desk: &DeskId| {
            let (every, station) = (self.polls.get(desk), self.desks.get(desk)?);
            let read = every.and_then(|_| station.longest_unread(desk, &polled, self.since));
            let heard = Heard {
                started: self.since,
                read: read.map(|(read, _)| read),
                every: every.copied().unwrap_or(SignedDuration::ZERO),
                news: news.get(desk).copied(),
            };
            lull(heard, self.policy.desks.get(desk).and_then(|desk| desk.news_within.as_ref()), now)
        };
        let all = self.desks.iter().filter_map(|(desk, _)| Some((desk.clone(), of(desk)?)));
        Ok(all.collect())
    }
}
