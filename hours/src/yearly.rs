//! Events that come back every year: the only recurrence that calendars of holidays use, and the only one that is read.

use jiff::civil::{Date, Weekday};

/// The last year that a recurrence without an end is followed to.
pub(crate) const LAST_YEAR: i16 = 2_100;

/// On which day of its year an event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// On this day of a month; a 29 February comes in leap years alone.
    Date { month: i8, day: i8 },
    /// On the nth weekday of a month; negative counts from its end.
    Weekday { month: i8, nth: i8, weekday: Weekday },
}

/// A yearly recurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Yearly {
    rule: Rule,
    every: i16,
    count: Option<u32>,
    until: Option<Date>,
}

impl Yearly {
    /// Reads the value of an `RRULE` for an event that begins on `first`.
    ///
    /// # Errors
    /// The part of it that is not supported.
    pub fn parse(text: &str, first: Date) -> Result<Self, String> {
        let mut yearly =
            Self { rule: Rule::Date { month: first.month(), day: first.day() }, every: 1, count: None, until: None };
        let (mut month, mut day, mut weekday) = (first.month(), None, None);
        let mut is_yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| part.to_owned())?;
            let known = match key.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    is_yearly = value.eq_ignore_ascii_case("YEARLY");
                    is_yearly
                }
                "INTERVAL" => number(value, 1..=100).map(|every| yearly.every = every).is_some(),
                "COUNT" => {
                    number(value, 1..=10_000).map(|count| yearly.count = Some(count.unsigned_abs().into())).is_some()
                }
                "UNTIL" => super::ics::date(value).map(|until| yearly.until = Some(until)).is_some(),
                "BYMONTH" => number(value, 1..=12).and_then(|it| i8::try_from(it).ok()).map(|it| month = it).is_some(),
                "BYMONTHDAY" => {
                    number(value, 1..=31).and_then(|it| i8::try_from(it).ok()).map(|it| day = Some(it)).is_some()
                }
                "BYDAY" => nth_weekday(value).map(|it| weekday = Some(it)).is_some(),
                // Where a week begins means nothing to a year.
                "WKST" => true,
                _ => false,
            };
            if !known {
                return Err(part.to_owned());
            }
        }
        yearly.rule = match (day, weekday) {
            _ if !is_yearly => return Err("FREQ".to_owned()),
            (Some(_), Some(_)) => return Err("BYMONTHDAY with BYDAY".to_owned()),
            (_, Some((nth, weekday))) => Rule::Weekday { month, nth, weekday },
            (day, None) => Rule::Date { month, day: day.unwrap_or(first.day()) },
        };
        Ok(yearly)
    }

    /// The first days of all recurrences from `first` on.
    pub fn dates(&self, first: Date) -> Vec<Date> {
        let years = (first.year()..=LAST_YEAR).step_by(usize::try_from(self.every).unwrap_or(1));
        let from_first = years.filter_map(|year| self.rule.in_year(year)).filter(|date| *date >= first);
        let until = |date: &Date| self.until.is_none_or(|until| *date <= until);
        from_first.take(self.count.map_or(usize::MAX, |count| count as usize)).take_while(until).collect()
    }
}

impl Rule {
    fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::Date { month, day } => Date::new(year, month, day).ok(),
            Self::Weekday { month, nth, weekday } => {
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
            }
        }
    }
}

fn number(text: &str, bounds: std::ops::RangeInclusive<i16>) -> Option<i16> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && bounds.contains(number))
}

/// Reads `4TH` or `-1MO`: which weekday of its month.
fn nth_weekday(text: &str) -> Option<(i8, Weekday)> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match day.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let nth: i8 = nth.parse().ok()?;
    ((1..=5).contains(&nth.abs())).then_some((nth, weekday))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(rule: &str, first: &str) -> Vec<String> {
        let first = first.parse().unwrap();
        Yearly::parse(rule, first).unwrap().dates(first).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_holiday_comes_back_on_its_date_or_its_weekday() {
        assert_eq!(dates("FREQ=YEARLY;COUNT=2", "2026-12-25"), ["2026-12-25", "2027-12-25"]);
        assert_eq!(dates("FREQ=YEARLY", "2098-01-01").len(), 3);
        assert_eq!(dates("FREQ=YEARLY;UNTIL=20280101;INTERVAL=2", "2024-05-01"), ["2024-05-01", "2026-05-01"]);
        let thanksgiving = dates("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3;WKST=SU", "2026-11-26");
        assert_eq!(thanksgiving, ["2026-11-26", "2027-11-25", "2028-11-23"]);
        let memorial = dates("FREQ=YEARLY;UNTIL=20271231T000000Z;BYMONTH=5;BYDAY=-1MO", "2026-05-25");
        assert_eq!(memorial, ["2026-05-25", "2027-05-31"]);
        assert_eq!(dates("FREQ=YEARLY;COUNT=2;BYMONTHDAY=29", "2024-02-29"), ["2024-02-29", "2028-02-29"]);
    }

    #[test]
    fn other_recurrences_are_not_guessed_at() {
        let first = Date::constant(2026, 1, 1);
        for (rule, named) in [
            ("FREQ=WEEKLY", "FREQ=WEEKLY"),
            ("COUNT=2", "FREQ"),
            ("", "FREQ"),
            ("FREQ=YEARLY;BYDAY=MO", "BYDAY=MO"),
            ("FREQ=YEARLY;BYDAY=1MO,2MO", "BYDAY=1MO,2MO"),
            ("FREQ=YEARLY;BYMONTH=1,2", "BYMONTH=1,2"),
            ("FREQ=YEARLY;BYMONTHDAY=-1", "BYMONTHDAY=-1"),
            ("FREQ=YEARLY;BYEASTER=0", "BYEASTER=0"),
            ("FREQ=YEARLY;COUNT=999999", "COUNT=999999"),
            ("FREQ=YEARLY;BYDAY=é", "BYDAY=é"),
            ("FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=3", "BYMONTHDAY with BYDAY"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(Yearly::parse(rule, first), Err(named.to_owned()), "{rule}");
        }
    }
}
