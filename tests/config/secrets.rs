//! Secrets come from the environment or a file, at the very end, and are never printed.

use handoffd::config::{self, Config, secrets};
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::{Setting, SettingProblem};
use secrecy::ExposeSecret;
use std::path::Path;

#[expect(clippy::expect_used, reason = "a test's helper")]
fn config_in(folder: &Path) -> Config {
    let text = "[desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\n\
                login = { client_id = \"bot\", client_secret = { env = \"SECRET\" } }\n\
                webhook.secret = { file = \"hook.secret\" }\n";
    config::read(text, "handoffd.toml", folder).expect("right")
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn write(folder: &Path, secret: &[u8], mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let file = folder.join("hook.secret");
    std::fs::write(&file, secret).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode set");
}

fn env(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "from the environment\n".to_owned())
}

fn shown(setting: Option<&Setting>) -> String {
    match setting {
        Some(Setting::Text(text)) => text.clone(),
        Some(Setting::Secret(secret)) => secret.current().expose_secret().to_owned(),
        None => "missing".to_owned(),
    }
}

#[test]
fn secrets_are_read_from_where_the_file_says_without_their_line_end() {
    let folder = tempfile::tempdir().expect("a folder");
    for secret in ["from the file", "from the file\n", "from the file\r\n"] {
        write(folder.path(), secret.as_bytes(), 0o600);
        let (desks, warnings) = secrets::resolve(&config_in(folder.path()), &env).expect("resolved");
        let desk = &desks[&DeskId::new("acme")];
        assert!(warnings.is_empty(), "{warnings}");
        assert_eq!(shown(desk.login.get("client_id")), "bot");
        assert_eq!(shown(desk.login.get("client_secret")), "from the environment");
        assert_eq!(shown(desk.webhook.get("secret")), "from the file");
        assert!(!format!("{desk:?}").contains("from the"), "{desk:?}");
    }
}

#[test]
fn every_secret_that_is_missing_or_broken_is_named_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config_in(folder.path());
    let problems = secrets::resolve(&config, &|_| None).expect_err("both are missing");
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(4, 30), (5, 9)], "{problems}");
    assert!(problems.to_string().contains("the environment variable SECRET is not set"), "{problems}");
    assert!(problems.to_string().contains("cannot be read"), "{problems}");
    // An offline check only warns of them.
    let softened = secrets::check(&config, &|_| None);
    assert!(!softened.has_errors());
    assert_eq!(softened.iter().count(), 2);
}

#[test]
fn a_secret_is_one_line_of_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let huge = vec![b'x'; 20_000];
    for (secret, piece) in [
        (b"".as_slice(), "is empty"),
        (b"\n", "is empty"),
        (b"  \n", "is empty"),
        (b"two\nlines", "line break or control character"),
        (b"trailing\n\n", "line break or control character"),
        (b"nul\0", "line break or control character"),
        (b"\xff\xfe", "not UTF-8"),
        (&huge, "longer than any secret"),
    ] {
        write(folder.path(), secret, 0o600);
        let problems = secrets::resolve(&config_in(folder.path()), &env).expect_err(piece);
        assert!(problems.to_string().contains(piece), "{problems}");
        assert!(!problems.to_string().contains("lines") || piece.contains("line"), "{problems}");
    }
}

#[test]
fn a_file_that_others_can_read_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), b"secret", 0o644);
    let (_, warnings) = secrets::resolve(&config_in(folder.path()), &env).expect("resolved");
    let warning = warnings.iter().next().expect("a warning");
    assert!(warning.message.contains("readable by others") && warning.help.contains("chmod 600"), "{warnings}");
}

#[test]
fn a_check_without_secrets_hands_connectors_every_key_and_no_file_is_read() {
    let settings = secrets::stand_ins(&config_in(Path::new("/no/such/folder")));
    let desk = &settings[&DeskId::new("acme")];
    assert_eq!(shown(desk.login.get("client_id")), "bot");
    assert!(matches!(desk.login.get("client_secret"), Some(Setting::Secret(_))));
    assert!(matches!(desk.webhook.get("secret"), Some(Setting::Secret(_))));
}

#[test]
fn nothing_prints_what_a_login_says() {
    let config = config_in(Path::new(""));
    let printed = format!("{config:?}");
    assert!(!printed.contains("\"bot\""), "{printed}");
    assert!(printed.contains("SECRET"), "the name of the variable is no secret: {printed}");
}

#[test]
fn what_a_connector_finds_wrong_is_shown_at_its_place_in_the_file() {
    let config = config_in(Path::new(""));
    let problem = |key: &str| SettingProblem { key: key.into(), problem: "p".into(), help: "h".into() };
    let found = [problem("login.client_secret"), problem("login.scope"), problem("webhook"), problem("nonsense")];
    let problems = config.setting_problems(&DeskId::new("acme"), &found);
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(4, 30), (4, 1), (5, 1), (1, 8)], "{problems}");
    assert!(problems.has_errors());
    assert_eq!(config.setting_problems(&DeskId::new("gone"), &found).iter().count(), 4);
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn commanded(folder: &Path, command: &str) -> Config {
    let text = format!(
        "[desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\n\
         login = {{ client_id = \"bot\", client_secret = {{ command = {command} }} }}\n"
    );
    config::read(&text, "handoffd.toml", folder).expect("right")
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn script(folder: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let file = folder.join("secret.sh");
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("mode set");
}

#[test]
fn a_secret_that_a_command_prints_is_read_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    script(folder.path(), "echo \"$1 $0\" >&2; printf 'canary one\\r\\n'");
    let config = commanded(folder.path(), "[\"./secret.sh\", \"canary argument\"]");
    let login = format!("{:?}", config.desks[&DeskId::new("acme")].login);
    assert!(login.contains("secret.sh") && !login.contains("canary"), "{login}");
    assert_eq!(secrets::commands(&config), 1);
    let (desks, _) = secrets::resolve(&config, &env).expect("resolved");
    let setting = desks[&DeskId::new("acme")].login.get("client_secret");
    assert_eq!(shown(setting), "canary one");
    let Some(Setting::Secret(secret)) = setting else { panic!("a secret") };
    script(folder.path(), "echo canary two");
    let used = secret.current();
    assert!(futures::executor::block_on(secret.renew(&used, jiff::Timestamp::UNIX_EPOCH)));
    assert_eq!(shown(setting), "canary two");
    std::fs::remove_file(folder.path().join("secret.sh")).expect("removed");
    let later = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(1);
    assert!(!futures::executor::block_on(secret.renew(&secret.current(), later)));
    assert_eq!(shown(setting), "canary two", "the one from before");
    let trouble = secret.trouble().expect("told");
    assert!(trouble.what.contains("cannot be run") && !trouble.what.contains("canary"), "{trouble:?}");
}

#[test]
fn a_command_that_prints_no_secret_is_told_at_its_place_and_never_what_it_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, piece) in [
        ("exit 0", "is empty"),
        ("echo canary; echo canary", "line break or control character"),
        ("printf 'canary\\377'", "is not UTF-8"),
        ("echo canary; exit 7", "exit status: 7"),
        ("head -c 1000000 /dev/zero", "printed more"),
    ] {
        script(folder.path(), text);
        let config = commanded(folder.path(), "[\"./secret.sh\"]");
        let problems = secrets::resolve(&config, &env).expect_err(piece);
        let shown = problems.to_string();
        assert!(shown.contains(piece) && !shown.contains("canary"), "{shown}");
        assert_eq!(problems.iter().next().map(|problem| problem.line), Some(4));
    }
    let config = commanded(folder.path(), "[\"no-such-program-anywhere\"]");
    assert!(secrets::resolve(&config, &env).expect_err("missing").to_string().contains("cannot be run"));
}

#[test]
fn an_offline_check_runs_no_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("ran");
    script(folder.path(), &format!("touch {}; echo hush", mark.display()));
    let config = commanded(folder.path(), "[\"./secret.sh\"]");
    assert!(secrets::check(&config, &env).is_empty());
    assert!(!mark.exists());
    secrets::resolve(&config, &env).expect("run");
    assert!(mark.exists());
}

#[test]
fn a_secret_is_given_in_one_way_and_a_command_names_a_program() {
    for (secret, piece) in [
        ("{ env = \"A\", command = [\"x\"] }", "in more than one way"),
        ("{ env = \"A\", file = \"x\" }", "in more than one way"),
        ("{ }", "neither env nor file nor command"),
        ("{ command = [] }", ""),
        ("{ command = [\" \"] }", "names no program"),
        ("{ command = \"op read x\" }", ""),
        ("{ command = [\"a\", 7] }", ""),
        ("{ command = [\"a\\u0000b\"] }", "names no program"),
    ] {
        let text = format!(
            "[desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\n\
             login = {{ client_id = \"bot\", client_secret = {secret} }}\n"
        );
        let problems = config::read(&text, "handoffd.toml", Path::new("/")).expect_err(secret);
        assert!(problems.has_errors() && problems.to_string().contains(piece), "{secret}: {problems}");
    }
}
