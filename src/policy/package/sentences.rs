//! Words of a message, cut into sentences: without what was quoted, greetings and signatures.

use super::mask::clean;

/// Characters that one line of a package may have.
pub const LINE_MAX: usize = 240;
/// Characters of a message that are read at all.
pub const READ_MAX: usize = 20_000;

/// The sentences of a message that its author wrote for this occasion.
pub fn sentences(words: &str) -> Vec<String> {
    let bounded: String = words.chars().take(READ_MAX).collect();
    let mut found = Vec::new();
    let text = clean(&bounded);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (at, line) in lines.iter().copied().enumerate() {
        if line == "--" || begins_quote(&lines[at..]) {
            break;
        }
        if line.starts_with('>') || is_courtesy(line) {
            continue;
        }
        found.extend(split(line).filter(|sentence| !is_courtesy(sentence)).map(str::to_owned));
    }
    found
}

/// The form by which two sentences are the same: letters and digits, small.
pub fn same_form(sentence: &str) -> String {
    sentence.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// One line, within its bound, visibly cut.
pub fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE_MAX - 1) {
        Some((end, _)) if line[end..].chars().nth(1).is_some() => format!("{}…", line[..end].trim_end()),
        _ => line,
    }
}

fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let (sentence, behind) = rest.split_at(end_of_sentence(rest));
        rest = behind;
        Some(sentence.trim_end())
    })
}

/// Behind a full stop, question or exclamation mark that is followed by space, or behind one of a script without spaces.
fn end_of_sentence(text: &str) -> usize {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let ends = match letter {
            '。' | '！' | '？' => true,
            '!' | '?' => letters.peek().is_none_or(|(_, next)| next.is_whitespace()),
            // "e.g. this" and "No. 5": a short word before the stop, or a small letter or digit behind it.
            '.' => letters.peek().is_none_or(|(_, next)| next.is_whitespace()) && begins_anew(&text[end..]),
            _ => false,
        };
        if ends {
            return end;
        }
    }
    text.len()
}

fn begins_anew(behind: &str) -> bool {
    behind.trim_start().chars().next().is_none_or(|first| !first.is_lowercase() && !first.is_numeric())
}

/// Whether the rest is quoted: it begins with "On 3 March somebody wrote:" and its like, or with the head of a mail.
pub fn begins_quote(lines: &[&str]) -> bool {
    let Some((line, below)) = lines.split_first() else { return false };
    let small = line.to_lowercase();
    if !small.is_empty() && SENDERS.iter().any(|word| small.starts_with(word)) {
        let head = |line: &&str| HEADS.iter().any(|word| line.to_lowercase().starts_with(word));
        return below.iter().take(3).any(head);
    }
    let wrote = ["wrote:", "schrieb:", "a écrit :", "escribió:"].iter().any(|end| small.ends_with(end));
    let original =
        small.starts_with("-----") && ["original message", "ursprüngliche"].iter().any(|w| small.contains(w));
    (wrote && line.chars().count() < 200) || original
}

/// How the head of a mail that was forwarded or answered begins.
const SENDERS: [&str; 4] = ["from: ", "von: ", "de : ", "de: "];
/// What stands in the lines below it. Not "to:": somebody travels from one place to another.
const HEADS: [&str; 8] = ["sent:", "gesendet:", "date:", "datum:", "subject:", "betreff:", "envoyé :", "objet :"];

/// A greeting or a closing: short, and about nothing.
fn is_courtesy(line: &str) -> bool {
    const OPENINGS: [&str; 17] = [
        "hi",
        "hello",
        "hey",
        "dear",
        "hallo",
        "guten",
        "bonjour",
        "hola",
        "thanks",
        "thank",
        "best",
        "kind",
        "regards",
        "cheers",
        "sincerely",
        "viele",
        "mit",
    ];
    let small = line.to_lowercase();
    let mut words = small.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    !line.contains('?') && OPENINGS.contains(&first) && words.count() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_where_sentences_end() {
        assert_eq!(
            sentences(
                "Hello team,\n\nI was charged 19.99 twice. Can you refund it?\nSee e.g. invoice No. 5.\n\nThanks\n-- \nEva"
            ),
            ["I was charged 19.99 twice.", "Can you refund it?", "See e.g. invoice No. 5."]
        );
    }

    #[test]
    fn what_was_quoted_is_left_out() {
        assert_eq!(
            sentences("It still fails.\n> did you restart?\nOn Monday support wrote:\nTry again."),
            ["It still fails."]
        );
        assert_eq!(sentences("See below.\nFrom: Eva Example\nTo: us\nSent: Monday\nI pay."), ["See below."]);
        assert_eq!(sentences("I travel.\nFrom: Berlin\nTo: Bonn"), ["I travel.", "From: Berlin", "To: Bonn"]);
    }

    #[test]
    fn scripts_without_spaces_have_sentences_too() {
        assert_eq!(sentences("返金してください。いつですか？"), ["返金してください。", "いつですか？"]);
    }

    #[test]
    fn a_line_is_bounded_and_says_so() {
        let line = one_line(&"ü".repeat(1_000));
        assert_eq!(line.chars().count(), LINE_MAX);
        assert!(line.ends_with('…'));
        assert_eq!(one_line(&"x".repeat(LINE_MAX)), "x".repeat(LINE_MAX));
    }
}
