//! A comment's text in Jira's older markup, as the service desk API takes it, and documents, as the platform API shows all text
//! (Jira Service Management sheet, *Comments*, *Known pitfalls*). Markup is taken in simply: what it is made of is gone
//! afterwards, so that whoever writes plain words without marking them as such is seen to lose some.

use crate::text::text_of;
use crate::ticket::Body;
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

/// What somebody wrote as a document: of what came as HTML, quotes and lists stay what they are.
pub(super) fn written(body: &Body) -> Value {
    let html = match body {
        Body::Plain(words) => return document(words),
        Body::Html(html) => html.as_str(),
    };
    let (mut blocks, mut rest) = (Vec::new(), html);
    let begins = |rest: &str| {
        ["blockquote", "ul"].into_iter().filter_map(|tag| Some((rest.find(&format!("<{tag}"))?, tag))).min()
    };
    while let Some((at, tag)) = begins(rest) {
        blocks.extend(paragraphs(&rest[..at]));
        let end = rest[at..].find(&format!("</{tag}>")).map_or(rest.len(), |end| at + end);
        let inside = &rest[at..end];
        blocks.push(match tag {
            "ul" => {
                let item = |item: &str| json!({ "type": "listItem", "content": paragraphs(item) });
                let items = inside.split("<li>").skip(1).map(item);
                json!({ "type": "bulletList", "content": items.collect::<Vec<_>>() })
            }
            _ => json!({ "type": "blockquote", "content": paragraphs(inside) }),
        });
        rest = &rest[end..];
    }
    blocks.extend(paragraphs(rest));
    json!({ "type": "doc", "version": 1, "content": blocks })
}

fn paragraphs(html: &str) -> Vec<Value> {
    document(&text_of(html))["content"].as_array().cloned().unwrap_or_default()
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
    fn quotes_and_lists_stay_what_they_are() {
        let written =
            written(&Body::Html("<p>a</p><blockquote type=\"cite\"><p>b</p></blockquote><ul><li>c</li></ul>d".into()));
        let kinds: Vec<&str> =
            written["content"].as_array().unwrap().iter().filter_map(|node| node["type"].as_str()).collect();
        assert_eq!(kinds, ["paragraph", "blockquote", "bulletList", "paragraph"]);
        assert_eq!(super::written(&Body::Plain("a".into())), document("a"));
    }

    #[test]
    fn a_document_and_its_words_are_the_same() {
        for words in ["one", "one\ntwo\n\nthree", "a\n\nb\nc"] {
            assert_eq!(words_in(&document(words)).as_deref(), Some(words));
        }
        assert_eq!(words_in(&json!("text")), None);
    }
}
