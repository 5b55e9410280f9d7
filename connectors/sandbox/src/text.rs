//! Plain text of HTML, simply: tags out, one line per block, common entities resolved. Good enough to read a note back.

/// The words of an HTML fragment as a colleague reads them.
pub fn text_of(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_words(&mut out, &rest[..at]);
        let Some(end) = rest[at..].find('>') else {
            push_words(&mut out, &rest[at..]);
            rest = "";
            break;
        };
        tag(&mut out, &rest[at + 1..at + end]);
        rest = &rest[at + end + 1..];
    }
    push_words(&mut out, rest);
    let lines: Vec<&str> = out.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// Text between tags: runs of white space are one space, none at the start of a line.
fn push_words(out: &mut String, text: &str) {
    let starts_open = text.starts_with(char::is_whitespace);
    let mut first = true;
    for word in text.split_whitespace() {
        let apart = if first { starts_open } else { true };
        if apart && !out.is_empty() && !out.ends_with(['\n', ' ']) {
            out.push(' ');
        }
        out.push_str(&resolve(word));
        first = false;
    }
    if !first && text.ends_with(char::is_whitespace) {
        out.push(' ');
    }
}

/// Block tags begin a new line.
fn tag(out: &mut String, inside: &str) {
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let is_break = name == "br";
    let is_block = ["p", "div", "li", "ul", "ol", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "hr", "pre"]
        .contains(&name.as_str());
    if is_break || (is_block && !out.is_empty() && !out.ends_with('\n')) {
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
}

fn resolve(word: &str) -> String {
    if !word.contains('&') {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').filter(|end| *end < 12).and_then(|end| Some((character(&rest[1..end])?, end)));
        let (found, skip) = entity.map_or(('&', 1), |(found, end)| (found, end + 1));
        out.push(found);
        rest = &rest[skip..];
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = entity.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32)
        }
    }
}

/// The same words as HTML.
pub fn html_of(text: &str) -> String {
    format!("<div class=\"zd-comment\">{}</div>", paragraph_of(text))
}

/// Plain text as one paragraph of HTML that reads the same.
pub fn paragraph_of(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{}</p>", escaped.replace('\n', "<br>"))
}

/// The longest beginning of `text` that takes at most `bytes` and cuts no character.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Fills the `{{placeholders}}` of a template in; what is never closed stays as it is.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(&value(name.trim()));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_entities_characters() {
        let html = "<div><p>From <b>Support</b> to Billing &amp; more</p><ul><li>one</li><li>two &lt;3</li></ul></div>\n<p>[handoffd h/1 r@v]</p>";
        assert_eq!(text_of(html), "From Support to Billing & more\none\ntwo <3\n[handoffd h/1 r@v]");
        assert_eq!(text_of("a<br>b<br/>c"), "a\nb\nc");
        assert_eq!(text_of("it&#39;s &#x1F600; &unknown; &"), "it's 😀 &unknown; &");
    }

    #[test]
    fn broken_html_loses_no_words_and_never_panics() {
        assert_eq!(text_of("a < b"), "a < b");
        for text in ["<", "&", "&#;", "&#x110000;", "<<>>", "</", "é&é;", "<p"] {
            let _ = text_of(text);
        }
        assert_eq!(text_of(&html_of("x < y\n& z")), "x < y\n& z");
    }

    #[test]
    fn cutting_respects_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("abc", 64), "abc");
    }
}
