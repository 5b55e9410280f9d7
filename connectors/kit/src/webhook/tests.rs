//! Own vectors and hostile requests, and the published vectors of several vendors where they are at hand.

use super::testing::sign;
use super::*;
use http::HeaderMap;
use proptest::prelude::*;
use std::io::Write as _;

const SECRET: &str = "own-test-secret";
const STAMP: &str = "2026-05-03T10:05:12Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn verify(body: &[u8], prefix: &str, signature: &[u8]) -> Option<Refusal> {
    let headers = HeaderMap::new();
    let request = Unverified::new(&headers, None, body, at(STAMP));
    request.hmac_sha256(&SECRET.into(), prefix.as_bytes(), signature).err()
}

#[test]
fn a_signature_computed_elsewhere_is_accepted() {
    // printf '2026-05-03T10:05:12Z{"id":812}' | openssl dgst -sha256 -hmac own-test-secret
    let signature = from_hex("732cf91dc7ddeb915fe039f7e0421e59fd2ab4a2a1643f8d7f46aa4cb0754121").unwrap();
    assert_eq!(verify(br#"{"id":812}"#, STAMP, &signature), None);
}

#[test]
fn any_other_body_prefix_length_or_secret_is_forged() {
    let right = sign(SECRET, b"stampbody");
    assert_eq!(verify(b"body", "stamp", &right), None);
    for (body, prefix, signature) in [
        (&b"bodY"[..], "stamp", right.clone()),
        (b"body", "stamp2", right.clone()),
        (b"body", "", right.clone()),
        (b"body", "stamp", right[..31].to_vec()),
        (b"body", "stamp", [right.clone(), vec![0]].concat()),
        (b"body", "stamp", Vec::new()),
        (b"body", "stamp", sign("another secret", b"stampbody")),
    ] {
        assert_eq!(verify(body, prefix, &signature), Some(Refusal::Forged));
    }
}

#[test]
fn the_older_signature_is_checked_as_hard() {
    let headers = HeaderMap::new();
    let verify = |body: &'static [u8], secret: &str, signature: &str| {
        let request = Unverified::new(&headers, None, body, at(STAMP));
        request.hmac_sha1(&secret.into(), &from_hex(signature).unwrap()).err()
    };
    // printf '{"ticket":{"id":19}}' | openssl dgst -sha1 -hmac own-test-secret
    let right = "4d1993bd9d395e5c3b55eed96b5f7ad60124dffb";
    assert_eq!(verify(br#"{"ticket":{"id":19}}"#, SECRET, right), None);
    assert_eq!(verify(br#"{"ticket":{"id":20}}"#, SECRET, right), Some(Refusal::Forged));
    assert_eq!(verify(br#"{"ticket":{"id":19}}"#, "another secret", right), Some(Refusal::Forged));
    assert_eq!(verify(br#"{"ticket":{"id":19}}"#, SECRET, &right[..38]), Some(Refusal::Forged));
    assert_eq!(verify(br#"{"ticket":{"id":19}}"#, "", right), Some(Refusal::NotConfigured));
}

#[test]
fn an_empty_secret_verifies_nothing() {
    let headers = HeaderMap::new();
    let request = Unverified::new(&headers, Some("token"), b"body", at(STAMP));
    let signed = request.hmac_sha256(&"".into(), b"", &sign("", b"body"));
    assert_eq!(signed.err(), Some(Refusal::NotConfigured));
    assert_eq!(request.path_token(&"".into()).err(), Some(Refusal::NotConfigured));
}

#[test]
fn a_token_in_the_path_must_be_the_whole_secret() {
    let headers = HeaderMap::new();
    let token = |path| Unverified::new(&headers, path, b"body", at(STAMP)).path_token(&SECRET.into()).err();
    assert_eq!(token(Some(SECRET)), None);
    assert_eq!(token(None), Some(Refusal::Unsigned));
    assert_eq!(token(Some("")), Some(Refusal::Unsigned));
    for other in ["own-test-secre", "own-test-secret/", "OWN-TEST-SECRET", "x"] {
        assert_eq!(token(Some(other)), Some(Refusal::Forged), "{other}");
    }
}

#[test]
fn a_token_in_a_header_must_be_there_once_and_whole() {
    let token = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-secret", value.parse().unwrap());
        }
        Unverified::new(&headers, None, b"body", at(STAMP)).header_token(&SECRET.into(), "X-Secret").err()
    };
    assert_eq!(token(&[SECRET]), None);
    assert_eq!(token(&[]), Some(Refusal::Unsigned));
    assert_eq!(token(&[SECRET, SECRET]), Some(Refusal::Unsigned), "which of them was meant?");
    assert_eq!(token(&[&format!("{SECRET}x")]), Some(Refusal::Forged));
}

#[test]
fn a_stamp_counts_within_its_window_before_and_after() {
    let fresh = |stamp: &str| Verified { body: b"", received: at(STAMP) }.within(stamp, WINDOW).err();
    for good in [STAMP, "2026-05-03T10:00:12Z", "2026-05-03T12:10:12+02:00", "1777802712", " 1777802712123 "] {
        assert_eq!(fresh(good), None, "{good}");
    }
    for stale in ["2026-05-03T10:00:11.999Z", "2026-05-03T10:10:13Z", "1777802000", "1777803100000", "0", "-5"] {
        assert_eq!(fresh(stale), Some(Refusal::Stale), "{stale}");
    }
    for nonsense in ["", "yesterday", "9223372036854775807", "-9223372036854775808", "1e9", "2026-05-03"] {
        assert_eq!(fresh(nonsense), Some(Refusal::Malformed), "{nonsense}");
    }
}

#[test]
fn a_header_must_be_there_once_and_be_text() {
    let mut headers = HeaderMap::new();
    headers.insert("x-one", " value ".parse().unwrap());
    headers.insert("x-empty", "".parse().unwrap());
    headers.insert("x-bytes", http::HeaderValue::from_bytes(b"\xff").unwrap());
    headers.append("x-two", "a".parse().unwrap());
    headers.append("x-two", "b".parse().unwrap());
    let request = Unverified::new(&headers, None, b"", at(STAMP));
    assert_eq!(request.header("X-One"), Ok("value"));
    for bad in ["x-empty", "x-bytes", "x-two", "x-none"] {
        assert_eq!(request.header(bad), Err(Refusal::Unsigned), "{bad}");
    }
}

proptest! {
    #[test]
    fn nothing_but_the_right_signature_verifies(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        signature in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let right = sign(SECRET, &body);
        let other = (signature != right).then_some(Refusal::Forged);
        prop_assert_eq!(verify(&body, "", &signature), other);
        prop_assert_eq!(verify(&body, "", &right), None);
    }

    #[test]
    fn no_text_breaks_the_readers(text in any::<String>()) {
        let _ = (from_base64(&text), from_hex(&text), read_stamp(&text));
    }
}

/// How the vendors of the vectors write what [`Unverified::hmac_sha256`] wants: header, text before the signature, encoding.
type Scheme = (&'static str, &'static str, &'static str, fn(&str) -> Result<Vec<u8>, Refusal>);

const SCHEMES: &[Scheme] = &[
    ("slack", "X-Slack-Signature", "v0=", from_hex),
    ("github", "X-Hub-Signature-256", "sha256=", from_hex),
    ("jira admin webhook", "X-Hub-Signature", "sha256=", from_hex),
    ("front application webhook", "X-Front-Signature", "", from_base64),
    ("chatwoot (new versions)", "X-Chatwoot-Signature", "sha256=", from_hex),
    ("linear", "Linear-Signature", "", from_hex),
];

#[test]
fn published_vectors_of_vendors_verify() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vendors/webhook-signature-vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var("HANDOFFD_TEST_REAL").is_err(), "the vendors' signature vectors are missing");
        let _ = writeln!(
            std::io::stderr(),
            "left out: put the vendors' webhook-signature-vectors.json beside the workspace, in shared/vendors"
        );
        return;
    };
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, header, before, decode) in SCHEMES {
        let vector = file["vectors"].as_array().unwrap().iter().find(|vector| vector["name"] == *name).unwrap();
        let field = |key: &str| vector[key].as_str().unwrap();
        let (body, signed) = (field("body"), field("signed_text"));
        let prefix = signed.strip_suffix(body).unwrap();
        let signature = decode(vector["headers"][header].as_str().unwrap().strip_prefix(before).unwrap()).unwrap();
        let headers = HeaderMap::new();
        let request = Unverified::new(&headers, None, body.as_bytes(), at(STAMP));
        let check = |secret: &str| request.hmac_sha256(&secret.into(), prefix.as_bytes(), &signature).err();
        assert_eq!(check(field("secret")), None, "{name}");
        assert_eq!(check("another"), Some(Refusal::Forged), "{name}");
    }
}
