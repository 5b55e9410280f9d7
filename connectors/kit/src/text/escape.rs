//! Plain text into HTML, and quoted text made harmless for vendors that expand placeholders in what we send.

use super::cut::cut_rendered;
use crate::mark::Mark;

/// The text with the five characters escaped that mean something in HTML, fit for content and quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

/// Plain text as HTML that reads the same: an empty line parts two paragraphs, a line break stays one, and the spaces a
/// line begins with stay. Nothing in the text becomes markup.
pub fn text_to_html(text: &str) -> String {
    let mut html = String::new();
    let mut open = false;
    for line in text.lines() {
        let words = line.trim_start_matches(' ');
        if words.trim().is_empty() {
            html.push_str(if open { "</p>" } else { "" });
            open = false;
            continue;
        }
        html.push_str(if open { "<br>" } else { "<p>" });
        open = true;
        html.push_str(&"&nbsp;".repeat(line.len() - words.len()));
        html.push_str(&escape_html(words.trim_end()));
    }
    html + if open { "</p>" } else { "" }
}

/// Breaks what vendors take for placeholders (`{{…}}`, `{%…%}`) by a space between the two signs, so that a customer's
/// `{{ticket.id}}` arrives as `{ {ticket.id} }` instead of being expanded. A plain space, because a reader sees
/// it and knows what stood there; an invisible character would survive copying and break what it is pasted into.
/// For quoted text only: what we write ourselves has no placeholders.
pub fn neutralise_placeholders(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        if matches!((last, c), (Some('{'), '{' | '%') | (Some('}' | '%'), '}')) {
            safe.push(' ');
        }
        safe.push(c);
        last = Some(c);
    }
    safe
}

/// Words as HTML of at most `max_bytes` that ends with `tail`, whatever of the rest has to be cut, and in which the vendor
/// finds no placeholder to expand.
pub fn html_of_words(words: &str, tail: &str, max_bytes: usize) -> String {
    cut_rendered(words, tail, max_bytes, |text| text_to_html(&neutralise_placeholders(text)))
}

/// An internal note as HTML of at most `max_bytes`, with the mark as its last line.
pub fn html_of_note(text: &str, mark: &Mark, max_bytes: usize) -> String {
    let line = mark.to_string();
    let words = text.trim_end().strip_suffix(line.as_str()).unwrap_or(text).trim_end();
    let tail = if words.is_empty() { line } else { format!("\n\n{line}") };
    html_of_words(words, &tail, max_bytes)
}

/// Whether a text begins with these words, whatever the desk did to the white space between them and put behind them (a
/// signature).
pub fn begins_alike(text: &str, words: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split_whitespace().collect::<String>());
        lines.filter(|line| !line.is_empty()).collect()
    };
    lines(text).starts_with(&lines(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::html_to_text;
    use proptest::prelude::*;

    #[test]
    fn paragraphs_breaks_and_indents_stay() {
        assert_eq!(text_to_html("one\n  two\n\n\nthree <b>"), "<p>one<br>&nbsp;&nbsp;two</p><p>three &lt;b&gt;</p>");
        assert_eq!(text_to_html(""), "");
        assert_eq!(text_to_html(" \n\n "), "");
    }

    #[test]
    fn placeholders_are_broken_visibly() {
        assert_eq!(neutralise_placeholders("Hi {{ticket.id}} {%if%}"), "Hi { {ticket.id} } { %if% }");
        assert_eq!(neutralise_placeholders("{{{"), "{ { {");
        assert_eq!(neutralise_placeholders("100 % of {it}"), "100 % of {it}");
    }

    #[test]
    fn a_note_ends_with_its_mark_however_much_is_cut() {
        let mark = Mark { handoff: "h1".into(), number: 1, rule: "r".into(), version: "v".into() };
        let note = |words: &str, most| html_of_note(&format!("{words}\n\n{mark}"), &mark, most);
        assert_eq!(note("{{x}} & y", 1_000), format!("<p>{{ {{x}} }} &amp; y</p><p>{mark}</p>"));
        assert_eq!(html_of_note(&mark.to_string(), &mark, 1_000), format!("<p>{mark}</p>"));
        let long = note(&"word ".repeat(500), 300);
        assert!(long.len() <= 300 && long.ends_with(&format!("<p>{mark}</p>")), "{long}");
    }

    proptest! {
        #[test]
        fn no_placeholder_is_left_and_nothing_else_changes(text in "[{}% a]{0,40}") {
            let safe = neutralise_placeholders(&text);
            for sign in ["{{", "}}", "{%", "%}"] {
                prop_assert!(!safe.contains(sign));
            }
            prop_assert_eq!(safe.replace(' ', ""), text.replace(' ', ""));
            prop_assert_eq!(neutralise_placeholders(&safe), safe);
        }

        #[test]
        fn text_becomes_no_markup(text in any::<String>()) {
            let html = text_to_html(&text).replace("<p>", "").replace("</p>", "").replace("<br>", "");
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
        }

        #[test]
        fn what_was_written_is_what_is_read(lines in proptest::collection::vec("([!-~à-ü]{1,8}( [!-~à-ü]{1,8}){0,4})?", 0..8)) {
            let text = lines.join("\n");
            let expected = text.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
            let expected = expected.collect::<Vec<_>>().join("\n\n");
            prop_assert_eq!(html_to_text(&text_to_html(&text), 10_000), expected);
        }
    }

    #[test]
    fn what_a_desk_adds_behind_words_does_not_make_them_others() {
        assert!(begins_alike("A colleague  takes over.\n\nBye\n--\nAcme", "A colleague takes over.\nBye"));
        assert!(!begins_alike("A colleague", "A colleague\ntakes over") && !begins_alike("B\nA", "A"));
    }
}
