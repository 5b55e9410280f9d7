//! `example.toml` is what an admin copies from: the connector must take it as it stands.

use crate::settings::{DeskSettings, Setting};
use std::collections::BTreeMap;

/// The settings of the example's first desk, as the configuration would hand them over: what comes from elsewhere is a secret,
/// here a stand-in that fits every vendor's form.
///
/// # Errors
/// What of the example cannot be read, in words.
pub fn settings(example: &str) -> Result<DeskSettings, String> {
    let example: toml::Table = toml::from_str(example).map_err(|error| error.to_string())?;
    let desks = example.get("desks").and_then(toml::Value::as_table).ok_or("it has no desk")?;
    let (id, desk) = desks.iter().next().ok_or("it has no desk")?;
    let url = desk.get("url").and_then(toml::Value::as_str).ok_or("its desk has no url")?;
    Ok(DeskSettings {
        id: id.as_str().into(),
        url: url.parse().map_err(|_| format!("{url} is no address"))?,
        login: table(desk.get("login"))?,
        webhook: table(desk.get("webhook"))?,
        budget: 1.0,
    })
}

/// The settings of a desk with this address, these keys of `login` and these of `webhook`, for a connector's own tests.
///
/// # Errors
/// The address is none.
pub fn desk(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Result<DeskSettings, String> {
    let table = |keys: &[(&str, Setting)]| keys.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
    let url = url.parse().map_err(|_| format!("{url} is no address"))?;
    Ok(DeskSettings { id: "acme".into(), url, login: table(login), webhook: table(webhook), budget: 0.8 })
}

fn table(value: Option<&toml::Value>) -> Result<BTreeMap<String, Setting>, String> {
    let setting = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::String(text) => Ok((key.clone(), Setting::Text(text.clone()))),
        // The environment's names have underscores, which tokens and addresses may have too.
        from => match from.get("env").and_then(toml::Value::as_str) {
            Some(name) => Ok((key.clone(), Setting::Secret(format!("1-71-{name}-0123456789abcdef").into()))),
            None => Err(format!("{key} comes from nowhere that is known here")),
        },
    };
    value.and_then(toml::Value::as_table).into_iter().flatten().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts_and_what_comes_from_elsewhere_is_a_secret() {
        let read =
            settings("[desks.a]\nurl = \"https://a.example\"\nlogin = { user = \"u\", token = { env = \"T\" } }\n")
                .unwrap();
        assert!(matches!(&read.login["user"], Setting::Text(text) if text == "u"));
        assert!(matches!(&read.login["token"], Setting::Secret(_)) && read.webhook.is_empty());
        for odd in ["", "[desks]", "[desks.a]", "[desks.a]\nurl = \"a\"", "= 1"] {
            assert!(settings(odd).is_err(), "{odd}");
        }
        assert!(desk("a", &[], &[]).is_err());
        let built = desk("https://a.example", &[("user", Setting::Text("u".into()))], &[]).unwrap();
        assert!(matches!(&built.login["user"], Setting::Text(text) if text == "u") && built.webhook.is_empty());
        assert!(settings("[desks.a]\nurl = \"https://a.example\"\nlogin = { t = { file = \"x\" } }").is_err());
    }
}
