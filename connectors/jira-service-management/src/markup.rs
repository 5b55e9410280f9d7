//! The older markup in which the service desk API takes a comment (Jira Service Management sheet, *Write-back*). What we write
//! is plain words: every sign that Jira would take for markup stands behind a backslash, our own mark's brackets among them. That a
//! backslash does this everywhere is not in the sheet: a mark is also known with the backslashes still before it.

use handoffd_kit::mark::Mark;
use handoffd_kit::text::cut_rendered;

/// Words in markup of at most `most` bytes that show as they are and end with `tail`.
pub(crate) fn of_words(words: &str, tail: &str, most: usize) -> String {
    cut_rendered(words, tail, most, escaped)
}

/// A note in markup of at most `most` bytes, with the mark as its last line.
pub(crate) fn of_note(text: &str, mark: &Mark, most: usize) -> String {
    let line = mark.to_string();
    let words = text.trim_end().strip_suffix(line.as_str()).unwrap_or(text).trim_end();
    let tail = if words.is_empty() { line } else { format!("\n\n{line}") };
    of_words(words, &tail, most)
}

/// The mark of a note, however much of our escaping Jira has left in it.
pub(crate) fn mark_in(text: &str) -> Option<Mark> {
    Mark::in_text(text).or_else(|| Mark::in_text(&text.replace('\\', "")))
}

/// Signs that are markup wherever they stand.
const ALWAYS: [char; 11] = ['\\', '{', '}', '[', ']', '*', '_', '^', '~', '|', '!'];

fn escaped(words: &str) -> String {
    let mut markup = String::with_capacity(words.len() + words.len() / 8);
    let mut before = '\n';
    let mut rest = words;
    while let Some(sign) = rest.chars().next() {
        // An address is a link by itself, and would not be one with backslashes in it.
        let address = if before.is_alphanumeric() { 0 } else { address(rest) };
        if address > 0 {
            markup.push_str(&rest[..address]);
            before = 'a';
            rest = &rest[address..];
            continue;
        }
        rest = &rest[sign.len_utf8()..];
        if is_markup(sign, before, rest) {
            markup.push('\\');
        }
        markup.push(sign);
        before = sign;
    }
    markup
}

/// Whether a sign would be taken for markup between these two.
fn is_markup(sign: char, before: char, rest: &str) -> bool {
    let next = rest.chars().next().unwrap_or('\n');
    match sign {
        // Struck and underlined words, lists, rules and dashes begin and end at the edge of a word.
        '-' | '+' => !(before.is_alphanumeric() && next.is_alphanumeric()),
        '#' => before.is_whitespace(),
        '?' => before == '?' || next == '?',
        // Icons: (/), (x), (on).
        '(' => rest.chars().take(5).position(|c| c == ')').is_some_and(|length| length > 0),
        sign => ALWAYS.contains(&sign),
    }
}

/// How many bytes an address takes that begins here: up to white space, or a sign that no address needs.
fn address(text: &str) -> usize {
    let begins = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    let ends = |c: char| c.is_whitespace() || (ALWAYS.contains(&c) && c != '_' && c != '~') || "\"<>()'".contains(c);
    if begins { text.find(ends).unwrap_or(text.len()) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark() -> Mark {
        Mark { handoff: "h1".into(), number: 1, rule: "a-rule".into(), version: "v_1".into() }
    }

    #[test]
    fn markup_is_harmless_and_words_stay_readable() {
        for (words, markup) in [
            ("- restart & wait", r"\- restart & wait"),
            ("order A-20871, pre-paid", "order A-20871, pre-paid"),
            ("{{ticket.id}} {code} [a|b] *x* _y_ !z!", r"\{\{ticket.id\}\} \{code\} \[a\|b\] \*x\* \_y\_ \!z\!"),
            ("done (/) (on), all (of it)", r"done \(/) \(on), all (of it)"),
            ("what?? yes?", r"what\?\? yes?"),
            ("# one\nissue #7 C#", "\\# one\nissue \\#7 C#"),
            ("see https://a.example/x_y?a=1#b-c, ok", "see https://a.example/x_y?a=1#b-c, ok"),
            ("(https://a.example/[x])", r"(https://a.example/\[x\])"),
            (r"C:\temp", r"C:\\temp"),
        ] {
            assert_eq!(escaped(words), markup, "{words}");
        }
    }

    #[test]
    fn a_note_ends_with_its_mark_however_much_is_cut() {
        let markup = of_note(&format!("{}\n\n{}", "{word} ".repeat(500), mark()), &mark(), 400);
        assert!(markup.len() <= 400 && markup.ends_with(r"\[handoffd h1/1 a-rule@v\_1\]"), "{markup}");
        assert_eq!(of_note(&mark().to_string(), &mark(), 400), r"\[handoffd h1/1 a-rule@v\_1\]");
    }

    #[test]
    fn a_mark_is_known_with_and_without_our_backslashes() {
        for text in [format!("Note\n\n{}", mark()), format!("Note\n\n{}", escaped(&mark().to_string()))] {
            assert_eq!(mark_in(&text), Some(mark()), "{text}");
        }
        assert_eq!(mark_in("Note"), None);
    }

    proptest! {
        #[test]
        fn nothing_but_backslashes_is_added(words in any::<String>()) {
            let markup = escaped(&words);
            let mut signs = markup.chars().peekable();
            let mut back = String::new();
            while let Some(sign) = signs.next() {
                let skipped = sign == '\\' && signs.peek().is_some_and(char::is_ascii_punctuation);
                back.push(if skipped { signs.next().unwrap() } else { sign });
            }
            prop_assert_eq!(back, words);
        }
    }
}
