//! By what names people call a team in what they type: its key, its queue, what customers call it. Pure.
//!
//! Names are compared without case, and without what stands between their words: `tier2`, `Tier 2` and `tier-2` are one name.

use super::command::{bare_word, is_break, is_stop};
use super::languages::PublicName;
use super::names::TeamName;
use super::rules::Policy;
use super::teams::Team;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::DeskId;

/// A team's name has at most so many words.
pub const NAME_WORDS: usize = 8;

/// What words begin with: the longest name that they have, so that "Tier 2" is not "Tier".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// The teams of that name; mostly one.
    pub teams: Vec<&'a TeamName>,
    /// The name as it was written.
    pub name: String,
    /// What follows.
    pub rest: String,
    /// Whether it stands for itself: nothing follows, or punctuation does. "Billing knows" only begins a sentence.
    pub apart: bool,
}

/// The teams of a desk that go by this name. A key goes before all other names.
pub fn called<'a>(policy: &'a Policy, desk: &DeskId, name: &str) -> Vec<&'a TeamName> {
    let wanted = plain(name);
    let of_desk = || policy.teams.values().filter(|team| &team.desk == desk);
    let all = |is: &dyn Fn(&Team) -> bool| of_desk().filter(|team| is(team)).map(|team| &team.name).collect::<Vec<_>>();
    if wanted.is_empty() {
        return Vec::new();
    }
    let as_written = all(&|team| team.name.as_str() == name);
    let by_key = || all(&|team| plain(team.name.as_str()) == wanted);
    let by_others = || all(&|team| names(team).any(|name| plain(name) == wanted));
    [as_written].into_iter().chain([by_key(), by_others()]).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The name of teams of a desk that these words begin with.
pub fn begins<'a>(policy: &'a Policy, desk: &DeskId, words: &str) -> Option<Beginning<'a>> {
    let words = words_of(words);
    (1..=words.len().min(NAME_WORDS)).rev().find_map(|count| {
        let (name, rest) = words.split_at(count);
        let teams = called(policy, desk, bare_word(&name.join(" ")));
        let dash = |word: &&str| word.chars().all(|c| "-–—".contains(c));
        let apart = rest.first().is_none_or(dash) || name.last().is_some_and(|word| word.ends_with(is_stop));
        let rest = rest.iter().copied().skip_while(dash).collect::<Vec<_>>().join(" ");
        (!teams.is_empty()).then(|| Beginning { teams, name: bare_word(&name.join(" ")).to_owned(), rest, apart })
    })
}

/// What words begin with, or are as a whole, where it is almost a name of these teams: a slip, or two in a long name; or only the
/// first word of a key or a queue, as "second" of "second-line".
pub fn almost(words: &str, whole: bool, teams: &[&Team]) -> Option<String> {
    let words = words_of(words);
    let most = words.len().min(NAME_WORDS);
    let counts = if whole { words.len()..=most } else { 1..=most };
    let first = words.first().map(|word| bare_word(word)).filter(|word| !whole && plain(word).chars().count() > 3);
    let begun = first.filter(|word| teams.iter().any(|team| ours(team).any(|name| begins_as(name, word))));
    let slipped = counts.rev().filter(|count| *count > 0).find_map(|count| {
        let written = words[..count].join(" ");
        let is_like = |name: &str| is_almost(&plain(&written), &plain(name));
        let like = teams.iter().any(|team| names(team).any(is_like));
        like.then(|| bare_word(&written).to_owned())
    });
    slipped.or_else(|| begun.map(str::to_owned))
}

/// Whether a word is the first one of a name.
fn begins_as(name: &str, word: &str) -> bool {
    name.split(|c: char| !c.is_alphanumeric()).next().is_some_and(|first| plain(first) == plain(word))
}

fn is_almost(written: &str, name: &str) -> bool {
    let slips = match name.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    };
    !name.is_empty() && strsim::osa_distance(written, name) <= slips
}

/// All names of a team.
fn names(team: &Team) -> impl Iterator<Item = &str> {
    ours(team).chain(team.public_name.iter().flat_map(PublicName::all).map(|(_, name)| name))
}

/// Those that colleagues use: its key, and its queue's name.
fn ours(team: &Team) -> impl Iterator<Item = &str> {
    let queue = match &team.queue {
        QueueSpec::Name(name) => Some(name.as_str()),
        QueueSpec::Id(_) => None,
    };
    std::iter::once(team.name.as_str()).chain(queue)
}

/// The words of a text that are more than punctuation.
pub fn words_of(words: &str) -> Vec<&str> {
    words.split(is_break).filter(|word| !bare_word(word).is_empty()).collect()
}

/// Whether somebody wrote one of this team's names.
pub fn goes_by(team: &Team, written: &str) -> bool {
    names(team).any(|name| is_name(name, written))
}

/// Whether somebody wrote this name.
pub fn is_name(name: &str, written: &str) -> bool {
    plain(name) == plain(written) && !plain(written).is_empty()
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
