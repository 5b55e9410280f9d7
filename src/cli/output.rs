//! What every command shares: where the configuration is, whether scripts or people read, tables, and confirmations.
//! Data goes to stdout, talk to stderr; colours only where a terminal shows them.
#![expect(clippy::print_stderr, reason = "this is where the command line prints")]

use super::failure::Failure;
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
        let text = serde_json::to_string_pretty(data).map_err(anyhow::Error::from)?;
        put(&text);
        Ok(())
    }

    /// Data for a person.
    pub fn print(&self, text: &str) {
        put(text);
    }

    /// Talk.
    pub fn say(&self, text: &str) {
        eprintln!("{text}");
    }

    /// How far long work is, in one line that the next replaces; only where a person watches. Nothing ends it.
    pub fn progress(&self, text: &str) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\u{1b}[K{text}");
            let _ = std::io::stderr().flush();
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
        eprint!("{question} Type yes to go on: ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
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
    let text = text.unwrap_or_default();
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
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
