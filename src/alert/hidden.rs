//! Words of a channel without its secrets. A receiver repeats what it was asked in its own way: with an address's signs coded or
//! not, as JSON or as HTML. Of an address every part may be the secret: Slack's is in its path, Teams' is a value of its query.

use percent_encoding::percent_decode_str;
use url::form_urlencoded::byte_serialize;

/// What stands in a secret's place.
const INSTEAD: &str = "…";
/// Of an address's path, pieces shorter than this are no secret; in bytes.
const SHORTEST_PIECE: usize = 6;
/// The same of the values of its query, and of its path as a whole.
const SHORTEST_VALUE: usize = 4;

/// A text in which these secrets, and what makes them one, are not to be read.
pub(super) fn hidden<'s>(text: &str, secrets: impl IntoIterator<Item = &'s str>) -> String {
    let mut forms: Vec<String> = secrets.into_iter().flat_map(parts).flat_map(|part| forms(&part)).collect();
    forms.retain(|form| !form.is_empty());
    // The longest first: what a shorter one leaves of it would be read.
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    forms.dedup();
    forms.iter().fold(text.to_owned(), |text, form| without(&text, form))
}

/// A secret, and what of it is one by itself.
fn parts(secret: &str) -> Vec<String> {
    let mut parts = vec![secret.to_owned()];
    parts.extend(secret.strip_prefix("whsec_").map(str::to_owned));
    let Some((_, rest)) = secret.split_once("://") else { return parts };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(at);
    if let Some((login, _)) = host.rsplit_once('@') {
        parts.push(login.to_owned());
        parts.extend(login.split_once(':').map(|(_, password)| password.to_owned()));
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let long = |part: &&str| decoded(part).len() >= SHORTEST_VALUE;
    parts.extend([path, fragment].iter().filter(|part| long(part)).map(|part| (*part).to_owned()));
    parts.extend(path.split('/').filter(|piece| piece.len() >= SHORTEST_PIECE).map(str::to_owned));
    if !query.is_empty() {
        parts.extend([rest, query].map(str::to_owned));
        for pair in query.split('&') {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            parts.extend([pair, value].iter().filter(|part| long(part)).map(|part| (*part).to_owned()));
        }
    }
    parts
}

/// How a part may be repeated: as it is, decoded, coded; each as JSON and HTML write it.
fn forms(part: &str) -> Vec<String> {
    let decoded = decoded(part);
    let coded: String = byte_serialize(decoded.as_bytes()).collect();
    let spaced = coded.replace('+', "%20");
    let ways = [part.to_owned(), decoded, coded, spaced];
    let written = |way: &String| {
        [
            way.clone(),
            way.replace('/', "\\/"),
            way.replace('/', "\\u002f"),
            way.replace('&', "\\u0026"),
            way.replace('&', "&amp;"),
        ]
    };
    ways.iter().flat_map(written).collect()
}

/// Signs that stand as `%2F` as themselves.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The text without this part, in capitals or small letters.
fn without(text: &str, part: &str) -> String {
    let (low, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in low.match_indices(&part) {
        left.push_str(&text[from..at]);
        left.push_str(INSTEAD);
        from = at + part.len();
    }
    left.push_str(&text[from..]);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAMS: &str =
        "https://x.example:443/workflows/a1b2c3/invoke?api-version=1&sp=%2Ft&sv=1.0&sig=SECRETTEAMSSIG%2Fxyz";
    const SLACK: &str = "https://hooks.slack.com/services/T0000001/B0000001/SECRETSLACKXYZ";
    const HOOK: &str = "https://in.example/hook?token=SECRETHOOK";

    #[test]
    fn no_part_of_an_address_is_read_however_it_is_repeated() {
        for (secret, said) in [
            (TEAMS, format!("no such flow: {TEAMS}")),
            (TEAMS, "POST /workflows/a1b2c3/invoke?api-version=1&sp=%2Ft&sv=1.0&sig=SECRETTEAMSSIG%2Fxyz".into()),
            (TEAMS, "bad signature SECRETTEAMSSIG/xyz".into()),
            (TEAMS, "bad signature SECRETTEAMSSIG%2fxyz".into()),
            (TEAMS, "sv=1.0&amp;sig=SECRETTEAMSSIG%2Fxyz".into()),
            (TEAMS, "{\"path\":\"sp=\\/t\\u0026sig=SECRETTEAMSSIG\\/xyz\"}".into()),
            (HOOK, "GET /hook?token=SECRETHOOK is not allowed".into()),
            (HOOK, "unknown token secrethook".into()),
            (SLACK, "{\"path\":\"\\/services\\/T0000001\\/B0000001\\/SECRETSLACKXYZ\"}".into()),
            (SLACK, "no hook SECRETSLACKXYZ of B0000001".into()),
            ("https://u:SECRETPASS@in.example/x", "no user u:SECRETPASS".into()),
            ("whsec_SECRET/KEY==", "signed by SECRET/KEY==, no: SECRET%2FKEY%3D%3D".into()),
            ("xoxb-SECRET", "xoxb-SECRET is no token".into()),
        ] {
            let shown = hidden(&said, [secret]);
            assert!(shown.contains(INSTEAD), "{said}: {shown}");
            let low = shown.to_lowercase();
            for word in ["secret", "xyz", "b0000001", "key"] {
                assert!(!low.contains(word), "{word} of {said}: {shown}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_left_as_it_is() {
        let said = "HTTP 404: no_service at v=1 in T0, %zz %";
        assert_eq!(hidden(said, [TEAMS, SLACK, HOOK, "", "https://in.example/"]), said);
        assert_eq!(hidden("ä %C3%A4 ß", ["https://in.example/?k=%C3%A4%C3%A4"]), "ä %C3%A4 ß");
    }
}
