//! A path of the policy as Markdown: what its second reviewer reads and signs.

mod path;

pub use path::path;

/// Text of the policy as code: nothing in it is Markdown.
fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// Text of the policy inside a sentence or a table's cell: one line, and what Markdown would obey is escaped.
fn cell(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        // At the start of a line these make lists, rules and headings.
        let starts = plain.is_empty() && matches!(letter, '-' | '+' | '=');
        if starts
            || matches!(letter, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!')
        {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}
