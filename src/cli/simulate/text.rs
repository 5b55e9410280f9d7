//! A back-test for a person.

use crate::cli::output::{Context, table, tame};
use crate::insight::replay::{COMPARED, Difference, RuleRun, Run, Shown, Then};
use crate::insight::stats::Share;
use crate::insight::words::{length, number, seconds, share};

/// The whole run; `rows`: how long a table may be.
pub fn print(context: &Context, run: &Run<'_>, rows: usize) {
    head(context, run, rows);
    context.print("");
    print_rules(context, run);
    context.print("");
    run.loads(|hour| format!("from {hour}")).iter().for_each(|line| context.print(line));
    context.print(&format!("\n{}", context.strong("Examples")));
    let examples = run.examples(rows);
    context.print(&table(["case", "at", "rule", "from", "to", "people"], examples.iter().map(shown)));
}

fn head(context: &Context, run: &Run<'_>, rows: usize) {
    let title = context.strong(&format!("policy {}", run.policy));
    let intake = match run.intake {
        0 => String::new(),
        queues => format!(", {} are queues of its intake", number(queues)),
    };
    context.print(&format!(
        "{title}: {} cases, {} events, decided {} times; {} teams of the log stand in for the policy's, {} are no team of its{intake}",
        number(run.cases),
        number(run.events),
        number(run.decisions),
        number(run.stand_ins),
        number(run.not_ours)
    ));
    for line in run.repairs.lines() {
        context.print(&format!("  {}", tame(&line)));
    }
    if run.unsure > 0 {
        let share = share(Share::new(run.unsure, run.decisions));
        let facts = run.missing.iter().take(rows).map(|(fact, count)| format!("{fact} {}", number(*count)));
        context.print(&format!(
            "  decisions in which a condition could not be told, because the log does not have a fact: {}, {share} ({})",
            number(run.unsure),
            facts.collect::<Vec<_>>().join(", ")
        ));
    }
    if !run.risks_not_looked_at.is_empty() {
        let risks: Vec<&str> = run.risks_not_looked_at.iter().map(|risk| risk.as_str()).collect();
        let risks = risks.join(", ");
        context.print(&format!("a log holds no words: whom the risks {risks} would ask beside these is not told"));
    }
}

fn print_rules(context: &Context, run: &Run<'_>) {
    let head = [
        "rule",
        "fires",
        "cases",
        "by time",
        "reviews",
        "perhaps reviews",
        "perhaps parts",
        "messages",
        "over limit",
        "people did too, later",
        "to the same team",
        "earlier by p50",
        "untold",
    ];
    let row = |rule: &RuleRun| -> [String; 13] {
        [
            rule.rule.to_string(),
            number(rule.fires),
            number(rule.cases),
            number(rule.by_time),
            number(rule.reviews),
            number(rule.perhaps_reviews),
            number(rule.perhaps_asked_for_parts),
            number(rule.messages),
            number(rule.over_limit),
            share(rule.confirmed),
            share(rule.same_team),
            length(rule.earlier.p50_s),
            number(rule.untold),
        ]
    };
    context.print(&table(head, run.rules.iter().map(row)));
    let any = |of: fn(&RuleRun) -> u64| run.rules.iter().any(|rule| of(rule) > 0);
    if any(|rule| rule.perhaps_reviews + rule.perhaps_asked_for_parts) {
        context.print(
            "perhaps: a person would be asked for a yes, or the agent for parts of the package, if what a log does not hold is so",
        );
    }
    if any(|rule| rule.messages) {
        context.print("messages: if the customer may be written to; a log does not say who they are");
    }
}

/// What two policies decide differently.
pub fn print_differences(
    context: &Context,
    (first, other): (&Run<'_>, &Run<'_>),
    differences: &[Difference],
    rows: usize,
) {
    context.print(&format!(
        "\n{}: {} cases are decided differently",
        context.strong(&format!("against policy {}", other.policy)),
        number(differences.len() as u64)
    ));
    context.print(COMPARED);
    let only = differences.iter().take(rows).flat_map(|difference| {
        let this = difference.only_first.iter().filter_map(|fire| Some(("this", first.fires.shown(fire)?)));
        this.chain(difference.only_other.iter().filter_map(|fire| Some(("the other", other.fires.shown(fire)?))))
    });
    let only: Vec<_> = only
        .map(|(which, fire)| {
            let [case, at, rule, from, to, people] = shown(&fire);
            [case, which.to_owned(), at, rule, from, to, people]
        })
        .collect();
    if !only.is_empty() {
        context.print(&table(["case", "only", "at", "rule", "from", "to", "people"], only));
    }
    let changed = differences.iter().flat_map(|difference| &difference.changed).take(rows);
    let changed: Vec<_> = changed
        .filter_map(|changed| Some((first.fires.shown(&changed.first)?, &changed.differs)))
        .flat_map(|(fire, differs)| {
            let [case, at, rule, ..] = shown(&fire);
            let row = move |aspect: &crate::insight::replay::Aspect| {
                let what = aspect.what.to_owned();
                [case.clone(), at.clone(), rule.clone(), what, tame(&aspect.first), tame(&aspect.other)]
            };
            differs.iter().map(row)
        })
        .collect();
    if !changed.is_empty() {
        context.print("both hand over to the same team at the same instant, but not in the same way:");
        context.print(&table(["case", "at", "rule", "what", "this", "the other"], changed));
    }
}

fn shown(fire: &Shown<'_>) -> [String; 6] {
    let people = match fire.then {
        Then::Confirmed { earlier_s } => format!("did too, {} later", seconds(earlier_s)),
        Then::Never => "never did".to_owned(),
    };
    let from = fire.from.map_or_else(|| "–".to_owned(), tame);
    [tame(fire.case), fire.at.to_string(), fire.rule.to_string(), from, fire.to.to_string(), people]
}
