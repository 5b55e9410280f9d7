//! Two policies over the same log: the decisions that differ, case by case.

use super::Run;
use super::fire::{Fire, Fires, Shown};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// What is compared, and what is not, for people.
pub const COMPARED: &str = "compared: the receiving team, the instant, who is asked first, the message, the alerts, the owner, the clocks and the \
     package; not compared: the names, versions and reasons of the rules, and what a log does not hold (the text of a package, \
     who of a team would be owner)";

/// A case that the two decide differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The case.
    pub case: u32,
    /// What the first does and the other does not.
    pub only_first: Vec<Fire>,
    /// What the other does and the first does not.
    pub only_other: Vec<Fire>,
    /// What both do, to the same team at the same instant, but not in the same way.
    pub changed: Vec<Changed>,
}

/// A handoff that both do, but not in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The first's.
    pub first: Fire,
    /// The other's.
    pub other: Fire,
    /// What differs: its name, and how each has it.
    pub differs: Vec<Aspect>,
}

/// One thing that two handoffs have differently.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Aspect {
    /// Which: `asks`, `message`, `alerts`, `owner`, `clock`, `package`, `customer`.
    pub what: &'static str,
    /// As the first has it.
    pub first: String,
    /// As the other has it.
    pub other: String,
}

/// The cases that two policies decide differently. The rule's name and version alone make no difference.
pub fn compare(first: &Run<'_>, other: &Run<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut firsts = first.fires.list.chunk_by(|one, next| one.case == next.case).peekable();
    let mut others = other.fires.list.chunk_by(|one, next| one.case == next.case).peekable();
    // Both have their cases in the order of the log.
    loop {
        let (one, two) = match (firsts.peek(), others.peek()) {
            (None, None) => return differences,
            (Some(one), Some(two)) if one[0].case == two[0].case => (firsts.next(), others.next()),
            (Some(one), Some(two)) if one[0].case > two[0].case => (None, others.next()),
            (Some(_), _) => (firsts.next(), None),
            (None, Some(_)) => (None, others.next()),
        };
        let (one, two) = (one.unwrap_or_default(), two.unwrap_or_default());
        differences.extend(difference((&first.fires, one), (&other.fires, two)));
    }
}

/// The fires of one case under both.
fn difference((firsts, one): (&Fires<'_>, &[Fire]), (others, two): (&Fires<'_>, &[Fire])) -> Option<Difference> {
    let case = one.first().or(two.first())?.case;
    let mut left: Vec<&Fire> = two.iter().collect();
    let (mut only_first, mut changed) = (Vec::new(), Vec::new());
    for fire in one {
        let to = firsts.answer(fire).map(|answer| &answer.to);
        let same = |other: &&Fire| other.at == fire.at && others.answer(other).map(|answer| &answer.to) == to;
        let Some(at) = left.iter().position(same) else {
            only_first.push(*fire);
            continue;
        };
        let found = left.remove(at);
        let differs = aspects((firsts, fire), (others, found)).unwrap_or_default();
        if !differs.is_empty() {
            changed.push(Changed { first: *fire, other: *found, differs });
        }
    }
    let only_other: Vec<Fire> = left.into_iter().copied().collect();
    let any = !only_first.is_empty() || !only_other.is_empty() || !changed.is_empty();
    any.then_some(Difference { case, only_first, only_other, changed })
}

fn aspects((firsts, fire): (&Fires<'_>, &Fire), (others, found): (&Fires<'_>, &Fire)) -> Option<Vec<Aspect>> {
    let (one, two) = (firsts.answer(fire)?, others.answer(found)?);
    let mut all = Vec::new();
    let mut differ = |what, first: String, other: String| {
        if first != other {
            all.push(Aspect { what, first, other });
        }
    };
    let asks = |of: &Fires<'_>, fire: &Fire| of.shown(fire).map_or_else(String::new, |shown| shown.asked());
    differ("asks", asks(firsts, fire), asks(others, found));
    let message = |of: &super::fire::Answer| of.message.as_ref().map_or("none".to_owned(), ToString::to_string);
    differ("message", message(one), message(two));
    let told = |of: &super::fire::Answer| {
        let told = of.told.iter().map(|(occasion, channels)| {
            let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
            format!("{}: {}", occasion.name(), channels.join(", "))
        });
        told.collect::<Vec<_>>().join("; ")
    };
    differ("alerts", told(one), told(two));
    let target = |fire: &Fire| crate::insight::words::length(fire.internal);
    differ("clock", format!("target {}", target(fire)), format!("target {}", target(found)));
    for (what, first) in &firsts.rule(one)?.answers {
        let other = others.rule(two)?.answers.iter().find(|(known, _)| known == what);
        differ(what, first.clone(), other.map(|(_, text)| text.clone()).unwrap_or_default());
    }
    // The same thing said twice, once as it came out and once by the rule, is one difference.
    let mut seen = Vec::new();
    all.retain(|aspect| {
        !seen.contains(&aspect.what) && {
            seen.push(aspect.what);
            true
        }
    });
    Some(all)
}

/// Differences with their names, one after the other.
pub struct Differences<'d> {
    /// What was compared.
    pub runs: (&'d Run<'d>, &'d Run<'d>),
    /// What differs.
    pub differences: &'d [Difference],
}

impl Serialize for Differences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.differences.iter().map(|difference| Named { runs: self.runs, difference }))
    }
}

struct Named<'d> {
    runs: (&'d Run<'d>, &'d Run<'d>),
    difference: &'d Difference,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, other) = (&self.runs.0.fires, &self.runs.1.fires);
        let Difference { case, only_first, only_other, changed } = self.difference;
        let mut named = serializer.serialize_struct("Difference", 4)?;
        named.serialize_field("case", first.log.cases.name(*case))?;
        named.serialize_field(
            "only_first",
            &only_first.iter().filter_map(|fire| first.shown(fire)).collect::<Vec<_>>(),
        )?;
        named.serialize_field(
            "only_other",
            &only_other.iter().filter_map(|fire| other.shown(fire)).collect::<Vec<_>>(),
        )?;
        let changed: Vec<ChangedShown<'_>> = changed
            .iter()
            .filter_map(|one| {
                Some(ChangedShown {
                    first: first.shown(&one.first)?,
                    other: other.shown(&one.other)?,
                    differs: &one.differs,
                })
            })
            .collect();
        named.serialize_field("changed", &changed)?;
        named.end()
    }
}

#[derive(serde::Serialize)]
struct ChangedShown<'d> {
    first: Shown<'d>,
    other: Shown<'d>,
    differs: &'d [Aspect],
}
