//! Texts in the form in which two are the same. Pure.

use super::package::visible;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The texts of one decision, each folded once, however many rules look for words in it.
#[derive(Debug, Default)]
pub struct Folds(RefCell<BTreeMap<String, Rc<str>>>);

impl Folds {
    /// As [`folded`].
    pub fn of(&self, text: &str) -> Rc<str> {
        if let Some(known) = self.0.borrow().get(text) {
            return known.clone();
        }
        let new: Rc<str> = folded(text).into();
        self.0.borrow_mut().insert(text.to_owned(), new.clone());
        new
    }
}

/// A text in the form in which two are the same: without what cannot be seen, composed, in one case, with one apostrophe. A
/// letter of another script is another letter, however alike they look.
pub fn folded(text: &str) -> String {
    let seen = visible(text);
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&seen);
    let plain = composed.chars().map(|letter| if matches!(letter, '’' | 'ʼ') { '\'' } else { letter });
    // Upper case first: it knows that ß is SS, and that both sigmas are one letter.
    plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Thai, Lao, Khmer, Burmese, Chinese, Japanese: scripts that write no spaces between words.
pub fn is_spaceless(letter: char) -> bool {
    matches!(letter, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_folded_once_and_another_one_is_another() {
        let folds = Folds::default();
        let (first, again) = (folds.of("Straße"), folds.of("Straße"));
        assert!(Rc::ptr_eq(&first, &again));
        assert_eq!((&*first, &*folds.of("CAN’T")), (folded("STRASSE").as_str(), "can't"));
    }
}
