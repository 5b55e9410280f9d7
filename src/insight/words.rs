//! Figures as people read them: `9,454`, `16.6 % (15.9–17.4)`, `44m 45s`.

use super::log::Length;
use super::stats::{Difference, Share};

/// A number with its thousands parted.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut parted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// A share in percent with its interval; a dash of none.
pub fn share(share: Share) -> String {
    if share.of == 0 {
        return "–".to_owned();
    }
    let (low, high) = share.interval();
    format!("{} % ({}–{})", percent(share.share()), percent(low), percent(high))
}

/// A share with its counts: `3 of 7, 42.9 % (15.8–75.0)`.
pub fn counted(of: Share) -> String {
    format!("{} of {}, {}", number(of.count), number(of.of), share(of))
}

/// A difference of shares in percentage points with its interval: `+12.3 (+4.0 to +20.1)`.
pub fn difference(difference: Difference) -> String {
    let points = |value: f64| format!("{}{}", if value < 0.0 { "−" } else { "+" }, percent(value.abs()));
    format!("{} ({} to {})", points(difference.by), points(difference.low), points(difference.high))
}

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A length of time in its two largest units; a dash of none.
pub fn length(length: Option<Length>) -> String {
    length.map_or_else(|| "–".to_owned(), |length| seconds(length.as_seconds()))
}

/// Seconds in their two largest units: `44m 45s`, `1d 21h`.
pub fn seconds(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "−" } else { "" };
    let whole = seconds.abs().round() as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{sign}{}{large_unit}", number(large)),
        _ => format!("{sign}{}{large_unit} {small}{small_unit}", number(large)),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{rest}s"),
        (0, 0, _) => two(minutes, "m", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "m"),
        (..) => two(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parted_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn lengths_have_their_two_largest_units() {
        let words = [0.0, 59.4, 60.0, 2_685.0, 3_600.0, 163_852.0, 86_400.0 * 1_000.0, -90.0].map(seconds);
        assert_eq!(words, ["0s", "59s", "1m", "44m 45s", "1h", "1d 21h", "1,000d", "−1m 30s"]);
    }

    #[test]
    fn shares_never_stand_alone() {
        assert_eq!(counted(Share::new(1_568, 9_454)), "1,568 of 9,454, 16.6 % (15.8–17.3)");
        assert_eq!(share(Share::new(3, 7)), "42.9 % (15.8–75.0)");
        assert_eq!(share(Share::new(0, 0)), "–");
    }
}
