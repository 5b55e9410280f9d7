//! Reads one table of the spanned document by hand: what is unknown, of the wrong type or not supported yet is
//! reported at its place, and what can be used is handed on with its place.

use super::found::{At, Found};
use super::keys::{Key, Shape};
use super::scalar::{self, listed, nearest, shown};
use crate::policy::due::Wait;
use jiff::SignedDuration;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table with its shape.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    shape: Shape,
    /// How people call it: `[desks.acme]`, `rule "refund"`.
    pub title: String,
    /// Where it begins: the place for what is missing in it.
    pub span: Range<usize>,
}

/// One table of `[teams.NAME]` and its like.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    pub name: At<&'a str>,
    pub table: &'a DeTable<'a>,
    pub title: String,
}

impl<'a> Named<'a> {
    /// Opens it.
    pub fn open(&self, found: &mut Found<'_>, shape: Shape) -> Section<'a> {
        Section::open(found, self.table, shape, self.title.clone(), self.name.span.clone())
    }
}

impl<'a> Section<'a> {
    /// Opens a table and reports every key that is unknown or not supported yet.
    pub fn open(
        found: &mut Found<'_>,
        table: &'a DeTable<'a>,
        shape: Shape,
        title: String,
        span: Range<usize>,
    ) -> Self {
        for key in table.keys() {
            check_key(found, key, shape, &title);
        }
        Self { table, shape, title, span }
    }

    /// Opens a table whose other keys are names of their own kind, which the caller reads by [`Section::entries`].
    pub fn open_ended(table: &'a DeTable<'a>, shape: Shape, title: String, span: Range<usize>) -> Self {
        Self { table, shape, title, span }
    }

    /// All entries in the order of the file.
    pub fn entries(&self) -> Vec<(At<&'a str>, &'a Spanned<DeValue<'a>>)> {
        in_order(self.table)
    }

    /// Whether the key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key stands.
    pub fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or(self.span.clone(), |(key, _)| key.span())
    }

    /// The raw value of a key.
    pub fn raw(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        debug_assert!(
            self.shape.key(key).is_some_and(|key| key.later.is_none()),
            "{key} is not in {}",
            self.shape.title
        );
        self.table.get(key)
    }

    /// Reports that a key that must be there is missing.
    pub fn missing(&self, found: &mut Found<'_>, key: &str) {
        let example = self.shape.key(key).map_or("…", |key| key.example);
        found.mismatch(&self.span, format!("{} has no `{key}`", self.title), format!("add {key} = {example}"));
    }

    /// A text that says something.
    pub fn text(&self, found: &mut Found<'_>, key: &str) -> Option<At<&'a str>> {
        let text = self.of_type(found, key, "text in quotes", DeValue::as_str)?;
        if text.value.trim().is_empty() {
            found.error(&text.span, format!("`{key}` is empty"), self.like(key));
            return None;
        }
        if text.value.contains('\0') {
            found.error(&text.span, format!("`{key}` contains a NUL character"), self.like(key));
            return None;
        }
        Some(text)
    }

    /// A text, which may be empty.
    pub fn any_text(&self, found: &mut Found<'_>, key: &str) -> Option<At<&'a str>> {
        self.of_type(found, key, "text in quotes", DeValue::as_str)
    }

    /// A text that must be there.
    pub fn required(&self, found: &mut Found<'_>, key: &str) -> Option<At<&'a str>> {
        if !self.has(key) {
            self.missing(found, key);
        }
        self.text(found, key)
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, found: &mut Found<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(found, key)?;
        let hit = words.iter().find(|(word, _)| *word == text.value);
        if hit.is_none() {
            unknown_word(found, &text, key, words.iter().map(|(word, _)| *word));
        }
        hit.map(|(_, value)| *value)
    }

    /// One of a few words, or the default where the key is not there. `None`: the word is wrong.
    pub fn word_or_default<T: Copy + Default>(
        &self,
        found: &mut Found<'_>,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        if self.has(key) { self.word(found, key, words) } else { Some(T::default()) }
    }

    /// Whether each of its keys is known.
    pub fn is_whole(&self) -> bool {
        self.table.keys().all(|key| self.shape.key(key.get_ref()).is_some())
    }

    /// A text that one of the scalar parsers reads.
    pub fn parsed<T>(
        &self,
        found: &mut Found<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let text = self.text(found, key)?;
        match parse(text.value) {
            Ok(value) => Some(At::new(value, text.span)),
            Err(wrong) => {
                found.error(&text.span, wrong, self.like(key));
                None
            }
        }
    }

    /// A duration between two bounds.
    pub fn duration(
        &self,
        found: &mut Found<'_>,
        key: &str,
        bounds: (SignedDuration, SignedDuration),
    ) -> Option<SignedDuration> {
        let text = self.text(found, key)?;
        let (least, most) = (scalar::duration_text(bounds.0), scalar::duration_text(bounds.1));
        match scalar::duration(text.value) {
            Err(wrong) => found.error(&text.span, wrong, scalar::DURATION_HELP),
            Ok(length) if length < bounds.0 => {
                found.error(&text.span, format!("`{key}` is too short"), format!("write at least {least}"));
            }
            Ok(length) if length > bounds.1 => {
                found.error(&text.span, format!("`{key}` is too long"), format!("write at most {most}"));
            }
            Ok(length) => return Some(length),
        }
        None
    }

    /// A duration between two bounds that counts in a team's hours unless it says `wall`.
    pub fn wait(&self, found: &mut Found<'_>, key: &str, bounds: (SignedDuration, SignedDuration)) -> Option<Wait> {
        let length = self.duration(found, key, bounds)?;
        let wall = self.raw(key).and_then(|value| value.get_ref().as_str()).is_some_and(|text| text.ends_with(" wall"));
        Some(if wall { Wait::wall(length) } else { Wait::from(length) })
    }

    /// `true` or `false`.
    pub fn yes_or_no(&self, found: &mut Found<'_>, key: &str) -> Option<bool> {
        self.of_type(found, key, "true or false", DeValue::as_bool).map(|answer| answer.value)
    }

    /// A whole number between two bounds.
    pub fn number(&self, found: &mut Found<'_>, key: &str, bounds: Range<u64>) -> Option<At<u64>> {
        let raw = self.of_type(found, key, "a whole number", DeValue::as_integer)?;
        let number = i64::from_str_radix(raw.value.as_str(), raw.value.radix()).ok();
        match number.and_then(|number| u64::try_from(number).ok()).filter(|number| bounds.contains(number)) {
            Some(number) => Some(At::new(number, raw.span)),
            None => {
                let help = format!("write a number from {} to {}", bounds.start, bounds.end - 1);
                found.error(&raw.span, format!("`{key}` is out of bounds"), help);
                None
            }
        }
    }

    /// A list of texts, none of them empty or twice.
    pub fn texts(&self, found: &mut Found<'_>, key: &str) -> Option<Vec<At<&'a str>>> {
        let list = self.of_type(found, key, "a list", DeValue::as_array)?;
        let mut texts: Vec<At<&'a str>> = Vec::new();
        for value in list.value.iter() {
            let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty() && !text.contains('\0'));
            match text {
                None if value.get_ref().as_str().is_some() => {
                    found.error(&value.span(), format!("this text of `{key}` is empty"), self.like(key));
                }
                None => found.error(&value.span(), format!("`{key}` is a list of texts"), self.like(key)),
                Some(text) if texts.iter().any(|known| known.value == text) => {
                    let message = format!("\"{}\" stands twice in `{key}`", shown(text));
                    found.error(&value.span(), message, "leave one of them out");
                }
                Some(text) => texts.push(At::new(text, value.span())),
            }
        }
        Some(texts)
    }

    /// A table inside this one.
    pub fn table(&self, found: &mut Found<'_>, key: &str, shape: Shape, title: String) -> Option<Section<'a>> {
        let table = self.of_type(found, key, "a table", DeValue::as_table)?;
        Some(Section::open(found, table.value, shape, title, self.key_span(key)))
    }

    /// The tables of a table: `[teams.NAME]`.
    pub fn named_tables(&self, found: &mut Found<'_>, key: &str) -> Vec<Named<'a>> {
        let Some(all) = self.of_type(found, key, "a table", DeValue::as_table) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, value) in in_order(all.value) {
            let title = format!("[{key}.{}]", shown(name.value));
            if !scalar::is_name(name.value) {
                found.error(&name.span, format!("{title} cannot be called so"), scalar::NAME_HELP);
            }
            match value.get_ref().as_table() {
                Some(table) => tables.push(Named { name, table, title }),
                None => found.error(&value.span(), format!("{title} is a table"), format!("begin a line with {title}")),
            }
        }
        tables
    }

    /// A table inside this one whose keys are names of their own kind.
    pub fn open_table(&self, found: &mut Found<'_>, key: &str) -> Option<Section<'a>> {
        let table = self.of_type(found, key, "a table", DeValue::as_table)?;
        Some(Section::open_ended(table.value, self.shape, format!("`{key}`"), self.key_span(key)))
    }

    /// The values of a list, whatever they are.
    pub fn values(&self, found: &mut Found<'_>, key: &str) -> Vec<&'a Spanned<DeValue<'a>>> {
        self.of_type(found, key, "a list", DeValue::as_array).map_or(Vec::new(), |list| list.value.iter().collect())
    }

    /// A list of tables: `[[route]]`.
    pub fn list_of_tables(&self, found: &mut Found<'_>, key: &str) -> Vec<At<&'a DeTable<'a>>> {
        let help = format!("begin each entry with a line [[{key}]]");
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            found.error(&self.key_span(key), format!("`{key}` is a list of entries"), help);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in list {
            match entry.get_ref().as_table() {
                Some(table) => tables.push(At::new(table, entry.span())),
                None => found.error(&entry.span(), format!("`{key}` is a list of entries"), &help),
            }
        }
        tables
    }

    /// How the key's value is written.
    pub fn like(&self, key: &str) -> String {
        let example = self.shape.key(key).map_or("…", |key: &Key| key.example);
        format!("write it like {key} = {example}")
    }

    fn of_type<T>(
        &self,
        found: &mut Found<'_>,
        key: &str,
        kind: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.raw(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            let message = format!("`{key}` is {kind}, not {}", kind_of(value.get_ref()));
            found.error(&value.span(), message, self.like(key));
        }
        read.map(|read| At::new(read, value.span()))
    }
}

/// A table's entries in the order of the file.
fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<(At<&'a str>, &'a Spanned<DeValue<'a>>)> {
    let entry = |(key, value): (&'a Spanned<Cow<'a, str>>, _)| (At::new(key.get_ref().as_ref(), key.span()), value);
    let mut entries: Vec<_> = table.iter().map(entry).collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    entries
}

/// What a value is, in words.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Reports a word that is none of those that are accepted.
pub(super) fn unknown_word<'w>(
    found: &mut Found<'_>,
    text: &At<&str>,
    key: &str,
    words: impl Iterator<Item = &'w str> + Clone,
) {
    let message = format!("`{key}` cannot be \"{}\"", shown(text.value));
    found.error(&text.span, message, accepted(text.value, words));
}

/// "did you mean …? accepted: …"
pub(super) fn accepted<'w>(word: &str, words: impl Iterator<Item = &'w str> + Clone) -> String {
    let near = nearest(word, words.clone()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    format!("{near}accepted here: {}", listed(words))
}

/// Reports a key that is unknown or not supported yet.
pub(super) fn check_key(found: &mut Found<'_>, key: &Spanned<Cow<'_, str>>, shape: Shape, title: &str) {
    let name = key.get_ref().as_ref();
    match shape.key(name) {
        Some(Key { later: None, .. }) => {}
        Some(Key { later: Some(until_then), .. }) => {
            found.later(&key.span(), format!("`{name}` of {title}"), until_then)
        }
        None => {
            found.error(&key.span(), format!("{title} has no key `{}`", shown(name)), accepted(name, shape.names()))
        }
    }
}
