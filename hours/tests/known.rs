//! Instants worked out by hand: clock changes, skipped days, holidays, and calendars that hardly or never open.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use handoffd_hours::{Block, Calendar, Day, Week, zone};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};

fn calendar(name: &str, days: &[Day], blocks: &[&str], holidays: &[Date]) -> Calendar {
    let mut week = Week::new();
    for day in days {
        blocks.iter().for_each(|block| week.add(*day, Block::parse(block).unwrap()).unwrap());
    }
    Calendar::new(zone(name).unwrap(), &week, holidays.iter().copied()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn add(calendar: &Calendar, from: &str, minutes: i64) -> String {
    calendar.add(at(from), SignedDuration::from_mins(minutes)).unwrap().at.to_string()
}

#[test]
fn an_hour_that_the_clock_leaves_out_does_not_count() {
    let early = calendar("Europe/Berlin", &[Day::Sun], &["01:00-04:00"], &[]);
    assert_eq!(add(&early, "2026-03-28T12:00:00Z", 120), "2026-03-29T02:00:00Z");
    assert_eq!(early.between(at("2026-03-28T00:00:00Z"), at("2026-03-30T00:00:00Z")), SignedDuration::from_hours(2));
    let gap = calendar("Europe/Berlin", &[Day::Sun], &["02:00-03:00"], &[]);
    assert_eq!(add(&gap, "2026-03-28T12:00:00Z", 30), "2026-04-05T00:30:00Z");
}

#[test]
fn an_hour_that_the_clock_repeats_counts_twice() {
    let fold = calendar("Europe/Berlin", &[Day::Sun], &["02:00-03:00"], &[]);
    assert_eq!(add(&fold, "2026-10-24T12:00:00Z", 120), "2026-10-25T02:00:00Z");
    // Lord Howe turns by half an hour.
    let half = calendar("Australia/Lord_Howe", &[Day::Sun], &["01:30-02:00"], &[]);
    assert_eq!(half.between(at("2026-04-04T00:00:00Z"), at("2026-04-06T00:00:00Z")), SignedDuration::from_hours(1));
    // In Havana the repeated hour is the first one of the day.
    let night = calendar("America/Havana", &[Day::Sat], &["22:00-01:00"], &[]);
    assert_eq!(night.between(at("2024-11-02T00:00:00Z"), at("2024-11-04T00:00:00Z")), SignedDuration::from_hours(4));
}

#[test]
fn a_date_that_a_zone_skipped_never_comes() {
    let apia = |holidays: &[Date]| calendar("Pacific/Apia", &Day::ALL, &["09:00-17:00"], holidays);
    // Thursday 16:00 at -10, an hour; then Saturday 09:00 at +14, an hour.
    assert_eq!(add(&apia(&[]), "2011-12-30T02:00:00Z", 120), "2011-12-30T20:00:00Z");
    assert_eq!(add(&apia(&[date(2011, 12, 30)]), "2011-12-30T02:00:00Z", 120), "2011-12-30T20:00:00Z");
    assert_eq!(add(&apia(&[date(2011, 12, 31)]), "2011-12-30T02:00:00Z", 120), "2011-12-31T20:00:00Z");
    let fridays = calendar("Pacific/Apia", &[Day::Fri], &["00:00-24:00"], &[]);
    assert_eq!(fridays.next_opening(at("2011-12-25T00:00:00Z")), Some(at("2012-01-05T10:00:00Z")));
}

#[test]
fn a_holiday_is_closed_from_midnight_to_midnight() {
    let nights = calendar("Europe/Berlin", &Day::ALL, &["22:00-06:00"], &[date(2026, 12, 25)]);
    let closed = SignedDuration::from_hours(24 + 8 - 16);
    assert_eq!(
        nights.between(at("2026-12-24T17:00:00Z"), at("2026-12-26T17:00:00Z")),
        closed - SignedDuration::from_hours(8)
    );
    assert!(nights.is_open(at("2026-12-24T22:59:59Z")) && !nights.is_open(at("2026-12-24T23:00:00Z")));
    assert_eq!(nights.next_opening(at("2026-12-24T23:00:00Z")), Some(at("2026-12-25T23:00:00Z")));
}

#[test]
fn a_block_that_ends_at_midnight_is_the_whole_day() {
    let always = calendar("Asia/Kathmandu", &Day::ALL, &["00:00-24:00"], &[]);
    let from = at("2026-01-01T00:00:00.25Z");
    let told = always.add(from, SignedDuration::from_hours(24 * 3_650)).unwrap();
    assert_eq!(told.at, from + SignedDuration::from_hours(24 * 3_650));
    assert_eq!((told.working.first.len(), told.working.last), (1, None));
}

#[test]
fn a_deadline_is_the_first_instant_and_not_the_next_opening() {
    let office = calendar("Europe/Berlin", &Day::ALL[..5], &["09:00-17:00"], &[]);
    assert_eq!(add(&office, "2026-11-27T15:00:00Z", 60), "2026-11-27T16:00:00Z");
    assert_eq!(add(&office, "2026-11-27T16:00:00Z", 1), "2026-11-30T08:01:00Z");
    let now = at("2026-11-28T03:00:00.5Z");
    assert_eq!(office.add(now, SignedDuration::ZERO).unwrap().at, now);
    assert_eq!(office.add(now, SignedDuration::MIN).unwrap().at, now);
    assert_eq!(office.between(now, now - SignedDuration::from_hours(9)), SignedDuration::ZERO);
}

#[test]
fn what_is_never_reached_is_said_and_does_not_take_for_ever() {
    let minute = calendar("Europe/Berlin", &[Day::Sun], &["23:59-24:00"], &[]);
    let from = at("2026-01-01T00:00:00Z");
    let far = minute.add(from, SignedDuration::from_hours(24 * 3_650)).unwrap_err();
    assert!(far.searched_until > at("2075-01-01T00:00:00Z"));
    let sixty_years = (0..60 * 366).map(|day| date(2026, 1, 1).checked_add(day.days()).unwrap());
    let closed = calendar("Europe/Berlin", &Day::ALL, &["09:00-17:00"], &sixty_years.collect::<Vec<_>>());
    assert!(closed.add(from, SignedDuration::from_secs(1)).is_err() && closed.next_opening(from).is_none());
    assert!(Calendar::new(zone("UTC").unwrap(), &Week::new(), []).is_err());
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let office = calendar("America/St_Johns", &Day::ALL, &["09:00-17:00"], &[]);
    for from in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        office.add(from, SignedDuration::MAX).unwrap_err();
        let _ = (office.is_open(from), office.next_opening(from), office.between(Timestamp::MIN, from));
    }
    assert!(office.between(Timestamp::MIN, Timestamp::MAX) > SignedDuration::from_hours(20_000 * 365 * 7));
    assert_eq!(add(&office, "9999-01-04T20:00:00Z", 60), "9999-01-05T13:00:00Z");
}
