//! The package of a review in other words: a form with its parts, an order that names the version it was filled from, and every
//! version that was made so far.

use super::Dashboard;
use super::forms::Form;
use super::guard::Here;
use super::orders::Wish;
use super::trouble::Trouble;
use crate::ledger::PackageVersion;
use crate::policy::package::edit::{PartChange, differences, names};
use crate::policy::package::{ORDER, name_of, part_named};
use crate::policy::proposal::Package;
use crate::policy::rules::PackagePart;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A part as the form shows it.
#[derive(Serialize)]
pub(super) struct Field {
    name: &'static str,
    words: String,
}

/// What one edit made of the version before.
#[derive(Serialize)]
pub(super) struct Edit {
    version: u32,
    by: String,
    at: Timestamp,
    changes: Vec<PartChange>,
}

/// The parts to fill a form with.
pub(super) fn fields(package: &Package) -> Vec<Field> {
    ORDER.into_iter().map(|part| Field { name: name_of(part), words: words(package, part) }).collect()
}

fn words(package: &Package, part: PackagePart) -> String {
    package.lines(part).join("\n")
}

/// The version that travels; 1 is what was collected.
pub(super) fn version(versions: &[PackageVersion]) -> u32 {
    versions.last().map_or(1, |last| last.number)
}

/// What each edit changed, the latest first.
pub(super) fn edits(versions: &[PackageVersion]) -> Vec<Edit> {
    let edit = |two: &[PackageVersion]| {
        let [before, after] = two else { return None };
        let by = after.by.clone().unwrap_or_default();
        let changes = differences(&before.package, &after.package);
        Some(Edit { version: after.number, by, at: after.at, changes })
    };
    versions.windows(2).filter_map(edit).rev().collect()
}

/// What a script sends: the version that it was shown, and the words of the parts that are other ones now.
pub(super) fn wish(handoff: String, of: u32, parts: BTreeMap<String, String>) -> Result<Wish, Trouble> {
    let part = |(name, words): (String, String)| {
        let unknown = || Trouble::Wrong(format!("no part is called so; these are: {}", names()));
        Ok((part_named(name.trim()).ok_or_else(unknown)?, words))
    };
    let parts = parts.into_iter().map(part).collect::<Result<_, Trouble>>()?;
    Ok(Wish::Edit { handoff, of, parts })
}

/// The form. Parts that came back as they were shown are nobody's words but the collector's.
pub(super) async fn edit(
    State(dashboard): State<Dashboard>,
    here: Here,
    Path(handoff): Path<String>,
    form: Form,
) -> Response {
    let back = format!("/reviews/{}", super::layout::encoded(&handoff));
    let wish = wished(&dashboard, handoff, &form).await;
    dashboard.ordered(&here, &form, wish, &back).await
}

async fn wished(dashboard: &Dashboard, handoff: String, form: &Form) -> Result<Wish, Trouble> {
    let no_number = || Trouble::Wrong("the form does not say which version it was filled from: open it again".into());
    let of: u32 = form.field("of").parse().map_err(|_| no_number())?;
    let wanted = handoff.clone();
    let shown = dashboard.reading.ask(move |ledger| Ok(ledger.handoff(&wanted)?.proposal.package)).await?;
    let shown = shown.unwrap_or_default();
    let other = |part: PackagePart| {
        let text = form.text(name_of(part))?.replace("\r\n", "\n");
        (text.trim() != words(&shown, part).trim()).then_some((part, text))
    };
    Ok(Wish::Edit { handoff, of, parts: ORDER.into_iter().filter_map(other).collect() })
}
