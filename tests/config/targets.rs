//! `[targets.NAME]`: how our own clocks are written, and every slip with its place and remedy.

use handoffd::config::{self, Config, Problems, Severity};
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

/// The base with targets behind it; `¦` marks the place of the problem.
fn read(targets: &str) -> Result<Config, Problems> {
    config::read(&whole(targets).replacen('¦', "", 1), "handoffd.toml", Path::new(""))
}

fn whole(targets: &str) -> String {
    format!("{BASE}\n[hours.office]\nzone = \"UTC\"\nmon = [\"09:00-10:00\"]\n\n{targets}")
}

fn only(targets: &str, severity: Severity, message: &str, help: &str) {
    let problems = match read(targets) {
        Ok(config) => config.warnings,
        Err(problems) => problems,
    };
    let found: Vec<_> = problems.iter().collect();
    assert_eq!(found.len(), 1, "{targets}\n{problems}");
    assert!(found[0].message.contains(message) && found[0].help.contains(help), "{targets}\n{problems}");
    assert_eq!(found[0].severity, severity);
    let marked = whole(targets);
    let before = marked.split('¦').next().unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let line = before.matches('\n').count() + 1;
    assert_eq!((found[0].line, found[0].column), (line, column), "{targets}\n{problems}");
}

fn error(targets: &str, message: &str, help: &str) {
    only(targets, Severity::Error, message, help);
}

#[test]
fn targets_stand_in_the_order_of_the_file() {
    let config = read(
        "[targets.urgent]\nwhen = 'ticket.priority == \"urgent\"'\nfirst_reply = \"1h wall\"\nhours = \"office\"\n\
         [targets.a-rest]\nresolution = \"40h\"\npaused_in = [\"pending\", \"on_hold\"]\n",
    );
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<&str> = config.policy.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["urgent", "a-rest"]);
    assert_eq!(config.policy.targets[1].paused_in.len(), 2);
    assert!(config.policy.targets[0].hours.is_some());
}

#[test]
fn every_slip_in_a_target_is_named_at_its_place() {
    let clock = "first_reply = \"4h\"\n";
    error("[targets.¦x]\nwhen = 'true'\n", "gives no clock", "first_reply = \"4h\"");
    error("[targets.x]\nfirst_reply = ¦\"soon\"\n", "is no duration", "30s");
    error(&format!("[targets.x]\n{clock}¦first_replay = \"4h\"\n"), "has no key", "did you mean `first_reply`?");
    error(&format!("[targets.x]\n{clock}hours = ¦\"offce\"\n"), "no hours \"offce\"", "`office`");
    error(&format!("[targets.x]\n{clock}when = '¦ticket.nothing'\n"), "ticket.nothing", "");
    error(
        &format!("[targets.x]\n{clock}¦when = 'clocks.resolution.state == \"met\"'\n"),
        "looks at a clock",
        "other facts",
    );
    error(&format!("[targets.x]\n{clock}when = '¦package.completeness > 0.5'\n"), "package", "");
    error("[targets.x]\nresolution = \"4h\"\npaused_in = [¦\"hold\"]\n", "cannot be \"hold\"", "on_hold");
    error(&format!("[targets.x]\n{clock}¦paused_in = [\"on_hold\"]\n"), "belongs to a resolution clock", "resolution");
    error("[targets.x]\n¦resolution = \"30d\"\nhours = \"office\"\n", "more than two years", "30d wall");
    let behind = format!("[targets.x]\n{clock}[targets.¦y]\n{clock}");
    only(&behind, Severity::Warning, "stands behind [targets.x]", "move it up");
}

#[test]
fn a_target_is_part_of_the_policys_meaning() {
    let version = |targets: &str| read(targets).unwrap_or_else(|problems| panic!("{problems}")).policy.version;
    let one = version("[targets.x]\nresolution = \"4h\"\n");
    for other in [
        "[targets.x]\nresolution = \"5h\"\n",
        "[targets.x]\nresolution = \"4h wall\"\n",
        "[targets.x]\nresolution = \"4h\"\nhours = \"office\"\n",
        "[targets.x]\nresolution = \"4h\"\npaused_in = [\"on_hold\"]\n",
        "[targets.x]\nresolution = \"4h\"\nwhen = 'has_tag(\"a\")'\n",
        "[targets.y]\nresolution = \"4h\"\n",
        "[targets.x]\nfirst_reply = \"4h\"\n",
    ] {
        assert_ne!(one, version(other), "{other}");
    }
    assert_eq!(one, version("[targets.x]\nresolution = \"240m\"\n"));
}
