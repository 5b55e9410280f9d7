//! When the lead's week is sent to whoever answers for the policy, and through which channels. Pure.

use super::names::AlertName;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Once a week, on a day and at a time of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestPlan {
    /// The channels.
    pub to: Vec<AlertName>,
    /// Which day.
    pub day: Weekday,
    /// Which time of that day.
    pub at: Time,
    /// Where.
    pub zone: TimeZone,
    /// The zone's name.
    pub zone_name: String,
}

/// The days' words, as in hours.
pub const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl DigestPlan {
    /// The first instant after this one at which it is sent. A time that the day skips (clocks go forward) is moved past the gap,
    /// one that it has twice is the first.
    pub fn next(&self, after: Timestamp) -> Timestamp {
        let today = after.to_zoned(self.zone.clone()).date();
        let days = (0..=7).filter_map(|days| today.checked_add(days.days()).ok());
        let instants = days.filter(|day| day.weekday() == self.day).filter_map(|day| {
            let instant = day.to_datetime(self.at).to_zoned(self.zone.clone()).ok()?;
            Some(instant.timestamp())
        });
        instants.into_iter().find(|instant| *instant > after).unwrap_or(Timestamp::MAX)
    }

    /// The day by which a week is called: the one that it is due on.
    pub fn week(&self, due: Timestamp) -> Date {
        due.to_zoned(self.zone.clone()).date()
    }

    /// In words; equal for plans that are due at the same instants.
    pub fn when(&self) -> String {
        let day = DAYS.iter().find(|(_, day)| *day == self.day).map_or("", |(word, _)| word);
        format!("{day} {}, {}", self.at.strftime("%H:%M"), self.zone_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(day: Weekday, at: &str, zone: &str) -> DigestPlan {
        DigestPlan {
            to: vec!["owner".into()],
            day,
            at: at.parse().expect("a time"),
            zone: TimeZone::get(zone).expect("a zone"),
            zone_name: zone.into(),
        }
    }

    #[test]
    fn it_is_sent_on_its_day_at_its_time_where_its_people_are() {
        let monday = plan(Weekday::Monday, "08:00", "Europe/Berlin");
        for (after, next) in [
            ("2026-11-27T12:00:00Z", "2026-11-30T07:00:00Z"),
            ("2026-11-30T06:59:59Z", "2026-11-30T07:00:00Z"),
            ("2026-11-30T07:00:00Z", "2026-12-07T07:00:00Z"),
            // Sunday there already, Saturday in UTC.
            ("2026-11-28T23:30:00Z", "2026-11-30T07:00:00Z"),
            // Summer time begins between the two.
            ("2027-03-23T12:00:00Z", "2027-03-29T06:00:00Z"),
        ] {
            assert_eq!(monday.next(after.parse().expect("instant")).to_string(), next, "{after}");
        }
        assert_eq!(monday.week("2026-11-30T07:00:00Z".parse().expect("instant")).to_string(), "2026-11-30");
        assert_eq!(monday.when(), "mon 08:00, Europe/Berlin");
    }

    #[test]
    fn a_time_that_the_day_skips_is_moved_and_one_that_it_has_twice_is_the_first() {
        let skipped = plan(Weekday::Sunday, "02:30", "Europe/Berlin");
        assert_eq!(skipped.next("2027-03-27T12:00:00Z".parse().expect("instant")).to_string(), "2027-03-28T01:30:00Z");
        assert_eq!(skipped.next("2026-10-24T12:00:00Z".parse().expect("instant")).to_string(), "2026-10-25T00:30:00Z");
    }

    proptest! {
        #[test]
        fn the_next_one_is_later_and_within_eight_days(second in 0i64..4_000_000_000, day in 0usize..7, hour in 0i8..24) {
            let after = Timestamp::from_second(second).expect("an instant");
            for zone in ["UTC", "Pacific/Apia", "America/New_York"] {
                let plan = DigestPlan { at: jiff::civil::time(hour, 15, 0, 0), ..plan(DAYS[day].1, "00:00", zone) };
                let next = plan.next(after);
                prop_assert!(next > after);
                // Apia left a day out, so a week of its had six days and the next one with that day is the week after.
                let most = if zone == "Pacific/Apia" { 16 } else { 8 };
                prop_assert!(next.duration_since(after).as_hours() <= most * 24, "{zone} {after} {next}");
                prop_assert_eq!(next.to_zoned(plan.zone.clone()).weekday(), plan.day);
            }
        }
    }
}
