//! Small values of the file: durations, percentages, addresses, names, dates. Each parser is a pure function from
//! text to a value, or to what is wrong with it.

use crate::policy::package::invisible;
use handoffd_kit::settings::is_loopback;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::net::SocketAddr;
use url::Url;

/// What a duration looks like, for help texts.
pub(super) const DURATION_HELP: &str = "write a number and a unit: 30s, 15m, 4h or 2d (a day is 24 hours)";

/// Reads `30s`, `15m`, `4h`, `2d`, each also with ` wall` behind it: wall time instead of a team's hours. Where only wall
/// time can be meant both come to the same.
///
/// # Errors
/// What is wrong with it, in words.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("\"{}\" is no duration", shown(text));
    let (length, wall) = text.split_once(' ').map_or((text, None), |(length, rest)| (length, Some(rest)));
    if wall.is_some_and(|word| word != "wall") {
        return Err(wrong());
    }
    let unit = length.chars().next_back().ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let digits = &length[..length.len() - unit.len_utf8()];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let too_long = || format!("\"{}\" is longer than ten years", shown(text));
    let count: i64 = digits.parse().map_err(|_| too_long())?;
    let total = count.checked_mul(seconds).filter(|total| *total <= 3_650 * 86_400).ok_or_else(too_long)?;
    Ok(SignedDuration::from_secs(total))
}

/// A duration as the file writes it, in the largest unit that fits.
pub(super) fn duration_text(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds >= size && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

/// Reads `80%` as `0.8`.
pub(super) fn percentage(text: &str) -> Result<f64, String> {
    let wrong = || format!("\"{}\" is no percentage", shown(text));
    let digits = text.strip_suffix('%').ok_or_else(wrong)?;
    let plain = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    if !(0.0..=100.0).contains(&number) {
        return Err(format!("\"{}\" is not between 0% and 100%", shown(text)));
    }
    Ok(number / 100.0)
}

/// Reads the address of a helpdesk. Plain `http` is for this machine alone: a login would cross the network in clear.
pub(super) fn desk_url(text: &str) -> Result<Url, (String, &'static str)> {
    const LIKE: &str = "write the address as in a browser: https://acme.zendesk.com";
    let url = Url::parse(text).map_err(|error| (format!("this is no address: {error}"), LIKE))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "an address must not carry a login".into(),
            "give the login in `login`, its secrets by env or file",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("the address of a desk ends with its path".into(), "leave out what follows ? or #"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            let message = "`http://` would send the login in clear over the network";
            Err((message.into(), "write https://; http:// is accepted for this machine alone (127.0.0.1, localhost)"))
        }
        other => Err((format!("\"{}\" is no way to reach a helpdesk", shown(other)), LIKE)),
    }
}

/// Reads an address to listen on.
pub(super) fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("\"{}\" is no address and port", shown(text)))
}

/// The keys of `[hours.NAME]` that name days, for help texts.
pub(super) fn accepted_days() -> impl Iterator<Item = &'static str> + Clone {
    ["zone", "holidays", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon-fri", "mon-thu", "sat-sun"].into_iter()
}

/// Reads `2027-03-01`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10;
    text.parse().ok().filter(|_| plain).ok_or_else(|| format!("\"{}\" is no date", shown(text)))
}

/// Reads an instant: a date (its beginning in UTC) or a date with time and offset.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(date) = date(text)
        && let Ok(zoned) = date.to_zoned(TimeZone::UTC)
    {
        return Ok(zoned.timestamp());
    }
    text.parse().map_err(|_| format!("\"{}\" is no instant", shown(text)))
}

/// What a name looks like, for help texts.
pub(super) const NAME_HELP: &str =
    "names are letters, digits, - and _, begin with a letter or digit, at most 64 of them";

/// Whether this can be a name of a desk, team, person, message or rule: names stand in addresses, marks and commands.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() <= 64 && text.bytes().all(plain) && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether conditions can name a field so: `ticket.fields.NAME` would read `a-b` as a difference.
pub(super) fn is_field_name(text: &str) -> bool {
    let reserved = ["in", "true", "false", "null", "as", "if", "else", "for", "let", "loop", "return", "var", "while"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    text.len() <= 64 && begins && text.bytes().all(plain) && !reserved.contains(&text)
}

/// Whether this looks like a mail address.
pub(super) fn is_email(text: &str) -> bool {
    let fine = |part: &str| !part.is_empty() && !part.contains(|letter: char| letter.is_whitespace() || letter == '@');
    text.len() <= 254 && text.split_once('@').is_some_and(|(user, domain)| fine(user) && fine(domain))
}

/// Somebody's text as it may stand in a message: short, without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(printable).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn printable(letter: char) -> Vec<char> {
    if letter.is_control() || invisible(letter) { letter.escape_unicode().collect() } else { vec![letter] }
}

/// The known word that is most like this one, if one is like it at all.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        // One slip in a short word weighs too much for the likeness of letters: "evn" for "env".
        let slip = if strsim::osa_distance(&word, &candidate) <= 1 { 0.9 } else { 0.0 };
        strsim::jaro_winkler(&word, &candidate).max(slip)
    };
    let best = known.into_iter().map(|candidate| (likeness(candidate), candidate)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.8).map(|(_, candidate)| candidate)
}

/// "a, b, c", or that there is none.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    // More than a table has keys: none that works is hidden.
    const SHOWN: usize = 32;
    let words: Vec<&str> = words.into_iter().collect();
    if words.is_empty() {
        return "none".to_owned();
    }
    let first: Vec<String> = words.iter().take(SHOWN).map(|word| shown(word)).collect();
    let more = if words.len() > SHOWN { format!(" and {} more", words.len() - SHOWN) } else { String::new() };
    first.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in
            [("30s", 30), ("15m", 900), ("4h", 14_400), ("2d", 172_800), ("4h wall", 14_400), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "5",
            "5 m",
            "1h30m",
            "-5m",
            "+5m",
            "5M",
            "1.5h",
            "4h Wall",
            "4h ",
            "５m",
            "5é",
            "99999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["30s", "90s", "15m", "36h", "2d"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn percentages_lie_between_nothing_and_all() {
        assert_eq!(percentage("80%"), Ok(0.8));
        assert_eq!(percentage("12.5%"), Ok(0.125));
        for text in ["80", "%", "101%", "-1%", "1e1%", "NaN%", "inf%", "80 %", "1.2.3%", "000000000001%"] {
            assert!(percentage(text).is_err(), "{text}");
        }
    }

    #[test]
    fn desks_are_reached_over_https_or_on_this_machine() {
        for text in ["https://acme.zendesk.com", "http://127.0.0.1:9000/", "http://localhost/rt", "http://[::1]:80"] {
            assert!(desk_url(text).is_ok(), "{text}");
        }
        for text in [
            "acme.zendesk.com",
            "http://acme.example",
            "http://localhost.evil.example",
            "ftp://localhost",
            "https://me:pw@acme.example",
            "https://acme.example/?a=1",
            "https://acme.example/#x",
            "https://",
            "",
        ] {
            assert!(desk_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_fit_into_addresses_marks_and_conditions() {
        assert!(is_name("refund-over-limit_2") && is_field_name("refund_eur"));
        for text in ["", "-a", "a b", "a@b", "a]", "a/b", "é", &"a".repeat(65)] {
            assert!(!is_name(text), "{text}");
        }
        for text in ["", "a-b", "1a", "in", "a.b"] {
            assert!(!is_field_name(text), "{text}");
        }
        assert!(is_email("a@b.example") && !is_email("a@b@c") && !is_email("a b@c") && !is_email("@"));
    }

    #[test]
    fn dates_and_instants_are_read_strictly() {
        assert!(date("2027-03-01").is_ok() && date("2027-13-01").is_err() && date("tomorrow").is_err());
        assert_eq!(instant("1970-01-02"), Timestamp::from_second(86_400).map_err(|error| error.to_string()));
        assert_eq!(instant("1970-01-01T01:00:00+01:00"), Ok(Timestamp::UNIX_EPOCH));
        assert!(instant("2027-03-01T10:00:00").is_err());
    }

    #[test]
    fn nearness_forgives_a_slip_and_not_a_guess() {
        assert_eq!(nearest("Poll", ["poll", "budget"]), Some("poll"));
        assert_eq!(nearest("bugdet", ["poll", "budget"]), Some("budget"));
        assert_eq!(nearest("evn", ["env", "file"]), Some("env"));
        assert_eq!(nearest("zzz", ["poll", "budget"]), None);
        assert_eq!(shown("a\u{1b}[31m\u{202e}"), "a\\u{1b}[31m\\u{202e}");
    }
}
