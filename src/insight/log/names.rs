//! Names as numbers: each distinct one is kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// A table of names; the first has number 0.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    /// The number of a name, a new one if it was never met. `None`: there are four thousand million of them already.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.list.len()).ok().filter(|number| *number < u32::MAX >> super::FLAG_BITS)?;
        let name: Arc<str> = name.into();
        self.list.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|at| self.list.get(at)).map_or("", |name| name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number() {
        let mut names = Names::default();
        let numbers: Vec<_> = ["a", "b", "a", ""].map(|name| names.number(name)).into();
        assert_eq!(numbers, [Some(0), Some(1), Some(0), Some(2)]);
        assert_eq!((names.name(1), names.name(9), names.len()), ("b", "", 3));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "b", ""]);
    }
}
