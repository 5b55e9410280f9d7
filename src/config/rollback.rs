//! A policy that has run before, in place of the file's: what decides is the kept one's, how desks are reached and how the
//! daemon works is the file's.

use super::{Config, read_kept};
use std::path::Path;

impl Config {
    /// This configuration with a policy that has run in the place of its own. `text`: as [`Config::text`] gave it then.
    ///
    /// # Errors
    /// Why that policy cannot run now, in words.
    pub fn with_kept_policy(self, version: &str, text: &str) -> Result<Self, String> {
        let base = Path::new(self.file()).parent().unwrap_or(Path::new(""));
        let kept = read_kept(text, &format!("policy {version}"), base)
            .map_err(|problems| format!("the policy {version} does not pass `check` any more:\n{problems}"))?;
        if kept.policy.version != version {
            let now = &kept.policy.version;
            return Err(format!(
                "the policy {version} means something else now ({now}): a calendar file that it reads has changed, or handoffd has"
            ));
        }
        for (desk, had) in &kept.desks {
            let reached = self.desks.get(desk).is_some_and(|has| has.connector == had.connector);
            if !reached {
                let connector = &had.connector;
                return Err(format!(
                    "the policy {version} has a desk {desk} with the connector {connector}, and the file has none: put \
                     [desks.{desk}] back first"
                ));
            }
        }
        let mut policy = kept.policy;
        policy.mode = self.policy.mode;
        let desks = self.desks.into_iter().filter(|(desk, _)| kept.desks.contains_key(desk)).collect();
        // Its tests are the kept policy's too, but their places are in another text.
        Ok(Self { desks, policy, meaning: kept.meaning, tests: Vec::new(), text: kept.text, ..self })
    }
}
