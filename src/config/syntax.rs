//! Words for broken TOML: the parser says what it met, this adds what to do, and where the first one stands of what is there twice.

use std::ops::Range;
use toml::de::DeTable;

/// What is wrong, as the parser says it.
pub(super) fn words(message: &str) -> String {
    format!("broken TOML: {message}")
}

/// What to do about it.
pub(super) fn help(message: &str) -> &'static str {
    let remedies: [(&str, &str); 12] = [
        (
            "duplicate key",
            "keep one of the two; a table is written once, with all of its keys, also where the policy has several files",
        ),
        ("must be quoted", "put text in quotes: key = \"text\""),
        ("key with no value", "write key = \"value\", or begin a comment with #"),
        ("unclosed", "close it; inline tables and arrays end with } and ]"),
        ("missing comma", "separate entries by commas"),
        (
            "basic string",
            "close the text with a quote on the same line; write special characters as \\n, \\t or \\u0000",
        ),
        ("literal string", "close the text with ' on the same line"),
        ("escape", "in \"…\" a backslash is written \\\\; in '…' it stands for itself"),
        ("date", "dates are written 2027-03-01"),
        ("recurs", "nothing in this file is nested that deep"),
        ("newline", "one key a line"),
        ("number", "numbers are written 30 or 0.5; anything else in quotes"),
    ];
    let found = remedies.iter().find(|(word, _)| message.contains(word));
    found.map_or("the file is TOML: key = \"text\", [table], key = [\"a\", \"b\"]", |(_, help)| help)
}

/// Where the first one stands of a key or a table that is there twice; `at`: the place of the second.
pub(super) fn first(text: &str, message: &str, at: usize) -> Option<Range<usize>> {
    if !message.contains("duplicate key") {
        return None;
    }
    let (before, rest) = text.split_at_checked(at)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..at + rest.find('\n').unwrap_or(rest.len()))?;
    let mut path = path_of(line)?;
    if !is_header(line) {
        // A key stands in the table whose line is the last before it.
        let header = before.get(..start)?.lines().rev().find(|line| is_header(line));
        path = header.map_or(Some(Vec::new()), path_of)?.into_iter().chain(path).collect();
    }
    // The first one stands before it: what comes later is not asked.
    let (document, _) = DeTable::parse_recoverable(text.get(..start)?);
    let mut table = document.get_ref();
    let (last, tables) = path.split_last()?;
    for name in tables {
        table = table.get(name.as_str())?.get_ref().as_table()?;
    }
    let (key, _) = table.get_key_value(last.as_str())?;
    Some(key.span())
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// The names that a line of TOML leads through: of its table, or of its key. None: an entry of a list, of which there are many.
fn path_of(line: &str) -> Option<Vec<String>> {
    if line.trim_start().starts_with("[[") {
        return None;
    }
    let (document, _) = DeTable::parse_recoverable(line);
    let mut table = document.get_ref();
    let mut path = Vec::new();
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().to_string());
        // What stands in braces is the value, and not the way to it.
        let inner = value.get_ref().as_table().filter(|_| is_header(line) || value.span().is_empty());
        match inner {
            Some(inner) => table = inner,
            None => break,
        }
    }
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice(text: &str) -> Option<usize> {
        let (_, errors) = DeTable::parse_recoverable(text);
        let error = errors.first().unwrap_or_else(|| panic!("nothing is wrong in {text}"));
        let at = error.span().expect("a place").start;
        first(text, error.message(), at).map(|span| text[..span.start].matches('\n').count() + 1)
    }

    #[test]
    fn of_what_is_there_twice_the_first_one_is_named() {
        for (text, line) in [
            ("[policy]\ngoal = \"a\"\n\n[policy]\ndata = \"b\"\n", Some(1)),
            ("x = 1\n[desks.acme]\ny = 2\n[desks.acme.fields]\na = \"1\"\n[desks.acme.fields]\nb = \"2\"\n", Some(4)),
            ("[a]\nb = 1\nc = { d = 1 }\nb = 2\n", Some(2)),
            ("b = 1\nb = 2\n", Some(1)),
            ("[[rule]]\nname = 1\nname = 2\n", None),
        ] {
            assert_eq!(twice(text), line, "{text}");
        }
        for text in ["[", "a = ", "[a.\n[a.\n", "\u{feff}x", "a = 1\na = 2\na"] {
            let (_, errors) = DeTable::parse_recoverable(text);
            for error in errors {
                // Whatever is wrong, looking for a first one breaks nothing.
                let _ = first(text, "duplicate key", error.span().map_or(text.len() + 9, |span| span.end));
            }
        }
    }
}
