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
