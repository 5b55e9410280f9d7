//! What of a message its author wrote for this occasion, and what was quoted, forwarded or is only a signature.
//!
//! In doubt it is the author's: words that stand on the ticket twice are noise, words that are lost are asked for again.

use regex::Regex;
use std::sync::LazyLock;

/// A message, line by line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parted<'t> {
    /// What its author wrote, trimmed, with the empty lines between.
    pub own: Vec<&'t str>,
    /// What it quotes or forwards, without the signs and heads of that.
    pub quoted: Vec<&'t str>,
    /// Its signature.
    pub signed: Vec<&'t str>,
}

/// A signature has at most so many lines and characters; what is longer says something.
const SIGNATURE: (usize, usize) = (10, 600);
/// The same behind a bare `--`, which also parts one thing from another.
const LOOSE_SIGNATURE: (usize, usize) = (6, 300);
/// So far below `--` a signature ends; empty lines count.
const SIGNATURE_LINES_READ: usize = 30;
/// Words of a line that is a sentence rather than a name, a title or an address.
const PROSE_WORDS: usize = 5;
/// A longer line attributes nothing.
const ATTRIBUTION_MAX: usize = 200;
/// The heads of a mail that are looked at.
const HEADS_MAX: usize = 8;

/// Parts a message. Its text is cleaned already.
pub fn parted(text: &str) -> Parted<'_> {
    let raw: Vec<&str> = text.lines().collect();
    let lines: Vec<&str> = raw.iter().map(|line| line.trim()).collect();
    let mut found = Parted::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if begins_quote(&lines[at..]) {
            found.quoted.extend(body(&lines[at..]));
            break;
        }
        if line.starts_with('>') {
            found.quoted.push(unquoted(line));
        } else if line == "--" {
            let length = signature(&lines[at + 1..], raw[at].ends_with("-- ")).unwrap_or(0);
            found.signed.extend(&lines[at + 1..=at + length]);
            at += length;
        } else {
            found.own.push(line);
        }
        at += 1;
    }
    found
}

/// How many of these lines, which stand behind `--`, are a signature: all up to what is quoted, if they are few. `standard`:
/// the line is that of mail programs, with its space.
fn signature(lines: &[&str], standard: bool) -> Option<usize> {
    let ends = |at: &usize| lines[*at].starts_with('>') || begins_quote(&lines[*at..]);
    let near = lines.len().min(SIGNATURE_LINES_READ);
    let length = (0..near).find(ends).or_else(|| (near == lines.len()).then_some(near))?;
    let signed: Vec<&str> = lines[..length].iter().copied().filter(|line| !line.is_empty()).collect();
    let (most_lines, most_letters) = if standard { SIGNATURE } else { LOOSE_SIGNATURE };
    let few =
        signed.len() <= most_lines && signed.iter().map(|line| line.chars().count()).sum::<usize>() <= most_letters;
    (few && (standard || !signed.iter().any(|line| is_prose(line)))).then_some(length)
}

/// Mostly words that begin small, and some of them, or a question.
fn is_prose(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let small = words.iter().filter(|word| word.starts_with(char::is_lowercase)).count();
    line.contains('?') || (words.len() >= PROSE_WORDS && small * 2 > words.len())
}

fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' '])
}

/// Whether the rest is quoted: it begins with "On 3 March somebody wrote:" and its like, or with the head of a mail.
fn begins_quote(lines: &[&str]) -> bool {
    let Some((line, below)) = lines.split_first() else { return false };
    is_divider(line) || is_head_of_mail(lines) || attributes(line, below)
}

/// "-----Original Message-----", "Begin forwarded message:".
fn is_divider(line: &str) -> bool {
    const WORDS: [&str; 9] = [
        "original message",
        "forwarded message",
        "ursprüngliche nachricht",
        "originalnachricht",
        "weitergeleitete nachricht",
        "message d'origine",
        "message transféré",
        "mensaje original",
        "mensaje reenviado",
    ];
    let small = line.to_lowercase();
    let dashed = small.starts_with("---") && small.ends_with("---");
    let said = ["begin forwarded message:", "anfang der weitergeleiteten nachricht:"].contains(&small.as_str());
    said || (dashed && WORDS.iter().any(|word| small.contains(word)))
}

/// What a line of a mail's head names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Sender,
    Receiver,
    /// A word that things other than mails have too.
    Date,
    /// Only a mail has it.
    OfMail,
}

fn head(line: &str) -> Option<Head> {
    let (key, _) = unquoted(line).split_once([':', '：'])?;
    match key.trim_matches(|letter: char| letter == '*' || letter.is_whitespace()).to_lowercase().as_str() {
        "from" | "von" | "de" => Some(Head::Sender),
        "to" | "an" | "à" | "para" | "cc" | "kopie" => Some(Head::Receiver),
        "date" | "datum" | "fecha" => Some(Head::Date),
        "sent" | "gesendet" | "envoyé" | "enviado" | "subject" | "betreff" | "objet" | "asunto" | "reply-to" => {
            Some(Head::OfMail)
        }
        _ => None,
    }
}

/// A sender, and either an address among the heads or as many heads as only a mail has. Somebody who travels from one place
/// to another on a day writes none.
fn is_head_of_mail(lines: &[&str]) -> bool {
    if lines.first().and_then(|line| head(line)) != Some(Head::Sender) {
        return false;
    }
    let heads: Vec<(Head, &str)> = lines.iter().take(HEADS_MAX).map_while(|line| Some((head(line)?, *line))).collect();
    let addressed = heads.iter().any(|(_, line)| SHAPES.address.is_match(line));
    let of_mail = heads.iter().any(|(head, _)| *head == Head::OfMail);
    (heads.len() >= 2 && addressed) || (heads.len() >= 3 && of_mail)
}

/// "On 3 March somebody wrote:", on one line or two; with an address or a day, or with quoted lines below.
fn attributes(line: &str, below: &[&str]) -> bool {
    let two = below.first().map(|next| format!("{line} {next}"));
    let line = unquoted(line);
    let quoted_below = || below.iter().find(|line| !line.is_empty()).is_some_and(|line| line.starts_with('>'));
    let told = |line: &str| SHAPES.address.is_match(line) || SHAPES.day.is_match(line);
    let whole = wrote(line) && (told(line) || quoted_below());
    whole || two.is_some_and(|two| SHAPES.begins.is_match(&two) && told(line) && wrote(&two))
}

fn wrote(line: &str) -> bool {
    line.chars().count() < ATTRIBUTION_MAX && SHAPES.wrote.is_match(line)
}

/// What is quoted here, without the heads, dividers and attributions around it.
fn body<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let lines: Vec<&str> = lines.iter().map(|line| unquoted(line)).collect();
    let mut found = Vec::new();
    let mut heads = false;
    for (at, line) in lines.iter().enumerate() {
        if is_divider(line) || is_head_of_mail(&lines[at..]) {
            heads = true;
        } else if attributes(line, &lines[at + 1..])
            || (heads && head(line).is_some())
            || wrote(line) && line.len() < 10
        {
            // Nothing that anybody said.
        } else {
            heads = false;
            found.push(*line);
        }
    }
    found
}

struct Shapes {
    address: Regex,
    day: Regex,
    begins: Regex,
    wrote: Regex,
}

#[expect(clippy::expect_used, reason = "fixed expressions; a test reads with each of them")]
static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let read = |pattern: &str| Regex::new(pattern).expect("a fixed regular expression");
    Shapes {
        address: read(r"[^\s<>@:]+@[^\s<>@]+\.[A-Za-z]{2,}"),
        day: read(
            r"(?i)\d{4}-\d{2}-\d{2}|\b\d{1,2}[./]\s?\d{1,2}[./]\s?\d{2,4}|\b\d{1,2}(?:st|nd|rd|th|\.)?\s(?:de\s)?(?:jan|feb|fév|mar|mär|apr|avr|abr|may|mai|jun|juin|jul|juil|aug|août|ago|sep|oct|okt|nov|dec|dez|déc|dic)|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s\d{1,2}\b|^(?:on|am|le|el)\s+(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom)[a-zéäö]*\b",
        ),
        begins: read(r"(?i)^(?:on|am|le|el|op|il)\s"),
        wrote: read(
            r"(?i)(?:\bwrote|\bschrieb|\bschreef|a écrit|\bescribió|ha scritto)\s?:$|^(?:am|op)\s.*\b(?:schrieb|schreef)\b.*:$",
        ),
    }
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(text: &str) -> String {
        parted(text).own.join("\n")
    }

    #[test]
    fn what_mail_programs_quote_is_quoted() {
        let address = "eva@customer.example";
        for quote in [
            "> did you restart?\n> really?",
            "On Monday support wrote:\nTry again.",
            "On Mon, 2 Nov 2026 at 10:00, Eva Example <eva@customer.example> wrote:\nTry again.",
            "On Mon, 2 Nov 2026 at 10:00, Eva Example <eva@customer.example>\nwrote:\nTry again.",
            "Am 02.11.2026 um 10:00 schrieb Eva Example:\nNoch einmal.",
            "Le lun. 2 nov. 2026 à 10:00, Eva <eva@customer.example> a écrit :\nEncore.",
            "The support wrote:\n\n> Try again.",
            "-----Original Message-----\nFrom: us\nTry again.",
            "---------- Forwarded message ---------\nFrom: us\nTry again.",
            "From: Eva Example\nTo: us\nSent: Monday\nI pay.",
            "Von: Eva Example\nGesendet: Montag\nAn: uns\nBetreff: Re: x\n\nIch zahle.",
            &format!("*From:* {address}\n*Date:* 12 May\n\nI pay."),
        ] {
            let read = format!("It still fails.\n{quote}");
            assert_eq!(own(&read), "It still fails.", "{quote}");
            assert!(!parted(&read).quoted.join("").is_empty(), "{quote}");
        }
    }

    #[test]
    fn what_only_looks_quoted_is_the_authors() {
        for text in [
            "I booked a train.\nFrom: Berlin\nTo: Bonn\nDate: 12 May\nIt was charged twice.",
            "This is what the printer wrote:\nPAPER JAM E-77",
            "From: eva@customer.example comes nothing\nIt is late.",
            "What she wrote: nothing",
            "--- original part ---\nis broken",
        ] {
            assert_eq!(own(text), text);
        }
    }

    #[test]
    fn a_signature_is_short_and_at_the_end() {
        for (text, expected) in [
            ("It fails.\n-- \nEva Example\nSales, Acme\n+49 30 1234567", "It fails."),
            ("It fails.\n--\nEva", "It fails."),
            ("It fails.\n-- \nThis mail is only for the person whose name stands above.", "It fails."),
            ("It fails.\n-- \nEva\n> why?", "It fails."),
            ("Two lines.\n--\nThe rest after the rule matters", "Two lines.\nThe rest after the rule matters"),
            ("One.\n--\nAny news?", "One.\nAny news?"),
            ("--\nEva", ""),
        ] {
            assert_eq!(own(text), expected, "{text}");
        }
        assert_eq!(parted("--\nEva").signed, ["Eva"]);
        let long = "line of a log\n".repeat(40);
        assert_eq!(parted(&format!("See:\n-- \n{long}")).own.len(), 41);
    }

    #[test]
    fn the_words_of_a_forward_come_without_its_heads() {
        let forward = "FYI\n---------- Forwarded message ---------\nFrom: Eva <eva@customer.example>\nDate: Mon, 2 Nov 2026\n\
                       Subject: Fwd: bill\n\nI was charged twice.\n> On 1 Nov 2026 Bob wrote:\n> Sorry.";
        let read = parted(forward);
        assert_eq!(read.own, ["FYI"]);
        assert_eq!(read.quoted, ["", "I was charged twice.", "Sorry."]);
        let travels = parted("> From: Berlin\n> To: Bonn");
        assert_eq!(travels.quoted, ["From: Berlin", "To: Bonn"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_so_strange_that_it_cannot_be_parted(text in r"(\n|> |-- |From: a@b\.example|Sent: x|On 1 May b wrote:|\PC){0,30}") {
            let read = parted(&text);
            prop_assert!(read.own.len() + read.quoted.len() + read.signed.len() <= text.lines().count());
        }
    }
}
