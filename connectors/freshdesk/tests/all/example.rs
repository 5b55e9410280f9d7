//! `example.toml` is what an admin copies from: the connector must take it as it stands.

use crate::stage::{Account, Even};
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table as the configuration hands it over: what comes from the environment is a secret.
fn settings(table: &toml::Value) -> BTreeMap<String, Setting> {
    let setting = |value: &toml::Value| match value {
        toml::Value::String(text) => Setting::Text(text.clone()),
        from => Setting::Secret(format!("{}-0123456789abcdef", from["env"].as_str().unwrap()).into()),
    };
    table.as_table().unwrap().iter().map(|(key, value)| (key.clone(), setting(value))).collect()
}

fn problems(example: &str) -> Vec<String> {
    let example: toml::Value = toml::from_str(example).unwrap();
    let desk = &example["desks"]["acme"];
    assert_eq!(desk["connector"].as_str(), Some(handoffd_freshdesk::NAME));
    let settings = DeskSettings {
        id: "acme".into(),
        url: desk["url"].as_str().unwrap().parse().unwrap(),
        login: settings(&desk["login"]),
        webhook: settings(&desk["webhook"]),
        budget: 1.0,
    };
    let account = Account::new();
    let transport = Arc::new(handoffd_kit::conformance::Stage::wire(&account.stage).clone());
    let seams = Seams { clock: Arc::new(account.clock.clone()), random: Arc::new(Even), transport };
    match handoffd_freshdesk::connect(settings, seams) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.key).collect(),
    }
}

#[test]
fn the_example_is_taken_as_it_stands() {
    let example = include_str!("../../example.toml");
    assert_eq!(problems(example), [""; 0]);
    let broken = example.replace("api_key = {", "apikey = {");
    assert_eq!(problems(&broken), ["login.apikey", "login.api_key"]);
}
