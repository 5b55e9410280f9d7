//! Mail addresses behind which nobody reads, and those that a policy keeps from being written to.

/// Names behind which nobody reads, without what may stand between their words.
const MACHINES: [&str; 11] = [
    "noreply",
    "donotreply",
    "mailerdaemon",
    "postmaster",
    "bounce",
    "bounces",
    "notifications",
    "nepasrepondre",
    "keineantwort",
    "noresponder",
    "naoresponder",
];

/// Whether nobody reads this address, by its name: one of its words, or a few of them together, or the host that mail of
/// machines has of its own (`noreply.shop.example`).
pub fn is_machine(address: &str) -> bool {
    let address = address.trim().to_lowercase();
    let (name, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
    let host = domain.split_once('.').filter(|(_, rest)| rest.contains('.')).map_or("", |(host, _)| host);
    says_machine(name) || says_machine(host)
}

fn says_machine(name: &str) -> bool {
    let words: Vec<&str> = name.split(['.', '-', '_', '+', '=']).filter(|word| !word.is_empty()).collect();
    (0..words.len()).any(|from| {
        let together = |to: usize| words.get(from..=to).is_some_and(|some| MACHINES.contains(&some.concat().as_str()));
        (from..from + 3).any(together)
    })
}

/// Addresses as a policy names them: letters stand for themselves in any case, `*` for anything or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPattern {
    written: String,
    /// What stands between the stars, in small letters.
    pieces: Vec<String>,
}

impl AddressPattern {
    /// Reads `*@bounces.example`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > 254 {
            return Err("an address has at most 254 characters".to_owned());
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err("an address has no spaces".to_owned());
        }
        if text.matches('@').count() != 1 {
            return Err("a pattern of addresses has one @".to_owned());
        }
        if text.bytes().all(|byte| byte == b'*' || byte == b'@') {
            return Err("this fits every address".to_owned());
        }
        Ok(Self { written: text.to_owned(), pieces: text.to_lowercase().split('*').map(str::to_owned).collect() })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether this address is one of them.
    pub fn fits(&self, address: &str) -> bool {
        let address = address.trim().to_lowercase();
        let (Some((first, rest)), mut left) = (self.pieces.split_first(), address.as_str()) else { return false };
        let Some((last, middle)) = rest.split_last() else { return left == first };
        match left.strip_prefix(first.as_str()) {
            Some(after) => left = after,
            None => return false,
        }
        // Each piece as early as it goes: then the most is left for the rest.
        for piece in middle {
            match left.find(piece.as_str()) {
                Some(at) => left = &left[at + piece.len()..],
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, address: &str) -> bool {
        AddressPattern::read(pattern).unwrap().fits(address)
    }

    #[test]
    fn stars_stand_for_anything_and_case_does_not_count() {
        for (pattern, address) in [
            ("no-reply@*", "No-Reply@shop.example"),
            ("*@bounces.example", "a.b+c@BOUNCES.example"),
            ("*@*.internal", "a@b.internal"),
            ("a*b*c@x", "aXbYc@x"),
            ("a@b.example", " a@b.example "),
            ("*bot*@*", "mybot7@anywhere"),
        ] {
            assert!(fits(pattern, address), "{pattern} {address}");
        }
        for (pattern, address) in [
            ("no-reply@*", "my-no-reply@shop.example"),
            ("*@bounces.example", "a@bounces.example.org"),
            ("*@*.internal", "a@internal"),
            ("a@b.example", "aa@b.example"),
            ("ab*ba@x", "aba@x"),
        ] {
            assert!(!fits(pattern, address), "{pattern} {address}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "*", "*@*", "example.com", "a@b@c", "a b@c", "a@b\nc", &format!("{}@x", "a".repeat(300))] {
            assert!(AddressPattern::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_of_machines_are_known_by_their_beginning() {
        for address in [
            "no-reply@shop.example",
            " NOREPLY+7@x",
            "bounces+1@x",
            "Mailer-Daemon@x",
            "postmaster@x",
            "orders-noreply@x",
            "do_not.reply@x",
            "ne-pas-repondre@x",
            "keine-antwort@x",
            "notifications@github.com",
            "eva@noreply.github.com",
        ] {
            assert!(is_machine(address), "{address}");
        }
        for address in ["eva@no-reply.example", "reply@x", "", "bouncer@club.example", "noreplyto@x", "no@x", "@"] {
            assert!(!is_machine(address), "{address}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Held against the plain definition: each star tried with every length.
        #[test]
        fn patterns_fit_what_their_definition_fits(pattern in "[ab*]{0,5}@[ab*]{0,4}", address in "[ab]{0,6}@[ab]{0,4}") {
            fn slow(pattern: &[u8], address: &[u8]) -> bool {
                match (pattern.split_first(), address.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => {
                        (0..=address.len()).any(|taken| slow(rest, &address[taken..]))
                    }
                    (Some((one, rest)), Some((other, left))) => one == other && slow(rest, left),
                    _ => false,
                }
            }
            if let Ok(known) = AddressPattern::read(&pattern) {
                prop_assert_eq!(known.fits(&address), slow(pattern.as_bytes(), address.as_bytes()));
            }
        }
    }
}
