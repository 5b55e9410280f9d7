//! A comment's text in Jira's older markup, as the service desk API takes it, and documents, as the platform API shows all text
//! (Jira Service Management sheet, *Comments*, *Known pitfalls*). Markup is taken in simply: what it is made of is gone
//! afterwards, so that whoever writes plain words without marking them as such is seen to lose some.

use serde_json::{Value, json};

/// The words that a text in markup shows: a sign behind a backslash is that sign, braces, brackets and pairs of stars or
/// underscores are markup.
pub(super) fn words_of(markup: &str) -> String {
    let mut words = String::with_capacity(markup.len());
    let mut signs = markup.chars().peekable();
    while let Some(sign) = signs.next() {
        // Within an address an underscore is no markup.
        let word = words.rsplit(char::is_whitespace).next().unwrap_or_default();
        let address = word.contains("https://") || word.contains("http://");
        match sign {
            '_' if address => words.push('_'),
            '\\' => match signs.next_if(|next| next.is_ascii_punctuation()) {
                Some(next) => words.push(next),
                None => words.push('\\'),
            },
            '{' | '}' | '[' | ']' | '*' | '_' | '^' | '~' | '!' | '|' => {}
            sign => words.push(sign),
        }
    }
    words
}

/// A document of plain words: a paragraph for each block, a break for each line.
pub(super) fn document(words: &str) -> Value {
    let line = |(at, line): (usize, &str)| {
        let text = (!line.is_empty()).then(|| json!({ "type": "text", "text": line }));
        let ends = (at > 0).then(|| json!({ "type": "hardBreak" }));
        ends.into_iter().chain(text).collect::<Vec<Value>>()
    };
    let paragraph = |block: &str| {
        let inside: Vec<Value> = block.trim_end_matches('\n').split('\n').enumerate().flat_map(line).collect();
        json!({ "type": "paragraph", "content": inside })
    };
    let blocks: Vec<Value> = words.split("\n\n").filter(|block| !block.is_empty()).map(paragraph).collect();
    json!({ "type": "doc", "version": 1, "content": blocks })
}

/// The words of a document of paragraphs; none: it is no document.
pub(super) fn words_in(document: &Value) -> Option<String> {
    if document["type"] != "doc" || document["version"] != 1 {
        return None;
    }
    let text = |node: &Value| match node["type"].as_str() {
        Some("hardBreak") => "\n".to_owned(),
        _ => node["text"].as_str().unwrap_or_default().to_owned(),
    };
    let blocks = document["content"].as_array()?.iter();
    let paragraph = |block: &Value| block["content"].as_array().into_iter().flatten().map(text).collect::<String>();
    Some(blocks.map(paragraph).collect::<Vec<_>>().join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_lost_and_what_is_escaped_stays() {
        assert_eq!(words_of("a {{b}} [c] *d*"), "a b c d");
        assert_eq!(words_of("https://a.example/x_y _z_"), "https://a.example/x_y z");
        assert_eq!(words_of(r"a \{\{b\}\} \[c\] \*d\* \\ e\f"), r"a {{b}} [c] *d* \ e\f");
    }

    #[test]
    fn a_document_and_its_words_are_the_same() {
        for words in ["one", "one\ntwo\n\nthree", "a\n\nb\nc"] {
            assert_eq!(words_in(&document(words)).as_deref(), Some(words));
        }
        assert_eq!(words_in(&json!("text")), None);
    }
}
