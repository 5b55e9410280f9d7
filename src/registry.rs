//! The one place of the root package that names vendors.

/// The connectors that `connector = "…"` can name.
pub fn known() -> &'static [&'static str] {
    &["zendesk", "rt"]
}
