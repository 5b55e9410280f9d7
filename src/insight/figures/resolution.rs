//! How long cases take, with and without a handoff; among like cases, because hard cases are handed over more.

use super::{Told, World};
use crate::insight::log::{Length, split_mark};
use crate::insight::stats::{mean, median, median_interval, rounded};
use serde::Serialize;
use std::collections::BTreeMap;

/// How long cases take.
#[derive(Clone, Debug, Serialize)]
pub struct Resolution {
    /// From the first event to the last, every case, by its number of transfers.
    pub span: Vec<Band>,
    /// All spans together, in seconds.
    pub span_total_s: Length,
    /// From the first event to the last change to done, cases that are done, by their number of transfers. Empty: nothing says
    /// when a case is done.
    pub resolved: Vec<Band>,
    /// Cases that are not done at the end.
    pub open: Option<u64>,
    /// The comparison among like cases.
    pub like: LikeCases,
}

/// Cases with so many transfers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// `all`, `0`, `1`, `2` or `3+`.
    pub transfers: &'static str,
    /// How many.
    pub n: u64,
    /// Mean, in seconds.
    pub mean_s: Option<f64>,
    /// The usual median, in seconds.
    pub median_s: Option<f64>,
    /// Its 95 % interval; none below six cases.
    pub interval_s: Option<(f64, f64)>,
    /// The longest.
    pub max_s: Option<Length>,
}

/// Cases with and without a handoff, compared within groups of like cases. What is compared is the time to done where that is
/// known, else the span. It shows what goes together, not what causes what.
#[derive(Clone, Debug, Serialize)]
pub struct LikeCases {
    /// What makes cases alike.
    pub columns: Vec<String>,
    /// Cases in groups that have enough of both kinds.
    pub compared: u64,
    /// Cases in all.
    pub cases: u64,
    /// Median time with a handoff minus that without, in the groups that have enough of both, weighted by their handed-over
    /// cases. In seconds.
    pub difference_s: Option<f64>,
    /// Every group, most cases first.
    pub strata: Vec<Stratum>,
}

/// One group of like cases.
#[derive(Clone, Debug, Serialize)]
pub struct Stratum {
    /// Its values.
    pub values: Vec<String>,
    /// How many cases.
    pub cases: u64,
    /// Enough of both kinds to compare: ten.
    pub compared: bool,
    /// By number of transfers.
    pub bands: Vec<Band>,
}

/// So many cases of each kind make a comparison.
const ENOUGH: usize = 10;

/// Times of cases with 0, 1, 2, and 3 or more transfers.
type Bands = [Vec<Length>; 4];

#[derive(Default)]
pub(super) struct Counting {
    span: Bands,
    resolved: Bands,
    open: u64,
    like: BTreeMap<Vec<String>, Bands>,
}

impl Counting {
    pub fn add(&mut self, told: &Told<'_>, world: World<'_>) {
        let band = told.transfers.len().min(3);
        let story = told.story;
        let span = story.last.since(story.opened);
        self.span[band].push(span);
        let resolved = story.resolved.map(|at| at.since(story.opened));
        match resolved {
            Some(time) => self.resolved[band].push(time),
            None => self.open += 1,
        }
        let time = if world.done_known { resolved } else { Some(span) };
        let key = if world.like.is_empty() {
            story.stays.first().map(|stay| vec![world.teams.name(stay.team).to_owned()])
        } else {
            let values = split_mark(world.marks.name(story.mark)).skip(world.by.len());
            Some(values.map(str::to_owned).collect())
        };
        if let (Some(time), Some(key)) = (time, key) {
            self.like.entry(key).or_default()[band].push(time);
        }
    }

    pub fn finish(mut self, world: World<'_>) -> Resolution {
        let total = self.span.iter().flatten().fold(Length::default(), |sum, span| sum.plus(*span));
        let strata: Vec<Stratum> = {
            let mut strata: Vec<Stratum> =
                self.like.iter_mut().map(|(values, bands)| stratum(values.clone(), bands)).collect();
            strata.sort_by(|one, other| other.cases.cmp(&one.cases).then_with(|| one.values.cmp(&other.values)));
            strata
        };
        let compared = strata.iter().filter(|stratum| stratum.compared).map(|stratum| stratum.cases).sum();
        let columns =
            if world.like.is_empty() { vec!["the team that opened them".to_owned()] } else { world.like.to_vec() };
        let difference_s = difference(&self.like);
        Resolution {
            span: bands(&mut self.span),
            span_total_s: total,
            resolved: if world.done_known { bands(&mut self.resolved) } else { Vec::new() },
            open: world.done_known.then_some(self.open),
            like: LikeCases {
                columns,
                compared,
                cases: strata.iter().map(|stratum| stratum.cases).sum(),
                difference_s,
                strata,
            },
        }
    }
}

fn stratum(values: Vec<String>, times: &mut Bands) -> Stratum {
    let cases = times.iter().map(Vec::len).sum::<usize>() as u64;
    let compared = is_compared(times);
    Stratum { values, cases, compared, bands: bands(times) }
}

fn is_compared(times: &Bands) -> bool {
    let [without, with @ ..] = times;
    without.len() >= ENOUGH && with.iter().map(Vec::len).sum::<usize>() >= ENOUGH
}

/// The weighted difference of medians over the groups that have enough of both kinds.
fn difference(like: &BTreeMap<Vec<String>, Bands>) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for times in like.values().filter(|times| is_compared(times)) {
        let [without, with @ ..] = times;
        let mut without = without.clone();
        without.sort_unstable();
        let mut with: Vec<Length> = with.iter().flatten().copied().collect();
        with.sort_unstable();
        if let (Some(with_handoff), Some(without)) = (median(&with), median(&without)) {
            sum += (with_handoff - without) * with.len() as f64;
            weight += with.len() as f64;
        }
    }
    (weight > 0.0).then(|| rounded(sum / weight, 3))
}

fn bands(times: &mut Bands) -> Vec<Band> {
    let mut all: Vec<Length> = times.iter().flatten().copied().collect();
    let names = ["0", "1", "2", "3+"].into_iter();
    let each: Vec<Band> = names.zip(times.iter_mut()).map(|(name, times)| band(name, times)).collect();
    std::iter::once(band("all", &mut all)).chain(each).collect()
}

fn band(transfers: &'static str, times: &mut [Length]) -> Band {
    times.sort_unstable();
    Band {
        transfers,
        n: times.len() as u64,
        mean_s: mean(times).map(|mean| rounded(mean, 3)),
        median_s: median(times),
        interval_s: median_interval(times),
        max_s: times.last().copied(),
    }
}
