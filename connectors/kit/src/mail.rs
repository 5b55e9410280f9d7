//! Whether a machine wrote a mail, by the headers that came with it. Pure, linear in its input, safe on hostile input.
//!
//! Headers are the sender's own words: believing them can keep us quiet and can never make us speak. Signs are those of
//! RFC 3834 (`Auto-Submitted`), RFC 5321 §4.5.5 (notifications come from nobody), RFC 6522 (`multipart/report`), and the
//! older habits that mail servers still have (`Precedence`, `X-Autoreply`, …). A mailing list alone is no sign: many desks
//! get all their mail through one.

/// Headers beyond this are not looked at.
const MOST_BYTES: usize = 256 << 10;

/// Accounts that mail servers write from.
const SERVERS: [&str; 2] = ["mailer-daemon@", "postmaster@"];

/// Each header with its value, folded lines joined.
fn headers(text: &str) -> impl Iterator<Item = (String, String)> {
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MOST_BYTES).last().unwrap_or_default();
    let bounded = if text.len() > MOST_BYTES { &text[..end] } else { text };
    let mut found: Vec<(String, String)> = Vec::new();
    for line in bounded.lines() {
        // An empty line ends the headers; what follows is the message's own words.
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                if !value.is_empty() {
                    value.push(' ');
                }
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found.into_iter()
}

/// The value of a header, in any case of its name; the first where there are several.
pub fn header(text: &str, name: &str) -> Option<String> {
    headers(text).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether these headers show that no person wrote the mail: an automatic answer, a bounce, a bulk mailing.
pub fn is_from_machine(text: &str) -> bool {
    headers(text).any(|(name, value)| is_sign(&name, &value.to_ascii_lowercase()))
}

fn is_sign(name: &str, value: &str) -> bool {
    // What stands before a parameter or a comment.
    let word = value.split([';', '(', ' ', '\t']).next().unwrap_or_default();
    match name {
        "auto-submitted" => !word.is_empty() && word != "no",
        "precedence" => ["bulk", "junk", "auto_reply", "auto-reply"].contains(&word),
        "x-autoreply" | "x-autorespond" => word != "no",
        // Exchange sets it on its automatic answers; others set it to be spared them.
        "x-auto-response-suppress" => !word.is_empty() && word != "none",
        "return-path" => value == "<>",
        "x-failed-recipients" => true,
        "content-type" => word == "multipart/report",
        "from" | "sender" => {
            let address = value.rsplit_once('<').map_or(value, |(_, address)| address);
            SERVERS.iter().any(|server| address.starts_with(server))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERSON: &str = "Return-Path: <pia@studio.example>\nReceived: from mx.example by desk.example\nFrom: Pia <pia@studio.example>\n\
        Subject: Auto-Submitted: auto-replied\nPrecedence: list\nList-Id: <support.desk.example>\nContent-Type: text/plain";

    #[test]
    fn each_sign_of_a_machine_is_seen_and_its_twin_is_a_persons() {
        assert!(!is_from_machine(PERSON));
        for (machine, person) in [
            ("Auto-Submitted: auto-replied; owner-email=\"pia@studio.example\"", "Auto-Submitted: no"),
            ("AUTO-SUBMITTED:auto-generated (rejected)", "X-Auto-Submitted-By: auto-generated"),
            ("Precedence: Bulk", "Precedence: first-class"),
            ("Precedence: auto_reply", "Precedence: list"),
            ("X-Autoreply: yes", "X-Autoreply: no"),
            ("X-Autorespond: Out of office", "X-Autoresponder-Of: none"),
            ("X-Auto-Response-Suppress: DR, OOF, AutoReply", "X-Auto-Response-Suppress: None"),
            ("Return-Path: <>", "Return-Path: <a@b.example>"),
            ("X-Failed-Recipients: a@b.example", "X-Recipients: a@b.example"),
            ("Content-Type: multipart/report;\n report-type=delivery-status", "Content-Type: multipart/mixed"),
            ("From: Mail Delivery System <MAILER-DAEMON@mx.example>", "From: mailer-daemon <pia@studio.example>"),
            ("Sender:\n postmaster@mx.example", "Sender: the-postmaster@mx.example"),
        ] {
            assert!(is_from_machine(&format!("{PERSON}\n{machine}")), "{machine}");
            assert!(!is_from_machine(&format!("{PERSON}\n{person}")), "{person}");
        }
    }

    #[test]
    fn only_headers_count_and_not_what_the_mail_says() {
        assert!(!is_from_machine(&format!("{PERSON}\n\nAuto-Submitted: auto-replied")));
        assert!(!is_from_machine(&format!("{PERSON}\n Auto-Submitted: auto-replied")), "a folded line is no header");
        assert!(!is_from_machine(""));
        assert_eq!(header(PERSON, "received").as_deref(), Some("from mx.example by desk.example"));
        assert_eq!(header(PERSON, "X-RT-Interface"), None);
    }

    #[test]
    fn a_megabyte_of_headers_is_looked_at_in_part() {
        let long = "X-Padding: é\n".repeat(80_000);
        assert!(!is_from_machine(&format!("{long}Precedence: bulk")));
        assert!(is_from_machine(&format!("Precedence: bulk\n{long}")));
    }

    proptest! {
        #[test]
        fn no_text_is_so_strange_that_it_cannot_be_looked_at(text in "\\PC{0,200}|[ -~\\r\\n\\t:]{0,400}") {
            let _ = is_from_machine(&text);
            prop_assert!(header(&text, "subject").is_none_or(|value| value.len() <= text.len() * 2));
        }
    }
}
