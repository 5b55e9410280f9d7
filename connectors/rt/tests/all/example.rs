//! `example.toml` is what an admin copies from: the connector must take it as it stands.

use handoffd_kit::clock::ManualClock;
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::HttpTransport;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Middle;

impl Random for Middle {
    fn bits(&self) -> u64 {
        1 << 63
    }
}

/// A table as the configuration hands it over: what comes from the environment is a secret.
fn settings(table: &toml::Value) -> BTreeMap<String, Setting> {
    let setting = |value: &toml::Value| match value {
        toml::Value::String(text) => Setting::Text(text.clone()),
        from => Setting::Secret(format!("1-71-{}-0123456789abcdef", from["env"].as_str().unwrap()).into()),
    };
    table.as_table().unwrap().iter().map(|(key, value)| (key.clone(), setting(value))).collect()
}

fn problems(example: &str) -> Vec<String> {
    let example: toml::Value = toml::from_str(example).unwrap();
    let desk = &example["desks"]["acme"];
    assert_eq!(desk["connector"].as_str(), Some(handoffd_rt::NAME));
    // The environment's names have underscores, which tokens and addresses may have too.
    let settings = DeskSettings {
        id: "acme".into(),
        url: desk["url"].as_str().unwrap().parse().unwrap(),
        login: settings(&desk["login"]),
        webhook: settings(&desk["webhook"]),
        budget: 1.0,
    };
    let clock = Arc::new(ManualClock::new("2026-11-24T05:00:00Z".parse().unwrap()));
    let seams = Seams { clock, random: Arc::new(Middle), transport: Arc::new(HttpTransport::new(1)) };
    match handoffd_rt::connect(settings, seams) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| format!("{}: {}", problem.key, problem.problem)).collect(),
    }
}

#[test]
fn the_example_is_taken_as_it_stands_and_with_its_other_login() {
    let example = include_str!("../../example.toml");
    assert_eq!(problems(example), [""; 0]);
    let mut lines: Vec<&str> = example.lines().filter(|line| !line.starts_with("login")).collect();
    let other = lines.iter_mut().find(|line| line.starts_with("# login")).unwrap();
    *other = other.trim_start_matches("# ");
    assert_eq!(problems(&lines.join("\n")), [""; 0]);
    let broken = example.replace("token = { env = \"RT_TOKEN\" }", "tokne = { env = \"RT_TOKEN\" }");
    assert_eq!(problems(&broken).len(), 2, "an unknown key and a missing one");
}
