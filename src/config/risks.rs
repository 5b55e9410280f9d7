//! `[risks.NAME]`: words that ask a person before a handoff: the lists that come with handoffd, words of the policy's own, and
//! what of them is useless.

use super::found::{At, Found};
use super::keys;
use super::names::refers;
use super::scalar::shown;
use super::walk::{Section, accepted, unknown_word};
use crate::policy::names::RiskName;
use crate::policy::risk::{ANY, Entry, Listed, Where, WordRisk, counts_for_a_rule, lists};
use crate::policy::rules::Policy;
use std::collections::BTreeMap;
use std::ops::Range;

/// More words of a policy's own are a dictionary.
const OWN_MAX: usize = 500;

/// Languages as ISO 639-1 knows them.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo \
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko \
    kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt \
    qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa \
    wo xh yi yo za zh zu";

/// All risks of the file.
#[derive(Debug, Default)]
pub(super) struct Risks(Vec<Draft>);

#[derive(Debug)]
struct Draft {
    name: At<RiskName>,
    /// `None`: wrong in itself, which was reported.
    risk: Option<WordRisk>,
}

impl Risks {
    /// Their names, those that are wrong in themselves included.
    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|draft| draft.name.value.as_str())
    }

    /// The risks that a rule names; `None`: one is unknown, which was reported. Of a rule that names none: the usual ones.
    pub fn named(&self, found: &mut Found<'_>, section: &Section<'_>) -> Option<Option<Vec<RiskName>>> {
        if !section.has("risks") {
            return Some(None);
        }
        let texts = section.texts(found, "risks")?;
        let known = |text: &&At<&str>| refers(found, text, "risk", "[risks.NAME]", self.names());
        let names: Vec<RiskName> = texts.iter().filter(known).map(|text| RiskName::new(text.value)).collect();
        (names.len() == texts.len()).then_some(Some(names))
    }

    /// All of them, by name; `None`: one is wrong in itself.
    pub fn whole(&self) -> Option<Vec<WordRisk>> {
        self.0.iter().map(|draft| draft.risk.clone()).collect()
    }

    /// Reports risks that no rule looks at.
    pub fn nobody_unused(&self, found: &mut Found<'_>, policy: &Policy) {
        if !found.is_usable() {
            return;
        }
        for Draft { name, .. } in self.0.iter().filter(|draft| !counts_for_a_rule(&draft.name.value, policy)) {
            let message = format!("no rule asks a person because of [risks.{}]", name.value);
            let help = "escalations without `risks` do, but for those on request; name it there, or leave it out";
            found.warning(&name.span, message, help);
        }
    }
}

/// Reads all of them.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>) -> Risks {
    let mut drafts: Vec<Draft> = Vec::new();
    for named in root.named_tables(found, "risks") {
        let section = named.open(found, keys::RISK);
        let name = At::new(RiskName::new(named.name.value), named.name.span.clone());
        let risk = read_one(found, &section, name.value.clone());
        drafts.push(Draft { name, risk });
    }
    drafts.sort_by(|one, other| one.name.value.cmp(&other.name.value));
    Risks(drafts)
}

fn read_one(found: &mut Found<'_>, section: &Section<'_>, name: RiskName) -> Option<WordRisk> {
    let mut words = used(found, section)?;
    drop_words(found, section, &mut words)?;
    let own = given(found, section, "add")?;
    let at_least = match section.has("at_least") {
        true => u32::try_from(section.number(found, "at_least", 1..101)?.value).ok()?,
        false => 1,
    };
    useless(found, &own, &words, at_least);
    for Given { language, entry, .. } in own {
        words.entry(language).or_default().push(Listed { entry, list: None });
    }
    words.retain(|_, all| !all.is_empty());
    let count = words.values().map(Vec::len).sum::<usize>();
    if count == 0 {
        let help = format!("add use = [\"security\"] ({}), or add = {{ en = [\"…\"] }}", known_lists());
        found.mismatch(&section.span, format!("{} has no words", section.title), help);
        return None;
    }
    if usize::try_from(at_least).is_ok_and(|least| least > count) {
        let message = format!("{} wants {at_least} of its entries, and has {count}", section.title);
        found.mismatch(&section.key_span("at_least"), message, "write a smaller number, or add words");
        return None;
    }
    Some(WordRisk { name, look_in: look_in(found, section)?, at_least, words })
}

type Words = BTreeMap<String, Vec<Listed>>;

fn known_lists() -> String {
    lists::names().collect::<Vec<_>>().join(", ")
}

/// The lists that are taken by name.
fn used(found: &mut Found<'_>, section: &Section<'_>) -> Option<Words> {
    let mut words = Words::new();
    let names = if section.has("use") { section.texts(found, "use")? } else { Vec::new() };
    let mut whole = true;
    for name in names {
        let Some(list) = lists::named(name.value) else {
            unknown_word(found, &name, "use", lists::names());
            whole = false;
            continue;
        };
        for row in &list.rows {
            let Ok(entry) = Entry::read(row.entry) else { continue };
            let all = words.entry(row.language.to_owned()).or_default();
            if !all.iter().any(|known| known.entry.is_same(&entry)) {
                all.push(Listed { entry, list: Some(list.name) });
            }
        }
    }
    whole.then_some(words)
}

fn look_in(found: &mut Found<'_>, section: &Section<'_>) -> Option<Vec<Where>> {
    if !section.has("look_in") {
        return Some(Where::USUAL.to_vec());
    }
    let words = section.texts(found, "look_in")?;
    let mut places = Vec::new();
    for word in &words {
        match Where::ALL.iter().find(|(name, _)| *name == word.value) {
            Some((_, place)) => places.push(*place),
            None => unknown_word(found, word, "look_in", Where::ALL.iter().map(|(name, _)| *name)),
        }
    }
    if words.is_empty() && section.values(found, "look_in").is_empty() {
        found.error(&section.key_span("look_in"), "`look_in` names no place", section.like("look_in"));
    }
    places.sort_unstable();
    (!places.is_empty() && places.len() == words.len()).then_some(places)
}

/// One word of the file.
struct Given {
    language: String,
    entry: Entry,
    span: Range<usize>,
}

/// The words of `add` or `drop`, language by language.
fn given(found: &mut Found<'_>, section: &Section<'_>, key: &str) -> Option<Vec<Given>> {
    if !section.has(key) {
        return Some(Vec::new());
    }
    let table = section.open_table(found, key)?;
    let (mut words, mut whole) = (Vec::new(), true);
    for (language, value) in table.entries() {
        if !is_language(found, &language, key) {
            whole = false;
            continue;
        }
        let Some(list) = value.get_ref().as_array() else {
            let message = format!("`{}` of `{key}` is a list of words", language.value);
            found.error(&value.span(), message, format!("write {} = [\"…\"]", language.value));
            whole = false;
            continue;
        };
        for item in list.iter() {
            let Some(text) = item.get_ref().as_str() else {
                found.error(&item.span(), format!("`{key}` has words in quotes"), section.like(key));
                whole = false;
                continue;
            };
            match Entry::read(text) {
                Ok(entry) => words.push(Given { language: language.value.to_owned(), entry, span: item.span() }),
                Err(why) => {
                    let message = format!("\"{}\" is no entry: {why}", shown(text));
                    found.error(
                        &item.span(),
                        message,
                        "write a word or a phrase; a star at its end stands for any ending",
                    );
                    whole = false;
                }
            }
        }
    }
    if words.len() > OWN_MAX {
        let message = format!("`{key}` of {} has more than {OWN_MAX} words", section.title);
        found.error(&section.key_span(key), message, "a star at the end of a word stands for all its endings");
        return None;
    }
    whole.then_some(words)
}

/// Whether the words of a table may stand under this key. A code that is no language works, and helps nobody.
fn is_language(found: &mut Found<'_>, key: &At<&str>, of: &str) -> bool {
    if key.value == ANY || LANGUAGES.split_whitespace().any(|code| code == key.value) {
        return true;
    }
    if key.value.len() == 2 && key.value.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let message = format!("no language has the code `{}`: nobody writes it", key.value);
        found.warning(
            &key.span,
            message,
            "use a code of ISO 639-1, such as en, de or fr; `any` counts in every language",
        );
        return true;
    }
    let codes = [ANY, "en", "de", "fr", "es", "it", "nl", "pt", "pl"];
    let message = format!("`{of}` has no language `{}`", shown(key.value));
    found.error(&key.span, message, format!("{}, and other two-letter codes", accepted(key.value, codes.into_iter())));
    false
}

/// Takes entries out of the lists that were taken.
fn drop_words(found: &mut Found<'_>, section: &Section<'_>, words: &mut Words) -> Option<()> {
    for dropped in given(found, section, "drop")? {
        let mut hits = 0;
        for (_, all) in
            words.iter_mut().filter(|(language, _)| [ANY, language.as_str()].contains(&dropped.language.as_str()))
        {
            let before = all.len();
            all.retain(|listed| !listed.entry.is_same(&dropped.entry));
            hits += before - all.len();
        }
        if hits == 0 {
            let message =
                format!("\"{}\" is in none of the lists that {} takes", shown(dropped.entry.written()), section.title);
            found.warning(
                &dropped.span,
                message,
                "write it as docs/RISK-WORDS.md has it, star included; or leave it out",
            );
        }
    }
    Some(())
}

/// Reports words of the policy's own that change nothing: they are there already, or stand only where another one stands.
fn useless(found: &mut Found<'_>, own: &[Given], lists: &Words, at_least: u32) {
    let together = |one: &str, other: &str| one == other || one == ANY;
    for (at, word) in own.iter().enumerate() {
        let quoted = shown(word.entry.written());
        let earlier = own[..at]
            .iter()
            .find(|other| together(&other.language, &word.language) && other.entry.is_same(&word.entry));
        if let Some(other) = earlier {
            let label = "here already".to_owned();
            let message = format!("\"{quoted}\" stands twice");
            found.warning_with(&word.span, (&other.span, label), message, "leave one of them out");
            continue;
        }
        let all = lists.iter().filter(|(language, _)| together(language, &word.language));
        let mut listed = all.flat_map(|(_, all)| all);
        if let Some(list) = listed.clone().find(|one| one.entry.is_same(&word.entry)).and_then(|one| one.list) {
            found.warning(&word.span, format!("\"{quoted}\" is in the list {list} already"), "leave it out");
            continue;
        }
        // Where more than one entry must stand there, a longer one counts beside a shorter.
        if at_least > 1 {
            continue;
        }
        let others = own.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
        let mut shorter = others
            .filter(|other| together(&other.language, &word.language))
            .filter(|other| other.entry.covers(&word.entry));
        if let Some(other) = shorter.find(|other| !other.entry.is_same(&word.entry)) {
            let label = "this is enough".to_owned();
            let message =
                format!("\"{quoted}\" is useless: wherever it stands, \"{}\" stands too", shown(other.entry.written()));
            found.warning_with(&word.span, (&other.span, label), message, "leave the longer one out");
        } else if let Some(one) = listed.find(|one| one.entry.covers(&word.entry)) {
            let (entry, list) = (one.entry.written(), one.list.unwrap_or_default());
            let message =
                format!("\"{quoted}\" is useless: wherever it stands, \"{entry}\" of the list {list} stands too");
            found.warning(&word.span, message, "leave it out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    const DESK: &str = r#"
[desks.acme]
connector = "zendesk"
url       = "https://acme.zendesk.com"
login     = { client_id = "handoffd", client_secret = { env = "SECRET" } }

[teams.one]
tier  = 1
desk  = "acme"
queue = "One"

[teams.two]
tier  = 2
desk  = "acme"
queue = "Two"

[[escalate]]
name     = "up"
trigger  = "exception"
from     = ["one"]
to       = "two"
when     = 'true'
reason   = "x"
package  = { require = ["summary"] }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "y" }
review   = "never"
"#;

    fn config(more: &str) -> Result<Config, String> {
        crate::config::read(&format!("{DESK}{more}"), "policy.toml", Path::new("")).map_err(|wrong| wrong.to_string())
    }

    fn good(more: &str) -> Config {
        config(more).unwrap_or_else(|wrong| panic!("{more}\n{wrong}"))
    }

    #[test]
    fn lists_are_taken_by_name_and_words_are_put_beside_them_or_taken_out() {
        let all = good(
            "\n[risks.x]\nuse = [\"security\"]\nadd = { any = [\"ISO 27001\"], it = [\"rubato\"] }\ndrop = { en = [\"virus\"] }\n",
        );
        assert!(all.warnings.is_empty(), "{}", all.warnings);
        let risk = &all.policy.risks[0];
        let words = |language: &str| risk.words[language].iter().map(|one| one.entry.written()).collect::<Vec<_>>();
        assert_eq!((words(ANY), words("it")), (vec!["ISO 27001"], vec!["rubato"]));
        assert!(words("en").contains(&"hacked") && !words("en").contains(&"virus") && words("fr").contains(&"virus"));
        assert_eq!((risk.look_in.as_slice(), risk.at_least), (Where::USUAL.as_slice(), 1));
        let everywhere = good(
            "\n[risks.x]\nuse = [\"security\"]\ndrop = { any = [\"virus\"] }\nlook_in = [\"tags\", \"subject\"]\n",
        );
        let risk = &everywhere.policy.risks[0];
        assert!(risk.words.values().flatten().all(|one| one.entry.written() != "virus"));
        assert_eq!(risk.look_in, [Where::Subject, Where::Tags]);
    }

    #[test]
    fn every_word_counts_in_the_version_and_its_order_does_not() {
        let version = |more: &str| good(more).policy.version.clone();
        let base = "\n[risks.x]\nadd = { en = [\"hacked\", \"phished\"] }\n";
        assert_eq!(version(base), version("\n[risks.x]\nadd = { en = [\"phished\", \"hacked\"] }\nat_least = 1\n"));
        for other in [
            "",
            "\n[risks.x]\nadd = { en = [\"hacked\"] }\n",
            "\n[risks.x]\nadd = { de = [\"hacked\", \"phished\"] }\n",
            "\n[risks.y]\nadd = { en = [\"hacked\", \"phished\"] }\n",
            "\n[risks.x]\nadd = { en = [\"hacked\", \"phished*\"] }\n",
            "\n[risks.x]\nadd = { en = [\"hacked\", \"phished\"] }\nat_least = 2\n",
            "\n[risks.x]\nadd = { en = [\"hacked\", \"phished\"] }\nlook_in = [\"subject\"]\n",
        ] {
            assert_ne!(version(base), version(other), "{other}");
        }
        let rule = |more: &str| good(more).policy.escalations[0].rule.version.clone();
        assert_eq!(rule(base), rule(""), "a rule that names none means what it meant");
        let named = DESK.replacen("review   =", "risks    = [\"x\"]\nreview   =", 1) + base;
        let named = crate::config::read(&named, "policy.toml", Path::new("")).expect("good");
        assert_ne!(named.policy.escalations[0].rule.version, rule(base));
    }

    #[test]
    fn what_cannot_be_used_is_refused_at_its_place() {
        let many = (0..501).map(|n| format!("\"word{n}\"")).collect::<Vec<_>>().join(", ");
        for (table, said) in [
            ("", "has no words"),
            ("use = []", "has no words"),
            ("use = [\"securty\"]", "did you mean `security`?"),
            ("use = \"security\"", "a list"),
            ("use = [\"security\", \"security\"]", "twice"),
            ("use = [\"security\"]\nwords = {}", "has no key `words`"),
            ("add = { english = [\"x\"] }", "`add` has no language `english`"),
            ("add = { en = \"hacked\" }", "is a list of words"),
            ("add = { en = [7] }", "words in quotes"),
            ("add = { en = [\"(a+)+$\"] }", "is no entry"),
            ("add = { en = [\"\"] }", "there is no word in it"),
            ("add = { en = [\"*\"] }", "there is no word in it"),
            ("add = [\"hacked\"]", "a table"),
            ("add = { en = [\"hacked\"] }\nat_least = 2", "has 1"),
            ("add = { en = [\"hacked\"] }\nat_least = 0", "out of bounds"),
            ("add = { en = [\"hacked\"] }\nlook_in = []", "names no place"),
            ("add = { en = [\"hacked\"] }\nlook_in = [\"notes\"]", "subject"),
            (&format!("add = {{ en = [{many}] }}"), "more than 500"),
        ] {
            let words = config(&format!("\n[risks.x]\n{table}\n")).expect_err(table);
            assert!(words.contains(said) && words.contains("policy.toml:"), "{table}: {words}");
        }
        let unknown = DESK.replacen("review   =", "risks    = [\"y\"]\nreview   =", 1);
        let words = crate::config::read(&unknown, "policy.toml", Path::new("")).expect_err("unknown").to_string();
        assert!(words.contains("there is no risk \"y\""), "{words}");
    }

    #[test]
    fn words_that_change_nothing_are_warned_of_at_their_place() {
        for (table, said) in [
            ("add = { en = [\"hacked\", \"Hacked\"] }", "stands twice"),
            ("add = { any = [\"hacked\"], en = [\"hacked\"] }", "stands twice"),
            ("use = [\"security\"]\nadd = { en = [\"hacked\"] }", "in the list security already"),
            ("add = { en = [\"breach\", \"data breach\"] }", "\"breach\" stands too"),
            ("add = { en = [\"fraudulent\", \"fraud*\"] }", "\"fraud*\" stands too"),
            ("use = [\"security\"]\nadd = { en = [\"new malware\"] }", "of the list security stands too"),
            ("use = [\"security\"]\ndrop = { en = [\"viruses\"] }", "is in none of the lists"),
            ("add = { xx = [\"hacked\"] }", "no language has the code `xx`"),
        ] {
            let warned = good(&format!("\n[risks.x]\n{table}\n")).warnings.to_string();
            assert!(warned.contains(said) && warned.contains("policy.toml:"), "{table}: {warned}");
        }
        for fine in [
            "add = { en = [\"gift\"], de = [\"Gift\"] }",
            "add = { en = [\"fraud\", \"fraudulent\"] }",
            "add = { en = [\"breach\", \"data breach\"] }\nat_least = 2",
        ] {
            assert!(good(&format!("\n[risks.x]\n{fine}\n")).warnings.is_empty(), "{fine}");
        }
        let nobody = DESK.replacen("review   =", "risks    = []\nreview   =", 1) + "\n[risks.x]\nuse = [\"tone\"]\n";
        let warned = crate::config::read(&nobody, "policy.toml", Path::new("")).expect("good").warnings.to_string();
        assert!(warned.contains("no rule asks a person because of [risks.x]"), "{warned}");
    }
}
