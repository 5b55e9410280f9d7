//! What is installed: the Debian package's description names files that are there, the unit is one that systemd takes, the container file
//! speaks of paths, a user, a port and commands that the program has, and the Grafana dashboard is in the form of Grafana's own and
//! asks for metrics that the operations page documents. That the daemon gives them, with these labels, a test beside its metrics holds.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names that begin so in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let names = text.split("handoffd_").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(rest.len());
        format!("handoffd_{}", &rest[..end])
    });
    names.collect()
}

/// Those of the table of metrics.
fn documented() -> BTreeSet<String> {
    let operations = read("docs/OPERATIONS.md");
    let (_, table) = operations.split_once("\n## Metrics\n").expect("a section on metrics");
    let table = table.split("\n## ").next().expect("its text");
    metrics_in(&table.lines().filter(|line| line.starts_with("| `")).collect::<String>())
}

#[test]
fn every_metric_of_the_grafana_dashboard_is_documented() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("packaging/grafana-dashboard.json")).expect("JSON");
    let mut asked = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "two panels have one id: {panel}");
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            assert_eq!(expression.matches('(').count(), expression.matches(')').count(), "{expression}");
            let metrics = metrics_in(expression);
            assert!(!metrics.is_empty(), "{expression} asks for nothing of ours");
            asked.extend(metrics);
        }
    }
    asked.extend(metrics_in(&dashboard["annotations"].to_string()));
    let unknown: Vec<_> = asked.difference(&documented()).cloned().collect();
    assert!(unknown.is_empty(), "these are in the dashboard and in no document: {unknown:?}");
    assert!(asked.len() > 20, "only {} metrics were found", asked.len());
}

/// Its form, as far as it can be held without a Grafana: what its model of a dashboard asks for, panels that lie on a grid of 24 columns
/// and not over each other, targets with names of their own, sources that are a variable of the dashboard.
#[test]
fn the_grafana_dashboard_has_the_form_of_one() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("packaging/grafana-dashboard.json")).expect("JSON");
    assert!(
        dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36),
        "datasources are objects since 36"
    );
    assert!(dashboard["title"].is_string() && dashboard["uid"].as_str().is_some_and(|uid| uid.len() <= 40));
    assert!(dashboard.get("id").is_none(), "an id is the installation's own");
    let variables: BTreeSet<&str> = dashboard["templating"]["list"]
        .as_array()
        .expect("variables")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    let source = |of: &serde_json::Value| {
        let uid = of["datasource"]["uid"].as_str().expect("a source").trim_start_matches("${").trim_end_matches('}');
        assert!(variables.contains(uid) && of["datasource"]["type"] == "prometheus", "{of}");
    };
    dashboard["annotations"]["list"].as_array().expect("annotations").iter().for_each(&source);
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        source(panel);
        assert!(["stat", "timeseries"].contains(&panel["type"].as_str().expect("a type")), "{panel}");
        assert!(panel["title"].as_str().is_some_and(|title| !title.is_empty()));
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a place"));
        assert!(x + w <= 24 && w > 0 && h > 0, "{panel}");
        let cells = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
        assert!(cells.into_iter().all(|cell| taken.insert(cell)), "it lies over another one: {}", panel["title"]);
        let targets = panel["targets"].as_array().expect("targets");
        let names: BTreeSet<&str> = targets.iter().filter_map(|target| target["refId"].as_str()).collect();
        assert_eq!(names.len(), targets.len(), "{panel}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(
            ["short", "s", "reqps", "bytes", "percentunit"].contains(&defaults["unit"].as_str().expect("a unit")),
            "{panel}"
        );
        if let Some(steps) = defaults["thresholds"]["steps"].as_array() {
            assert!(steps[0]["value"].is_null(), "the first step has no bound: {panel}");
        }
        for change in panel["fieldConfig"]["overrides"].as_array().expect("a list") {
            let of = change["matcher"]["options"].as_str().expect("which");
            assert!(change["matcher"]["id"] == "byFrameRefID" && names.contains(of), "{change}");
        }
    }
}

/// The instructions of a container file, continued lines joined.
fn instructions(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parted = lines.map(|line| line.split_once(' ').unwrap_or_else(|| panic!("no instruction: {line}")));
    parted.map(|(word, rest)| (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// A command in JSON's form, which is run without a shell.
fn exec(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_container_file_speaks_of_what_the_program_has() {
    let all = instructions(&read("packaging/Containerfile"));
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "ENV",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ];
    assert!(all.iter().all(|(word, _)| known.contains(&word.as_str())), "{all:?}");
    let second = all.iter().rposition(|(word, _)| word == "FROM").expect("a stage that runs");
    let (build, runs) = all.split_at(second);
    let of = |stage: &[(String, String)], word: &str| -> Vec<String> {
        stage.iter().filter(|(named, _)| named == word).map(|(_, rest)| rest.clone()).collect()
    };
    let one = |word: &str| {
        let found = of(runs, word);
        assert_eq!(found.len(), 1, "{word}: {found:?}");
        found[0].clone()
    };
    // Both stages have the same system library, and the compiler is the one that the project asks for.
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().expect("a version");
    let base = of(build, "FROM")[0].clone();
    assert_eq!(base, format!("docker.io/library/rust:{rust}-bookworm AS build"));
    assert_eq!(one("FROM"), "docker.io/library/debian:bookworm-slim");
    let built = of(build, "RUN").concat();
    assert!(built.contains("cargo build --release --locked --bin handoffd"), "{built}");
    // What is copied, where it is called, and that nothing secret comes along.
    let copied = of(runs, "COPY");
    let from = format!("--from=build {}/target/release/handoffd /usr/bin/handoffd", of(build, "WORKDIR")[0]);
    assert!(copied.contains(&from), "{copied:?}");
    let ignored = read(".dockerignore");
    for left_out in ["target", ".git", "*.db"] {
        assert!(ignored.lines().any(|line| line == left_out), "{left_out}");
    }
    // Its user is no root, and owns the volume of the ledger.
    let (made, user) = (one("RUN"), one("USER"));
    let (uid, gid) = user.split_once(':').expect("a user and a group, by number");
    assert!(uid == gid && uid.parse::<u32>().is_ok_and(|uid| uid > 999), "{user}");
    assert!(made.contains(&format!("--uid {uid} --user-group")), "{made}");
    let volume = one("VOLUME");
    assert_eq!((one("WORKDIR"), made.contains(&format!("--mode 0700 {volume}"))), (volume.clone(), true));
    assert!(made.contains("ca-certificates") && made.contains("rm -rf /var/lib/apt/lists/*"), "{made}");
    // Every command parses, and the variable is the one that names the configuration.
    let program = handoffd::cli::command();
    let entry = exec(&one("ENTRYPOINT"));
    assert_eq!(entry, [program.get_name()]);
    let health = one("HEALTHCHECK");
    let (times, health) = health.split_once(" CMD ").expect("a command");
    assert!(
        times.split(' ').all(|time| ["--interval=30s", "--timeout=5s", "--start-period=30s"].contains(&time)),
        "{times}"
    );
    let run: Vec<String> = entry.into_iter().chain(exec(&one("CMD"))).collect();
    for words in [run, exec(health)] {
        handoffd::cli::command().try_get_matches_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }
    let (variable, path) =
        one("ENV").split_once('=').map(|(name, path)| (name.to_owned(), path.to_owned())).expect("one");
    let config = program.get_arguments().find(|argument| argument.get_id() == "config").expect("--config");
    assert_eq!(config.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
    assert!(read("packaging/handoffd.service").contains(&path), "{path} is where the unit has it");
    assert_eq!(one("STOPSIGNAL"), "SIGTERM");
    its_page_fits(&volume, &one("EXPOSE"));
}

/// What its page says is a configuration of it: the ledger on the volume, webhooks on the port.
fn its_page_fits(volume: &str, port: &str) {
    let page = read("packaging/README.md");
    let (ledger, hooks) = (format!("{volume}/handoffd.db"), format!("0.0.0.0:{port}"));
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a configuration");
    let daemon: toml::Table = block.parse().expect("TOML");
    assert_eq!(daemon["daemon"]["ledger"].as_str(), Some(ledger.as_str()));
    assert_eq!(daemon["daemon"]["hooks"].as_str(), Some(hooks.as_str()));
}

#[test]
fn the_debian_package_is_made_of_files_that_are_there() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let package = manifest["package"]["metadata"]["deb"].as_table().expect("a description");
    let there = |path: &str| {
        let found = glob::glob(&root().join(path).to_string_lossy()).expect("a pattern").count();
        assert!(found > 0, "{path} is not there");
    };
    // A line of the package's list: what is longer becomes the beginning of the long description.
    let short = manifest["package"]["description"].as_str().expect("a line");
    assert!(short.len() < 78 && !short.ends_with('.'), "{short}");
    let assets = package["assets"].as_array().expect("assets");
    for asset in assets {
        let [source, target, mode] = [0, 1, 2].map(|at| asset[at].as_str().expect("text"));
        assert!(!target.starts_with('/') && ["755", "644"].contains(&mode), "{asset}");
        if source != "target/release/handoffd" {
            there(source);
        }
    }
    assert!(assets.iter().any(|asset| asset[0].as_str() == Some("target/release/handoffd")), "the program itself");
    let binaries = manifest["bin"].as_array().expect("programs");
    assert!(binaries.iter().any(|binary| binary["name"].as_str() == Some("handoffd")));
    there(package["license-file"][0].as_str().expect("a licence"));
    let unit = &package["systemd-units"];
    let unit = [&unit["unit-scripts"], &unit["unit-name"]].map(|text| text.as_str().expect("text"));
    there(&format!("{}/{}.service", unit[0], unit[1]));
    let scripts = package["maintainer-scripts"].as_str().expect("scripts");
    for script in ["postinst", "postrm"] {
        let text = read(&format!("{scripts}/{script}"));
        assert!(
            text.starts_with("#!/bin/sh\n") && text.contains("\nset -e\n") && text.contains("\n#DEBHELPER#\n"),
            "{script}"
        );
        let checked = Command::new("sh").arg("-n").arg(root().join(scripts).join(script)).status().expect("a shell");
        assert!(checked.success(), "{script} is no script");
    }
    // What the scripts make is what the unit names.
    let (unit, postinst) = (read("packaging/handoffd.service"), read("packaging/debian/postinst"));
    for word in ["/etc/handoffd", "/var/lib/handoffd", "handoffd"] {
        assert!(unit.contains(word) && postinst.contains(word), "{word}");
    }
}

/// Needs systemd; where it is not, the test says so.
#[test]
fn systemd_takes_the_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    // It looks whether the program is there.
    let unit = read("packaging/handoffd.service").replace("ExecStart=handoffd", "ExecStart=/bin/true");
    let path = folder.path().join("handoffd.service");
    std::fs::write(&path, unit).expect("written");
    match Command::new("systemd-analyze").arg("verify").arg(&path).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let ours: Vec<&str> = said.lines().filter(|line| line.contains(&*path.to_string_lossy())).collect();
            assert!(output.status.success() && ours.is_empty(), "{said}");
        }
        Err(error) => left_out(&path, &error),
    }
}

fn left_out(path: &Path, error: &std::io::Error) {
    use std::io::Write as _;
    assert!(std::env::var("HANDOFFD_TEST_REAL").as_deref() != Ok("1"), "systemd-analyze is missing: {error}");
    let _ = writeln!(std::io::stderr(), "left out: {} was not verified: {error}", path.display());
}
