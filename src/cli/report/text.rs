//! The report as tables for a person. Names come from the log, so they are tamed before a terminal sees them.

use crate::cli::output::{Context, tame};
use crate::insight::figures::{
    Band, Figures, Gap, Overused, PathRow, RuleHandoffs, RuleRow, Signal, TierFigures, Window,
};
use crate::insight::log::Repairs;
use crate::insight::stats::Share;
use crate::insight::words::{counted, difference, length, number, seconds, share};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// The whole report; tables have at most so many rows.
pub(super) fn render(context: &Context, figures: &Figures, rows: usize) -> String {
    let mut page = Page { context, text: String::new(), rows };
    page.head(figures);
    page.transfers(figures);
    page.back(figures);
    page.waits(figures);
    if let Some(tiers) = &figures.tiers {
        page.tiers(tiers);
    }
    page.groups(figures);
    page.rules(figures);
    page.handoffs(figures);
    page.paths(figures);
    page.overused(figures);
    page.teams(figures);
    page.resolution(figures);
    page.line("");
    page.line("What each figure means: handoffd report --help");
    page.text.trim_end().to_owned()
}

struct Page<'p> {
    context: &'p Context,
    text: String,
    rows: usize,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn title(&mut self, text: &str) {
        let title = self.context.strong(text);
        self.line(&format!("\n{title}"));
    }

    /// A table, its first `names` columns on the left, the numbers on the right, and what was left out.
    fn table(&mut self, head: &[&str], names: usize, mut rows: Vec<Vec<String>>) {
        let left_out = rows.len().saturating_sub(self.rows);
        rows.truncate(self.rows);
        self.whole(head, names, rows);
        if left_out > 0 {
            self.line(&format!("  … and {} more: --top {}, or --json", number(left_out as u64), left_out + self.rows));
        }
    }

    /// A table that is short by its nature.
    fn whole(&mut self, head: &[&str], names: usize, rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(head.iter().map(|word| word.to_uppercase()));
        for row in rows {
            table.add_row(row);
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if at == 0 { 2 } else { 0 }, 2));
            if at >= names {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        self.line(&lines.join("\n"));
    }

    fn head(&mut self, figures: &Figures) {
        let (source, volumes) = (&figures.source, &figures.volumes);
        let name = self.context.strong(&tame(&source.name));
        let events = match source.kind {
            "events" => format!("{} events, ", number(volumes.events)),
            _ => String::new(),
        };
        self.line(&format!(
            "{name}: {} cases, {events}{} teams, from {} to {}",
            number(volumes.cases),
            number(volumes.teams),
            source.first,
            source.last
        ));
        for line in source.repairs.iter().flat_map(Repairs::lines) {
            self.line(&format!("  {}", tame(&line)));
        }
    }

    fn transfers(&mut self, figures: &Figures) {
        let volumes = &figures.volumes;
        self.title("Transfers");
        self.line(&format!("  {} transfers on {} paths", number(volumes.transfers), number(volumes.paths)));
        let [once, twice, thrice] = volumes.cases_handed_over.map(|cases| Share::new(cases, volumes.cases));
        self.line(&format!("  handed over at least once: {}", counted(once)));
        self.line(&format!("  at least twice: {}; three times: {}", counted(twice), counted(thrice)));
        self.line(&format!(
            "  a case: {} transfers on average, median {}, at most {}; {} teams on average, at most {}",
            volumes.transfers_per_case_mean,
            volumes.transfers_per_case_median,
            volumes.transfers_per_case_max,
            volumes.teams_per_case_mean,
            volumes.teams_per_case_max
        ));
        let part = |of: &dyn Fn(&Window) -> u64| {
            volumes.busiest_paths.iter().map(|window| number(of(window))).collect::<Vec<_>>().join(" / ")
        };
        let (percent, paths) = (part(&|window| window.percent), part(&|window| window.paths));
        self.line(&format!("  busiest paths that carry {percent} % of all transfers: {paths}"));
        let triage = &figures.triage;
        self.line(&format!(
            "  left their first team within 15 minutes {}, an hour {}, a day {}",
            share(triage.within_15m),
            share(triage.within_1h),
            share(triage.within_1d)
        ));
        if !volumes.first_statuses.is_empty() {
            let first = volumes.first_statuses.iter().take(self.rows);
            let first: Vec<String> =
                first.map(|(status, count)| format!("{} {}", tame(status), number(*count))).collect();
            self.line(&format!("  first event of the receiving stay: {}", first.join(", ")));
        }
    }

    fn back(&mut self, figures: &Figures) {
        self.title("What came back");
        let row = |name: &str, back: &crate::insight::figures::Back| {
            let windows = [back.windows.within_1d, back.windows.within_3d, back.windows.within_7d, back.windows.ever];
            let cells = windows.iter().map(|window| format!("{}, {}", number(window.count), share(*window)));
            let tail = [number(back.cases.count), length(back.delay.p50_s), length(back.delay.p90_s)];
            std::iter::once(name.to_owned()).chain(cells).chain(tail).collect()
        };
        let rows = vec![row("bounce", &figures.bounces), row("return", &figures.returns)];
        self.whole(&["", "within 1 day", "3 days", "7 days", "ever", "cases", "after p50", "p90"], 1, rows);
        if figures.pairs.is_empty() {
            return;
        }
        self.title("Ping-pong between");
        let pair = |pair: &crate::insight::figures::Pair| {
            let [one, other] = &pair.teams;
            vec![tame(one), tame(other), number(pair.bounces), number(pair.transfers)]
        };
        let rows = figures.pairs.iter().map(pair).collect();
        self.table(&["team", "team", "bounces", "of transfers"], 2, rows);
    }

    fn waits(&mut self, figures: &Figures) {
        let all = &figures.waits;
        self.title("Wait after a transfer");
        let ledger = figures.source.kind == "ledger";
        if all.untold == figures.volumes.transfers && all.untold > 0 && !ledger {
            self.line("  the map does not say when a case waits: add `waiting`, `accepted` or `claimed_when`");
            return;
        }
        if all.untold > 0 {
            self.line(&format!("  {} transfers by people: when they were taken is not known", number(all.untold)));
        }
        self.line(&format!(
            "  {} picked up, {} never picked up by the receiving team, {} direct",
            number(all.picked),
            number(all.never),
            number(all.direct)
        ));
        let over = [(all.over_1h, "1 hour"), (all.over_8h, "8 hours"), (all.over_1d, "1 day"), (all.over_3d, "3 days")];
        let over = over.map(|(count, words)| format!("{} over {words}", number(count)));
        self.line(&format!("  of those picked up: {}", over.join(", ")));
        let row = |name: String, waits: &crate::insight::figures::Waits| {
            let spread = &waits.wait;
            let mean = spread.mean_s.map_or("–".to_owned(), seconds);
            let lengths = [spread.p50_s, spread.p90_s, spread.p95_s, spread.max_s].map(length);
            [name, number(spread.n), mean].into_iter().chain(lengths).collect()
        };
        let tiers = figures.waits_by_tier.iter().map(|tier| row(format!("to tier {}", tame(&tier.tier)), &tier.waits));
        let rows = std::iter::once(row("all".into(), all)).chain(tiers).collect();
        self.whole(&["", "n", "mean", "p50", "p90", "p95", "longest"], 1, rows);
    }

    fn tiers(&mut self, tiers: &TierFigures) {
        self.title("Tiers");
        let contained = &tiers.containment;
        let tier = tame(&contained.tier);
        self.line(&format!("  contained in tier {tier}: {}", counted(contained.contained)));
        self.line(&format!("  starts in tier {tier} and leaves it: {}", counted(contained.left)));
        self.line(&format!("  starts elsewhere: {}", counted(contained.started_elsewhere)));
        self.line(&format!("  … or steps down: {}", counted(contained.started_elsewhere_or_stepped_down)));
        self.line(&format!("  … or skips a tier: {}", counted(contained.or_skipped_a_tier)));
        let rows = tiers.matrix.iter().filter(|cell| cell.transfers > 0).map(|cell| {
            let back = [cell.bounced, cell.returned_7d]
                .map(|count| format!("{}, {}", number(count), share(Share::new(count, cell.transfers))));
            let [bounced, returned] = back;
            let names = [tame(&cell.from), tame(&cell.to)];
            names.into_iter().chain([number(cell.transfers), bounced, returned, length(cell.wait_p50_s)]).collect()
        });
        let rows = rows.collect();
        self.whole(&["from", "to", "transfers", "bounced", "returned in 7 days", "wait p50"], 2, rows);
    }

    fn groups(&mut self, figures: &Figures) {
        for group in &figures.groups {
            self.title(&format!("By {} at the first event", tame(&group.column)));
            let row = |value: &crate::insight::figures::GroupValue| {
                let name = if value.value.is_empty() { "(empty)".to_owned() } else { tame(&value.value) };
                vec![name, number(value.cases), share(value.contained), share(value.bounced), number(value.transfers)]
            };
            let rows = group.values.iter().map(row).collect();
            self.table(&["value", "cases", "in the first tier", "with a bounce", "transfers"], 1, rows);
        }
    }

    fn rules(&mut self, figures: &Figures) {
        if figures.rules.is_empty() {
            return;
        }
        self.title("Transfers by rule");
        let row = |rule: &RuleRow| {
            let backs = [rule.bounces.within_7d, rule.bounces.ever, rule.returns.ever].map(share);
            let waits = [length(rule.waits.wait.p50_s), length(rule.waits.wait.p90_s), number(rule.waits.never)];
            let name = [tame(&rule.rule), number(rule.transfers)];
            name.into_iter().chain(backs).chain(waits).collect()
        };
        let rows = figures.rules.iter().map(row).collect();
        let head = ["rule", "transfers", "bounced in 7 days", "ever", "returned", "claim p50", "p90", "unclaimed"];
        self.table(&head, 1, rows);
    }

    fn handoffs(&mut self, figures: &Figures) {
        let Some(handoffs) = figures.handoffs.as_ref().filter(|handoffs| !handoffs.by_rule.is_empty()) else { return };
        self.title("Handoffs by rule");
        let row = |rule: &RuleHandoffs| {
            let states =
                rule.states.iter().map(|(state, count)| format!("{} {}", state.replace('_', " "), number(*count)));
            let reviews = &rule.reviews;
            let answers = [reviews.asked, reviews.approved, reviews.rejected].map(number);
            let [asked, approved, rejected] = answers;
            let states = states.collect::<Vec<_>>().join(", ");
            let (incomplete, overridden) = (share(rule.incomplete), share(reviews.overridden));
            let weak = if rule.weak_triage.of == 0 { String::new() } else { counted(rule.weak_triage) };
            let name = tame(&rule.rule);
            let good = if rule.rated_good.of == 0 { String::new() } else { counted(rule.rated_good) };
            vec![name, states, number(rule.handoffs), incomplete, asked, approved, rejected, overridden, good, weak]
        };
        let rows = handoffs.by_rule.iter().map(row).collect();
        let head = [
            "rule",
            "states",
            "handoffs",
            "incomplete packages",
            "reviews",
            "yes",
            "no",
            "overruled",
            "rated good",
            "weak triage",
        ];
        self.table(&head, 2, rows);
        let reasons = handoffs.by_rule.iter().flat_map(|rule| rule.rejections.iter().map(move |one| (rule, one)));
        let reasons: Vec<Vec<String>> =
            reasons.map(|(rule, one)| vec![tame(&rule.rule), tame(&one.case), tame(&one.reason)]).collect();
        if !reasons.is_empty() {
            self.title("Why it was rejected");
            self.table(&["rule", "case", "in the words of whoever did"], 3, reasons);
        }
        if !handoffs.gaps.is_empty() {
            self.title("Missing from packages");
            let row = |gap: &Gap| vec![tame(&gap.from), tame(&gap.to), gap.part.clone(), counted(gap.missing)];
            let rows = handoffs.gaps.iter().map(row).collect();
            self.table(&["from", "to", "part", "missing"], 3, rows);
        }
    }

    fn paths(&mut self, figures: &Figures) {
        self.title("Busiest paths");
        let row = |path: &PathRow| {
            let of = |count| share(Share::new(count, path.transfers));
            vec![
                tame(&path.from_team),
                tame(&path.to_team),
                number(path.transfers),
                of(path.bounce_7d),
                of(path.return_7d),
                length(path.wait_p50_s),
                length(path.wait_p90_s),
            ]
        };
        let rows = figures.paths.iter().map(row).collect();
        self.table(&["from", "to", "transfers", "bounced in 7 days", "returned", "wait p50", "p90"], 2, rows);
        if !figures.worst_paths.is_empty() {
            self.title("Paths with 20 transfers or more, by what returned within 7 days");
            let row = |path: &crate::insight::figures::WorstPath| {
                let share = share(path.returned_7d);
                vec![
                    tame(&path.from),
                    tame(&path.to),
                    number(path.returned_7d.of),
                    number(path.returned_7d.count),
                    share,
                ]
            };
            let rows = figures.worst_paths.iter().map(row).collect();
            self.table(&["from", "to", "transfers", "returned", "share"], 2, rows);
        }
    }

    fn overused(&mut self, figures: &Figures) {
        if figures.overused.is_empty() {
            return;
        }
        self.title("Used too much");
        let row = |path: &Overused| {
            let words = path.signals.iter().map(|signal| match signal {
                Signal::Grows => "grows",
                Signal::Bounces => "bounces",
            });
            vec![
                tame(&path.from),
                tame(&path.to),
                words.collect::<Vec<_>>().join(", "),
                share(path.volume),
                difference(path.growth),
                share(path.bounced_7d),
                difference(path.above_rest),
                format!("{:.1}", path.excess),
            ]
        };
        let rows = figures.overused.iter().map(row).collect();
        let head = ["from", "to", "because it", "of all", "growth", "bounced in 7 days", "above the rest", "excess"];
        self.table(&head, 3, rows);
    }

    fn teams(&mut self, figures: &Figures) {
        self.title("Teams by what they held");
        let row = |team: &crate::insight::figures::TeamRow| {
            vec![
                tame(&team.team),
                tame(&team.tier),
                number(team.cases),
                length(Some(team.held_total_s)),
                length(team.held.p50_s),
                number(team.gave),
                share(team.given_bounced.within_7d),
                number(team.got),
                share(team.got_bounced.within_7d),
                length(team.waits.wait.p50_s),
            ]
        };
        let rows = figures.teams.iter().map(row).collect();
        let head =
            ["team", "tier", "cases", "held", "p50", "gave", "of it bounced", "got", "sent right back", "wait p50"];
        self.table(&head, 1, rows);
    }

    fn resolution(&mut self, figures: &Figures) {
        let resolution = &figures.resolution;
        self.title("Time by number of transfers");
        let known = !resolution.resolved.is_empty();
        let (bands, what) = if known {
            (&resolution.resolved, "to resolution")
        } else {
            (&resolution.span, "from first to last event")
        };
        self.whole(&["transfers", "cases", what, "mean", "longest"], 1, bands.iter().map(band).collect());
        if let Some(open) = resolution.open {
            self.line(&format!("  {} cases are not done at their end and are left out", number(open)));
        }
        let like = &resolution.like;
        let columns: Vec<String> = like.columns.iter().map(|column| tame(column)).collect();
        match like.difference_s {
            Some(difference) => self.line(&format!(
                "  among like cases ({}; {} of {} cases compared) the median with a handoff is {} {}",
                columns.join(", "),
                number(like.compared),
                number(like.cases),
                seconds(difference.abs()),
                if difference < 0.0 { "shorter" } else { "longer" },
            )),
            None => self
                .line(&format!("  too few like cases ({}) with and without a handoff to compare", columns.join(", "))),
        }
    }
}

fn band(band: &Band) -> Vec<String> {
    let median = match (band.median_s, band.interval_s) {
        (Some(median), Some((low, high))) => format!("{} ({} – {})", seconds(median), seconds(low), seconds(high)),
        (Some(median), None) => seconds(median),
        (None, _) => "–".to_owned(),
    };
    let mean = band.mean_s.map_or("–".to_owned(), seconds);
    vec![band.transfers.to_owned(), number(band.n), median, mean, length(band.max_s)]
}
