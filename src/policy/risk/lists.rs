//! The lists of words that come with handoffd, for policies to take by name (`use`). Each entry says why it stands there; the
//! files beside this one are the lists, and docs/RISK-WORDS.md shows them.

use std::sync::LazyLock;

/// A list.
#[derive(Debug)]
pub struct List {
    /// What policies call it.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its entries, language by language.
    pub rows: Vec<Row>,
}

/// One entry of a list.
#[derive(Debug)]
pub struct Row {
    /// The language, as a two-letter code.
    pub language: &'static str,
    /// As it is written.
    pub entry: &'static str,
    /// Why it stands there.
    pub why: &'static str,
}

const FILES: [(&str, &str); 5] = [
    ("security", include_str!("lists/security.txt")),
    ("money", include_str!("lists/money.txt")),
    ("legal", include_str!("lists/legal.txt")),
    ("customer-data", include_str!("lists/customer-data.txt")),
    ("tone", include_str!("lists/tone.txt")),
];

static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| FILES.into_iter().map(|(name, text)| read(name, text)).collect());

/// All lists.
pub fn all() -> &'static [List] {
    &LISTS
}

/// The list of that name.
pub fn named(name: &str) -> Option<&'static List> {
    all().iter().find(|list| list.name == name)
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    FILES.into_iter().map(|(name, _)| name)
}

fn read(name: &'static str, text: &'static str) -> List {
    let (mut about, mut language, mut rows) = ("", "", Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(remark) = line.strip_prefix('#') {
            about = remark.trim();
        } else if let Some(code) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            language = code;
        } else if let Some((entry, why)) = line.split_once('|') {
            rows.push(Row { language, entry: entry.trim(), why: why.trim() });
        }
    }
    List { name, about, rows }
}

/// All lists as a page, entry by entry.
pub fn page() -> String {
    let mut text = "# The words that come with handoffd\n\n\
        Lists for `[risks.NAME]`, which a policy takes by name: `use = [\"security\"]`. How words are compared, and how a policy adds its own or drops \
        some, stands in the [policy guide](POLICY-GUIDE.md#words-that-ask-a-person). A star stands for any ending. A list that a later version \
        of handoffd changes is a change of the policy's version, and stands in `handoffd policy diff`.\n"
        .to_owned();
    for list in all() {
        text.push_str(&format!("\n## {}\n\n{}\n", list.name, list.about));
        let mut language = "";
        for row in &list.rows {
            if row.language != language {
                language = row.language;
                text.push_str(&format!(
                    "\n### {}: {language}\n\n| entry | why it stands here |\n|---|---|\n",
                    list.name
                ));
            }
            text.push_str(&format!("| {} | {} |\n", row.entry.replace('*', "\\*"), row.why));
        }
    }
    text
}
