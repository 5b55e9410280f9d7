//! One seed's world: a helpdesk, a day, faults, and lives of the daemon one after the other on the same ledger.

use crate::acts::{Act, before, day, happen, once_more};
use crate::by_hand;
use crate::checker::{Broken, Scene, check};
use crate::helpdesk::{Kind, SECRET};
use crate::life::{Death, Life, Mortal};
use crate::news::{Cut, News};
use crate::rooms::Rooms;
use crate::switches::{self, Switches};
use crate::tally::Tally;
use crate::troubles::{self, Stranger, Trouble};
use crate::versions::{self, InForce, Version};
use fastrand::Rng;
use handoffd::config;
use handoffd::daemon::alert_wiring::open_channels;
use handoffd::daemon::house::House;
use handoffd::daemon::reload::Reloader;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::delivery::alerts::Alerts;
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
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// More steps of the clock than any healthy day takes.
const STEPS: usize = 400_000;

/// When a webhook is posted again that nobody answered.
const POSTED_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Where helpdesks say which delivery a webhook is.
const DELIVERIES: [&str; 2] = ["x-zendesk-webhook-invocation-id", "x-zammad-delivery"];
/// The policy's file.
const POLICY: &str = "handoffd.toml";

struct Seeded(Mutex<Rng>);

impl Random for Seeded {
    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }
}

/// What webhooks came to.
#[derive(Default)]
struct Hooks {
    /// What was not answered yet, with the instant at which it is posted again.
    waiting: Vec<(Timestamp, Post)>,
    /// All that left the helpdesk, for whoever posts one again.
    left: Vec<Post>,
    /// Ids that were taken, of helpdesks that give each delivery one.
    taken: BTreeSet<String>,
    /// Those that were taken a second time.
    twice: Vec<String>,
    delivered: u64,
    known: u64,
    refused: u64,
}

struct World {
    kind: Kind,
    seed: u64,
    news: News,
    clock: ManualClock,
    /// Cuts the daemon off where it polls.
    cut: Option<Cut>,
    sandbox: Sandbox,
    random: Rng,
    acts: BTreeMap<Timestamp, Act>,
    tickets: Vec<TicketNo>,
    hooks: Rc<RefCell<Hooks>>,
    /// Where ledger and policy lie.
    folder: PathBuf,
    quiet_from: Timestamp,
    /// What the policy's file says.
    version: Version,
    in_force: Rc<RefCell<InForce>>,
    switches: Rc<RefCell<Switches>>,
    /// Whether the ledger's disk is full.
    full: Rc<Cell<bool>>,
    stranger: Stranger,
    rooms: Rooms,
    /// When lives ended.
    ends: Vec<Timestamp>,
    ailing: Vec<(Timestamp, Timestamp)>,
    tally: Tally,
}

/// Runs one seed: what it exercised, and which promises were broken.
pub fn run(kind: Kind, news: News, seed: u64) -> (Tally, Vec<Broken>) {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.expect("folder");
    let mut world = World::new(kind, news, seed, folder.path());
    if let Err(broken) = world.live() {
        return (world.tally, vec![broken]);
    }
    let ledger = Ledger::open_read_only(&world.ledger()).expect("the ledger is there");
    let (in_force, switches) = (world.in_force.borrow(), world.switches.borrow());
    let scene = Scene {
        kind,
        news,
        sandbox: &world.sandbox,
        ledger: &ledger,
        tickets: &world.tickets,
        in_force: &in_force,
        pauses: switches.pauses(),
        told: &world.rooms.told(),
        ends: &world.ends,
        ailing: &world.ailing,
    };
    let mut tally = std::mem::take(&mut world.tally);
    let broken = check(seed, &scene, &mut tally);
    (tally, broken)
}

impl World {
    fn new(kind: Kind, news: News, seed: u64, folder: &Path) -> Self {
        let mut random = Rng::with_seed(seed);
        let begin: Timestamp = "2026-03-02T06:00:00Z".parse().expect("an instant");
        let clock = ManualClock::new(begin);
        let sandbox = kind.sandbox(Arc::new(clock.clone()), seed);
        sandbox.with(|desk| desk.add_hook("http://daemon/hooks/acme", SECRET, &[], None));
        sandbox.with(|desk| desk.rules.push(contests(desk, SignedDuration::from_secs(random.i64(1..50)))));
        let tickets = random.usize(50..70);
        let mut acts = day(&mut random, begin, tickets);
        if news == News::Posted {
            once_more(&mut random, &mut acts);
            before(begin + news.hours().0, &mut acts);
        }
        let quiet_from = begin + news.hours().0;
        let ailing = ailing(&acts);
        let rooms = Rooms::new(clock.clone(), random.fork(), quiet_from);
        std::fs::write(folder.join(POLICY), news.of_policy(Version::FIRST.text(kind))).expect("written");
        sandbox.set_faults(news.of_hooks(faults(&mut random, begin)));
        let mut tally = Tally::default();
        tally.count("seeds", 1);
        Self {
            kind,
            seed,
            news,
            cut: (news == News::Polled).then(|| Cut::new(seed)),
            clock,
            sandbox,
            random,
            acts,
            tickets: Vec::new(),
            hooks: Rc::default(),
            folder: folder.to_owned(),
            quiet_from,
            version: Version::FIRST,
            in_force: Rc::default(),
            switches: Rc::default(),
            full: Rc::default(),
            stranger: Stranger::new(),
            rooms,
            ends: Vec::new(),
            ailing,
            tally,
        }
    }

    /// The whole day and the quiet after it.
    fn live(&mut self) -> Result<(), Broken> {
        let (day, rest) = self.news.hours();
        let end = self.clock.now() + day + rest;
        let mut life = self.begin();
        for _ in 0..STEPS {
            life.pool.run_until_stalled();
            if let Some(error) = life.broke() {
                return Err(Broken::new(self.seed, format!("the pipeline ended: {error}")));
            }
            if life.death.has_come() {
                self.tally.count("crashes", 1);
                self.bury(life);
                let pause = SignedDuration::from_secs(self.random.i64(0..300));
                self.clock.advance(pause);
                life = self.begin();
                continue;
            }
            if self.deliver_webhooks(&life) {
                continue;
            }
            let Some(next) = self.next().filter(|next| *next <= end) else { return self.over(life) };
            self.clock.set(next.max(self.clock.now()));
            if self.act(&life) {
                self.bury(life);
                life = self.begin();
            }
        }
        Err(Broken::new(self.seed, format!("the day does not end, it stands at {}", self.clock.now())))
    }

    /// The next instant at which something happens.
    fn next(&self) -> Option<Timestamp> {
        let posts = self.hooks.borrow().waiting.iter().map(|(at, _)| *at).min();
        let acts = self.acts.keys().next().copied();
        [self.clock.next_wait(), self.sandbox.next_due(), acts, posts].into_iter().flatten().min()
    }

    fn over(&mut self, life: Life) -> Result<(), Broken> {
        self.bury(life);
        self.note_hooks();
        match self.hooks.borrow().twice.first() {
            Some(id) => Err(Broken::new(self.seed, format!("the webhook {id} was known, and was taken again"))),
            None => Ok(()),
        }
    }

    fn begin(&mut self) -> Life {
        let mortal = self.clock.now() < self.quiet_from;
        // Some lives are short, some long: a crash hits every kind of step.
        let steps = if self.random.bool() { self.random.i64(20..400) } else { self.random.i64(400..6000) };
        let death = if mortal && self.news != News::Posted { Death::after(steps) } else { Death::never() };
        if !mortal {
            self.sandbox.set_faults(FaultPlan::default());
        }
        let inner = SandboxTransport::to(self.sandbox.clone());
        let cut = self.cut.clone().filter(|_| mortal);
        let transport = Mortal { inner, rooms: self.rooms.clone(), death: death.clone(), cut };
        let seams = Seams {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(Seeded(Mutex::new(Rng::with_seed(self.random.u64(..))))),
            transport: Arc::new(transport),
        };
        let config = config::load(&self.policy()).expect("the simulation's policy is checked");
        let desks = open_desks(&config, &self.kind.environment(), &seams).expect("desks open");
        let handle = Handle::inline(self.open_ledger(&config), Some(Arc::new(death.clone())));
        let now = self.clock.now();
        self.in_force.borrow_mut().may_begin(self.version, now);
        self.in_force.borrow_mut().has_begun(now);
        let channels = open_channels(&config, &self.kind.environment(), &seams, None).expect("channels open");
        let alerts = Alerts::new(channels, &config.policy.alerts.channels);
        let (house, policy) = (House { alerts, ..wire(&config, desks, handle, seams) }, self.policy());
        let life =
            Life::begin(house, death, |running| Reloader::inline(running, policy, self.kind.environment(), config));
        // What a person has ordered, and nobody has carried out, they order again.
        life.beside(switches::give(life.running.clone(), self.switches.clone()));
        life
    }

    /// The ledger as it is after a crash: what keeps it from being written goes on.
    fn open_ledger(&mut self, config: &config::Config) -> Ledger {
        // Nobody could start a daemon on a file that is locked.
        let locked = self.stranger.lets_go();
        let path = self.ledger();
        let first = !path.exists();
        let mut ledger = Ledger::open(&path, Durability::Process).expect("the ledger opens after every crash");
        if first {
            sign(&mut ledger, config);
        }
        ledger.tightened(self.full.get()).expect("set");
        if locked {
            self.stranger.locks(&path);
        }
        ledger
    }

    /// What a life leaves behind.
    fn bury(&mut self, life: Life) {
        self.ends.push(self.clock.now());
        for (why, times) in life.running.house().ledger.failed() {
            self.tally.count(format!("ledger {why}"), times);
        }
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
                    life.beside(by_hand::give((*life.running.house()).clone(), what, self.random.usize(..)));
                    self.tally.count("orders by hand", 1);
                }
                Act::Says { version, restarts: anew } => {
                    let anew = anew && self.news != News::Posted;
                    self.says(version);
                    restarts |= anew;
                    if !anew {
                        self.in_force.borrow_mut().may_begin(version, now);
                        life.beside(versions::take_in(
                            life.reloader.clone(),
                            self.in_force.clone(),
                            self.clock.clone(),
                        ));
                        self.tally.count("reloads", 1);
                    }
                }
                Act::Replays => self.replay(),
                Act::Pauses(what, on) => {
                    self.switches.borrow_mut().want(what, on, now);
                    life.beside(switches::give(life.running.clone(), self.switches.clone()));
                }
                Act::Ails(trouble, on) => self.ails(life, trouble, on),
                Act::Opens(_) | Act::Edits(_) | Act::EditsAgain(_) => {}
            }
            let opened = happen(act, &self.sandbox, &mut self.random, &self.tickets);
            self.tickets.extend(opened);
            self.tally.count("tickets", u64::from(opened.is_some()));
        }
        restarts
    }

    /// The policy's file says something else from now on.
    fn says(&mut self, version: Version) {
        self.version = version;
        std::fs::write(self.policy(), self.news.of_policy(version.text(self.kind))).expect("written");
        self.tally.count("switches to shadow", u64::from(version.shadow));
        self.tally.count(format!("version {:?}", version.rules), 1);
    }

    /// Somebody posts a webhook of this day again, as it was.
    fn replay(&mut self) {
        let mut hooks = self.hooks.borrow_mut();
        if let Some(post) = self.random.choice(&hooks.left).cloned() {
            hooks.waiting.push((self.clock.now(), post));
            self.tally.count("webhooks replayed", 1);
        }
    }

    /// The ledger cannot be written from now on, or again.
    fn ails(&mut self, life: &Life, trouble: Trouble, on: bool) {
        match trouble {
            Trouble::Full => {
                self.full.set(on);
                life.beside(troubles::tighten(life.running.clone(), self.full.clone()));
            }
            Trouble::Locked if on => self.stranger.locks(&self.ledger()),
            Trouble::Locked => drop(self.stranger.lets_go()),
        }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.join("handoffd.db")
    }

    fn policy(&self) -> PathBuf {
        self.folder.join(POLICY)
    }

    /// Hands due webhooks to the daemon; those it did not answer are posted again, as vendors do.
    fn deliver_webhooks(&mut self, life: &Life) -> bool {
        let now = self.clock.now();
        let mut posts = self.sandbox.due_webhooks();
        {
            let mut hooks = self.hooks.borrow_mut();
            hooks.left.extend(posts.iter().cloned());
            posts.extend(hooks.waiting.extract_if(.., |(at, _)| *at <= now).map(|(_, post)| post));
            hooks.waiting.extend(posts.iter().map(|post| (now + POSTED_AGAIN, post.clone())));
        }
        let any = !posts.is_empty();
        for post in posts {
            let (house, hooks, path) = (life.running.house(), self.hooks.clone(), self.kind.hook_path());
            life.beside(async move { answer_webhook(&house, &hooks, path, post).await });
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
    if let Some(at) = hooks.waiting.iter().position(|(_, one)| one.body == post.body && one.hook == post.hook) {
        hooks.waiting.remove(at);
    }
    match answer {
        HookAnswer::Stored | HookAnswer::Nothing => {
            hooks.delivered += 1;
            let id = DELIVERIES.iter().find_map(|name| post.headers.get(*name)?.to_str().ok().map(str::to_owned));
            if let Some(id) = id.filter(|id| !hooks.taken.insert(id.clone())) {
                hooks.twice.push(id);
            }
        }
        HookAnswer::Known => hooks.known += 1,
        HookAnswer::Refused(_) | HookAnswer::UnknownDesk => hooks.refused += 1,
    }
    house.wake.call();
}

/// From when until when the ledger cannot be written on such a day.
fn ailing(acts: &BTreeMap<Timestamp, Act>) -> Vec<(Timestamp, Timestamp)> {
    let all = |begins| {
        acts.iter().filter_map(move |(at, act)| match act {
            Act::Ails(trouble, on) if *on == begins => Some((*at, *trouble)),
            _ => None,
        })
    };
    let end = |of| all(false).find(|(_, trouble)| *trouble == of).map_or(Timestamp::MAX, |(at, _)| at);
    all(true).map(|(from, trouble)| (from, end(trouble))).collect()
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
    let minutes = |random: &mut Rng, longest| {
        let from = begin + SignedDuration::from_mins(random.i64(60..1200));
        (from, from + SignedDuration::from_mins(random.i64(5..longest)))
    };
    for fault in [Fault::Down, Fault::Unavailable] {
        let (from, to) = minutes(random, 120);
        plan = plan.span(On::All, fault, from, to);
    }
    // Somebody takes a right away, or the login, and gives it back.
    for (on, fault) in [(On::Writes, Fault::Forbidden), (On::All, Fault::Unauthorized)] {
        let (from, to) = minutes(random, 45);
        if random.u8(0..3) == 0 {
            plan = plan.span(on, fault, from, to);
        }
    }
    plan
}
