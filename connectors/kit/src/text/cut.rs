//! Cutting text to a vendor's limit so that a reader sees the cut, and so that the mark survives it.

/// What stands where text was cut.
pub const CUT: &str = " … [cut]";

/// At most `max_bytes` of `text`; when something is missing, [`CUT`] stands at its end. Never cuts inside a character
/// nor between a letter and its accents. A limit too small for [`CUT`] gives the bare beginning.
pub fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    match max_bytes.checked_sub(CUT.len()) {
        Some(room) => format!("{}{CUT}", beginning(text, room).trim_end()),
        None => beginning(text, max_bytes).to_owned(),
    }
}

/// `text` followed by `tail`, of which only `text` is cut to make both fit. The tail (the mark's line, with the line
/// breaks before it) always stays whole: a note without its mark could be doubled, so a limit smaller than the tail is
/// exceeded.
pub fn cut_keeping(text: &str, tail: &str, max_bytes: usize) -> String {
    cut(text, max_bytes.saturating_sub(tail.len())) + tail
}

/// [`cut_keeping`] for limits that count the rendered form, such as HTML: the longest beginning whose rendering fits in
/// `max_bytes`, rendered.
pub fn cut_rendered(text: &str, tail: &str, max_bytes: usize, render: impl Fn(&str) -> String) -> String {
    let mut room = max_bytes.min(text.len() + tail.len());
    loop {
        let rendered = render(&cut_keeping(text, tail, room));
        let excess = rendered.len().saturating_sub(max_bytes);
        if excess == 0 || room <= tail.len() {
            return rendered;
        }
        // No character renders to more than eight bytes for each of its own (`&nbsp;` and `&quot;` to six), so this
        // gives up at most what is needed and comes nearer each time.
        room = room.saturating_sub((excess / 8).max(1)).max(tail.len());
    }
}

/// The longest beginning of at most `max_bytes` that ends between two characters a reader would tell apart.
fn beginning(text: &str, max_bytes: usize) -> &str {
    // Longer heaps of accents are an attack, not writing.
    const MOST_ACCENTS: usize = 16;
    let end = text.floor_char_boundary(max_bytes);
    let mut places = std::iter::once(end).chain(text[..end].char_indices().rev().map(|(at, _)| at));
    &text[..places.by_ref().take(MOST_ACCENTS).find(|at| !joins(text, *at)).unwrap_or(end)]
}

/// Whether the character at `at` belongs to the one before it.
fn joins(text: &str, at: usize) -> bool {
    const JOINER: char = '\u{200d}';
    let extends = |c: char| matches!(c, '\u{300}'..='\u{36f}' | JOINER | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    let after_joiner = text[..at].ends_with(JOINER);
    after_joiner || text[at..].chars().next().is_some_and(extends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::Mark;
    use crate::text::text_to_html;
    use proptest::prelude::*;

    #[test]
    fn a_cut_can_be_seen_and_short_text_is_left_alone() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("a longer text", 12), "a … [cut]");
        assert_eq!(cut("a longer text", 3), "a l");
    }

    #[test]
    fn accents_and_joined_signs_stay_with_their_letter() {
        let text = "cafe\u{301} and more text than fits";
        assert_eq!(beginning(text, 4), "caf");
        assert_eq!(beginning(text, 6), "cafe\u{301}");
        let family = "\u{1f468}\u{200d}\u{1f469}";
        assert_eq!(beginning(&format!("x{family}y"), 6), "x");
        assert_eq!(beginning(&"\u{301}".repeat(100), 50).len(), 50, "a heap of accents is cut somewhere");
    }

    #[test]
    fn the_mark_survives_every_limit() {
        let mark = Mark { handoff: "h3f9".into(), number: 1, rule: "refund".into(), version: "a1".into() };
        let tail = format!("\n\n{mark}");
        for limit in 0..200 {
            let kept = cut_keeping(&"a long story ".repeat(40), &tail, limit);
            assert_eq!(Mark::in_text(&kept), Some(mark.clone()));
            assert!(kept.len() <= limit.max(tail.len()));
        }
    }

    #[test]
    fn a_rendered_note_fits_and_uses_most_of_its_room() {
        let rendered = cut_rendered(&"<&>".repeat(5_000), "\n\n[mark]", 4_000, text_to_html);
        assert!(rendered.len() <= 4_000 && rendered.len() > 3_900, "{}", rendered.len());
        assert!(rendered.contains("[cut]") && rendered.ends_with("[mark]</p>"), "{rendered}");
    }

    proptest! {
        #[test]
        fn a_cut_is_a_beginning_within_the_limit(text in any::<String>(), limit in 0usize..200) {
            let short = cut(&text, limit);
            prop_assert!(short.len() <= limit);
            let kept = if text.len() <= limit { &short } else { short.strip_suffix(CUT).unwrap_or(&short) };
            prop_assert!(text.starts_with(kept));
        }

        #[test]
        fn a_rendered_cut_fits_wherever_its_tail_does(text in any::<String>(), limit in 40usize..200) {
            prop_assert!(cut_rendered(&text, "\n\n[mark]", limit, text_to_html).len() <= limit);
        }
    }
}
