//! Texts in the form in which two are the same. Pure.

use super::package::visible;
use icu_normalizer::ComposingNormalizerBorrowed;

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
