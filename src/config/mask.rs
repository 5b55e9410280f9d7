//! Hides secrets in a line of configuration before it is shown: somebody may have written one in clear.

use regex::Regex;
use std::sync::LazyLock;

/// Whether a key names a secret, so that its value must not stand in the file.
pub(super) fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let secret = ["secret", "token", "password", "passwd", "passphrase", "credential"];
    secret.iter().any(|word| key.contains(word)) || key == "key" || key.ends_with("_key") || key.ends_with("apikey")
}

/// What is shown: a value behind a key that names a secret, and a login inside an address, become stars of the
/// same length in bytes, so that places stay true. `{ env = … }` and `{ file = … }` are no secrets and stay.
pub(super) fn mask(line: &str) -> String {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    static VALUE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r#"(?i)(?:secret|token|passw|passphrase|credential|\bkey\b|_key\b|apikey)[\w."'-]*\s*=\s*("#,
            r#"""".*|'''.*|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s{\["',}][^,}]*)"#
        ))
        .expect("the pattern is valid")
    });
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"://([^/@\s"']*)@"#).expect("the pattern is valid"));
    let mut shown = line.to_owned();
    for pattern in [&*VALUE, &*LOGIN] {
        let spans: Vec<_> = pattern.captures_iter(line).filter_map(|found| found.get(1)).map(|m| m.range()).collect();
        for span in spans {
            shown.replace_range(span.clone(), &"*".repeat(span.len()));
        }
    }
    shown
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
            r#"keep_raw = "14d""#,
            r#"owner = "support@acme.example""#,
        ] {
            assert_eq!(mask(line), line);
        }
    }

    #[test]
    fn keys_that_name_a_secret_are_known() {
        for key in ["client_secret", "token", "API_KEY", "password", "webhook_token"] {
            assert!(names_a_secret(key), "{key}");
        }
        for key in ["client_id", "email", "keyboard", "key_id"] {
            assert!(!names_a_secret(key), "{key}");
        }
    }
}
