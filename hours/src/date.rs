//! Dates as day numbers, counted from 1970-01-01: what walking through a calendar needs, without a division per field.

use jiff::civil::Date;

/// The day number of a date.
pub(crate) fn number(date: Date) -> i64 {
    // Hinnant's count of days in eras of 400 years, from a March that begins the year.
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The day of the week of a day number, Monday first.
pub(crate) fn weekday(number: i64) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((number + 3).rem_euclid(7)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn every_date_of_two_thousand_years_has_its_number_and_weekday() {
        let mut date = Date::constant(900, 1, 1);
        let mut expected = number(date);
        while date.year() < 2_900 {
            assert_eq!((number(date), weekday(expected)), (expected, date.weekday().to_monday_zero_offset() as usize));
            date = date.checked_add(1.day()).unwrap();
            expected += 1;
        }
        assert_eq!(number(Date::constant(1970, 1, 1)), 0);
    }
}
