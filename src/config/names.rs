//! References between tables: a name that nothing defines is reported with the nearest one that is.

use super::found::{At, Found};
use super::scalar::{listed, nearest, shown};

/// Whether `text` names one of `known`; reports it if not. `kind` is what it names ("team"), `table` where such are
/// defined ("[teams.NAME]").
pub(super) fn refers<'n>(
    found: &mut Found<'_>,
    text: &At<&str>,
    kind: &str,
    table: &str,
    known: impl Iterator<Item = &'n str> + Clone,
) -> bool {
    if known.clone().any(|name| name == text.value) {
        return true;
    }
    let near = nearest(text.value, known.clone()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let help = if known.clone().next().is_none() {
        format!("define it as {table}")
    } else {
        format!("{near}known here: {}; define others as {table}", listed(known))
    };
    found.mismatch(&text.span, format!("there is no {kind} \"{}\"", shown(text.value)), help);
    false
}
