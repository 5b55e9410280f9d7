//! A whole house on the sandbox in any dialect: real connector, real ledger, real policy, and agents who type.

use crate::between::{Between, Meddler};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::config;
use handoffd::daemon::control::{Command, CommandError, Order, Reply, execute};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::ledger::commands::CommandRecord;
use handoffd::ledger::records::{DeskTrouble, EffectRecord, HandoffRecord, NewLook, SpanOf};
use handoffd::ledger::{Handle, HandoffFilter, Ledger, LedgerError};
use handoffd_kit::clock::{Clock, ManualClock, Sleep};
use handoffd_kit::id::TicketId;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::{NewMessage, TagChange, Update};
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::intercom::PRIVATE_APP;
use handoffd_sandbox::journal::Asked;
use handoffd_sandbox::seed::{self, API_KEY, BOT, CLIENT, INTERCOM_TOKEN, JIRA_TOKEN, RT_TOKEN, ZAMMAD_TOKEN};
use handoffd_sandbox::ticket::{Body, Visibility};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio_util::sync::CancellationToken;

/// The customer of every ticket.
pub const CUSTOMER: &str = "customer@standard.example";

/// Which helpdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Zendesk Support.
    Zendesk,
    /// Request Tracker.
    Rt,
    /// Freshdesk, which keeps no history.
    Freshdesk,
    /// Zammad.
    Zammad,
    /// Intercom.
    Intercom,
    /// Jira Service Management, where a team is a value of a field.
    Jira,
}

/// Those whose history says who changed what.
pub const DIALECTS: [Dialect; 5] = [Dialect::Zendesk, Dialect::Rt, Dialect::Zammad, Dialect::Intercom, Dialect::Jira];

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// The daemon's clock, which may be wrong by whole hours.
#[derive(Clone)]
struct Ours {
    right: ManualClock,
    wrong_by: WrongBy,
}

/// By how many hours.
#[derive(Clone, Default)]
struct WrongBy(Arc<AtomicI64>);

impl WrongBy {
    fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, hours: i64) {
        self.0.store(hours, Ordering::Relaxed);
    }

    fn span(&self) -> SignedDuration {
        SignedDuration::from_hours(self.get())
    }
}

impl Clock for Ours {
    fn now(&self) -> Timestamp {
        self.right.now() + self.wrong_by.span()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        self.right.sleep_until(at.saturating_sub(self.wrong_by.span()).unwrap_or(at))
    }
}

/// A house, its helpdesk and its clock.
pub struct Stage {
    pub dialect: Dialect,
    pub sandbox: Sandbox,
    clock: ManualClock,
    wrong_by: WrongBy,
    house: House,
    policy: String,
    /// Who acts right before a move of ours arrives.
    pub meddler: Meddler,
}

/// What a rule on request answers beside its name: to whom, when, and whether a person is asked.
pub fn on_request(name: &str, to: &str, when: &str, review: &str) -> String {
    format!(
        "[[escalate]]\nname = \"{name}\"\nmode = \"live\"\ntrigger = \"manual\"\nfrom = [\"frontline\"]\nto = \"{to}\"\n\
         when = '{when}'\nreason = \"{{{{ command.by }}}} asks: {{{{ command.reason }}}}\"\nreview = \"{review}\"\n\n"
    )
}

/// The desk, its teams and people, and these rules.
pub fn policy(dialect: Dialect, rules: &str) -> String {
    let desk = match dialect {
        Dialect::Zendesk => {
            "connector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\n\
             login = { client_id = \"handoffd\", client_secret = { env = \"SECRET\" } }\n"
        }
        Dialect::Rt => {
            "connector = \"rt\"\nurl = \"https://rt.acme.example\"\nlogin = { token = { env = \"SECRET\" } }\n"
        }
        Dialect::Freshdesk => {
            "connector = \"freshdesk\"\nurl = \"https://acme.freshdesk.com\"\nlogin = { api_key = { env = \"SECRET\" } }\n"
        }
        Dialect::Zammad => {
            "connector = \"zammad\"\nurl = \"https://support.acme.example\"\nlogin = { token = { env = \"SECRET\" } }\n"
        }
        Dialect::Intercom => {
            "connector = \"intercom\"\nurl = \"https://api.eu.intercom.io\"\nlogin = { token = { env = \"SECRET\" } }\n"
        }
        Dialect::Jira => {
            "connector = \"jira-service-management\"\nurl = \"https://acme.atlassian.net\"\nlogin = { email = \"handoffd@acme.example\", \
             token = { env = \"SECRET\" }, projects = \"HELP\", team_field = \"Support team\" }\n"
        }
    };
    format!(
        r#"
[daemon]
mode = "live"

[desks.acme]
{desk}poll = "1h"
intake = ["Incoming"]

[teams.frontline]
tier = 1
desk = "acme"
queue = "Support"

[teams.billing]
tier = 2
desk = "acme"
queue = "Billing"
reviewers = ["billing-1", "billing-2"]

[teams.second-line]
tier = 2
desk = "acme"
queue = "Tier 2"
reviewers = ["tier2-lead"]

[people.billing-1]
email = "billing-1@acme.example"

[people.billing-2]
email = "billing-2@acme.example"

[people.tier2-lead]
email = "tier2-1@acme.example"

[defaults.escalate]
package = {{ require = ["summary"], missing = "send" }}
owner.assign = "queue"
clock.customer = "continue"
customer.nothing = "the agent has just written to them"
review = "never"

{rules}"#
    )
}

/// To billing where the ticket is about a refund; to the second line after a yes.
pub fn two_rules() -> String {
    on_request("billing-on-request", "billing", r#"has_tag("refund")"#, "never")
        + &on_request("second-line-on-request", "second-line", "true", "always")
}

impl Stage {
    /// A house with [`two_rules`].
    pub fn new(dialect: Dialect) -> Self {
        Self::with(dialect, &policy(dialect, &two_rules()))
    }

    /// A house that runs this policy on a fresh ledger and desk.
    pub fn with(dialect: Dialect, policy: &str) -> Self {
        let clock = ManualClock::new("2026-05-04T08:00:00Z".parse().expect("an instant"));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let sandbox = match dialect {
            Dialect::Zendesk => seed::zendesk(shared, 1, Limits::ENTERPRISE),
            Dialect::Rt => seed::rt(shared, 1),
            Dialect::Freshdesk => seed::freshdesk(shared, 1, Plan::GROWTH),
            Dialect::Zammad => seed::zammad(shared, 1),
            Dialect::Intercom => seed::intercom(shared, 1, PRIVATE_APP),
            Dialect::Jira => seed::jira(shared, 1),
        };
        let wrong_by = WrongBy::default();
        let ours = Ours { right: clock.clone(), wrong_by: wrong_by.clone() };
        let meddler = Meddler::default();
        let house = house(dialect, policy, new_ledger(clock.now()), &way(&sandbox, &meddler), &ours);
        Self { dialect, sandbox, clock, wrong_by, house, policy: policy.to_owned(), meddler }
    }

    /// The daemon dies between two acts, and another one takes over its ledger.
    pub fn restarts(&mut self) {
        self.house = house(self.dialect, &self.policy, self.house.ledger.clone(), &self.way(), &self.daemons());
    }

    /// The daemon goes on with another ledger, as after a restore; gives the one that it had.
    pub fn goes_on_with(&mut self, ledger: Handle) -> Handle {
        let next = house(self.dialect, &self.policy, ledger, &self.way(), &self.daemons());
        std::mem::replace(&mut self.house, next).ledger
    }

    /// How many handoffs nobody has taken on in time.
    pub fn unclaimed(&self) -> usize {
        let now = self.clock.now();
        futures::executor::block_on(self.house.ledger.call(move |ledger| ledger.unclaimed(now))).expect("asked").len()
    }

    /// Why the owners of cases are missed, longest first.
    pub fn lost(&self) -> Vec<String> {
        let lost = futures::executor::block_on(self.house.ledger.call(|ledger| ledger.lost_owners())).expect("asked");
        lost.into_iter().map(|lost| lost.why).collect()
    }

    /// What is the matter with the desk.
    pub fn troubles(&self) -> Vec<DeskTrouble> {
        futures::executor::block_on(self.house.ledger.call(|ledger| ledger.troubles())).expect("asked")
    }

    /// Effects that wait for a person.
    pub fn parked(&self) -> Vec<EffectRecord> {
        futures::executor::block_on(self.house.ledger.call(|ledger| ledger.parked())).expect("asked")
    }

    /// The teams that had a case, oldest first.
    pub fn teams(&self, ticket: TicketNo) -> Vec<String> {
        let of = move |ledger: &mut Ledger| ledger.ownership(&"acme".into(), &TicketId::from(ticket.0));
        let spans = futures::executor::block_on(self.house.ledger.call(of)).expect("asked");
        spans.into_iter().filter(|span| span.of == SpanOf::Team).filter_map(|span| span.id).collect()
    }

    /// A customer opens a ticket, which lies in this queue with these labels; it is looked at.
    pub fn opens(&mut self, queue: &str, tags: &[&str]) -> TicketNo {
        self.opens_saying(queue, tags, ("Charged twice", "I was charged twice."))
    }

    /// The same, with this subject and these words.
    pub fn opens_saying(&mut self, queue: &str, tags: &[&str], (subject, text): (&str, &str)) -> TicketNo {
        self.later(10);
        let queue = self.sandbox.with(|desk| desk.find_queue(queue).map(|queue| queue.no));
        let tags: BTreeSet<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let set = Update { queue: Some(queue), tags: Some(TagChange::Set(tags)), ..Update::default() };
        let ticket = seed::customer_writes(&self.sandbox, CUSTOMER, subject, text, set);
        self.look(ticket);
        ticket
    }

    /// Somebody writes an internal note, and everything that follows from it is done.
    pub fn notes(&mut self, login: &str, ticket: TicketNo, text: &str) {
        self.later(5);
        self.sandbox.person(login).notes(ticket, text);
        self.look(ticket);
    }

    /// Somebody writes an internal note as HTML.
    pub fn notes_html(&mut self, login: &str, ticket: TicketNo, html: &str) {
        let message = NewMessage::new(Visibility::Internal, Body::Html(html.to_owned()));
        self.does(login, ticket, Update { say: vec![message], ..Update::default() });
    }

    /// Somebody changes a ticket in several ways at once.
    pub fn does(&mut self, login: &str, ticket: TicketNo, update: Update) {
        self.later(5);
        self.sandbox.person(login).updates(ticket, update);
        self.look(ticket);
    }

    /// Somebody sets a label.
    pub fn tags(&mut self, login: &str, ticket: TicketNo, tag: &str) {
        self.later(5);
        self.sandbox.person(login).tags(ticket, tag);
        self.look(ticket);
    }

    fn way(&self) -> Arc<Between> {
        way(&self.sandbox, &self.meddler)
    }

    fn daemons(&self) -> Ours {
        Ours { right: self.clock.clone(), wrong_by: self.wrong_by.clone() }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn later(&mut self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Somebody sets the daemon's clock, forward or back; the helpdesk's goes on.
    pub fn clock_jumps(&mut self, hours: i64) {
        self.wrong_by.set(self.wrong_by.get() + hours);
    }

    /// Time passes, with all that the daemon does in it by itself.
    pub fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / 300 {
            self.later(300);
            self.run();
        }
    }

    /// Hears that something changed on a ticket, and does everything that is due.
    pub fn look(&mut self, ticket: TicketNo) {
        self.later(2);
        let looks = vec![NewLook { ticket: TicketId::from(ticket.0), due: self.daemons().now(), head: None }];
        let noted = self.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &looks));
        futures::executor::block_on(noted).expect("noted");
        self.run();
    }

    /// Does everything that is due within the next seconds.
    pub fn run(&mut self) {
        let until = Until::NothingDueBy(self.daemons().now() + SignedDuration::from_secs(5));
        let (house, ended) = (self.house.clone(), Rc::new(Cell::new(false)));
        let mut pool = LocalPool::new();
        let end = ended.clone();
        let life = async move {
            house.run(until, &CancellationToken::new()).await.expect("the house runs");
            end.set(true);
        };
        pool.spawner().spawn_local(life).expect("spawned");
        for _ in 0..10_000 {
            pool.run_until_stalled();
            if ended.get() {
                return;
            }
            let next = self.clock.next_wait().expect("it waits for something");
            self.clock.set(next.max(self.clock.now()));
        }
        panic!("it never comes to rest");
    }

    /// Gives an order from the command line.
    pub fn orders(&mut self, by: &str, command: Command) -> Result<Reply, CommandError> {
        let order = Order { command, by: by.to_owned() };
        let given = futures::executor::block_on(execute(&self.house, order, "tester"));
        self.run();
        given
    }

    /// Asks the ledger.
    pub fn asks_ledger<T: Send + 'static>(
        &self,
        ask: impl FnMut(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> T {
        futures::executor::block_on(self.house.ledger.call(ask)).expect("asked")
    }

    /// The version of a rule.
    pub fn version(&self, rule: &str) -> String {
        let known = self.house.policy.rules().find(|known| known.name.as_str() == rule);
        known.expect("a rule of the policy").version.clone()
    }

    /// All handoffs, oldest first.
    pub fn handoffs(&self) -> Vec<HandoffRecord> {
        let all = |ledger: &mut Ledger| ledger.handoffs(&HandoffFilter::default());
        let mut handoffs = futures::executor::block_on(self.house.ledger.call(all)).expect("handoffs");
        handoffs.reverse();
        handoffs
    }

    /// The states of all handoffs, oldest first.
    pub fn states(&self) -> Vec<&'static str> {
        self.handoffs().iter().map(|handoff| handoff.state.name()).collect()
    }

    /// The commands of a ticket as they were handled: word and outcome.
    pub fn commands(&self, ticket: TicketNo) -> Vec<(String, String)> {
        self.records(ticket).into_iter().map(|command| (command.verb, command.outcome)).collect()
    }

    /// The commands of a ticket, whole.
    pub fn records(&self, ticket: TicketNo) -> Vec<CommandRecord> {
        let all = move |ledger: &mut Ledger| ledger.commands(&"acme".into(), &TicketId::from(ticket.0));
        futures::executor::block_on(self.house.ledger.call(all)).expect("commands")
    }

    /// What the ledger counts of a case: hops, bounces, returns.
    pub fn figures(&self, ticket: TicketNo) -> (u32, u32, u32) {
        let now = self.clock.now();
        let case = move |ledger: &mut Ledger| ledger.case(&"acme".into(), &TicketId::from(ticket.0), now);
        let memory = futures::executor::block_on(self.house.ledger.call(case)).expect("case").memory;
        (memory.hops, memory.bounces, memory.returns)
    }

    /// Where a ticket lies.
    pub fn queue(&self, ticket: TicketNo) -> String {
        let ticket = self.sandbox.ticket(ticket).expect("the ticket");
        self.sandbox.with(|desk| desk.queues[&ticket.queue.expect("a queue")].name.clone())
    }

    /// The login of who owns it.
    pub fn owner(&self, ticket: TicketNo) -> Option<String> {
        let owner = self.sandbox.ticket(ticket)?.owner?;
        self.sandbox.with(|desk| desk.person(owner).map(|person| person.login.clone()))
    }

    /// Its labels.
    pub fn labels(&self, ticket: TicketNo) -> Vec<String> {
        self.sandbox.ticket(ticket).expect("the ticket").tags.into_iter().collect()
    }

    /// What we wrote on a ticket, oldest first, without its mark; everything must be internal.
    pub fn ours(&self, ticket: TicketNo) -> Vec<String> {
        let us = self.sandbox.person(BOT).no().expect("our account");
        let messages = self.sandbox.ticket(ticket).expect("the ticket").messages;
        let ours: Vec<_> = messages.into_iter().filter(|message| message.author == us).collect();
        assert!(ours.iter().all(|message| message.visibility == Visibility::Internal), "we spoke in public");
        let words =
            |text: String| text.rsplit_once("[handoffd ").map_or(text.clone(), |(words, _)| words.trim().to_owned());
        ours.into_iter().map(|message| words(message.body.text())).collect()
    }

    /// The hash of a message's wordings: what is signed.
    pub fn wording(&self, message: &str) -> String {
        self.house.policy.messages[&message.into()].wording_hash.clone()
    }

    /// How often we wrote to the customer of a ticket.
    pub fn told(&self, ticket: TicketNo) -> usize {
        let us = self.sandbox.person(BOT).no().expect("our account");
        let messages = self.sandbox.ticket(ticket).expect("the ticket").messages;
        messages.iter().filter(|message| message.author == us && message.visibility == Visibility::Public).count()
    }

    /// What was asked of the helpdesk since the last time this was asked.
    pub fn asked(&mut self) -> Vec<Asked> {
        self.sandbox.with(|desk| std::mem::take(&mut desk.journal.requests))
    }
}

/// A ledger that knows nothing but the desk, since now.
pub fn new_ledger(now: Timestamp) -> Handle {
    let mut ledger = Ledger::in_memory().expect("ledger");
    ledger.desk_met(&"acme".into(), now).expect("the desk is met");
    Handle::inline(ledger, None)
}

fn way(sandbox: &Sandbox, meddler: &Meddler) -> Arc<Between> {
    let (inner, sandbox, meddler) = (SandboxTransport::to(sandbox.clone()), sandbox.clone(), meddler.clone());
    Arc::new(Between { inner, sandbox, meddler })
}

fn house(dialect: Dialect, policy: &str, ledger: Handle, way: &Arc<Between>, clock: &Ours) -> House {
    let config =
        config::read(policy, "policy.toml", Path::new("/")).unwrap_or_else(|problems| panic!("{problems}\n{policy}"));
    let seams = Seams { clock: Arc::new(clock.clone()), random: Arc::new(Even), transport: way.clone() };
    let secret = match dialect {
        Dialect::Zendesk => CLIENT.1,
        Dialect::Rt => RT_TOKEN,
        Dialect::Freshdesk => API_KEY,
        Dialect::Zammad => ZAMMAD_TOKEN,
        Dialect::Intercom => INTERCOM_TOKEN,
        Dialect::Jira => JIRA_TOKEN,
    };
    let secrets = move |name: &str| (name == "SECRET").then(|| secret.to_owned());
    let desks = open_desks(&config, &secrets, &seams).unwrap_or_else(|problems| panic!("{problems}"));
    let mut house = wire(&config, desks, ledger, seams);
    // Scenarios say themselves what is heard of, as webhooks would.
    house.polls.clear();
    house
}
