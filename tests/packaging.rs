//! What is installed: the Debian package's description names files that are there, the unit is one that systemd takes, and the Grafana
//! dashboard asks for metrics that the operations page documents and the daemon's code gives.

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

#[test]
fn the_debian_package_is_made_of_files_that_are_there() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let package = manifest["package"]["metadata"]["deb"].as_table().expect("a description");
    let there = |path: &str| {
        let found = glob::glob(&root().join(path).to_string_lossy()).expect("a pattern").count();
        assert!(found > 0, "{path} is not there");
    };
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
