//! A configuration against the one that runs: what of it decides nothing and is another all the same, and what of that no
//! running process can take in. Keys are named, values never: one may be a secret that nobody recognised as one.

use super::Config;
use super::desks::DeskConfig;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// What a configuration says about how the daemon works and how desks are reached, other than the one that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherSettings {
    /// What can be taken in: `[daemon] mode`, `[desks.acme] login`, `[desks.acme] is new`.
    pub taken: Vec<String>,
    /// What takes a restart.
    pub restart: Vec<String>,
}

impl OtherSettings {
    /// Whether there is anything.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.restart.is_empty()
    }

    fn note(&mut self, table: &str, key: &str, same: bool, restart: bool) {
        let list = if restart { &mut self.restart } else { &mut self.taken };
        if !same {
            list.push(format!("[{table}] {key}"));
        }
    }
}

impl Config {
    /// What this configuration says other than the one that runs, its policy apart.
    pub fn settings_against(&self, runs: &Self) -> OtherSettings {
        let mut other = OtherSettings::default();
        let (new, old) = (&self.daemon, &runs.daemon);
        for (key, same, restart) in [
            ("ledger", new.ledger == old.ledger, true),
            ("listen", new.listen == old.listen, true),
            ("hooks", new.hooks == old.hooks, true),
            ("webhook_max_bytes", new.webhook_max_bytes == old.webhook_max_bytes, true),
            ("log", new.log == old.log, true),
            ("mode", new.mode == old.mode, false),
            ("verify_after", new.verify_after == old.verify_after, false),
            ("keep_raw", new.keep_raw == old.keep_raw, false),
            ("shutdown_within", new.shutdown_within == old.shutdown_within, false),
        ] {
            other.note("daemon", key, same, restart);
        }
        let (new, old) = (&self.web, &runs.web);
        other.note("web", "origin", new.origin == old.origin, true);
        other.note("web", "session", new.session == old.session, true);
        other.note("web", "logins", new.people().eq(old.people()), true);
        for (id, new) in &self.desks {
            let table = format!("desks.{id}");
            let Some(old) = runs.desks.get(id) else {
                other.taken.push(format!("[{table}] is new"));
                continue;
            };
            // Under the same name another helpdesk: what is under way would go on there, about other people's tickets.
            other.note(&table, "connector", new.connector == old.connector, true);
            other.note(&table, "url", new.url == old.url, true);
            other.note(&table, "login", new.login == old.login, false);
            other.note(&table, "webhook", new.webhook == old.webhook, false);
            other.note(&table, "budget", new.budget == old.budget, false);
            other.note(&table, "poll", new.poll == old.poll, false);
        }
        let gone = runs.desks.keys().filter(|id| !self.desks.contains_key(*id));
        other.taken.extend(gone.map(|id| format!("[desks.{id}] is gone")));
        // What a channel is told of, and that it comes or goes, is the policy's.
        let reached = self.alerts.iter().filter_map(|(name, new)| Some((name, new, runs.alerts.get(name)?)));
        let changed = reached.filter(|(_, new, old)| !new.is_reached_like(old));
        other.taken.extend(changed.map(|(name, ..)| format!("how [alerts.{name}] is reached")));
        other
    }
}

impl DeskConfig {
    /// Whether it is the same account, reached in the same way: a desk that is open need not be opened again.
    pub fn is_reached_like(&self, other: &Self) -> bool {
        let key = |desk: &Self| (desk.connector.clone(), desk.url.clone(), desk.login.clone(), desk.webhook.clone());
        key(self) == key(other) && self.budget == other.budget
    }
}

/// Where the ledger of a configuration lies, as far as that can be told of a file that may be broken: enough to find the
/// daemon that runs on it.
pub fn ledger_of(path: &Path) -> PathBuf {
    let base = path.parent().unwrap_or(Path::new(""));
    let text = super::read_text(path, "").unwrap_or_default();
    let (document, _) = DeTable::parse_recoverable(&text);
    let daemon = document.get_ref().get("daemon").and_then(|daemon| daemon.get_ref().as_table());
    let ledger = daemon.and_then(|daemon| daemon.get("ledger")).and_then(|ledger| ledger.get_ref().as_str());
    base.join(ledger.unwrap_or("handoffd.db"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
        [daemon]\nledger = \"one.db\"\n\
        [desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\npoll = \"30s\"\n\
        login = { client_id = \"handoffd\", client_secret = { env = \"SECRET\" } }\n";

    fn read(text: &str) -> Config {
        super::super::read(text, "policy.toml", Path::new("")).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn against(from: &str, to: &str) -> OtherSettings {
        let changed = POLICY.replace(from, to);
        assert_ne!(changed, POLICY, "{from}");
        read(&changed).settings_against(&read(POLICY))
    }

    #[test]
    fn each_setting_that_is_another_is_named_and_no_value_is() {
        assert!(read(POLICY).settings_against(&read(POLICY)).is_empty());
        for (from, to, named, restart) in [
            ("one.db", "two.db", "[daemon] ledger", true),
            ("[daemon]\n", "[daemon]\nlisten = \"127.0.0.1:1\"\n", "[daemon] listen", true),
            ("[daemon]\n", "[daemon]\nhooks = \"127.0.0.1:1\"\n", "[daemon] hooks", true),
            ("[daemon]\n", "[daemon]\nlog = \"json\"\n", "[daemon] log", true),
            ("[daemon]\n", "[daemon]\nwebhook_max_bytes = 2000\n", "[daemon] webhook_max_bytes", true),
            ("[daemon]\n", "[web]\nsession = \"1h\"\n[daemon]\n", "[web] session", true),
            ("[daemon]\n", "[web]\norigin = \"https://h.example\"\n[daemon]\n", "[web] origin", true),
            (
                "[daemon]\n",
                "[web.logins.lead]\nrole = \"read\"\ntoken = { env = \"ANOTHER\" }\n[daemon]\n",
                "[web] logins",
                true,
            ),
            ("[daemon]\n", "[daemon]\nmode = \"live\"\n", "[daemon] mode", false),
            ("[daemon]\n", "[daemon]\nverify_after = \"2m\"\n", "[daemon] verify_after", false),
            ("[daemon]\n", "[daemon]\nkeep_raw = \"1d\"\n", "[daemon] keep_raw", false),
            ("[daemon]\n", "[daemon]\nshutdown_within = \"5s\"\n", "[daemon] shutdown_within", false),
            ("//acme.", "//other.", "[desks.acme] url", true),
            ("\"SECRET\"", "\"ANOTHER\"", "[desks.acme] login", false),
            ("\"30s\"", "\"1m\"", "[desks.acme] poll", false),
            ("poll = \"30s\"", "budget = \"10%\"", "[desks.acme] budget", false),
        ] {
            let found = against(from, to);
            let list = if restart { &found.restart } else { &found.taken };
            assert_eq!(list.first().map(String::as_str), Some(named), "{found:?}");
            assert!(!format!("{found:?}").contains("ANOTHER"));
        }
    }

    #[test]
    fn a_desk_comes_and_goes_by_its_name() {
        let found = against("[desks.acme]", "[desks.other]");
        assert_eq!(found.taken, ["[desks.other] is new", "[desks.acme] is gone"]);
        assert_eq!(found.restart, Vec::<String>::new());
    }

    #[test]
    fn a_login_that_is_another_is_another_desk_and_a_pace_is_none() {
        let desk = |text: &str| read(text).desks.into_values().next().expect("a desk");
        let like = |from: &str, to: &str| desk(&POLICY.replace(from, to)).is_reached_like(&desk(POLICY));
        assert!(like("30s", "1m"));
        assert!(!like("SECRET", "ANOTHER"));
        assert!(!like("poll = \"30s\"", "budget = \"10%\""));
    }

    #[test]
    fn the_ledger_of_a_broken_file_is_found_as_far_as_it_can_be_read() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("policy.toml");
        for (text, ledger) in [
            ("[daemon]\nledger = \"one.db\"\n[desks.", "one.db"),
            ("[daemon]\nledger = 7", "handoffd.db"),
            ("\u{0}\u{1}]]]", "handoffd.db"),
        ] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(ledger_of(&path), folder.path().join(ledger), "{text}");
        }
        std::fs::write(&path, [0xff, 0xfe]).expect("written");
        assert_eq!(ledger_of(&path), folder.path().join("handoffd.db"));
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(ledger_of(&path), folder.path().join("handoffd.db"));
    }
}
