//! What every command shares: where the configuration is, whether scripts or people read, tables, and confirmations.
//! Data goes to stdout, talk to stderr; colours only where a terminal shows them.

use super::failure::Failure;
use crate::insight::words::number;
use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// What a command knows about where it runs.
#[derive(Clone, Debug)]
pub struct Context {
    /// The configuration file.
    pub config_path: PathBuf,
    /// Print data as JSON.
    pub json: bool,
    /// Colours on stdout.
    pub color: bool,
    /// A person types: questions may be asked.
    pub asks: bool,
}

impl Context {
    /// The context of this process: colours only on a terminal, and not where `NO_COLOR` is set.
    pub fn new(config_path: PathBuf, json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = !json && !plain && std::io::stdout().is_terminal();
        let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self { config_path, json, color, asks }
    }

    /// Data for a script, one JSON value.
    ///
    /// # Errors
    /// What cannot be written as JSON: a bug.
    pub fn print_json(&self, data: &impl Serialize) -> Result<(), Failure> {
        // As it goes: data may be larger than memory has room for as text.
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        match serde_json::to_writer_pretty(&mut out, data) {
            // A reader that has gone away (`| head`) ends the output.
            Err(error) if error.is_io() => Ok(()),
            Err(error) => Err(anyhow::Error::from(error).into()),
            Ok(()) => {
                let _ = writeln!(out).and_then(|()| out.flush());
                Ok(())
            }
        }
    }

    /// Data for a person.
    pub fn print(&self, text: &str) {
        put(text);
    }

    /// Talk.
    pub fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// How far long work is, in one line that the next replaces; only where a person watches. Nothing ends it.
    pub fn progress(&self, text: &str) {
        if std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K{text}");
        }
    }

    /// Words that stand out, where colours are shown.
    pub fn strong(&self, text: &str) -> String {
        self.styled(text, Style::new().bold())
    }

    /// Words of a state in its colour: green is done, yellow waits, red needs a person.
    pub fn tinted(&self, text: &str, tint: Tint) -> String {
        let color = match tint {
            Tint::Good => AnsiColor::Green,
            Tint::Waits => AnsiColor::Yellow,
            Tint::Bad => AnsiColor::Red,
        };
        self.styled(text, Style::new().fg_color(Some(color.into())))
    }

    fn styled(&self, text: &str, style: Style) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Asks a person, who must type `yes`; without a terminal the answer is no.
    pub fn confirmed(&self, question: &str) -> bool {
        if !self.asks {
            return false;
        }
        let _ = write!(std::io::stderr().lock(), "{question} Type yes to go on: ");
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }
}

/// Long work as a bar: how much of it is done, how fast, and how long the rest takes.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'w> {
    what: &'w str,
    began: Timestamp,
}

impl<'w> Bar<'w> {
    const WIDTH: u64 = 30;

    /// `what` is done, in words: "cases decided".
    pub fn new(what: &'w str, began: Timestamp) -> Self {
        Self { what, began }
    }

    /// One line.
    pub fn shown(&self, done: u64, all: u64, now: Timestamp) -> String {
        let all = all.max(1);
        let full = (done.min(all) * Self::WIDTH / all) as usize;
        let bar: String = (0..Self::WIDTH as usize).map(|at| if at < full { '█' } else { '░' }).collect();
        let took = now.duration_since(self.began).as_secs_f64();
        let percent = done.min(all) * 100 / all;
        let mut text = format!("{bar} {percent:>3} %  {} of {} {}", number(done), number(all), self.what);
        if done > 0 && took >= 1.0 {
            let rate = done as f64 / took;
            let left = SignedDuration::from_secs_f64((all.saturating_sub(done)) as f64 / rate);
            text += &format!(", {} a second, {} left", number(rate as u64), span(left));
        }
        text
    }
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// As it should be.
    Good,
    /// Waits.
    Waits,
    /// Needs a person, or went wrong.
    Bad,
}

/// Prints a line; a reader that has gone away (`| head`) ends the output, not the program's good manners.
fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// A plain table with a head.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(head.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// An instant for people: a table needs no more than its second.
pub fn whole_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long ago, for people: `45s`, `12m`, `3h`, `5d`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    span(now.duration_since(at))
}

fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Text from outside made fit for a terminal: control characters, which could move the cursor or hide a line, are shown.
pub fn tame(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// One cell of CSV. What a spreadsheet would take for a formula is quoted as text: names come from outside.
pub fn cell(text: Option<&str>) -> String {
    crate::insight::export::cell(text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_aligned_columns_and_no_frame() {
        let text = table(["id", "state"], [["h1".into(), "sending".into()], ["h22222".into(), "settled".into()]]);
        assert_eq!(text, "ID      STATE\nh1      sending\nh22222  settled");
    }

    #[test]
    fn an_instant_in_a_table_ends_with_its_second() {
        let at = Timestamp::new(1_780_000_000, 123_456_789).expect("instant");
        assert_eq!(whole_second(at), "2026-05-28T20:26:40Z");
    }

    #[test]
    fn a_bar_says_how_fast_it_goes_and_how_long_the_rest_takes() {
        let at = |seconds| Timestamp::from_second(seconds).expect("instant");
        let bar = Bar::new("cases decided", at(0));
        let line = bar.shown(2_500, 10_000, at(10));
        assert!(line.starts_with("███████░"), "{line}");
        assert!(line.ends_with(" 25 %  2,500 of 10,000 cases decided, 250 a second, 30s left"), "{line}");
        assert!(bar.shown(0, 0, at(0)).ends_with("0 %  0 of 1 cases decided"), "nothing to do is no crash");
    }

    #[test]
    fn ages_are_short_and_never_negative() {
        let at = |seconds| Timestamp::from_second(seconds).expect("instant");
        let ages: Vec<String> = [0, 59, 60, 3_599, 7_200, 172_800].map(|s| ago(at(0), at(s))).into();
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "2h", "2d"]);
        assert_eq!(ago(at(10), at(0)), "0s");
    }

    #[test]
    fn a_hostile_subject_cannot_move_the_cursor() {
        assert_eq!(tame("a\u{1b}[2Kb\rc\u{9b}d"), "a\\u{1b}[2Kb\\rc\\u{9b}d");
    }
}
