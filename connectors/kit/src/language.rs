//! Languages by their tags (BCP 47): `de`, `pt-BR`, `zh-Hant`. Desks write them in their own ways (`pt-br`, `zh_TW`).

/// A longer tag is none that anybody writes messages in.
const LONGEST: usize = 35;

/// A tag in its usual form: `PT_br` is `pt-BR`, `zh-hant-tw` is `zh-Hant-TW`. None: this names no language (two or three letters,
/// then subtags of letters and digits). Tags of private use (`x-…`) name none.
pub fn canonical(tag: &str) -> Option<String> {
    let tag = tag.trim();
    if tag.len() > LONGEST {
        return None;
    }
    let mut subtags = tag.split(['-', '_']);
    let language = subtags.next()?.to_ascii_lowercase();
    if !(2..=3).contains(&language.len()) || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    // Behind a single letter a tag says more than the language: calendars, sorting, private use.
    let mut extended = false;
    subtags.try_fold(language, |tag, subtag| {
        let fits = (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        extended |= subtag.len() == 1;
        let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
        let subtag = match subtag.len() {
            2 if !extended && letters => subtag.to_ascii_uppercase(),
            4 if !extended && letters => {
                let (first, rest) = subtag.split_at(1);
                format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
            }
            _ => subtag.to_ascii_lowercase(),
        };
        fits.then(|| format!("{tag}-{subtag}"))
    })
}

/// The language without script and region: `pt` of `pt-BR`.
pub fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// A tag and what stands in for it, nearest first, as RFC 4647 looks languages up: `pt-BR`, `pt`. Chinese of a region is written
/// in that region's script: `zh-TW`, `zh-Hant`, `zh`.
pub fn fallbacks(tag: &str) -> Vec<String> {
    let Some(tag) = canonical(tag) else { return Vec::new() };
    let mut subtags: Vec<&str> = tag.split('-').collect();
    let mut tags = Vec::new();
    while !subtags.is_empty() {
        tags.push(subtags.join("-"));
        let script = match subtags[..] {
            ["zh", "TW" | "HK" | "MO"] => Some("zh-Hant"),
            ["zh", "CN" | "SG"] => Some("zh-Hans"),
            _ => None,
        };
        tags.extend(script.map(str::to_owned));
        subtags.pop();
        // What a single letter announces is gone.
        if subtags.last().is_some_and(|last| last.len() == 1) {
            subtags.pop();
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_one_form_and_what_is_none_is_refused() {
        for (tag, expected) in [
            ("de", Some("de")),
            ("PT_br", Some("pt-BR")),
            ("zh-hant-tw", Some("zh-Hant-TW")),
            ("es-419", Some("es-419")),
            ("sr-latn", Some("sr-Latn")),
            ("gsw-CH", Some("gsw-CH")),
            ("de-CH-1996", Some("de-CH-1996")),
            ("en-u-ca-Buddhist", Some("en-u-ca-buddhist")),
            (" fr ", Some("fr")),
            ("", None),
            ("e", None),
            ("english", None),
            ("x-klingon", None),
            ("de-", None),
            ("de--AT", None),
            ("de AT", None),
            ("дe", None),
            ("en-toolongsubtag", None),
            ("en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", None),
        ] {
            assert_eq!(canonical(tag).as_deref(), expected, "{tag}");
        }
        assert_eq!(["pt-BR", "pt", "zh_TW"].map(primary), ["pt", "pt", "zh"]);
    }

    #[test]
    fn a_language_falls_back_to_what_it_is_a_variety_of() {
        for (tag, expected) in [
            ("pt-br", &["pt-BR", "pt"][..]),
            ("de", &["de"]),
            ("zh-Hant-TW", &["zh-Hant-TW", "zh-Hant", "zh"]),
            ("zh_TW", &["zh-TW", "zh-Hant", "zh"]),
            ("zh-cn", &["zh-CN", "zh-Hans", "zh"]),
            ("en-u-ca-buddhist", &["en-u-ca-buddhist", "en-u-ca", "en"]),
            ("nonsense", &[]),
        ] {
            assert_eq!(fallbacks(tag), expected, "{tag}");
        }
    }
}
