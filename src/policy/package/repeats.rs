//! What of a text stands in a package already: a note says each thing once, also where a matched fact is words of the ticket.

use super::courtesy::is_courtesy;
use super::sentences::{same_form, split};

/// Shorter words may stand in a sentence by chance.
const WORDS_MIN: usize = 8;

/// What stands in a note, by the title that it stands under.
#[derive(Default)]
pub struct Told<'t>(Vec<(&'t str, Vec<Said>)>);

/// A line, as one text and by sentences.
struct Said {
    line: String,
    sentences: Vec<String>,
}

impl<'t> Told<'t> {
    /// These lines stand under that title.
    pub fn add(&mut self, title: &'t str, lines: &[String]) {
        let said = |line: &String| {
            let words = without_day(line);
            Said { line: same_form(words), sentences: split(words).map(same_form).collect() }
        };
        self.0.push((title, lines.iter().map(said).collect()));
    }

    /// The sentences of a text that stand nowhere yet, and the titles under which the others stand.
    pub fn rest<'a>(&self, text: &'a str) -> (Vec<&'a str>, Vec<&'t str>) {
        let mut titles: Vec<&str> = Vec::new();
        let mut rest = Vec::new();
        for sentence in split(text) {
            match self.title_of(&same_form(sentence)) {
                Some(title) if titles.contains(&title) => {}
                Some(title) => titles.push(title),
                None => rest.push(sentence),
            }
        }
        if !titles.is_empty() {
            rest.retain(|sentence| !is_courtesy(sentence));
        }
        (rest, titles)
    }

    /// The title under which a sentence stands, whole; with a greeting before it, or cut, it is the same one.
    fn title_of(&self, form: &str) -> Option<&'t str> {
        let long = |form: &str| form.chars().count() >= WORDS_MIN;
        let same = |said: &Said| {
            said.line == form
                || (long(form) && said.line.contains(form))
                || said.sentences.iter().any(|sentence| long(sentence) && form.contains(sentence.as_str()))
        };
        let (title, _) = self.0.iter().find(|(_, lines)| !form.is_empty() && lines.iter().any(same))?;
        Some(title)
    }
}

/// A line without the day that it begins with: `2026-11-02: It was on Monday.`
fn without_day(line: &str) -> &str {
    let day = |day: &str| day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match line.split_once(": ") {
        Some((first, words)) if first.len() == 10 && day(first) => words,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_somewhere_is_named_and_what_does_not_is_kept() {
        let mut told = Told::default();
        told.add("Summary", &["Refund please".into(), "I was charged twice.".into()]);
        told.add("Reported", &["2026-11-02: It was on Monday. The card is new.".into(), "ok".into()]);
        let rest = |text| told.rest(text);
        assert_eq!(rest("Refund please"), (vec![], vec!["Summary"]));
        assert_eq!(
            rest("Hello team, I was charged twice. It was on Monday. Call me. The card is n…"),
            (vec!["Call me."], vec!["Summary", "Reported"])
        );
        assert_eq!(rest("OK"), (vec![], vec!["Reported"]), "short words only as a whole");
        assert_eq!(rest("card"), (vec!["card"], vec![]));
        assert_eq!(rest("6000"), (vec!["6000"], vec![]));
        assert_eq!(rest(""), (vec![], vec![]));
    }
}
