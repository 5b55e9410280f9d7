//! An instant as a customer reads it: weekday, day and month in words of their language, hours and minutes, and the zone by
//! name. Words leave no doubt about which number is the month.

use handoffd_kit::language::primary;
use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

/// How one language writes a date.
struct Words {
    /// Two letters.
    language: &'static str,
    /// From Monday on.
    days: [&'static str; 7],
    /// From January on.
    months: [&'static str; 12],
    /// `{day}`: weekday, `{n}`: day of the month, `{month}`, `{year}`.
    date: &'static str,
    /// What stands for the first of a month; empty: the number.
    first: &'static str,
    /// Between date and year, where the year is said.
    year: &'static str,
    /// Between date and time.
    at: &'static str,
    /// `{h}`, `{m}`.
    time: &'static str,
}

const LANGUAGES: [Words; 7] = [
    Words {
        language: "en",
        days: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        months: [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        date: "{day}, {n} {month}",
        first: "",
        year: " ",
        at: ", ",
        time: "{h}:{m}",
    },
    Words {
        language: "de",
        days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        date: "{day}, {n}. {month}",
        first: "",
        year: " ",
        at: ", ",
        time: "{h}:{m} Uhr",
    },
    Words {
        language: "fr",
        days: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        months: [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        date: "{day} {n} {month}",
        first: "1er",
        year: " ",
        at: " à ",
        time: "{h} h {m}",
    },
    Words {
        language: "es",
        days: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        date: "{day} {n} de {month}",
        first: "",
        year: " de ",
        at: ", ",
        time: "{h}:{m} h",
    },
    Words {
        language: "nl",
        days: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
        months: [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
        date: "{day} {n} {month}",
        first: "",
        year: " ",
        at: " om ",
        time: "{h}:{m} uur",
    },
    Words {
        language: "it",
        days: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
        months: [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
        date: "{day} {n} {month}",
        first: "1º",
        year: " ",
        at: ", ore ",
        time: "{h}:{m}",
    },
    Words {
        language: "pt",
        days: ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"],
        months: [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ],
        date: "{day}, {n} de {month}",
        first: "",
        year: " de ",
        at: ", ",
        time: "{h}h{m}",
    },
];

/// Whether a zone of the tz database is called so.
pub fn is_zone(name: &str) -> bool {
    TimeZoneDatabase::bundled().get(name).is_ok()
}

/// An instant in this language and zone, with the zone's name; the year is said where it is not this one's, and
/// the offset where the clock shows the same time twice. In a language without words: `2026-11-02 14:30 (Europe/Berlin)`. In an
/// unknown zone: UTC.
pub fn shown(at: Timestamp, now: Timestamp, language: &str, zone: Option<&str>) -> String {
    let known = zone.and_then(|name| Some((TimeZoneDatabase::bundled().get(name).ok()?, name)));
    let (zone, name) = known.unwrap_or((TimeZone::UTC, "UTC"));
    let this_year = now.to_zoned(zone.clone()).year();
    let twice = handoffd_hours::is_shown_twice(at, &zone);
    let at = at.to_zoned(zone);
    let offset = if twice { at.strftime(", UTC%:z").to_string() } else { String::new() };
    let date = match LANGUAGES.iter().find(|words| words.language == primary(language)) {
        Some(words) => words.date(&at, this_year),
        None => at.strftime("%Y-%m-%d %H:%M").to_string(),
    };
    format!("{date} ({}{offset})", name.replace('_', " "))
}

impl Words {
    fn date(&self, at: &Zoned, this_year: i16) -> String {
        let place = |weekday: Weekday| usize::from(weekday.to_monday_zero_offset().unsigned_abs());
        let day = self.days.get(place(at.weekday())).copied().unwrap_or_default();
        let month = self.months.get(usize::from(at.month().unsigned_abs()) - 1).copied().unwrap_or_default();
        let number = match (at.day(), self.first) {
            (1, first) if !first.is_empty() => first.to_owned(),
            (day, _) => day.to_string(),
        };
        let date = self.date.replace("{day}", day).replace("{n}", &number).replace("{month}", month);
        let year = if at.year() == this_year { String::new() } else { format!("{}{}", self.year, at.year()) };
        let (hour, minute) = (format!("{:02}", at.hour()), format!("{:02}", at.minute()));
        let time = self.time.replace("{h}", &hour).replace("{m}", &minute);
        format!("{date}{year}{}{time}", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn in_language(language: &str, instant: &str, zone: Option<&str>) -> String {
        shown(at(instant), at("2026-11-02T12:00:00Z"), language, zone)
    }

    #[test]
    fn each_language_writes_a_date_its_own_way() {
        let written = |language| in_language(language, "2026-11-02T13:05:00Z", Some("Europe/Berlin"));
        for (language, expected) in [
            ("en", "Monday, 2 November, 14:05 (Europe/Berlin)"),
            ("de", "Montag, 2. November, 14:05 Uhr (Europe/Berlin)"),
            ("fr", "lundi 2 novembre à 14 h 05 (Europe/Berlin)"),
            ("es", "lunes 2 de noviembre, 14:05 h (Europe/Berlin)"),
            ("nl", "maandag 2 november om 14:05 uur (Europe/Berlin)"),
            ("it", "lunedì 2 novembre, ore 14:05 (Europe/Berlin)"),
            ("pt", "segunda-feira, 2 de novembro, 14h05 (Europe/Berlin)"),
            ("ja", "2026-11-02 14:05 (Europe/Berlin)"),
            ("", "2026-11-02 14:05 (Europe/Berlin)"),
        ] {
            assert_eq!(written(language), expected);
        }
    }

    #[test]
    fn the_day_is_the_zones_and_an_unknown_zone_is_utc() {
        assert_eq!(
            in_language("en", "2026-11-03T07:30:00Z", Some("America/Los_Angeles")),
            "Monday, 2 November, 23:30 (America/Los Angeles)"
        );
        assert_eq!(in_language("en", "2026-11-03T00:30:00Z", Some("Mars/Olympus")), "Tuesday, 3 November, 00:30 (UTC)");
        assert_eq!(in_language("en", "2026-11-03T00:30:00Z", None), "Tuesday, 3 November, 00:30 (UTC)");
    }

    #[test]
    fn an_hour_that_the_clock_shows_twice_is_told_with_its_offset() {
        let berlin = |instant| in_language("en", instant, Some("Europe/Berlin"));
        assert_eq!(berlin("2026-10-25T00:30:00Z"), "Sunday, 25 October, 02:30 (Europe/Berlin, UTC+02:00)");
        assert_eq!(berlin("2026-10-25T01:30:00Z"), "Sunday, 25 October, 02:30 (Europe/Berlin, UTC+01:00)");
        assert_eq!(berlin("2026-10-25T02:00:00Z"), "Sunday, 25 October, 03:00 (Europe/Berlin)");
        assert_eq!(berlin("2026-03-29T01:00:00Z"), "Sunday, 29 March, 03:00 (Europe/Berlin)");
        assert!(is_zone("Europe/Berlin") && !is_zone("Mars/Olympus") && !is_zone(""));
    }

    #[test]
    fn another_year_is_said_as_the_zone_counts_it() {
        let berlin = Some("Europe/Berlin");
        assert_eq!(
            in_language("fr", "2027-01-01T09:00:00Z", berlin),
            "vendredi 1er janvier 2027 à 10 h 00 (Europe/Berlin)"
        );
        assert_eq!(
            in_language("es", "2027-01-04T09:00:00Z", berlin),
            "lunes 4 de enero de 2027, 10:00 h (Europe/Berlin)"
        );
        assert_eq!(
            in_language("de", "2026-12-31T23:30:00Z", berlin),
            "Freitag, 1. Januar 2027, 00:30 Uhr (Europe/Berlin)"
        );
        assert_eq!(in_language("de", "2026-12-31T23:30:00Z", None), "Donnerstag, 31. Dezember, 23:30 Uhr (UTC)");
    }

    #[test]
    fn no_instant_and_no_language_fails_to_be_written() {
        let languages = LANGUAGES.iter().map(|words| words.language);
        for language in languages.chain(["xx", "pt-BR", "🦀"]) {
            for instant in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                let text = shown(instant, instant, language, Some("Pacific/Kiritimati"));
                assert!(!text.contains('{') && text.ends_with("(Pacific/Kiritimati)"), "{text}");
            }
        }
    }
}
