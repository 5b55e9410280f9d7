//! Hides secrets in a line of configuration before it is shown: somebody may have written one in clear.

use regex::Regex;
use std::sync::LazyLock;

/// Whether a key names a secret, so that its value must not stand in the file.
pub(super) fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let secret = ["secret", "token", "password", "passwd", "passphrase", "credential"];
    let whole = ["key", "pw", "pwd", "pass", "passcode"];
    secret.iter().any(|word| key.contains(word))
        || whole.contains(&key.as_str())
        || key.ends_with("_key")
        || key.ends_with("apikey")
}

/// Whether somebody would call an environment variable so, and not by mistake write the secret itself.
pub(super) fn looks_like_a_variable(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_') && name.chars().all(fits)
}

/// What is shown: a value behind a key that names a secret, or in the place of a whole login, and a login inside an address,
/// become stars of the same length in bytes, so that places stay true. `{ env = "NAME" }` and `{ file = … }` are no
/// secrets and stay.
pub(super) fn mask(line: &str) -> String {
    let mut shown = line.to_owned();
    let mut cover = |span: std::ops::Range<usize>| shown.replace_range(span.clone(), &"*".repeat(span.len()));
    for pattern in [&*VALUE, &*LOGIN] {
        pattern.captures_iter(line).filter_map(|found| found.get(1)).for_each(|value| cover(value.range()));
    }
    // In a table or list, everything in quotes but what says where the secret is.
    for inside in WITHIN.captures_iter(line).filter_map(|found| found.get(1).or(found.get(2))) {
        for quoted in QUOTED.captures_iter(inside.as_str()) {
            let (key, Some(text)) = (quoted.get(1).map(|key| key.as_str()), quoted.get(2)) else { continue };
            let says_where = match key {
                Some("env") => looks_like_a_variable(text.as_str().trim_matches(['"', '\''])),
                Some("file") => true,
                _ => false,
            };
            if !says_where {
                cover(inside.start() + text.start()..inside.start() + text.end());
            }
        }
    }
    shown
}

/// Keys behind which a secret may stand.
const SECRET: &str =
    r#"(?:secret|token|passw|passphrase|credential|\bkey\b|_key\b|apikey)[\w."'-]*|\b(?:pw|pwd|pass|passcode)\b["']?"#;
/// Tables in whose place one may stand.
const TABLE: &str = r#"\b(?:login|webhook)\b["']?"#;

static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?i)(?:{SECRET}|{TABLE})\s*=\s*(""".*|'''.*|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s{{\["',}}][^,}}]*)"#
    ))
});
static LOGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r#"://([^/@\s"']*)@"#));
static WITHIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)(?:(?:{SECRET})\s*=\s*([\[{{][^\]}}]*)|{TABLE}\s*=\s*(\[[^\]]*))")));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?:\b(\w+)["']?\s*=\s*)?("(?:\\.|[^"\\])*"?|'[^']*'?)"#));

#[expect(clippy::expect_used, reason = "constant patterns, compiled by a test")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_stars_of_the_same_length() {
        for line in [
            r#"client_secret = "hunter2""#,
            r#"client_secret = "hunter2"#,
            r"login = { token = 'hunter2', a = 1 }",
            r#""api_key"="hunter2""#,
            "token = hunter2",
            r#"password = """hunter2"#,
            r#"secret = "hunter2 with an \" inside hunter2""#,
            r#"url = "https://me:hunter2@example.com""#,
            r#"token = ["hunter2"]"#,
            r#"token = { value = "hunter2" }"#,
            r#"token = { env = "hunter2" }"#,
            r#"login = "hunter2""#,
            r#"login = ["hunter2", 'hunter2']"#,
            r#"login = { pw = "hunter2", email = "a@acme.example" }"#,
            r#"webhook = 'hunter2'"#,
        ] {
            let shown = mask(line);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.len(), line.len());
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        for line in [
            r#"client_secret = { env = "ZENDESK_CLIENT_SECRET" }"#,
            r#"token = { file = "rt.token" }"#,
            r#"login = { email = "bot@acme.example", token = { env = "ZENDESK_TOKEN" } }"#,
            r#"webhook_max_bytes = "1MB""#,
            r#"keep_raw = "14d""#,
            r#"owner = "support@acme.example""#,
        ] {
            assert_eq!(mask(line), line);
        }
    }

    #[test]
    fn keys_that_name_a_secret_are_known() {
        for key in ["client_secret", "token", "API_KEY", "password", "webhook_token", "pw"] {
            assert!(names_a_secret(key), "{key}");
        }
        for key in ["client_id", "email", "keyboard", "key_id"] {
            assert!(!names_a_secret(key), "{key}");
        }
    }
}
