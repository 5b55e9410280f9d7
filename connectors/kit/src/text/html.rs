//! HTML into readable plain text, for the package and for conditions.
//!
//! Works on the stream of tags and words and builds no tree: a hostile message costs time and memory in proportion to
//! its bounded length, however deep it nests, and cannot exhaust the stack.

use super::cut::cut;
use html5ever::tokenizer::states::RawKind::{self, Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;

/// The text that a reader would see: paragraphs apart by an empty line, list items by dashes, cells by bars, quotes by
/// `>`, links with their address. Reads at most `max_bytes` of the HTML and gives at most `max_bytes` of text; what was
/// left out is marked as by [`cut`]. Lines are not wrapped.
pub fn html_to_text(html: &str, max_bytes: usize) -> String {
    let end = html.floor_char_boundary(max_bytes);
    let input = BufferQueue::default();
    input.push_back(html[..end].into());
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    // There is no script to stop for: all of the input is read in one go.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut text = tokenizer.sink.0.into_inner().text;
    if end < html.len() {
        // One byte more than may stay makes the cut show.
        text.extend(std::iter::repeat_n(' ', (max_bytes + 1).saturating_sub(text.len())));
    }
    cut(&text, max_bytes)
}

#[derive(Default)]
struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            CharacterTokens(words) => page.words(&words),
            TagToken(tag) if tag.kind == StartTag => return page.start(&tag),
            TagToken(tag) => page.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The text so far, and what surrounds the place where it goes on.
#[derive(Default)]
struct Page {
    text: String,
    /// Line breaks owed before the next word: at most two, which make an empty line.
    breaks: usize,
    /// Whether a space is owed before the next word.
    space: bool,
    /// Inside an element whose text nobody sees.
    hidden: bool,
    preformatted: usize,
    quotes: usize,
    /// The address of the open link, and where its words begin.
    link: Option<(String, usize)>,
}

/// Deeper quotes are shown as if they were this deep.
const DEEPEST_QUOTE: usize = 5;
/// Longer addresses carry tracking, not meaning.
const LONGEST_ADDRESS: usize = 500;

impl Page {
    fn words(&mut self, words: &str) {
        if self.hidden {
            return;
        }
        for c in words.chars() {
            match c {
                '\u{a0}' => self.push(' '),
                '\n' if self.preformatted > 0 => self.break_line(),
                '\t' | ' ' if self.preformatted > 0 => self.push(c),
                c if c.is_whitespace() => self.space = true,
                c if c.is_control() => {}
                c => self.push(c),
            }
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        self.part(breaks_around(&tag.name));
        match &*tag.name {
            "script" => return self.hide(ScriptData),
            "style" => return self.hide(Rawtext),
            "title" => return self.hide(Rcdata),
            "br" => self.break_line(),
            "hr" => {
                self.push_all("---");
                self.part(1);
            }
            "li" => self.push_all("- "),
            "td" | "th" if self.breaks == 0 && !self.text.is_empty() => self.push_all(" | "),
            "img" => self.image(tag),
            "a" => self.link = attribute(tag, "href").map(|address| (address, self.text.len())),
            "pre" => self.preformatted += 1,
            "blockquote" => self.quotes += 1,
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
        match name {
            "script" | "style" | "title" => self.hidden = false,
            "a" => self.close_link(),
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "blockquote" => self.quotes = self.quotes.saturating_sub(1),
            _ => {}
        }
        self.part(breaks_around(name));
    }

    fn hide(&mut self, kind: RawKind) -> TokenSinkResult<()> {
        self.hidden = true;
        TokenSinkResult::RawData(kind)
    }

    /// Owes at least so many line breaks.
    fn part(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    /// Owes one more line break.
    fn break_line(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    fn push_all(&mut self, words: &str) {
        words.chars().for_each(|c| self.push(c));
    }

    fn push(&mut self, c: char) {
        let (breaks, space) = (std::mem::take(&mut self.breaks), std::mem::take(&mut self.space));
        if breaks > 0 {
            self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
            let there = self.text.len() - self.text.trim_end_matches('\n').len();
            if there < self.text.len() {
                self.text.extend(std::iter::repeat_n('\n', breaks.saturating_sub(there)));
            }
        } else if space && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        if self.text.is_empty() || self.text.ends_with('\n') {
            self.text.push_str(&"> ".repeat(self.quotes.min(DEEPEST_QUOTE)));
        }
        self.text.push(c);
    }

    fn image(&mut self, tag: &Tag) {
        if let Some(says) = attribute(tag, "alt") {
            self.push_all("[image: ");
            self.words(&says);
            self.push(']');
        }
    }

    fn close_link(&mut self) {
        let Some((address, start)) = self.link.take() else { return };
        let leads_out = ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
        let shown = self.text.get(start..).unwrap_or_default();
        let bare = address.trim_start_matches("mailto:");
        if leads_out && address.len() <= LONGEST_ADDRESS && !shown.trim().is_empty() && !shown.contains(bare) {
            let bare = format!(" ({bare})");
            self.push_all(&bare);
        }
    }
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// How many line breaks part this element from what stands before and after it.
fn breaks_around(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "table" => 2,
        "div" | "li" | "ul" | "ol" | "tr" | "hr" | "dl" | "dt" | "dd" | "section" | "article" | "header" | "footer"
        | "form" | "fieldset" | "address" | "center" | "body" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::CUT;
    use proptest::prelude::*;

    fn read(html: &str) -> String {
        html_to_text(html, 1 << 20)
    }

    #[test]
    fn a_usual_mail_reads_as_its_sender_saw_it() {
        let html = "<html><head><title>T</title><style>p { color: red }</style></head><body>\n <h1>Hello</h1>\n\
            <p>Sync   stops &amp; says <b>E-4127</b>.<br>Since\n yesterday.</p><p>Steps:</p><ul><li>restart</li>\
            <li>see <a href=\"https://help.example/42\">the guide</a></li></ul><script>alert('<p>')</script>\
            <blockquote>earlier<br>mail</blockquote></body></html>";
        let text = "Hello\n\nSync stops & says E-4127.\nSince yesterday.\n\nSteps:\n\n- restart\n\
            - see the guide (https://help.example/42)\n\n> earlier\n> mail";
        assert_eq!(read(html), text);
    }

    #[test]
    fn tables_links_images_and_preformatted_text_stay_readable() {
        let table = "<table><tr><th>Code</th><th>Count</th></tr><tr><td>E1</td><td>3</td></tr></table>";
        assert_eq!(read(table), "Code | Count\nE1 | 3");
        assert_eq!(read("<a href='mailto:a@b.test'>a@b.test</a> <a href='javascript:x'>y</a>"), "a@b.test y");
        assert_eq!(read("<p>see <img alt='a screen' src=x>!"), "see [image: a screen]!");
        assert_eq!(read("<pre>if x {\n    y\n}</pre>z"), "if x {\n    y\n}\n\nz");
        assert_eq!(read("<p>a</p><p>&nbsp;</p><p>b</p>"), "a\n\nb");
    }

    #[test]
    fn lines_are_never_wrapped() {
        let long = "word ".repeat(2_000);
        assert_eq!(read(&format!("<div><p>{long}</p></div>")), long.trim_end());
    }

    #[test]
    fn a_cut_can_be_seen_wherever_it_was_made() {
        assert_eq!(html_to_text(&"x".repeat(100), 20), format!("{}{CUT}", "x".repeat(20 - CUT.len())));
        let mostly_markup = format!("{}end", "<b></b>".repeat(50));
        assert!(html_to_text(&mostly_markup, 100).ends_with(CUT));
        assert_eq!(html_to_text("", 0), "");
    }

    #[test]
    fn hostile_nesting_neither_overflows_nor_explodes() {
        let deep = |open: &str| read(&format!("{}x", open.repeat(200_000))).len();
        for open in ["<div>", "<b>", "<table><tr><td>", "<a href='http://a'>", "<svg>", "<p><b id=1>", "<![CDATA["] {
            assert!(deep(open) < 3 << 20, "{open}");
        }
        assert!(deep("<blockquote><p>x") <= 1 << 20);
        assert!(deep("<pre>\n<li>") <= 1 << 20);
    }

    proptest! {
        #[test]
        fn any_input_gives_bounded_text_without_markup_of_its_own(
            html in "(<[/a-z!-]{0,12}( [a-z]{1,4}=['\"]?[a-z:/]{0,8})?>|[a-z&;#<>\\PC\n]|&[a-z]{1,6};?){0,60}",
            limit in 0usize..400,
        ) {
            prop_assert!(html_to_text(&html, limit).len() <= limit);
        }
    }
}
