//! The demo's stage: an embedded helpdesk on a real loopback socket, a real ledger in a temporary folder, and a wired house.

use super::super::check::seams;
use super::super::dialect::Dialect;
use super::super::failure::Failure;
use crate::clock::unguessable;
use crate::config::{self, Config, Look, Role, render};
use crate::daemon::house::House;
use crate::daemon::wiring::{open_desks, wire};
use crate::ledger::records::SignedWording;
use crate::ledger::{Durability, Handle, Ledger};
use crate::web::dashboard::Entry;
use crate::web::{hooks, pages, serve};
use handoffd_sandbox::{Sandbox, seed};
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const POLICY: &str = include_str!("policy.toml");
/// How the policy writes the login's secret.
const LOGIN: &str = "{ env = \"DEMO_SECRET\" }";
/// What the policy asks of a customer's organisation: a field, and a condition on it.
const PLAN: &str = "plan       = { id = \"plan\", of = \"organization\" }\n";
const PREMIUM: &str = "organization.fields.plan == \"premium\"";
const WEBHOOK_SECRET: &str = "demo-webhook-secret";
const SIGNER: &str = "support-ops@acme.example";

/// Everything the demo runs on.
pub struct Stage {
    /// The helpdesk.
    pub sandbox: Sandbox,
    /// The daemon's house.
    pub house: House,
    /// Where the daemon answers.
    pub web: String,
    /// What opens its dashboard.
    pub token: String,
    /// Where the ledger lies; removed in the end.
    folder: PathBuf,
}

impl Stage {
    /// Sets everything up: helpdesk and daemon listen, nothing has happened yet.
    ///
    /// # Errors
    /// No loopback, no temporary folder.
    pub async fn set(dialect: Dialect, stop: &CancellationToken) -> Result<Self, Failure> {
        let seams = seams();
        let sandbox = dialect.account(seams.clock.clone(), 1);
        seed::demo(&sandbox);
        let (desk_listener, desk_url) = listen().await?;
        let (web_listener, web) = listen().await?;
        let (hook, signed_with) = dialect.hook(&format!("{web}/hooks/acme"), WEBHOOK_SECRET);
        sandbox.with(|desk| desk.add_hook(&hook, signed_with, &[], None));
        let shutdown = stop.clone().cancelled_owned();
        let poster = Some(seams.transport.clone());
        let served = handoffd_sandbox::server::serve(desk_listener, sandbox.clone(), poster, shutdown);
        tokio::spawn(served);

        let folder = folder(seams.random.bits())?;
        let config = configuration(dialect, &desk_url, &folder)?;
        let desks = open_desks(&config, &secret(dialect), &seams).map_err(|problems| broken(&problems))?;
        let ledger = Handle::spawn(Ledger::open(&config.daemon.ledger, Durability::Full)?)?;
        let house = wire(&config, desks, ledger, seams);
        sign(&house).await?;
        let face = house.web(config.daemon.webhook_max_bytes);
        let token = hex::encode(unguessable().map_err(anyhow::Error::from)?);
        let entry = Entry::new(&config.web, &[(SIGNER.to_owned(), Role::Operate, token.clone().into())]);
        let dashboard = house.dashboard(face.clone(), entry, config.systems(), stop.clone());
        tokio::spawn(serve(web_listener, hooks(face.clone()).merge(pages(face)).merge(dashboard), stop.clone()));
        Ok(Self { sandbox, house, web, token, folder })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(error = %error, "demo.folder_left");
        }
    }
}

async fn listen() -> Result<(TcpListener, String), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(|error| Failure::unreachable(anyhow::anyhow!("no loopback: {error}")))?;
    let address =
        listener.local_addr().map_err(|error| Failure::unreachable(anyhow::anyhow!("no loopback: {error}")))?;
    Ok((listener, format!("http://{address}")))
}

fn folder(bits: u64) -> Result<PathBuf, Failure> {
    let folder = std::env::temp_dir().join(format!("handoffd-demo-{bits:016x}"));
    std::fs::create_dir(&folder).map_err(|error| anyhow::anyhow!("{} cannot be made: {error}", folder.display()))?;
    Ok(folder)
}

fn configuration(dialect: Dialect, url: &str, folder: &std::path::Path) -> Result<Config, Failure> {
    let text = policy(dialect).replace("\"URL\"", &format!("\"{url}\""));
    config::read(&text, "demo.toml", folder).map_err(|problems| broken(&problems))
}

/// The demo's policy, its desk in this vendor's words.
fn policy(dialect: Dialect) -> String {
    let (zendesk, _) = Dialect::Zendesk.login(LOGIN);
    let (login, _) = dialect.login(LOGIN);
    let mut words = vec![
        ("connector = \"zendesk\"".to_owned(), format!("connector = \"{}\"", dialect.connector())),
        (format!("login     = {zendesk}"), format!("login     = {login}")),
        ("webhook   = { secret =".to_owned(), format!("webhook   = {{ {} =", dialect.hook_key())),
    ];
    let fields = Dialect::Zendesk.fields().into_iter().zip(dialect.fields());
    words.extend(fields.map(|(theirs, here)| (format!("\"{theirs}\""), format!("\"{here}\""))));
    if !dialect.knows_plans() {
        words.push((PLAN.to_owned(), String::new()));
        words.push((PREMIUM.to_owned(), "customer.domain == \"premium.example\"".to_owned()));
    }
    words.iter().fold(POLICY.to_owned(), |policy, (from, to)| policy.replacen(from, to, 1))
}

fn broken(problems: &config::Problems) -> Failure {
    Failure::usage(anyhow::anyhow!("{}", render(problems, Look::Plain)))
}

/// The embedded helpdesk's secrets are no secrets.
fn secret(dialect: Dialect) -> impl Fn(&str) -> Option<String> {
    move |name| match name {
        "DEMO_SECRET" => Some(dialect.login(LOGIN).1.to_owned()),
        "DEMO_WEBHOOK_SECRET" => Some(WEBHOOK_SECRET.to_owned()),
        _ => None,
    }
}

/// In the demo the policy's owner has signed every wording.
async fn sign(house: &House) -> Result<(), Failure> {
    let at = house.seams.clock.now();
    for message in house.policy.messages.values() {
        let signed = SignedWording {
            message: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signer: SIGNER.to_owned(),
            system_user: "demo".to_owned(),
            at,
        };
        house.ledger.call(move |ledger| ledger.sign(&signed)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn the_demos_policy_has_no_problems_in_any_vendors_words() {
        for dialect in Dialect::value_variants() {
            let config = configuration(*dialect, "http://127.0.0.1:1", std::path::Path::new("/nowhere"));
            let config = config.unwrap_or_else(|failure| panic!("{dialect:?}: {failure:?}"));
            assert!(config.warnings.is_empty(), "{dialect:?}: {}", render(&config.warnings, Look::Plain));
            assert_eq!(config.desks.values().next().map(|desk| desk.connector.as_str()), Some(dialect.connector()));
        }
    }
}
