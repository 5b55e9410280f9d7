//! Charts as SVG text. Labels come from logs and tickets: everything is escaped here, and nothing else may be put in.
//! Colours are CSS variables of the page, so that dark and light both work. Each mark has a title that a pointer or a screen
//! reader finds; the tables under the charts have the numbers.

use std::fmt::Write;

/// The width that every chart is drawn in; the page scales it.
const WIDTH: f64 = 720.0;
/// Room for labels on the left.
const LABELS: f64 = 190.0;
const ROW: f64 = 22.0;

/// A bar with a part that stands out.
#[derive(Debug)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length.
    pub value: u64,
    /// The part.
    pub part: u64,
    /// In words.
    pub note: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// A point between 0 and 1 with its interval.
#[derive(Debug)]
pub struct Whisker {
    /// Its name.
    pub label: String,
    /// The point.
    pub at: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// In words.
    pub note: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// An upright bar.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub label: String,
    /// Its height.
    pub value: u64,
    /// Where it leads.
    pub href: Option<String>,
}

/// Points on a line of time, ascending, in seconds.
#[derive(Debug)]
pub struct Span {
    /// Its name.
    pub label: String,
    /// The points.
    pub points: Vec<f64>,
    /// In words.
    pub note: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// One cell of a matrix.
#[derive(Debug)]
pub struct Cell<'c> {
    /// Its row.
    pub row: &'c str,
    /// Its column.
    pub column: &'c str,
    /// How dark it is.
    pub value: u64,
    /// In words.
    pub note: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// Text that can be nothing but text.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no other control characters, and bidirectional ones could make a label read as another.
            letter if letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                safe.push('\u{fffd}');
            }
            letter => safe.push(letter),
        }
    }
    safe
}

/// What goes around a mark that leads somewhere: its beginning and its end.
fn around(href: Option<&String>) -> (String, &'static str) {
    match href {
        Some(href) => (format!("<a href=\"{}\">", escaped(href)), "</a>"),
        None => (String::new(), ""),
    }
}

/// A label that fits the room on the left.
fn short(text: &str) -> String {
    const ROOM: usize = 28;
    if text.chars().count() <= ROOM {
        return escaped(text);
    }
    escaped(&format!("{}…", text.chars().take(ROOM - 1).collect::<String>()))
}

/// An SVG of this height; empty where there is nothing to draw.
fn framed(name: &str, height: f64, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let name = escaped(name);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{name}\" xmlns=\"http://www.w3.org/2000/svg\">{body}</svg>"
    )
}

fn label(body: &mut String, y: f64, text: &str) {
    let _ =
        write!(body, "<text class=\"l\" x=\"{:.0}\" y=\"{:.1}\">{}</text>", LABELS - 8.0, y + ROW * 0.68, short(text));
}

fn top(index: usize) -> f64 {
    index as f64 * ROW
}

/// Bars lying one under the other.
pub fn bars(name: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1) as f64;
    let scale = (WIDTH - LABELS - 60.0) / most;
    let mut body = String::new();
    for (index, bar) in bars.iter().enumerate() {
        let y = top(index);
        label(&mut body, y, &bar.label);
        let (whole, part) = (bar.value as f64 * scale, bar.part.min(bar.value) as f64 * scale);
        let note = escaped(&format!("{}: {}", bar.label, bar.note));
        let (begin, end) = around(bar.href.as_ref());
        let _ = write!(
            body,
            "{begin}<g><title>{note}</title><rect class=\"a\" x=\"{LABELS}\" y=\"{:.1}\" width=\"{whole:.1}\" height=\"{:.1}\"/>\
<rect class=\"b\" x=\"{LABELS}\" y=\"{:.1}\" width=\"{part:.1}\" height=\"{:.1}\"/></g>\
<text x=\"{:.1}\" y=\"{:.1}\">{}</text>{end}",
            y + 3.0,
            ROW - 6.0,
            y + 3.0,
            ROW - 6.0,
            LABELS + whole + 6.0,
            y + ROW * 0.68,
            bar.value
        );
    }
    framed(name, top(bars.len()), &body)
}

/// Points between 0 and 100 % with their intervals.
pub fn whiskers(name: &str, rows: &[Whisker]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let x = |share: f64| LABELS + share.clamp(0.0, 1.0) * (WIDTH - LABELS - 24.0);
    let bottom = top(rows.len());
    let mut body = String::new();
    for percent in [0, 25, 50, 75, 100] {
        let at = x(f64::from(percent) / 100.0);
        let _ = write!(
            body,
            "<line class=\"g\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{bottom:.1}\"/>\
<text class=\"m\" x=\"{at:.1}\" y=\"{:.1}\">{percent} %</text>",
            bottom + 14.0
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = top(index);
        label(&mut body, y, &row.label);
        let note = escaped(&format!("{}: {}", row.label, row.note));
        let middle = y + ROW / 2.0;
        let (begin, end) = around(row.href.as_ref());
        let _ = write!(
            body,
            "{begin}<g><title>{note}</title><line class=\"w\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\
<circle class=\"p\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4.5\"/></g>{end}",
            x(row.low),
            x(row.high),
            x(row.at)
        );
    }
    framed(name, bottom + 20.0, &body)
}

/// Upright bars.
pub fn columns(name: &str, columns: &[Column]) -> String {
    const HEIGHT: f64 = 170.0;
    let most = columns.iter().map(|column| column.value).max().unwrap_or(0).max(1) as f64;
    let wide = WIDTH / columns.len().max(1) as f64;
    let mut body = String::new();
    for (index, column) in columns.iter().enumerate() {
        let (x, height) = (index as f64 * wide, column.value as f64 / most * HEIGHT);
        let middle = x + wide / 2.0;
        let y = 18.0 + HEIGHT - height;
        let text = escaped(&column.label);
        let (begin, end) = around(column.href.as_ref());
        let _ = write!(
            body,
            "{begin}<g><title>{text}: {0}</title><rect class=\"a\" x=\"{1:.1}\" y=\"{y:.1}\" width=\"{2:.1}\" height=\"{height:.1}\"/></g>\
<text class=\"m\" x=\"{middle:.1}\" y=\"{3:.1}\">{0}</text><text class=\"m\" x=\"{middle:.1}\" y=\"{4:.1}\">{text}</text>{end}",
            column.value,
            x + 4.0,
            (wide - 8.0).max(1.0),
            y - 5.0,
            18.0 + HEIGHT + 15.0
        );
    }
    framed(name, 18.0 + HEIGHT + 20.0, &body)
}

/// Times on a scale of tens, from a minute to the longest.
pub fn spans(name: &str, rows: &[Span]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    const TICKS: [(f64, &str); 7] = [
        (60.0, "1m"),
        (600.0, "10m"),
        (3_600.0, "1h"),
        (36_000.0, "10h"),
        (86_400.0, "1d"),
        (864_000.0, "10d"),
        (8_640_000.0, "100d"),
    ];
    let longest = rows.iter().flat_map(|row| &row.points).fold(600.0_f64, |most, point| most.max(*point));
    let scale = (WIDTH - LABELS - 24.0) / (longest / 60.0).ln();
    let x = |seconds: f64| LABELS + (seconds.max(60.0) / 60.0).ln() * scale;
    let bottom = top(rows.len());
    let mut body = String::new();
    for (seconds, text) in TICKS.iter().filter(|(seconds, _)| *seconds <= longest) {
        let at = x(*seconds);
        let _ = write!(
            body,
            "<line class=\"g\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{bottom:.1}\"/>\
<text class=\"m\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>",
            bottom + 14.0
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = top(index);
        label(&mut body, y, &row.label);
        let middle = y + ROW / 2.0;
        let (first, last) = (row.points.first().copied().unwrap_or(60.0), row.points.last().copied().unwrap_or(60.0));
        let note = escaped(&format!("{}: {}", row.label, row.note));
        let (begin, end) = around(row.href.as_ref());
        let _ = write!(
            body,
            "{begin}<g><title>{note}</title><line class=\"w\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>",
            x(first),
            x(last)
        );
        for point in &row.points {
            let _ = write!(body, "<circle class=\"p\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4.5\"/>", x(*point));
        }
        body.push_str("</g>");
        body.push_str(end);
    }
    framed(name, bottom + 20.0, &body)
}

/// A matrix: the darker, the more.
pub fn heat(name: &str, cells: &[Cell<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for cell in cells {
        if !names.contains(&cell.row) {
            names.push(cell.row);
        }
    }
    let most = cells.iter().map(|cell| cell.value).max().unwrap_or(0).max(1) as f64;
    let wide = ((WIDTH - LABELS) / names.len().max(1) as f64).min(130.0);
    const HIGH: f64 = 34.0;
    let mut body = String::new();
    for (at, name) in names.iter().enumerate() {
        let _ = write!(
            body,
            "<text class=\"m\" x=\"{:.1}\" y=\"14\">{}</text>",
            LABELS + (at as f64 + 0.5) * wide,
            short(name)
        );
        let y = 20.0 + at as f64 * HIGH + 6.0;
        label(&mut body, y, name);
    }
    for cell in cells {
        let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or(0) as f64;
        let (x, y) = (LABELS + place(cell.column) * wide, 20.0 + place(cell.row) * HIGH);
        let note = escaped(&format!("{} → {}: {}", cell.row, cell.column, cell.note));
        let (begin, end) = around(cell.href.as_ref());
        let _ = write!(
            body,
            "{begin}<g><title>{note}</title><rect class=\"h\" fill-opacity=\"{:.3}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
<text class=\"m\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>{end}",
            0.06 + 0.6 * (cell.value as f64 / most).sqrt(),
            x + 1.0,
            y + 1.0,
            wide - 2.0,
            HIGH - 2.0,
            x + wide / 2.0,
            y + HIGH * 0.62,
            cell.value
        );
    }
    framed(name, 24.0 + names.len() as f64 * HIGH, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</text><script>alert('x')</script>\u{202e}\0\"&";

    fn harmless(svg: &str) {
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        for word in ["<script", "\0", "\u{202e}", "'x'"] {
            assert!(!svg.contains(word), "{word} in {svg}");
        }
        // What is left is well-formed: every opening has its end.
        let count = |word: &str| svg.matches(word).count();
        assert_eq!(
            (count("<g>"), count("<text"), count("<title>"), count("<a ")),
            (count("</g>"), count("</text>"), count("</title>"), count("</a>"))
        );
    }

    #[test]
    fn a_hostile_name_is_only_ever_text() {
        let (label, note) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        harmless(&bars(
            HOSTILE,
            &[Bar { label: label.clone(), value: 3, part: 9, note: note.clone(), href: Some(HOSTILE.into()) }],
        ));
        harmless(&whiskers(
            HOSTILE,
            &[Whisker {
                label: label.clone(),
                at: 2.0,
                low: -1.0,
                high: f64::NAN,
                note: note.clone(),
                href: Some(HOSTILE.into()),
            }],
        ));
        harmless(&columns(HOSTILE, &[Column { label: label.clone(), value: 0, href: Some(HOSTILE.into()) }]));
        harmless(&spans(
            HOSTILE,
            &[Span { label: label.clone(), points: vec![0.0, 1e12], note: note.clone(), href: Some(HOSTILE.into()) }],
        ));
        harmless(&heat(HOSTILE, &[Cell { row: HOSTILE, column: "other", value: 1, note, href: Some(HOSTILE.into()) }]));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(
            (bars("a", &[]), whiskers("a", &[]), columns("a", &[]), spans("a", &[]), heat("a", &[])),
            Default::default()
        );
    }

    #[test]
    fn a_bar_is_as_long_as_its_part_of_the_longest() {
        let bar = |value, part| Bar { label: "x".into(), value, part, note: String::new(), href: None };
        let svg = bars("a", &[bar(100, 25), bar(50, 0)]);
        for width in ["width=\"470.0\"", "width=\"117.5\"", "width=\"235.0\"", "width=\"0.0\""] {
            assert!(svg.contains(width), "{width} in {svg}");
        }
    }
}
