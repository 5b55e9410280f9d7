//! Greetings and closings: lines that are about nothing. A line is one only if nothing else is left of it, but perhaps a
//! name: "Hi, cancel my order" is an order.

/// Begin a greeting; a name may follow at once.
const GREETINGS: &str = "hi hello hey dear hallo guten moin servus good bonjour bonsoir salut hola buenos buenas ciao olá liebe lieber \
    liebes sehr";
/// Begin a closing that is plainly one; a name may follow.
const CLOSINGS: &str = "thanks thank thx regards cheers sincerely danke dank gruß gruss grüße gruesse lg vg mfg merci cordialement \
    gracias saludos atentamente obrigado obrigada grazie";
/// Begin a closing only together with words of one.
const OPENERS: &str = "best kind many warm warmest with yours viele vielen beste besten liebe mit schöne freundliche herzliche bien un muchas";
/// Say nothing behind one of those.
const FILLERS: &str = "there all everyone everybody team support folks sir madam mr mrs ms or and to you very much so a lot again in \
    advance for your the help reply response answer time patience quick fast morning afternoon evening day tag morgen abend regards \
    wishes kind best truly faithfully sincerely zusammen miteinander und damen herren herr frau geehrte geehrter team \
    grüße grüßen gruß gruss gruesse gruessen freundlichen freundliche besten beste liebe lieben viele vielen herzlichen dank danke \
    schön sehr im voraus für ihre hilfe cordialement beaucoup à vous tous salutations merci saludo saludos cordial cordiales un \
    gracias muchas días tardes noches thanks thank cheers";
/// Words of a name after a greeting or a closing.
const NAME_WORDS: usize = 3;

/// Whether a line or sentence is only a greeting or a closing.
pub fn is_courtesy(line: &str) -> bool {
    let words: Vec<&str> =
        line.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let Some(first) = words.first() else { return false };
    let greets = is_among(first, GREETINGS);
    if line.contains('?') || !(greets || is_among(first, CLOSINGS) || is_among(first, OPENERS)) {
        return false;
    }
    let empty = words.iter().skip(1).take_while(|word| is_among(word, FILLERS)).count() + 1;
    let rest = &words[empty..];
    if rest.is_empty() {
        return true;
    }
    let name = rest.len() <= NAME_WORDS && rest.iter().all(|word| is_of_a_name(word));
    let closes =
        words[..empty].iter().any(|word| is_among(word, CLOSINGS) || is_among(word, "wishes salutations saludo"));
    let line = line.trim();
    // "Hi Anna", "Dear Anna Smith,": the comma behind the name, not before it; "Best regards, Tom"; "Best, Tom".
    let parted = line.split_once(',').map(|(before, behind)| (before.trim(), behind.trim()));
    let addressed = match parted {
        None => rest.len() == 1 || line.ends_with('!'),
        Some((_, behind)) => behind.is_empty(),
    };
    let signed = parted.is_some_and(|(before, _)| before.split_whitespace().count() == empty);
    name && ((greets && addressed) || closes || (!greets && signed))
}

fn is_among(word: &str, words: &str) -> bool {
    let small = word.to_lowercase();
    words.split_ascii_whitespace().any(|known| known == small)
}

/// A capital and small letters behind it.
fn is_of_a_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_or_a_closing_with_a_name_is_one() {
        for line in [
            "Hi",
            "Hi Anna,",
            "Hi there!",
            "Hello team,",
            "Hello support team",
            "Dear Mr Smith,",
            "Dear Sir or Madam,",
            "Dear Anna Maria Smith,",
            "Sehr geehrte Damen und Herren,",
            "Guten Tag Frau Müller,",
            "Hallo zusammen",
            "Good morning",
            "Thanks",
            "Thank you very much!",
            "Many thanks in advance.",
            "Thanks, Tom",
            "Best, Tom",
            "Best regards",
            "Best regards, Tom",
            "Kind regards Tom Miller",
            "Mit freundlichen Grüßen",
            "Viele Grüße, Eva",
            "Vielen Dank",
            "Merci beaucoup",
            "Un saludo",
        ] {
            assert!(is_courtesy(line), "{line}");
        }
    }

    #[test]
    fn a_line_that_says_something_is_none_however_it_begins() {
        for line in [
            "Hi, cancel my order",
            "Hi, Cancel",
            "Hello, double charge 499",
            "Hello, refund!",
            "Mit Karte doppelt bezahlt",
            "Thanks, still broken today",
            "Thanks but no",
            "Best price not applied",
            "Best Price",
            "Hey server is down",
            "Kind of urgent outage",
            "Dear team, is anybody there?",
            "Good reception nowhere",
            "Viele Fehler heute",
            "Vielen Kunden fehlt Geld",
            "Order 17",
            "",
            "!",
        ] {
            assert!(!is_courtesy(line), "{line}");
        }
    }
}
