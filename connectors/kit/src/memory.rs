//! What a desk's ids mean, remembered for a while: groups, people and organisations barely change, and every read of one is a
//! call of the vendor's limits. Pure: the present instant is an argument.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// More are not remembered at once.
const MOST: usize = 5_000;

/// What is older than this goes first when there are too many.
const OLD: SignedDuration = SignedDuration::from_mins(10);

/// Records by id, each with the instant it was read; none: the desk knows no such record.
pub struct Memory<K, T>(BTreeMap<K, (Timestamp, Option<T>)>);

impl<K, T> Default for Memory<K, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Clone + Ord, T: Clone> Memory<K, T> {
    /// The ids of which nothing is known that is younger than `age`.
    pub fn lacking(&self, ids: &BTreeSet<K>, age: SignedDuration, now: Timestamp) -> Vec<K> {
        let young = |id: &K| self.0.get(id).is_some_and(|(read, _)| now.duration_since(*read) < age);
        ids.iter().filter(|id| !young(id)).cloned().collect()
    }

    /// Takes an answer in: what was asked for and is not among the found does not exist.
    pub fn store(&mut self, asked: &[K], found: Vec<(K, T)>, now: Timestamp) {
        if self.0.len() + asked.len() > MOST {
            self.0.retain(|_, (read, _)| now.duration_since(*read) < OLD);
            if self.0.len() + asked.len() > MOST {
                self.0.clear();
            }
        }
        self.0.extend(asked.iter().map(|id| (id.clone(), (now, None))));
        self.0.extend(found.into_iter().map(|(id, record)| (id, (now, Some(record)))));
    }

    /// What is known of these.
    pub fn known(&self, ids: &BTreeSet<K>) -> BTreeMap<K, T> {
        let known = |id: &K| Some((id.clone(), self.0.get(id)?.1.clone()?));
        ids.iter().filter_map(known).collect()
    }
}

/// Something that is not known, or that we may not read, is asked for at most this often: old tickets name what was deleted
/// since.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Something that is read as a whole (all groups, all agents), and when it was.
#[derive(Default)]
pub struct Whole<T> {
    /// What was read.
    pub value: T,
    at: Option<Timestamp>,
}

impl<T> Whole<T> {
    /// Read right now.
    pub fn read(value: T, now: Timestamp) -> Self {
        Self { value, at: Some(now) }
    }

    /// Whether it may still be believed. `lacks`: something that is needed is not in it.
    pub fn is_fresh(&self, age: SignedDuration, lacks: bool, now: Timestamp) -> bool {
        let old = self.at.map(|at| now.duration_since(at));
        old.is_some_and(|old| old < age && (old < PAUSE || !lacks))
    }

    /// Forgets it: whoever asks next wants to know what is there now.
    pub fn forget(&mut self) {
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_asked_for_once_a_minute_and_what_is_old_at_once() {
        let ten = SignedDuration::from_mins(10);
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mut read = Whole::read((), at(0));
        assert!(read.is_fresh(ten, false, at(599)) && !read.is_fresh(ten, false, at(600)));
        assert!(read.is_fresh(ten, true, at(59)) && !read.is_fresh(ten, true, at(60)));
        assert!(!Whole::<()>::default().is_fresh(ten, false, at(0)));
        read.forget();
        assert!(!read.is_fresh(ten, false, at(0)));
    }

    const HOUR: SignedDuration = SignedDuration::from_mins(60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn what_is_old_or_unheard_of_is_asked_for_and_what_does_not_exist_is_not_asked_again() {
        let mut memory = Memory::default();
        let ids = BTreeSet::from([1, 2]);
        assert_eq!(memory.lacking(&ids, HOUR, at(0)), [1, 2]);
        memory.store(&[1, 2], vec![(1, "one")], at(0));
        assert!(memory.lacking(&ids, HOUR, at(59)).is_empty());
        assert_eq!(memory.known(&ids), BTreeMap::from([(1, "one")]));
        assert_eq!(memory.lacking(&ids, OLD, at(10)), [1, 2]);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut memory = Memory::default();
        for chunk in 0..200 {
            let ids: Vec<i64> = (0..100).map(|n| chunk * 100 + n + 1).collect();
            memory.store(&ids, ids.iter().map(|id| (*id, ())).collect(), at(chunk / 50));
            assert!(memory.0.len() <= MOST);
            assert!(memory.known(&ids.iter().copied().collect()).len() == 100, "what was just read is known");
        }
    }
}
