//! Words for broken TOML: the parser says what it met, this adds what to do.

/// What is wrong, as the parser says it.
pub(super) fn words(message: &str) -> String {
    format!("broken TOML: {message}")
}

/// What to do about it.
pub(super) fn help(message: &str) -> &'static str {
    let remedies: [(&str, &str); 12] = [
        ("duplicate key", "keep one of the two; tables of the same name are written once"),
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
