//! What each figure means, once. `handoffd report --help`, the HTML page and docs/REPORTS.md show these words.

/// Names and their definitions, in the order of the report.
pub const DEFINITIONS: [(&str, &str); 19] = [
    (
        "case",
        "All events with the same case name, sorted by their instants. Equal instants: by the map's `order`, else as the file has them.",
    ),
    (
        "stay",
        "A maximal run of a case's events with the same team. It starts with its first event and lasts to the next stay, or to the case's last event. Events without a team belong to no stay and part none.",
    ),
    (
        "transfer",
        "The change from one stay to the next; its time is the start of the receiving team's stay. A path is the ordered pair (giving team, receiving team).",
    ),
    (
        "bounce",
        "The stay right after the receiving team's is the giving team's again. Its delay runs from the transfer to that stay. In the ledger: what the receiving team hands back as done (`/back`) is a return and no bounce.",
    ),
    (
        "return",
        "Some later stay is the giving team's again, whatever lies between; the delay counts to the earliest. Every bounce is a return.",
    ),
    (
        "within d days",
        "The delay is at most d times 86,400 seconds. The denominator is always every transfer of the path, the team or the log; transfers near the end are not left out.",
    ),
    (
        "wait after a transfer",
        "Of the receiving stay alone. Its first event shows somebody at work: direct, and no wait is measured. It lies waiting and a later event of the stay shows somebody at work: picked up, after the time between the two. Otherwise: never picked up in that stay.",
    ),
    (
        "quantile",
        "p50, p90 and p95 are nearest-rank: of n ascending values the one at position ceil(q n). A median is the usual one: the mean of the two middle values where n is even.",
    ),
    (
        "containment",
        "A case is contained in the first tier when no stay of it is outside. The first tier is the lowest number among the tiers of the log's teams. A tier that is a name, like 2/3, is neither above nor below another.",
    ),
    ("triage", "Cases whose first stay was left within the time, of all cases."),
    (
        "weak triage",
        "The same of routes: cases that left the team a route brought them to, for another one, within the route's `weak_triage_within`, of those it brought.",
    ),
    (
        "transfer of a rule",
        "Of the ledger: the stay that a route or an escalation brought about with the team it names. handoffd's own way back (undone, rejected, handed back, not taken on) is a transfer, but no rule's.",
    ),
    (
        "rating",
        "What the receiving team said of what it got (`/rate good`, `/rate poor`): good, of those rated. A rejection is a no with a reason: of a review, or `/reject` by the receiving team.",
    ),
    ("held", "How long stays with a team lasted, all together and each."),
    ("ping-pong pair", "Two teams, whichever gave first, by the bounces between them."),
    (
        "overused path",
        "A path with at least 20 transfers whose part of all transfers is larger in the recent time than before (the last 28 days, or the last half of a shorter log), or of which more bounce within 7 days than of all other transfers; in either case with a 99 % interval (Newcombe) above zero. Excess: its bounces beyond what its number of transfers would bring at the share of the others.",
    ),
    (
        "time to resolution",
        "From the first event to the last change to a status that is done, of cases that are done at their end. The span of a case runs from its first event to its last.",
    ),
    (
        "like cases",
        "Cases with the same values of the map's `like` columns at their first event (without them: opened with the same team). Groups with at least ten cases with and ten without a handoff are compared; the difference of medians is weighted by the handed-over cases. It shows what goes together, not what causes what.",
    ),
    (
        "interval",
        "Behind every share stands its 95 % interval (Wilson), behind a median the one by ranks: small numbers have wide ones.",
    ),
];

/// All definitions as text, one paragraph each.
pub fn text() -> String {
    DEFINITIONS.iter().map(|(name, words)| format!("{name}: {words}")).collect::<Vec<_>>().join("\n\n")
}
