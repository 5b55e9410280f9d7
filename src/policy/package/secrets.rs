//! Passwords and keys that nobody should copy. One table: what each looks like, and what stands in its place. The words by
//! which a secret is introduced stay, so that a colleague sees what was left out.
//!
//! No crate does this for text that people write: those for secret scanning look at source code, with rules that need
//! the names of files or measure randomness line by line, and know none of "my password is …".

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// One way in which secrets are written.
struct Row {
    #[cfg_attr(not(test), expect(dead_code, reason = "its examples in the test go by it"))]
    name: &'static str,
    /// `LABEL` stays; `VALUE` is what must not be copied.
    find: &'static str,
    /// What stands in its place.
    put: &'static str,
    /// Whether it is meant as a secret: by the value, and by the text behind it.
    only: fn(&str, &str) -> bool,
}

/// Words for a password, in the languages of our customers; they end a longer name as well (`dbPassword`, `SMTP_PASSWORD`).
const PASSWORD: &str = r"(?:pass[ _-]?word|passwd|pass[ _-]?code|pwd|passwort|kennwort|wachtwoord|lösenord|adgangskode|hasło|heslo|mot de passe|contrase(?:ñ|n\x{303}?)a|senha|密码|密碼|パスワード|暗証番号|비밀번호|пароль)";
/// Names of keys, likewise.
const KEY: &str = r"(?:secret(?:[ _-]?(?:access[ _-]?)?key)?|(?:api|auth|access|account|private)[ _-]?key|token)";
/// Short words that count only by themselves.
const SHORT: &str = r"(?:pw|pass|pin(?:[ -]?(?:code|number))?|puk|mdp|clave)";
const PHRASE: &str =
    r"(?:pass[ _-]?phrase|(?:seed|recovery)[ _-]?phrase|phrase (?:de passe|secrète)|frase de contraseña)";
const IS: &str = r"(?:is|was|ist|war|lautet|est|es|era)";
const FOR: &str = r"(?:for|to|of|on|at|in|für|fürs|zum|zur|des|der|vom|auf|im|am|beim|pour|de|du|para|del)";
const SAYS: &str = r"(?::=|=>|->|→|[:=：]|是|为|為|は)";
const QUOTED: &str =
    r#""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`|„[^“”\n]*[“”]|“[^”\n]*”|«[^»\n]*»|["'“„«][^\n]*"#;
/// What was masked already, words in quotes, or one word.
const VALUE: &str = r"(?:\[(?:key )?removed\]|\[(?:card|account) number …\w+\]|QUOTED|\S+)";

const ROWS: [Row; 19] = [
    Row {
        name: "private key",
        find: r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)",
        put: "[key removed]",
        only: always,
    },
    Row {
        name: "login in an address",
        find: r"(?i)(?P<label>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{1,200}:[^\s/@]{1,200}@",
        put: "${label}[removed]@",
        only: always,
    },
    Row {
        name: "login on a command line",
        find: r#"(?i)(?P<label>\b(?:curl|wget|http)\b[^\n]{0,300}?\s(?:-u\s*|--(?:proxy-)?user[ =]\s*))(?P<value>"[^"\n]*:[^"\n]*"|'[^'\n]*:[^'\n]*'|[^\s"':]+:\S+)"#,
        put: "${label}[removed]",
        only: always,
    },
    Row {
        name: "key of a known form",
        find: r"(?-u:\b)(?:(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,}|A(?:KI|SI)A[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*)",
        put: "[key removed]",
        only: always,
    },
    Row {
        name: "key that begins with sk-",
        find: r"(?-u:\b)(?P<value>sk-[A-Za-z0-9_-]{12,})",
        put: "[key removed]",
        only: is_mixed,
    },
    Row {
        name: "login in a header",
        find: r"(?i)(?P<label>\b(?:bearer|basic))\s+[A-Za-z0-9._~+/-]{16,}=*",
        put: "$label [key removed]",
        only: always,
    },
    Row {
        name: "element",
        find: r"(?i)(?P<label><(?:[\w.-]+:)?(?:[\w.-]*(?:PASSWORD|KEY|PHRASE)[\w.-]*|SHORT)(?:\s[^<>\n]*)?>)(?P<value>[^<]+)",
        put: "${label}[removed]",
        only: always,
    },
    Row {
        name: "phrase",
        find: r#"(?i)(?P<label>PHRASE["'`*_]{0,4}(?:\s+FOR\s[^\n.:=!?]{1,60}?)?\s*(?:IS\s*)?SAYS)[*_\s]*(?P<value>QUOTED|[^\n]+)"#,
        put: "$label [removed]",
        only: always,
    },
    Row {
        name: "phrase in a sentence",
        find: r"(?i)(?P<label>PHRASE(?:\s+FOR\s[^\n.:=!?]{1,60}?)?\s+IS\s+)(?P<value>QUOTED|[^\n]+)",
        put: "${label}[removed]",
        only: is_no_remark,
    },
    Row {
        name: "label",
        find: r#"(?i)(?P<label>(?:(?:PASSWORD|KEY)(?:_\w{1,20}|\d)?|(?:^|[^\p{L}\p{N}])SHORT)[\\"'`*_]{0,4}\s*(?:IS\s*)?SAYS)[*_\s]*(?P<value>VALUE)"#,
        put: "$label [removed]",
        only: always,
    },
    Row {
        name: "label with what it is for",
        find: r"(?i)(?P<label>PASSWORD\s+FOR\s[^\n.:=!?]{1,60}?[:=])[*_ ]*(?P<value>VALUE)",
        put: "$label [removed]",
        only: is_no_remark,
    },
    Row {
        name: "sentence",
        find: r"(?i)(?P<label>(?:PASSWORD|(?:^|[^\p{L}\p{N}])pw)\s+IS\s+)(?P<value>VALUE)",
        put: "${label}[removed]",
        only: is_no_remark,
    },
    Row {
        name: "sentence with what it is for",
        find: r"(?i)(?P<label>PASSWORD\s+FOR\s[^\n.:=!?]{1,60}?\sIS\s+)(?P<value>VALUE)",
        put: "${label}[removed]",
        only: is_no_remark,
    },
    Row {
        name: "dash",
        find: r"(?i)(?P<label>PASSWORD\s+[-–—]\s+)(?P<value>VALUE)",
        put: "${label}[removed]",
        only: ends_or_is_clear,
    },
    Row {
        name: "word behind word",
        find: r#"(?i)(?P<label>(?:PASSWORD|(?:^|[^\p{L}\p{N}])pw)\s+)(?P<value>"[^"\n]+"|\S+)"#,
        put: "${label}[removed]",
        only: is_clear,
    },
    Row {
        name: "short number",
        find: r"(?i)(?P<label>(?:^|[^\p{L}\p{N}])(?:pin(?:[ -]?(?:code|number))?|tan|cvv2?|cvc2?|otp|(?:one[ -]?time|verification|security|login|2fa|einmal|bestätigungs)[ -]?(?:pass)?code)\s*(?:IS\s*)?[:=#-]?\s*)(?P<value>\d{3,8})\b",
        put: "${label}[removed]",
        only: always,
    },
    Row {
        name: "value before the word",
        find: r"(?i)(?P<value>\S{6,})(?P<label>\s+IS\s+(?:my|the|our|mein|das|unser)\s+(?:\p{L}{1,20}\s)?PASSWORD)",
        put: "[removed]$label",
        only: is_mixed,
    },
    Row {
        name: "name and password",
        find: r"(?i)(?P<label>(?:^|[^\p{L}\p{N}])(?:log-?in|user(?:name)?|benutzer(?:name)?)[:=]?\s+\S{1,60}\s+/\s+)(?P<value>\S{4,})",
        put: "${label}[removed]",
        only: is_mixed,
    },
    Row {
        name: "long value behind the name of a key",
        find: r"(?i)(?P<label>KEY\s+)(?P<value>[A-Za-z0-9/+_.~-]{16,}=*)",
        put: "${label}[key removed]",
        only: is_mixed,
    },
];

#[expect(clippy::expect_used, reason = "fixed expressions; a test finds something with each of them")]
static PATTERNS: LazyLock<Vec<(Regex, &'static Row)>> = LazyLock::new(|| {
    let words = [
        ("PASSWORD", PASSWORD),
        ("PHRASE", PHRASE),
        ("KEY", KEY),
        ("SHORT", SHORT),
        ("VALUE", VALUE),
        ("QUOTED", QUOTED),
        ("SAYS", SAYS),
        ("FOR", FOR),
        ("IS", IS),
    ];
    // Capital words of the table; a key's own form has none of them.
    let written = |row: &Row| match row.find.contains("BEGIN") || row.find.contains("AKI") {
        true => row.find.to_owned(),
        false => words.iter().fold(row.find.to_owned(), |find, (word, means)| find.replace(word, means)),
    };
    ROWS.iter().map(|row| (Regex::new(&written(row)).expect("a fixed regular expression"), row)).collect()
});

/// The same text without the secrets in it.
pub fn mask_secrets(text: &str) -> String {
    let mut masked = text.to_owned();
    for (pattern, row) in PATTERNS.iter() {
        let replaced = pattern.replace_all(&masked, |found: &Captures<'_>| {
            let value = found.name("value").map_or("", |value| value.as_str());
            let behind = found.get(0).map_or("", |whole| &masked[whole.end()..]);
            let mut put = String::new();
            match (row.only)(value, behind) {
                true => found.expand(row.put, &mut put),
                false => put.push_str(&found[0]),
            }
            put
        });
        if let std::borrow::Cow::Owned(replaced) = replaced {
            masked = replaced;
        }
    }
    masked
}

fn always(_: &str, _: &str) -> bool {
    true
}

/// What is said of a password rather than by it.
const REMARKS: &str = "not never always still no longer also too now just already again being be been the a an this that my your \
    our what where only same different unknown known wrong incorrect invalid broken expired expiring rejected refused denied \
    accepted required needed missing empty lost forgotten stolen compromised leaked right ok okay fine valid working \
    locked blocked reset changed set sent stored saved shown visible case too-short short long weak nicht nie immer kein \
    falsch ungültig abgelaufen gesperrt vergessen richtig korrekt erforderlich nötig das der die ein pas toujours incorrecte \
    faux expiré refusé obligatoire le la un une no incorrecta incorrecto caducada el una recovery change problem issue question \
    help request link page";

fn bare(value: &str) -> &str {
    value.trim_matches(|letter: char| ".,;:!?()\"'`“”„«»*_".contains(letter))
}

fn is_no_remark(value: &str, _: &str) -> bool {
    let first = value.split_whitespace().next().unwrap_or_default();
    let first = bare(first).to_lowercase();
    !REMARKS.split_ascii_whitespace().any(|word| word == first)
}

/// Nothing follows it in its sentence, or it looks like a secret.
fn ends_or_is_clear(value: &str, behind: &str) -> bool {
    let rest = behind.split('\n').next().unwrap_or_default().trim();
    let ends = rest.is_empty() || value.ends_with(['.', ',', ';', '!']);
    is_no_remark(value, behind) && (ends || is_clear(value, behind))
}

/// In quotes, letters with digits or signs in it, or a number: no word of a sentence, no address.
fn is_clear(value: &str, behind: &str) -> bool {
    let quoted = value.starts_with('"');
    let value = bare(value);
    let count = |is: fn(&char) -> bool| value.chars().filter(is).count();
    let (letters, digits) = (count(|letter| letter.is_alphabetic()), count(|letter| letter.is_numeric()));
    let signs = count(|letter| "!@#$%^&*+=~?".contains(*letter));
    let mail = value.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    let long = value.chars().count() >= 4 && !mail && !value.contains("://");
    is_no_remark(value, behind)
        && (quoted || long && (letters > 0 && digits + signs > 0 || letters == 0 && digits >= 4))
}

/// Letters and digits, as words do not have them.
fn is_mixed(value: &str, _: &str) -> bool {
    value.chars().any(|letter| letter.is_ascii_digit()) && value.chars().any(|letter| letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By row: text with a secret, the same masked, and text that only looks like it.
    const EXAMPLES: [(&str, &str, &str, &str); 19] = [
        (
            "private key",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x",
            "[key removed] x",
            "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",
        ),
        (
            "login in an address",
            "https://eva:hunter2@shop.example/x",
            "https://[removed]@shop.example/x",
            "see https://shop.example:8443/a@b",
        ),
        (
            "login on a command line",
            "curl -s -u eva:hunter2 https://x",
            "curl -s -u [removed] https://x",
            "curl -u eva asks",
        ),
        ("key of a known form", "key AKIAIOSFODNN7EXAMPLE", "key [key removed]", "AKIA and AIza begin keys"),
        (
            "key that begins with sk-",
            "my sk-proj-abcdEFGH1234567890 key",
            "my [key removed] key",
            "the sk-something-or-other ticket",
        ),
        (
            "login in a header",
            "Authorization: Bearer abcdefghijklmnop1234",
            "Authorization: Bearer [key removed]",
            "basic questions about tokens",
        ),
        (
            "element",
            "<password>x y</password> <user>eva</user>",
            "<password>[removed]</password> <user>eva</user>",
            "<passage>x</passage>",
        ),
        (
            "phrase",
            "My passphrase: correct horse battery staple.\nBye",
            "My passphrase: [removed]\nBye",
            "My passphrases: two of them",
        ),
        (
            "phrase in a sentence",
            "my passphrase is correct horse",
            "my passphrase is [removed]",
            "My passphrase is not accepted",
        ),
        ("label", "{\"password\":\"x\",\"user\":\"y\"}", "{\"password\": [removed],\"user\":\"y\"}", "compass: north"),
        (
            "label with what it is for",
            "the password for the portal: x",
            "the password for the portal: [removed]",
            "a password for you. Note: x",
        ),
        ("sentence", "my password is hunter2!", "my password is [removed]", "my password is not accepted"),
        (
            "sentence with what it is for",
            "My password for the portal is x",
            "My password for the portal is [removed]",
            "The password for the portal is wrong",
        ),
        ("dash", "Password - x", "Password - [removed]", "Password - how do I change it?"),
        (
            "word behind word",
            "My password hunter7x does not work",
            "My password [removed] does not work",
            "I forgot my password and cannot log in",
        ),
        ("short number", "the card's CVV 123", "the card's CVV [removed]", "spinning 12345 times"),
        ("value before the word", "hunter2 is my password", "[removed] is my password", "nothing is my password"),
        ("name and password", "login eva / hunter2", "login eva / [removed]", "user manual / chapter two"),
        (
            "long value behind the name of a key",
            "aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key [key removed]",
            "a token authentication-service",
        ),
    ];

    #[test]
    fn other_words_for_the_same_are_found_too() {
        for (text, masked) in [
            ("pw hunter2", "pw [removed]"),
            ("My pw is hunter2", "My pw is [removed]"),
            ("my pwd→hunter2", "my pwd→ [removed]"),
            ("OTP 123456", "OTP [removed]"),
            ("Your verification code is 123456.", "Your verification code is [removed]."),
        ] {
            assert_eq!(mask_secrets(text), masked);
        }
        for plain in ["pw reset please", "error code 123456", "order 123456 is my password problem's number"] {
            assert_eq!(mask_secrets(plain), plain);
        }
    }

    #[test]
    fn each_row_of_the_table_finds_its_secret_and_leaves_its_twin() {
        for (row, (name, text, masked, twin)) in ROWS.iter().zip(EXAMPLES) {
            assert_eq!(row.name, name);
            let (pattern, _) = PATTERNS.iter().find(|(_, known)| known.name == name).expect("a pattern");
            assert!(pattern.is_match(text), "{name}: {text}");
            assert_eq!(mask_secrets(text), masked, "{name}");
            assert_eq!(mask_secrets(masked), masked, "{name}: what is masked stays");
            assert_eq!(mask_secrets(twin), twin, "{name}");
        }
    }

    #[test]
    fn a_password_is_left_out_however_it_is_introduced() {
        for (text, masked) in [
            ("Passwort: geheim.123 bitte", "Passwort: [removed] bitte"),
            ("password = \"a b\"", "password = [removed]"),
            ("pwd='x y z' next", "pwd= [removed] next"),
            ("password=\"never closed", "password= [removed]"),
            ("pw: x", "pw: [removed]"),
            ("pass: x", "pass: [removed]"),
            ("PIN: 9173", "PIN: [removed]"),
            ("PIN 9173", "PIN [removed]"),
            ("**Password:** x", "**Password: [removed]"),
            ("Password:\nx", "Password: [removed]"),
            ("PASSWORD IS hunter13", "PASSWORD IS [removed]"),
            ("Passwort lautet x", "Passwort lautet [removed]"),
            ("mot de passe est x", "mot de passe est [removed]"),
            ("la contraseña es x", "la contraseña es [removed]"),
            ("la contrasen\u{303}a es x", "la contrasen\u{303}a es [removed]"),
            ("mot de passe\u{202f}: x", "mot de passe\u{202f}: [removed]"),
            ("密码：x 谢谢", "密码： [removed] 谢谢"),
            ("dbPassword: x", "dbPassword: [removed]"),
            ("client_secret: \"a b c\"", "client_secret: [removed]"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [removed]"),
            ("api_key: sk_live_4eC39HqLyjWDarjtT1zdp7dc", "api_key: [removed]"),
            ("https://x.example/?sig=abc&password=hunter9", "https://x.example/?sig=abc&password= [removed]"),
            ("Passphrase: not this one", "Passphrase: [removed]"),
            ("My passphrase for the vault is correct horse", "My passphrase for the vault is [removed]"),
            ("My password for the portal is sesame and fails", "My password for the portal is [removed] and fails"),
            ("Passwort fürs Portal: x", "Passwort fürs Portal: [removed]"),
            ("Password \"sesame\" fails", "Password [removed] fails"),
            ("curl -u 'eva:a b' https://x", "curl -u [removed] https://x"),
            ("Basic dXNlcjpwYXNzd29yZA==", "Basic [key removed]"),
            ("ASIAIOSFODNN7EXAMPLE and AIzaSyA1234567890abcdefghijklmnopqrstuv", "[key removed] and [key removed]"),
            ("密钥sk-abcdefgh12345678", "密钥[key removed]"),
        ] {
            assert_eq!(mask_secrets(text), masked);
            assert_eq!(mask_secrets(masked), masked, "what is masked stays");
        }
    }

    #[test]
    fn words_about_passwords_stay() {
        for text in [
            "My password reset mail never came",
            "The password for eva@shop.example was reset by whom?",
            "I forgot my password eva@shop.example",
            "password https://shop.example/reset?id=3",
            "Das Passwort ist falsch",
            "The password for the portal is wrong since Monday",
            "I pressed Password \"reset\"",
            "my pin board, mapping and shipping",
            "Boarding pass and two tokens",
        ] {
            assert_eq!(mask_secrets(text), text);
        }
    }
}
