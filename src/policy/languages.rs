//! Which language a customer reads: of several texts the one in their language, else in what stands in for it.

use super::cel::{Found, Value};
use handoffd_kit::fact::Fact;
use handoffd_kit::language::{fallbacks, primary};
use std::collections::BTreeMap;

/// Where none of the wanted languages is there.
const ELSE: &str = "en";

/// The text in the first of these languages that there is: in the language itself, in what it is a variety of (`pt-BR`, `pt`),
/// else in another variety of it; where there is none of them, in English, else the first by its tag.
pub fn chosen<'a>(
    texts: &'a BTreeMap<String, String>,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, &'a str)> {
    let near = |language: &str| {
        let same = fallbacks(language).into_iter().find_map(|tag| texts.get_key_value(&tag));
        same.or_else(|| texts.iter().find(|(tag, _)| primary(tag).eq_ignore_ascii_case(primary(language))))
    };
    let found = wanted.into_iter().chain([ELSE]).find_map(near).or_else(|| texts.first_key_value());
    found.map(|(language, text)| (language.as_str(), text.as_str()))
}

/// What customers read for a team: one name, or one for each language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicName {
    default: Option<String>,
    names: BTreeMap<String, String>,
}

impl PublicName {
    /// The same in all languages.
    pub fn everywhere(name: impl Into<String>) -> Self {
        Self { default: Some(name.into()), names: BTreeMap::new() }
    }

    /// One for each of these languages, and one for all others; none: they read English, else the first by its tag. None of
    /// both is no name.
    pub fn by_language(names: BTreeMap<String, String>, default: Option<String>) -> Option<Self> {
        (default.is_some() || !names.is_empty()).then_some(Self { default, names })
    }

    /// What stands in a text of this language, in the language itself or in what it is a variety of.
    fn own(&self, language: &str) -> Option<&str> {
        fallbacks(language).into_iter().find_map(|tag| self.names.get(&tag)).map(String::as_str)
    }

    /// What stands in a text of this language.
    pub fn in_language(&self, language: &str) -> &str {
        self.own(language).unwrap_or_else(|| self.otherwise())
    }

    /// Whether a text of this language shows a name of another language.
    pub fn lacks(&self, language: &str) -> bool {
        !self.names.is_empty() && self.own(language).is_none()
    }

    /// What stands wherever no language is known.
    pub fn otherwise(&self) -> &str {
        match &self.default {
            Some(name) => name,
            None => chosen(&self.names, []).map_or("", |(_, name)| name),
        }
    }

    /// All of them with their languages; none: for all others.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let default = self.default.iter().map(|name| (None, name.as_str()));
        default.chain(self.names.iter().map(|(language, name)| (Some(language.as_str()), name.as_str())))
    }
}

/// A language as conditions see it: without script and region, so that `== "de"` holds for whoever reads German.
pub(super) fn as_fact(language: &Fact<Option<String>>) -> Found<'_> {
    match language {
        Fact::Known(Some(tag)) => Found::Value(Value::text(primary(tag))),
        Fact::Known(None) => Found::Value(Value::text("")),
        Fact::Unknown => Found::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(languages: &[&str]) -> BTreeMap<String, String> {
        languages.iter().map(|tag| ((*tag).to_owned(), format!("in {tag}"))).collect()
    }

    #[test]
    fn the_nearest_language_is_chosen() {
        let of = |there: &[&str], wanted: &[&'static str]| {
            let texts = texts(there);
            chosen(&texts, wanted.iter().copied()).map(|(tag, _)| tag.to_owned()).unwrap_or_default()
        };
        for (there, wanted, expected) in [
            (&["en", "pt", "pt-BR"][..], &["pt-BR"][..], "pt-BR"),
            (&["en", "pt", "pt-BR"], &["pt_pt"], "pt"),
            (&["en", "pt-BR"], &["pt"], "pt-BR"),
            (&["en", "zh-Hans", "zh-Hant"], &["zh-TW"], "zh-Hant"),
            (&["de", "en"], &["fr", "de-AT"], "de"),
            (&["de", "en"], &["fr"], "en"),
            (&["de", "en-GB"], &["fr"], "en-GB"),
            (&["fr", "nl"], &["de", "nonsense!"], "fr"),
            (&[], &["de"], ""),
        ] {
            assert_eq!(of(there, wanted), expected, "{wanted:?} of {there:?}");
        }
    }

    #[test]
    fn a_team_has_one_name_or_one_for_each_language() {
        let one = PublicName::everywhere("our specialists");
        assert_eq!(
            (one.in_language("de"), one.otherwise(), one.lacks("de")),
            ("our specialists", "our specialists", false)
        );
        let several = |default: Option<&str>| {
            PublicName::by_language(texts(&["de", "en", "pt"]), default.map(str::to_owned)).expect("names")
        };
        let names = several(None);
        assert_eq!(
            ["de-AT", "pt-BR", "fr", "en"].map(|tag| names.in_language(tag)),
            ["in de", "in pt", "in en", "in en"]
        );
        assert_eq!(["de-AT", "fr"].map(|tag| names.lacks(tag)), [false, true]);
        assert_eq!(several(Some("us")).in_language("fr"), "us");
        assert_eq!(PublicName::by_language(BTreeMap::new(), None), None);
    }
}
