//! One seed's world: a helpdesk, a day, faults, and lives of the daemon one after the other on the same ledger.

use crate::acts::{Act, day, happen};
use crate::by_hand;
use crate::checker::{Broken, Scene, check};
use crate::helpdesk::{Kind, SECRET};
use crate::life::{Death, Life, Mortal};
use crate::tally::Tally;
use fastrand::Rng;
use futures::task::LocalSpawnExt;
use handoffd::config;
use handoffd::daemon::house::House;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::intake::{HookAnswer, HookRequest};
use handoffd::ledger::records::SignedWording;
use handoffd::ledger::{Durability, Handle, Ledger};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::id::DeskId;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::faults::{Fault, FaultPlan, On, WebhookFaults};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::outbox::Post;
use handoffd_sandbox::rules::{Rule, Timing, When};
use handoffd_sandbox::seed::BOT;
use handoffd_sandbox::store::Helpdesk;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// After the day nothing goes wrong any more, and the daemon has this long to finish.
const QUIET: SignedDuration = SignedDuration::from_hours(8);
/// More steps of the clock than any healthy day takes.
const STEPS: usize = 400_000;

struct Seeded(Mutex<Rng>);

impl Random for Seeded {
    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }
}

/// What webhooks came to.
#[derive(Default)]
struct Hooks {
    waiting: Vec<Post>,
    delivered: u64,
    known: u64,
    refused: u64,
}

struct World {
    kind: Kind,
    seed: u64,
    clock: ManualClock,
    sandbox: Sandbox,
    random: Rng,
    acts: BTreeMap<Timestamp, Act>,
    tickets: Vec<TicketNo>,
    hooks: Rc<RefCell<Hooks>>,
    ledger: std::path::PathBuf,
    quiet_from: Timestamp,
    /// Whether the master switch is in shadow now, since when it was in shadow, and what is over of that.
    shadow: Option<Timestamp>,
    shadows: Vec<(Timestamp, Timestamp)>,
    tally: Tally,
}

/// Runs one seed: what it exercised, and which promises were broken.
pub fn run(kind: Kind, seed: u64) -> (Tally, Vec<Broken>) {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.expect("folder");
    let mut world = World::new(kind, seed, &folder.path().join("handoffd.db"));
    if let Err(broken) = world.live() {
        return (world.tally, vec![broken]);
    }
    let ledger = Ledger::open_read_only(&world.ledger).expect("the ledger is there");
    let shadows = std::mem::take(&mut world.shadows);
    let scene = Scene { kind, sandbox: &world.sandbox, ledger: &ledger, tickets: &world.tickets, shadows: &shadows };
    let broken = check(seed, &scene, &mut world.tally);
    (world.tally, broken)
}

impl World {
    fn new(kind: Kind, seed: u64, ledger: &Path) -> Self {
        let mut random = Rng::with_seed(seed);
        let begin: Timestamp = "2026-03-02T06:00:00Z".parse().expect("an instant");
        let clock = ManualClock::new(begin);
        let sandbox = kind.sandbox(Arc::new(clock.clone()), seed);
        sandbox.with(|desk| desk.add_hook("http://daemon/hooks/acme", SECRET, &[], None));
        sandbox.with(|desk| desk.rules.push(contests(desk, SignedDuration::from_secs(random.i64(1..50)))));
        let tickets = random.usize(50..70);
        let acts = day(&mut random, begin, tickets);
        sandbox.set_faults(faults(&mut random, begin));
        let mut tally = Tally::default();
        tally.count("seeds", 1);
        Self {
            kind,
            seed,
            clock,
            sandbox,
            random,
            acts,
            tickets: Vec::new(),
            hooks: Rc::default(),
            ledger: ledger.to_owned(),
            quiet_from: begin + SignedDuration::from_hours(24),
            shadow: None,
            shadows: Vec::new(),
            tally,
        }
    }

    /// The whole day and the quiet after it.
    fn live(&mut self) -> Result<(), Broken> {
        let end = self.quiet_from + QUIET;
        let mut life = self.begin();
        for _ in 0..STEPS {
            life.pool.run_until_stalled();
            if let Some(error) = life.broke() {
                return Err(Broken::new(self.seed, format!("the pipeline ended: {error}")));
            }
            if life.death.has_come() {
                self.tally.count("crashes", 1);
                drop(life);
                let pause = SignedDuration::from_secs(self.random.i64(0..300));
                self.clock.advance(pause);
                life = self.begin();
                continue;
            }
            if self.deliver_webhooks(&life) {
                continue;
            }
            let next = [self.clock.next_wait(), self.sandbox.next_due(), self.acts.keys().next().copied()];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else { break };
            self.clock.set(next.max(self.clock.now()));
            if self.act(&life) {
                drop(life);
                life = self.begin();
            }
        }
        self.note_hooks();
        Ok(())
    }

    fn begin(&mut self) -> Life {
        let mortal = self.clock.now() < self.quiet_from;
        // Some lives are short, some long: a crash hits every kind of step.
        let steps = if self.random.bool() { self.random.i64(20..400) } else { self.random.i64(400..6000) };
        let death = if mortal { Death::after(steps) } else { Death::never() };
        if !mortal {
            self.sandbox.set_faults(FaultPlan::default());
        }
        let transport = Mortal { inner: SandboxTransport::to(self.sandbox.clone()), death: death.clone() };
        let seams = Seams {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(Seeded(Mutex::new(Rng::with_seed(self.random.u64(..))))),
            transport: Arc::new(transport),
        };
        let mode = if self.shadow.is_some() { "mode = \"shadow\"" } else { "mode = \"live\"" };
        let policy = self.kind.policy().replacen("mode = \"live\"", mode, 1);
        let config = config::read(&policy, "policy.toml", Path::new("/")).expect("the simulation's policy is checked");
        let mut ledger = Ledger::open(&self.ledger, Durability::Process).expect("the ledger opens after every crash");
        sign(&mut ledger, &config);
        let desks = open_desks(&config, &|name: &str| secret(self.kind, name), &seams).expect("desks open");
        let handle = Handle::inline(ledger, Some(Arc::new(death.clone())));
        Life::begin(wire(&config, desks, handle, seams), death)
    }

    /// Lets happen what is due; gives whether the daemon is started anew.
    fn act(&mut self, life: &Life) -> bool {
        let now = self.clock.now();
        if now >= self.quiet_from {
            self.sandbox.set_faults(FaultPlan::default());
        }
        let mut restarts = false;
        while let Some(entry) = self.acts.first_entry().filter(|entry| *entry.key() <= now) {
            let act = entry.remove();
            match act {
                Act::Orders(what) => {
                    let given = by_hand::give(life.house.clone(), what, self.random.usize(..));
                    life.pool.spawner().spawn_local(given).expect("the pool takes tasks");
                    self.tally.count("orders by hand", 1);
                }
                Act::Restarts { shadow } => {
                    let since = self.shadow.take();
                    self.shadows.extend(since.map(|since| (since, now)));
                    self.shadow = shadow.then_some(now);
                    self.tally.count("switches to shadow", u64::from(shadow));
                    restarts = true;
                }
                Act::Opens(_) | Act::Edits(_) => {}
            }
            let opened = happen(act, &self.sandbox, &mut self.random, &self.tickets);
            self.tickets.extend(opened);
            self.tally.count("tickets", u64::from(opened.is_some()));
        }
        restarts
    }

    /// Hands due webhooks to the daemon; those it did not answer are posted again, as vendors do.
    fn deliver_webhooks(&mut self, life: &Life) -> bool {
        let mut posts = std::mem::take(&mut self.hooks.borrow_mut().waiting);
        posts.extend(self.sandbox.due_webhooks());
        let any = !posts.is_empty();
        for post in posts {
            self.hooks.borrow_mut().waiting.push(post.clone());
            let (house, hooks, path) = (life.house.clone(), self.hooks.clone(), self.kind.hook_path());
            let posted = async move { answer_webhook(&house, &hooks, path, post).await };
            life.pool.spawner().spawn_local(posted).expect("the pool takes tasks");
        }
        any
    }

    fn note_hooks(&mut self) {
        let hooks = self.hooks.borrow();
        self.tally.count("webhooks delivered", hooks.delivered);
        self.tally.count("webhooks known", hooks.known);
        self.tally.count("webhooks refused", hooks.refused);
    }
}

async fn answer_webhook(house: &House, hooks: &RefCell<Hooks>, path: Option<&str>, post: Post) {
    let desk = DeskId::from("acme");
    let request = HookRequest { desk: &desk, path, headers: &post.headers, body: &post.body };
    let Ok(answer) = house.intake.webhook(request).await else { return };
    let mut hooks = hooks.borrow_mut();
    if let Some(at) = hooks.waiting.iter().position(|waiting| waiting.body == post.body && waiting.hook == post.hook) {
        hooks.waiting.remove(at);
    }
    match answer {
        HookAnswer::Stored | HookAnswer::Nothing => hooks.delivered += 1,
        HookAnswer::Known => hooks.known += 1,
        HookAnswer::Refused(_) | HookAnswer::UnknownDesk => hooks.refused += 1,
    }
    house.wake.call();
}

/// Another automation of the site, which takes back what we move when a ticket carries its label.
fn contests(desk: &Helpdesk, after: SignedDuration) -> Rule {
    let queue = |name: &str| desk.find_queue(name).map(|queue| queue.no);
    Rule {
        name: "Keep it in Support".into(),
        when: When {
            by: desk.find_person(BOT).map(|bot| bot.no),
            queue: queue("Tier 2"),
            tag: Some("keep".into()),
            did: Some("queue"),
        },
        then: Update { queue: Some(queue("Support")), ..Update::default() },
        timing: Timing::After(after),
    }
}

fn secret(kind: Kind, name: &str) -> Option<String> {
    match name {
        "CLIENT_SECRET" => Some(kind.login().to_owned()),
        "WEBHOOK_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    }
}

fn sign(ledger: &mut Ledger, config: &config::Config) {
    for message in config.policy.messages.values() {
        let signed = SignedWording {
            message: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signer: "support-ops@acme.example".into(),
            system_user: "simulation".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        ledger.sign(&signed).expect("signed");
    }
}

/// What goes wrong on this seed's day.
fn faults(random: &mut Rng, begin: Timestamp) -> FaultPlan {
    let rate = |random: &mut Rng| random.f64() * 0.04;
    let mut plan = FaultPlan::default()
        .rate(On::Writes, Fault::LostAfter, rate(random))
        .rate(On::Writes, Fault::LostBefore, rate(random))
        .rate(On::Writes, Fault::Late(SignedDuration::from_secs(random.i64(1..20))), rate(random))
        .rate(On::Writes, Fault::Truncated, rate(random))
        .rate(On::Writes, Fault::Malformed, rate(random))
        .rate(On::Reads, Fault::Malformed, rate(random))
        .rate(On::All, Fault::ServerError, rate(random))
        .rate(
            On::All,
            Fault::RateLimited { retry_after: random.bool().then(|| SignedDuration::from_secs(9)) },
            rate(random),
        )
        .rate(On::Reads, Fault::Slow(SignedDuration::from_secs(random.i64(1..60))), rate(random))
        .webhooks(WebhookFaults {
            lost: random.f64() * 0.2,
            duplicated: random.f64() * 0.3,
            delayed: random.f64() * 0.3,
            delay: SignedDuration::from_mins(random.i64(1..30)),
        });
    for fault in [Fault::Down, Fault::Unavailable] {
        let from = begin + SignedDuration::from_mins(random.i64(60..1200));
        plan = plan.span(On::All, fault, from, from + SignedDuration::from_mins(random.i64(5..120)));
    }
    plan
}
