//! Instants, lengths and workings as people read them, in the calendar's zone.

use crate::working::{Span, Working};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Whether a clock in this zone shows the time of this instant twice, because it is put back.
pub fn is_shown_twice(at: Timestamp, zone: &TimeZone) -> bool {
    zone.to_ambiguous_zoned(zone.to_datetime(at)).is_ambiguous()
}

/// An instant in a zone: `Mon 30 Nov 10:30`, with the year where it is not that of `since`, and with its offset where the clock
/// shows the same time twice.
pub fn moment(at: Timestamp, since: Timestamp, zone: &TimeZone) -> String {
    let offset = if is_shown_twice(at, zone) { " UTC%:z" } else { "" };
    let (at, since) = (at.to_zoned(zone.clone()), since.to_zoned(zone.clone()));
    let format = if at.year() == since.year() { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
    at.strftime(&format!("{format}{offset}")).to_string()
}

/// A length: `45 s`, `30 min`, `4 h`, `4 h 30 min`; days are not used, for a day of open hours is not 24 hours.
pub fn length(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

impl Working {
    /// What was counted: `Fri 14:00–15:00 and Mon 09:00–12:00`. A date is told with its month once it is a week away.
    pub fn shown(&self, zone: &TimeZone) -> String {
        let mut teller = Teller { zone, begin: None, day: None };
        let mut told: Vec<String> = self.first.iter().map(|span| teller.span(*span)).collect();
        if self.between > SignedDuration::ZERO {
            told.push(format!("{} more", length(self.between)));
        }
        if let Some(last) = self.last {
            teller.day = None;
            told.push(teller.span(last));
        }
        match told.split_last() {
            None => "nothing to count".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    }
}

/// Tells span after span; a day that was just named is not named again.
struct Teller<'a> {
    zone: &'a TimeZone,
    begin: Option<Date>,
    day: Option<Date>,
}

impl Teller<'_> {
    fn span(&mut self, span: Span) -> String {
        let (from, to) = (span.from.to_zoned(self.zone.clone()), span.to.to_zoned(self.zone.clone()));
        // Midnight is the end of the day that was counted, not the beginning of the next.
        let ends_at_midnight = to.hour() == 0 && to.minute() == 0 && to.date().yesterday().ok() == Some(from.date());
        let until = if ends_at_midnight { "24:00".to_owned() } else { self.clock(&to, from.date()) };
        let before = self.day.replace(from.date());
        let begins = match before == Some(from.date()) {
            true => from.strftime("%H:%M").to_string(),
            false => self.clock(&from, Date::ZERO),
        };
        self.day = Some(if ends_at_midnight { from.date() } else { to.date() });
        let on_the_wall = SignedDuration::from_secs(wall(&to) - wall(&from));
        let length_if_odd = if on_the_wall.as_mins() == span.length().as_mins() {
            String::new()
        } else {
            format!(" ({})", length(span.length()))
        };
        format!("{begins}–{until}{length_if_odd}")
    }

    /// A time of day, with its day where that is not `known`.
    fn clock(&mut self, at: &Zoned, known: Date) -> String {
        let begin = *self.begin.get_or_insert(at.date());
        let format = match (at.date() == known, (at.date() - begin).get_days() < 6) {
            (true, _) => "%H:%M",
            (false, true) => "%a %H:%M",
            (false, false) => "%a %-d %b %H:%M",
        };
        at.strftime(format).to_string()
    }
}

/// Seconds as the clock on the wall counts them.
fn wall(at: &Zoned) -> i64 {
    at.timestamp().as_second() + i64::from(at.offset().seconds())
}

#[cfg(test)]
mod tests {
    use crate::{Block, Calendar, Day, Week, moment, zone};
    use jiff::civil::Date;
    use jiff::{SignedDuration, Timestamp};

    fn calendar(zone_name: &str, blocks: &[(&[Day], &str)], holidays: &[Date]) -> Calendar {
        let mut week = Week::new();
        for (days, block) in blocks {
            days.iter().for_each(|day| week.add(*day, Block::parse(block).unwrap()).unwrap());
        }
        Calendar::new(zone(zone_name).unwrap(), &week, holidays.iter().copied()).unwrap()
    }

    fn office() -> Calendar {
        let mon_thu = &Day::ALL[..4];
        let blocks = [(mon_thu, "09:00-12:00"), (mon_thu, "13:00-17:30"), (&Day::ALL[4..5], "09:00-15:00")];
        calendar("Europe/Berlin", &blocks, &[Date::constant(2026, 12, 25)])
    }

    fn told(calendar: &Calendar, from: &str, hours: i64) -> String {
        let from: Timestamp = from.parse().unwrap();
        let length = SignedDuration::from_hours(hours);
        let deadline = calendar.add(from, length).unwrap();
        assert_eq!(deadline.working.counted(), length);
        assert_eq!(calendar.between(from, deadline.at), length);
        let zone = calendar.zone();
        format!("{}: {}", moment(deadline.at, from, zone), deadline.working.shown(zone))
    }

    #[test]
    fn a_deadline_tells_the_hours_that_were_counted() {
        let office = office();
        let friday = "2026-11-27T13:00:00Z";
        assert_eq!(told(&office, friday, 4), "Mon 30 Nov 12:00: Fri 14:00–15:00 and Mon 09:00–12:00");
        assert_eq!(told(&office, friday, 5), "Mon 30 Nov 14:00: Fri 14:00–15:00, Mon 09:00–12:00 and 13:00–14:00");
        let long = "Tue 8 Dec 11:30: Fri 14:00–15:00, Mon 09:00–12:00, 13:00–17:30, Tue 09:00–12:00, 33 h more \
                    and Tue 8 Dec 09:00–11:30";
        assert_eq!(told(&office, friday, 47), long);
        assert_eq!(told(&office, "2026-12-24T16:00:00Z", 1), "Mon 28 Dec 09:30: Thu 17:00–17:30 and Mon 09:00–09:30");
        assert_eq!(
            told(&office, "2026-12-31T16:00:00Z", 1),
            "Fri 1 Jan 2027 09:30: Thu 17:00–17:30 and Fri 09:00–09:30"
        );
    }

    #[test]
    fn nights_and_clock_changes_are_told_as_they_were() {
        let always = calendar("Europe/Berlin", &[(&Day::ALL, "00:00-24:00")], &[]);
        let back = told(&always, "2026-10-24T22:00:00Z", 4);
        assert_eq!(back, "Sun 25 Oct 03:00: Sun 00:00–03:00 (4 h)");
        assert_eq!(told(&always, "2026-10-24T22:00:00Z", 2), "Sun 25 Oct 02:00 UTC+02:00: Sun 00:00–02:00");
        let again = told(&always, "2026-10-24T22:00:00Z", 3);
        assert_eq!(again, "Sun 25 Oct 02:00 UTC+01:00: Sun 00:00–02:00 (3 h)");
        let nights =
            calendar("Europe/Berlin", &[(&Day::ALL[..1], "22:00-06:00"), (&Day::ALL[2..3], "18:00-24:00")], &[]);
        let weeks = "Tue 24 Nov 00:00: Mon 22:00–Tue 06:00, Wed 18:00–24:00 and Mon 23 Nov 22:00–24:00";
        assert_eq!(told(&nights, "2026-11-16T12:00:00Z", 16), weeks);
    }
}
