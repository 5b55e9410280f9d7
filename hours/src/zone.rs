//! Zones by their names in the tz database, from the copy that is built in: the same rules on every machine.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// No zone has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone {
    /// All names that the tz database has, for a hint.
    pub known: Vec<String>,
}

/// The zone with this name.
///
/// # Errors
/// The tz database has none.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let database = TimeZoneDatabase::bundled();
    // The database forgives case; a policy that is read by people does not need two spellings.
    let found = database.get(name).ok().filter(|zone| zone.iana_name() == Some(name));
    found.ok_or_else(|| UnknownZone { known: database.available().map(|known| known.as_str().to_owned()).collect() })
}

/// Instants of one offset: what the clock on the wall shows is the instant plus `offset`, all in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first instant, in seconds since 1970.
    pub from: i64,
    /// The instant after the last one.
    pub until: i64,
    /// Seconds east of UTC.
    pub offset: i64,
}

/// A zone whose changes are looked up once: what most deadlines need stands in one table.
#[derive(Debug)]
pub(crate) struct Clocks {
    zone: TimeZone,
    /// From which second on which offset holds, from the beginning of time to [`TABLE_END`].
    table: Vec<(i64, i64)>,
}

/// 2100-01-01T00:00:00Z. Later changes are asked for one by one.
const TABLE_END: i64 = 4_102_444_800;

impl Clocks {
    pub fn new(zone: TimeZone) -> Self {
        let begin = Timestamp::MIN;
        let mut table = vec![(begin.as_second(), offset(&zone, begin))];
        let before_end = zone.following(begin).take_while(|change| change.timestamp().as_second() < TABLE_END);
        for change in before_end {
            let (from, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            // The database also lists changes of a zone's abbreviation alone.
            if table.last().is_some_and(|(_, before)| *before != offset) {
                table.push((from, offset));
            }
        }
        Self { zone, table }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Seconds east of UTC at this second.
    pub fn offset(&self, second: i64) -> i64 {
        if second >= TABLE_END {
            return offset(&self.zone, timestamp(second));
        }
        let row = self.table.partition_point(|(from, _)| *from <= second);
        self.table[row.max(1) - 1].1
    }

    /// The stretches from one second to another, in order. Two that follow each other may have one offset.
    pub fn stretches(&self, from: i64, until: i64) -> impl Iterator<Item = Stretch> {
        let mut at = from;
        let mut row = self.table.partition_point(|(begin, _)| *begin <= from);
        std::iter::from_fn(move || {
            if at >= until {
                return None;
            }
            let (offset, end) = if at < TABLE_END {
                let end = self.table.get(row).map_or(TABLE_END, |(next, _)| *next);
                row += 1;
                (self.table[row.max(2) - 2].1, end)
            } else {
                let begin = timestamp(at);
                let next = self.zone.following(begin).next().map(|change| change.timestamp().as_second());
                (offset(&self.zone, begin), next.unwrap_or(until))
            };
            let stretch = Stretch { from: at, until: end.min(until), offset };
            at = stretch.until;
            Some(stretch)
        })
    }
}

fn offset(zone: &TimeZone, at: Timestamp) -> i64 {
    i64::from(zone.to_offset(at).seconds())
}

/// The instant of a second, held within what a time stamp can hold.
pub(crate) fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(name: &str, from: &str, until: &str) -> Vec<(String, i64)> {
        let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let clocks = Clocks::new(zone(name).unwrap());
        let all = clocks.stretches(second(from), second(until));
        all.map(|stretch| (timestamp(stretch.from).to_string(), stretch.offset)).collect()
    }

    #[test]
    fn a_year_has_a_stretch_for_each_offset() {
        let berlin = between("Europe/Berlin", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let expected =
            [("2026-01-01T00:00:00Z", 3_600), ("2026-03-29T01:00:00Z", 7_200), ("2026-10-25T01:00:00Z", 3_600)];
        assert_eq!(berlin, expected.map(|(at, offset)| (at.to_owned(), offset)));
        assert_eq!(between("UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z").len(), 1);
    }

    #[test]
    fn the_table_and_what_lies_behind_it_meet() {
        let turn = between("Europe/Berlin", "2099-11-01T00:00:00Z", "2100-11-01T00:00:00Z");
        let expected = [
            ("2099-11-01T00:00:00Z", 3_600),
            ("2100-01-01T00:00:00Z", 3_600),
            ("2100-03-28T01:00:00Z", 7_200),
            ("2100-10-31T01:00:00Z", 3_600),
        ];
        assert_eq!(turn, expected.map(|(at, offset)| (at.to_owned(), offset)));
        let clocks = Clocks::new(zone("Europe/Berlin").unwrap());
        for (at, offset) in
            [("0001-01-01T00:00:00Z", 3_208), ("2026-07-01T00:00:00Z", 7_200), ("2400-07-01T00:00:00Z", 7_200)]
        {
            assert_eq!(clocks.offset(at.parse::<Timestamp>().unwrap().as_second()), offset, "{at}");
        }
    }

    #[test]
    fn a_zone_that_skipped_a_day_jumps() {
        let apia = between("Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-31T00:00:00Z");
        assert_eq!(apia, [("2011-12-29T00:00:00Z".into(), -36_000), ("2011-12-30T10:00:00Z".into(), 50_400)]);
    }

    #[test]
    fn names_are_those_of_the_database() {
        for name in ["Europe/Berlin", "UTC", "America/Argentina/ComodRivadavia", "Asia/Calcutta"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for name in ["", "europe/berlin", "Europe/Atlantis", "Local", "CET-1CEST", "../etc/passwd"] {
            assert!(zone(name).unwrap_err().known.contains(&"Europe/Berlin".to_owned()), "{name}");
        }
    }
}
