//! Small numbers told honestly: quantiles by nearest rank, and intervals around every share.

use super::log::Length;
use serde::Serialize;
use serde::ser::SerializeStruct;

/// Two-sided 95 %.
const Z95: f64 = 1.959_963_984_540_054;
/// Two-sided 99 %: where many paths are compared at once.
const Z99: f64 = 2.575_829_303_548_901;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// So many of so many.
    pub fn new(count: u64, of: u64) -> Self {
        Self { count, of }
    }

    /// The share; none of none is 0.
    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.count as f64 / self.of as f64 }
    }

    /// Wilson's 95 % interval: what shares would make such a count no surprise. All from 0 to 1 where there is nothing.
    pub fn interval(self) -> (f64, f64) {
        wilson(self, Z95)
    }

    /// The difference to another share, with Newcombe's 99 % interval.
    pub fn above(self, other: Self) -> Difference {
        let ((low, high), (other_low, other_high)) = (wilson(self, Z99), wilson(other, Z99));
        let (share, rest) = (self.share(), other.share());
        let difference = share - rest;
        Difference {
            by: difference,
            low: difference - ((share - low).powi(2) + (other_high - rest).powi(2)).sqrt(),
            high: difference + ((high - share).powi(2) + (rest - other_low).powi(2)).sqrt(),
        }
    }
}

fn wilson(share: Share, z: f64) -> (f64, f64) {
    if share.of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (share.of as f64, share.share());
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if share.count == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if share.count == share.of { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

impl Serialize for Share {
    /// Of nothing there is no share: null, and no interval.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (low, high) = self.interval();
        let some = |value: f64| (self.of > 0).then(|| rounded(value, 6));
        let mut fields = serializer.serialize_struct("Share", 5)?;
        fields.serialize_field("count", &self.count)?;
        fields.serialize_field("of", &self.of)?;
        fields.serialize_field("share", &some(self.share()))?;
        fields.serialize_field("low", &some(low))?;
        fields.serialize_field("high", &some(high))?;
        fields.end()
    }
}

/// How much one share lies above another, with its 99 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// By so much.
    #[serde(serialize_with = "six")]
    pub by: f64,
    /// At least.
    #[serde(serialize_with = "six")]
    pub low: f64,
    /// At most.
    #[serde(serialize_with = "six")]
    pub high: f64,
}

fn six<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value, 6))
}

/// Rounded to so many decimals.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// The value at position ceil(q·n) of n ascending values, counted from 1; none where there is none.
pub fn nearest_rank(ascending: &[Length], q: Quantile) -> Option<Length> {
    let n = ascending.len() as u128;
    let position = (u128::from(q.0) * n).div_ceil(100).max(1);
    usize::try_from(position - 1).ok().and_then(|at| ascending.get(at)).copied()
}

/// A quantile in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile(pub u8);

/// The usual median: the mean of the two middle values where their number is even. In seconds.
pub fn median(ascending: &[Length]) -> Option<f64> {
    let n = ascending.len();
    let upper = ascending.get(n / 2)?.as_seconds();
    Some(if n % 2 == 1 { upper } else { (ascending[n / 2 - 1].as_seconds() + upper) / 2.0 })
}

/// A 95 % interval around the median by ranks, whatever the distribution; none below six values.
pub fn median_interval(ascending: &[Length]) -> Option<(f64, f64)> {
    let n = ascending.len();
    if n < 6 {
        return None;
    }
    let half = Z95 * (n as f64).sqrt() / 2.0;
    let low = ((n as f64 / 2.0 - half).floor().max(1.0)) as usize;
    let high = ((n as f64 / 2.0 + 1.0 + half).ceil() as usize).min(n);
    Some((ascending[low - 1].as_seconds(), ascending[high - 1].as_seconds()))
}

/// What many lengths come to. All in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub n: u64,
    /// Their mean, to the millisecond.
    pub mean_s: Option<f64>,
    /// Nearest rank.
    pub p50_s: Option<Length>,
    /// Nearest rank.
    pub p90_s: Option<Length>,
    /// Nearest rank.
    pub p95_s: Option<Length>,
    /// The longest.
    pub max_s: Option<Length>,
}

impl Spread {
    /// Of these lengths, which are sorted for it.
    pub fn of(lengths: &mut [Length]) -> Self {
        lengths.sort_unstable();
        let rank = |q| nearest_rank(lengths, Quantile(q));
        Self {
            n: lengths.len() as u64,
            mean_s: mean(lengths).map(|mean| rounded(mean, 3)),
            p50_s: rank(50),
            p90_s: rank(90),
            p95_s: rank(95),
            max_s: lengths.last().copied(),
        }
    }
}

/// The mean in seconds; sums are whole microseconds, so nothing is lost before the division.
pub fn mean(lengths: &[Length]) -> Option<f64> {
    let sum: i128 = lengths.iter().map(|length| i128::from(length.micros())).sum();
    (!lengths.is_empty()).then(|| sum as f64 / 1e6 / lengths.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(seconds: &[i64]) -> Vec<Length> {
        seconds.iter().map(|seconds| Length::seconds(*seconds)).collect()
    }

    #[test]
    fn quantiles_are_nearest_rank() {
        let four = lengths(&[1, 2, 3, 4]);
        let at = |q| nearest_rank(&four, Quantile(q)).map(Length::as_seconds);
        assert_eq!(
            (at(50), at(51), at(75), at(76), at(100), at(0)),
            (Some(2.0), Some(3.0), Some(3.0), Some(4.0), Some(4.0), Some(1.0))
        );
        assert_eq!(nearest_rank(&[], Quantile(50)), None);
    }

    #[test]
    fn medians_are_the_usual_ones() {
        assert_eq!(
            (median(&lengths(&[1, 5, 9])), median(&lengths(&[1, 2])), median(&[])),
            (Some(5.0), Some(1.5), None)
        );
        assert_eq!(median_interval(&lengths(&[1, 2, 3, 4, 5])), None);
        assert_eq!(median_interval(&lengths(&(1..=100).collect::<Vec<_>>())), Some((40.0, 61.0)));
    }

    #[test]
    fn intervals_tell_small_numbers_from_large_ones() {
        // Newcombe 1998, method 3: 81 of 263 is 0.2553 to 0.3662; 0 of 20 is 0 to 0.1611; 1 of 29 is 0.0061 to 0.1718.
        for (count, of, low, high) in [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)] {
            let interval = Share::new(count, of).interval();
            assert!(
                (interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5,
                "{count} of {of}: {interval:?}"
            );
        }
        assert_eq!(Share::new(0, 0).interval(), (0.0, 1.0));
        assert_eq!(Share::new(3, 3).interval().1, 1.0);
    }

    #[test]
    fn a_share_of_nothing_is_none_and_not_zero() {
        let json = |share: Share| serde_json::to_value(share).expect("json");
        let none = serde_json::json!({ "count": 0, "of": 0, "share": null, "low": null, "high": null });
        assert_eq!(json(Share::new(0, 0)), none);
        assert_eq!(json(Share::new(0, 1))["share"], 0.0);
    }

    #[test]
    fn a_difference_of_large_counts_is_certain_and_of_small_ones_not() {
        assert!(Share::new(500, 1_000).above(Share::new(300, 1_000)).low > 0.0);
        assert!(Share::new(5, 10).above(Share::new(3, 10)).low < 0.0);
    }

    #[test]
    fn a_spread_is_exact() {
        let spread = Spread::of(&mut lengths(&[3, 1, 2, 2]));
        assert_eq!((spread.n, spread.mean_s), (4, Some(2.0)));
        assert_eq!(serde_json::to_value(&spread).expect("json")["p90_s"], 3);
    }
}
