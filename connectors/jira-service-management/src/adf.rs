//! Atlassian's documents: what the platform API shows and takes wherever people write more than a line (Jira Service Management
//! sheet, *Comments*, *Known pitfalls*). Pure.

use handoffd_kit::text::cut;
use serde_json::{Value, json};

/// Nobody writes deeper lists; what is deeper is left out.
const MOST_DEPTH: usize = 60;

/// The readable text of a document, of at most so many bytes. What is no document, but a text already, stays as it is: which
/// of the two a field has, depends on the version of the API.
pub(crate) fn text(document: &Value, most: usize) -> String {
    match document {
        Value::String(text) => cut(text, most),
        document => {
            let mut out = Writer { text: String::new(), most };
            out.block(document, "", MOST_DEPTH);
            cut(out.text.trim(), most)
        }
    }
}

/// A document of plain words: a paragraph for each block, a break for each line.
pub(crate) fn document(words: &str) -> Value {
    let paragraph = |block: &str| {
        let mut content = Vec::new();
        for (at, line) in block.lines().enumerate() {
            if at > 0 {
                content.push(json!({ "type": "hardBreak" }));
            }
            if !line.is_empty() {
                content.push(json!({ "type": "text", "text": line }));
            }
        }
        json!({ "type": "paragraph", "content": content })
    };
    let blocks = words.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty());
    json!({ "type": "doc", "version": 1, "content": blocks.map(paragraph).collect::<Vec<_>>() })
}

struct Writer {
    text: String,
    most: usize,
}

impl Writer {
    /// One node that stands on lines of its own, each of which begins with `indent`.
    fn block(&mut self, node: &Value, indent: &str, depth: usize) {
        if depth == 0 || self.text.len() > self.most {
            return;
        }
        let kind = node["type"].as_str().unwrap_or_default();
        match kind {
            "bulletList" | "orderedList" | "taskList" | "decisionList" => {
                for (at, item) in children(node).iter().enumerate() {
                    let mark = match (kind, item["attrs"]["state"].as_str()) {
                        ("orderedList", _) => format!("{}. ", at + 1),
                        ("taskList", Some("DONE")) => "[x] ".to_owned(),
                        ("taskList", _) => "[ ] ".to_owned(),
                        _ => "- ".to_owned(),
                    };
                    self.item(item, indent, &mark, depth - 1);
                }
            }
            "tableRow" => {
                let cells: Vec<String> = children(node).iter().map(|cell| self.apart(cell, depth - 1)).collect();
                self.line(indent, &cells.join(" | "));
            }
            "rule" => self.line(indent, "----"),
            "blockquote" => {
                self.all(children(node), &format!("{indent}> "), depth - 1);
            }
            "expand" | "nestedExpand" => {
                self.line(indent, node["attrs"]["title"].as_str().unwrap_or_default());
                self.all(children(node), indent, depth - 1);
            }
            "media" => {
                let name = node["attrs"]["alt"].as_str().filter(|name| !name.is_empty());
                self.line(indent, &format!("[{}]", name.unwrap_or("file")));
            }
            "blockCard" | "embedCard" => self.line(indent, node["attrs"]["url"].as_str().unwrap_or_default()),
            _ if is_inline(children(node)) => {
                let words = inline(children(node));
                let block = matches!(kind, "paragraph" | "heading" | "codeBlock");
                let apart = block && !self.text.is_empty() && indent.is_empty();
                if apart && !words.is_empty() {
                    self.text.push('\n');
                }
                self.line(indent, &words);
            }
            _ => self.all(children(node), indent, depth - 1),
        }
    }

    fn all(&mut self, nodes: &[Value], indent: &str, depth: usize) {
        nodes.iter().for_each(|node| self.block(node, indent, depth));
    }

    /// One item of a list: its first line behind the mark, the others below it.
    fn item(&mut self, item: &Value, indent: &str, mark: &str, depth: usize) {
        let below = format!("{indent}{}", " ".repeat(mark.len()));
        let start = self.text.len();
        match is_inline(children(item)) {
            true => self.line(&below, &inline(children(item))),
            false => self.all(children(item), &below, depth),
        }
        match self.text.get(start..).is_some_and(|written| written.starts_with(&below)) {
            true => self.text.replace_range(start..start + below.len(), &format!("{indent}{mark}")),
            false => self.text.insert_str(start.min(self.text.len()), &format!("{indent}{mark}\n")),
        }
    }

    /// The words of a node on one line.
    fn apart(&self, node: &Value, depth: usize) -> String {
        let mut own = Writer { text: String::new(), most: self.most };
        own.all(children(node), "", depth);
        own.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn line(&mut self, indent: &str, words: &str) {
        for line in words.split('\n') {
            self.text.push_str(indent);
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

fn children(node: &Value) -> &[Value] {
    node["content"].as_array().map(Vec::as_slice).unwrap_or_default()
}

const INLINE: [&str; 9] =
    ["text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "mediaInline", "inlineExtension"];

fn is_inline(nodes: &[Value]) -> bool {
    nodes.first().is_some_and(|node| node["type"].as_str().is_some_and(|kind| INLINE.contains(&kind)))
}

/// Words that stand on one line, breaks aside.
fn inline(nodes: &[Value]) -> String {
    let one = |node: &Value| {
        let attribute = |key: &str| node["attrs"][key].as_str().unwrap_or_default().to_owned();
        match node["type"].as_str().unwrap_or_default() {
            "text" => linked(node),
            "hardBreak" => "\n".to_owned(),
            "mention" | "status" => attribute("text"),
            "emoji" => {
                Some(attribute("text")).filter(|text| !text.is_empty()).unwrap_or_else(|| attribute("shortName"))
            }
            "inlineCard" => attribute("url"),
            "date" => date(&node["attrs"]["timestamp"]).unwrap_or_default(),
            "mediaInline" => "[file]".to_owned(),
            _ => String::new(),
        }
    };
    nodes.iter().map(one).collect()
}

/// A text, and where it leads to if it does not say so itself.
fn linked(node: &Value) -> String {
    let words = node["text"].as_str().unwrap_or_default();
    let mut marks = node["marks"].as_array().into_iter().flatten();
    let target = marks.find(|mark| mark["type"] == "link").and_then(|mark| mark["attrs"]["href"].as_str());
    match target {
        Some(target) if target != words => format!("{words} ({target})"),
        _ => words.to_owned(),
    }
}

/// Milliseconds, as a number or as text.
fn date(stamp: &Value) -> Option<String> {
    let millis = stamp.as_i64().or_else(|| stamp.as_str()?.parse().ok())?;
    let at = jiff::Timestamp::from_millisecond(millis).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn doc(content: Value) -> Value {
        json!({ "type": "doc", "version": 1, "content": content })
    }

    fn words(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    fn paragraph(text: &str) -> Value {
        json!({ "type": "paragraph", "content": [words(text)] })
    }

    #[test]
    fn what_people_write_reads_as_they_see_it() {
        let item = |content: Value| json!({ "type": "listItem", "content": content });
        let nested =
            json!({ "type": "orderedList", "content": [item(json!([paragraph("a")])), item(json!([paragraph("b")]))] });
        let read = text(
            &doc(json!([
                { "type": "heading", "attrs": { "level": 1 }, "content": [words("Steps")] },
                { "type": "bulletList", "content": [item(json!([paragraph("restart"), nested])), item(json!([paragraph("wait")]))] },
                { "type": "paragraph", "content": [
                    words("See "), { "type": "text", "text": "the log", "marks": [{ "type": "link", "attrs": { "href": "https://a.example/l" } }] },
                    { "type": "hardBreak" }, { "type": "mention", "attrs": { "id": "1", "text": "@Lee" } }, words(" "),
                    { "type": "emoji", "attrs": { "shortName": ":smile:" } }, { "type": "inlineCard", "attrs": { "url": "https://b.example" } },
                ] },
                { "type": "codeBlock", "content": [words("x = 1\ny = 2")] },
                { "type": "blockquote", "content": [paragraph("quoted")] },
                { "type": "table", "content": [{ "type": "tableRow", "content": [
                    { "type": "tableHeader", "content": [paragraph("k")] }, { "type": "tableCell", "content": [paragraph("v")] } ] }] },
                { "type": "taskList", "content": [{ "type": "taskItem", "attrs": { "state": "DONE" }, "content": [words("done")] }] },
                { "type": "mediaSingle", "content": [{ "type": "media", "attrs": { "alt": "shot.png" } }] },
            ])),
            10_000,
        );
        let expected = "Steps\n- restart\n  1. a\n  2. b\n- wait\n\nSee the log (https://a.example/l)\n@Lee :smile:https://b.example\n\n\
                        x = 1\ny = 2\n> quoted\nk | v\n[x] done\n[shot.png]";
        assert_eq!(read, expected);
    }

    #[test]
    fn an_older_field_is_text_already_and_nonsense_is_nothing() {
        assert_eq!(text(&json!("plain"), 100), "plain");
        for odd in [json!(null), json!(7), json!([]), json!({}), doc(json!("x")), doc(json!([7, null, { "type": 3 }]))]
        {
            assert_eq!(text(&odd, 100), "", "{odd}");
        }
    }

    #[test]
    fn a_deep_or_huge_document_ends() {
        let mut deep = paragraph("x");
        for _ in 0..100 {
            deep = json!({ "type": "bulletList", "content": [{ "type": "listItem", "content": [deep] }] });
        }
        let _ = text(&doc(json!([deep])), 1_000);
        let huge = doc(Value::Array(vec![paragraph("word"); 50_000]));
        assert!(text(&huge, 1_000).len() <= 1_000);
    }

    proptest! {
        #[test]
        fn what_was_written_is_what_is_read(lines in proptest::collection::vec("([!-~à-ü]{1,8}( [!-~à-ü]{1,8}){0,4})?", 0..8)) {
            let written = lines.join("\n");
            let expected = written.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
            let expected = expected.collect::<Vec<_>>().join("\n\n");
            prop_assert_eq!(text(&document(&written), 10_000), expected);
        }
    }
}
