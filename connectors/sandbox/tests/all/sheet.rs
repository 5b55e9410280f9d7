//! What a refusal says, held against the vendor's sheet.

/// The answer has these words. Those of the sheet stand there, too, where there is one.
pub fn hold_words(answer: &str, of_sheet: &[&str], own: &[&str], sheet: Option<&str>) {
    for words in of_sheet.iter().chain(own) {
        assert!(answer.contains(words), "{words:?} is not in {answer}");
    }
    let unknown = |words: &&&str| sheet.is_some_and(|sheet| !sheet.contains(**words));
    assert_eq!(of_sheet.iter().find(unknown), None, "the sheet does not say so");
}
