//! `handoffd sandbox`: the embedded helpdesk alone, to rehearse a policy against.

use super::check::seams;
use super::dialect::Dialect;
use super::failure::Failure;
use super::output::Context;
use clap::Args;
use handoffd_sandbox::seed;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The embedded helpdesk alone.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd sandbox                                          Zendesk's dialect on 127.0.0.1:8790
  handoffd sandbox --connector rt                           Request Tracker's dialect
  handoffd sandbox --connector freshdesk                    Freshdesk's dialect
  handoffd sandbox --connector zammad                       Zammad's dialect
  handoffd sandbox --connector intercom                     Intercom's dialect
  handoffd sandbox --connector jira-service-management      Jira Service Management's dialect
  handoffd sandbox --hook http://127.0.0.1:8787/hooks/acme  also posts signed webhooks there
  curl -s http://127.0.0.1:8790/_sandbox/journal            what it was asked, and what was done")]
pub struct SandboxArgs {
    /// Which vendor's dialect it speaks.
    #[arg(long, value_enum, default_value = "zendesk")]
    connector: Dialect,
    /// Where it listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:8790")]
    listen: SocketAddr,
    /// Where it posts webhooks; their secret is `sandbox-webhook-secret`, which Request Tracker adds to the address
    /// and Freshdesk sends in the header X-Handoffd-Secret.
    #[arg(long, value_name = "URL")]
    hook: Option<String>,
    /// Open this many generated tickets besides the demo's.
    #[arg(long, default_value_t = 0)]
    load: usize,
    /// What is drawn by chance is drawn from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What webhooks are signed with, or end their address with.
const HOOK_SECRET: &str = "sandbox-webhook-secret";

impl SandboxArgs {
    /// Runs it until Ctrl-C.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        if !self.listen.ip().is_loopback() {
            return Err(Failure::usage(anyhow::anyhow!(
                "the sandbox has no secrets worth the name: listen on 127.0.0.1"
            )));
        }
        super::run::runtime()?.block_on(self.serve(context))
    }

    async fn serve(&self, context: &Context) -> Result<ExitCode, Failure> {
        let seams = seams();
        let sandbox = self.connector.account(seams.clock.clone(), self.seed);
        seed::demo(&sandbox);
        seed::load(&sandbox, self.load);
        if let Some(url) = &self.hook {
            let (url, secret) = self.connector.hook(url, HOOK_SECRET);
            sandbox.with(|desk| desk.add_hook(&url, secret, &[], None));
        }
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| Failure::unreachable(anyhow::anyhow!("{}: {error}", self.listen)))?;
        let (login, secret) = self.connector.login("…");
        context.say(&format!(
            "a helpdesk in {}'s dialect is up: url = \"http://{}\", login = {login} with the secret {secret}",
            self.connector.shown(),
            self.listen,
        ));
        let stop = CancellationToken::new();
        let shutdown = stop.clone().cancelled_owned();
        let served = tokio::spawn(handoffd_sandbox::server::serve(listener, sandbox, Some(seams.transport), shutdown));
        super::run::asked_to_stop().await;
        stop.cancel();
        served.await.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
        Ok(ExitCode::SUCCESS)
    }
}
