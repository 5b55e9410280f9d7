//! Numbers that nobody should copy: those of cards and of accounts. Each is known by its check digits, whatever stands
//! before it and however its groups are parted; every other number stays.

/// What a digit zero looks like: plain, full width, Arabic, Persian, Devanagari.
const ZEROS: [char; 5] = ['0', '０', '٠', '۰', '०'];
/// Digits of the shortest and of the longest card number.
const CARD: (usize, usize) = (13, 19);
/// Signs that may stand between two groups of one number.
const GAP_MAX: usize = 3;

/// The same text, with each such number masked but for its last four.
pub fn mask_numbers(text: &str) -> String {
    cards(&accounts(text))
}

/// One digit and its place in the text.
struct Digit {
    start: usize,
    end: usize,
    value: u32,
}

/// What stands between two digits.
enum Gap {
    /// Nothing: they are of one group.
    None,
    /// One sign that groups of a number are usually parted by.
    Usual,
    /// Signs that part one number from another as well: groups that it joins must be those of a card.
    Unusual,
    /// Something else: they are of two numbers.
    End,
}

fn digit(letter: char) -> Option<u32> {
    let value = |zero: &char| u32::from(letter).checked_sub(u32::from(*zero));
    ZEROS.iter().filter_map(value).find(|value| *value < 10)
}

/// Looks at each group of digits once: a card number begins with a group and ends with one.
fn cards(text: &str) -> String {
    let read = |(start, letter): (usize, char)| {
        digit(letter).map(|value| Digit { start, end: start + letter.len_utf8(), value })
    };
    let digits: Vec<Digit> = text.char_indices().filter_map(read).collect();
    let (mut masked, mut copied, mut at) = (String::new(), 0, 0);
    while at + CARD.0 <= digits.len() {
        let begins_group = at == 0 || digits[at - 1].end < digits[at].start;
        match begins_group.then(|| card_length(text, &digits[at..])).flatten() {
            Some(length) => {
                let card = &digits[at..at + length];
                let last = card[length - 4..].iter().filter_map(|digit| char::from_digit(digit.value, 10));
                masked.push_str(&text[copied..card[0].start]);
                masked.push_str(&format!("[card number …{}]", last.collect::<String>()));
                copied = card[length - 1].end;
                at += length;
            }
            None => at += 1,
        }
    }
    masked.push_str(&text[copied..]);
    masked
}

/// How many of these digits, from the first on, are a card number: the longest that ends with a group.
fn card_length(text: &str, digits: &[Digit]) -> Option<usize> {
    let (mut groups, mut unusual, mut found) = (vec![1], false, None);
    for length in 1..=CARD.1.min(digits.len()) {
        let end = digits[length - 1].end;
        let gap = digits.get(length).map_or(Gap::End, |next| gap(&text[end..next.start]));
        let whole = !matches!(gap, Gap::None) && (!unusual || are_of_a_card(&groups));
        if length >= CARD.0 && whole {
            let values: Vec<u32> = digits[..length].iter().map(|digit| digit.value).collect();
            found = is_card(&values).then_some(length).or(found);
        }
        match gap {
            Gap::None => groups.last_mut().into_iter().for_each(|digits| *digits += 1),
            Gap::Usual => groups.push(1),
            Gap::Unusual => {
                unusual = true;
                groups.push(1);
            }
            Gap::End => break,
        }
    }
    found
}

fn gap(between: &str) -> Gap {
    let usual = |letter: char| {
        (letter.is_whitespace() && letter != '\n') || matches!(letter, '.' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
    };
    let unusual = |letter: char| usual(letter) || matches!(letter, '\n' | '_' | '/' | ',' | ';' | '|' | '·' | '*');
    match between.chars().count() {
        0 => Gap::None,
        1 if between.chars().all(usual) => Gap::Usual,
        1..=GAP_MAX if between.chars().all(unusual) => Gap::Unusual,
        _ => Gap::End,
    }
}

/// Four and four, or four, six and the rest: as they are printed, or as a line was broken between them.
fn are_of_a_card(groups: &[usize]) -> bool {
    let all_but_last = &groups[..groups.len() - 1];
    all_but_last.iter().enumerate().all(|(at, digits)| digits % 4 == 0 || (at == 1 && *digits == 6))
}

/// By what the schemes begin with, their lengths and the check digit: an order number is none by its luck alone.
fn is_card(digits: &[u32]) -> bool {
    let begins = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    let of_a_scheme = matches!(
        (begins(1), begins(2), begins(4), digits.len()),
        (4, _, _, 13 | 16 | 19)
            | (_, 51..=55, _, 16)
            | (_, _, 2221..=2720, 16)
            | (_, 34 | 37, _, 15)
            | (_, 36 | 38 | 39, _, 14..=19)
            | (_, _, 3000..=3059, 14..=19)
            | (_, _, 3528..=3589, 16..=19)
            | (_, 50 | 56..=65 | 67, _, 13..=19)
            | (_, 81, _, 16..=19)
    );
    of_a_scheme && luhn(digits)
}

/// The check digit that all card numbers carry.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// How long an account number of each country is (ISO 13616, the registry's release of 2024).
const COUNTRIES: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 \
    EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 \
    LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 \
    RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

fn accounts(text: &str) -> String {
    let (mut masked, mut copied) = (String::new(), 0);
    for (at, head) in text.as_bytes().windows(4).enumerate() {
        let begins = head[..2].iter().all(u8::is_ascii_alphabetic) && head[2..].iter().all(u8::is_ascii_digit);
        if at < copied || !begins {
            continue;
        }
        if let Some((length, last)) = account(&text[at..]) {
            masked.push_str(&text[copied..at]);
            masked.push_str(&format!("[account number …{last}]"));
            copied = at + length;
        }
    }
    masked.push_str(&text[copied..]);
    masked
}

/// The account number that a text begins with: its bytes there, and its last four signs.
fn account(text: &str) -> Option<(usize, String)> {
    let country = text.get(..2)?.to_ascii_uppercase();
    let row = COUNTRIES.split_ascii_whitespace().find(|row| row.starts_with(&country))?;
    let length: usize = row[2..].parse().ok()?;
    let (mut signs, mut gap) = (String::new(), 0);
    for (at, letter) in text.char_indices() {
        let parts = letter.is_whitespace() || matches!(letter, '.' | '-' | '_' | '\u{2010}'..='\u{2015}');
        match letter {
            letter if letter.is_ascii_alphanumeric() => {
                signs.push(letter.to_ascii_uppercase());
                gap = 0;
            }
            _ if parts && gap < GAP_MAX => gap += 1,
            _ => return None,
        }
        if signs.len() == length {
            let goes_on = text[at + 1..].starts_with(|next: char| next.is_ascii_alphanumeric());
            return (!goes_on && checks(&signs)).then(|| (at + 1, signs[length - 4..].to_owned()));
        }
    }
    None
}

/// The check digits of an account number (ISO 7064, mod 97-10).
fn checks(signs: &str) -> bool {
    let (head, rest) = signs.split_at(4);
    let values = rest.chars().chain(head.chars()).filter_map(|letter| letter.to_digit(36));
    values.fold(0, |sum: u32, value| (sum * if value > 9 { 100 } else { 10 } + value) % 97) == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn card_numbers_keep_their_last_four_digits() {
        for (text, masked) in [
            ("Card 4111 1111 1111 1111 was charged", "Card [card number …1111] was charged"),
            ("5500-0000-0000-0004", "[card number …0004]"),
            ("4111.1111.1111.1111 12/27, 378282246310005", "[card number …1111] 12/27, [card number …0005]"),
            ("4111 1111 1111 1111 12/27 123", "[card number …1111] 12/27 123"),
            ("99 4111 1111 1111 1111", "99 [card number …1111]"),
            ("4111111111111111 5500000000000004", "[card number …1111] [card number …0004]"),
            ("卡号4111111111111111请退款", "卡号[card number …1111]请退款"),
            ("карта4111111111111111", "карта[card number …1111]"),
            ("Visa4111111111111111x", "Visa[card number …1111]x"),
            ("card_4111111111111111", "card_[card number …1111]"),
            ("4111_1111_1111_1111", "[card number …1111]"),
            ("4111/1111/1111/1111", "[card number …1111]"),
            ("4111,1111, 1111,1111", "[card number …1111]"),
            ("4111  1111  1111  1111", "[card number …1111]"),
            ("4111\u{2011}1111\u{2011}1111\u{2011}1111", "[card number …1111]"),
            ("４１１１１１１１ １１１１１１１１", "[card number …1111]"),
            ("4111\n1111\n1111\n1111 lines", "[card number …1111] lines"),
            ("3782\n822463\n10005", "[card number …0005]"),
            ("41111111\n11111111", "[card number …1111]"),
        ] {
            assert_eq!(mask_numbers(text), masked);
            assert_eq!(mask_numbers(masked), masked, "what is masked stays");
        }
    }

    #[test]
    fn other_numbers_stay() {
        for other in [
            "Order 4111111111111112",
            "Order_4111111111111112",
            "Order 1234567812345670 is none of a scheme",
            "Parcel 00340434161094022115",
            "call 0049 30 1234567",
            "0000000000000000",
            "INV-2026-000123",
            "2026-11-02 12:00:00.000000",
            "10.0.0.1 192.168.100.200",
            "Orders 41111, 11111, 111111",
            "4111 1111 and 1111 1111",
        ] {
            assert_eq!(mask_numbers(other), other);
        }
    }

    #[test]
    fn account_numbers_keep_their_last_four_and_codes_that_only_look_like_them_stay() {
        for (text, masked) in [
            ("to DE89 3704 0044 0532 0130 00 please", "to [account number …3000] please"),
            ("to de89 3704 0044 0532 0130 00 please", "to [account number …3000] please"),
            ("GB82WEST12345698765432.", "[account number …5432]."),
            ("gb82west12345698765432", "[account number …5432]"),
            ("NO9386011117947", "[account number …7947]"),
            ("BE68 5390 0754 7034 from 2026", "[account number …7034] from 2026"),
            ("IBANDE89-3704-0044-0532-0130-00", "IBAN[account number …3000]"),
            ("ab12 to DE89370400440532013000", "ab12 to [account number …3000]"),
        ] {
            assert_eq!(mask_numbers(text), masked);
        }
        for other in
            ["DE89 3704 0044 0532 0130 01", "AB12 CDEF 3456", "RMA DE12ABCD3456EFGH", "de12 and so on, at last"]
        {
            assert_eq!(mask_numbers(other), other);
        }
    }

    #[test]
    fn a_megabyte_of_digits_is_looked_at_in_time() {
        let long = "4111 ".repeat(200_000);
        assert!(mask_numbers(&long).len() <= long.len() * 2);
        assert_eq!(mask_numbers(&"1".repeat(1 << 20)).len(), 1 << 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_so_strange_that_it_cannot_be_looked_at(text in r"([0-9０-９ ._/,-]|DE89|\PC){0,60}") {
            let once = mask_numbers(&text);
            prop_assert_eq!(mask_numbers(&once), once);
        }
    }
}
