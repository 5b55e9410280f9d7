//! Text on its way from and to a helpdesk: readable plain text out of their HTML, safe HTML out of our plain text, and
//! cuts that can be seen; and their JSON. All functions are pure, linear in their input, and safe on hostile input.

mod cut;
mod escape;
mod html;
mod json;

pub use cut::{CUT, cut, cut_keeping, cut_rendered};
pub use escape::{begins_alike, escape_html, html_of_note, html_of_words, neutralise_placeholders, text_to_html};
pub use html::html_to_text;
pub use json::from_json;

/// A text as sixteen hexadecimal digits that are the same on every machine and in every version of handoffd (FNV-1a): for
/// comparing what was read with what is there. No proof against somebody who wants two texts to look alike.
pub fn fingerprint(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn a_fingerprint_is_the_published_hash() {
        // The reference values of FNV-1a, 64 bits.
        assert_eq!(fingerprint(""), "cbf29ce484222325");
        assert_eq!(fingerprint("a"), "af63dc4c8601ec8c");
        assert_eq!(fingerprint("foobar"), "85944171f73967e8");
    }
}
