//! The handle that everybody uses: one helpdesk behind one dialect, on one clock. Everything happens inside a call, at
//! the clock's now; what was put off (late requests, other rules) is caught up with at the beginning of each call.

use crate::change::By;
use crate::dialect::{Dialect, Operation, Trouble};
use crate::faults::{Fault, FaultPlan};
use crate::ids::{ChangeNo, TicketNo};
use crate::journal::{Asked, Journal, Kind};
use crate::outbox::{Outbox, Post};
use crate::person::Somebody;
use crate::store::{Helpdesk, NewTicket, Pending};
use crate::ticket::Ticket;
use bytes::Bytes;
use fastrand::Rng;
use handoffd_kit::clock::Clock;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// An embedded helpdesk. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    dialect: Box<dyn Dialect>,
    state: Mutex<State>,
}

struct State {
    desk: Helpdesk,
    faults: FaultPlan,
    outbox: Outbox,
    random: Rng,
    watcher: Option<Waker>,
}

/// What comes back to the caller.
#[derive(Debug)]
pub enum Answer {
    /// A response, after this long.
    Given {
        /// What was answered.
        response: Response<Bytes>,
        /// How long it takes.
        after: SignedDuration,
    },
    /// The connection ends without an answer.
    Lost,
    /// There is no connection.
    Refused,
}

impl Sandbox {
    /// An empty helpdesk. The same seed and the same calls at the same instants give the same helpdesk.
    pub fn new(clock: Arc<dyn Clock>, seed: u64, dialect: impl Dialect + 'static) -> Self {
        let desk = Helpdesk::new(clock.now(), dialect.habits());
        let state = State {
            desk,
            faults: FaultPlan::default(),
            outbox: Outbox::default(),
            random: Rng::with_seed(seed),
            watcher: None,
        };
        Self(Arc::new(Shared { clock, dialect: Box::new(dialect), state: Mutex::new(state) }))
    }

    /// The clock that it lives on.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The vendor it speaks for.
    pub fn dialect(&self) -> &'static str {
        self.0.dialect.name()
    }

    /// Answers one request at the clock's now.
    pub fn handle(&self, request: Request<Bytes>) -> Answer {
        let mut state = self.lock();
        let operation = self.0.dialect.operation(&request);
        let State { faults, desk, random, .. } = &mut *state;
        let fault = faults.decide(operation.kind, desk.now, random);
        let line = asked(desk.now, &request, operation, fault);
        let (answer, status) = self.meet(&mut state, request, operation, fault);
        state.desk.journal.requests.push(Asked { status: status.map(|status| status.as_u16()), ..line });
        self.settle(state);
        answer
    }

    /// Looks at or changes the helpdesk directly, past every dialect and right.
    pub fn with<T>(&self, act: impl FnOnce(&mut Helpdesk) -> T) -> T {
        let mut state = self.lock();
        let done = act(&mut state.desk);
        self.settle(state);
        done
    }

    /// Somebody to act for, by login, name, mail address or number. Acts of nobody do nothing.
    pub fn person(&self, who: &str) -> Somebody {
        let no = self.with(|desk| desk.find_person(who).map(|person| person.no));
        Somebody::new(self.clone(), no.map(By::person))
    }

    /// One of the site's other automations to act for.
    pub fn automation(&self, name: &str) -> Somebody {
        Somebody::new(self.clone(), Some(By::rule(name)))
    }

    /// Opens a ticket.
    pub fn open(&self, new: NewTicket) -> TicketNo {
        self.with(|desk| desk.open(new))
    }

    /// A ticket as it is now, whatever became of it.
    pub fn ticket(&self, no: TicketNo) -> Option<Ticket> {
        self.with(|desk| desk.tickets.get(&no).cloned())
    }

    /// What was asked and done so far.
    pub fn journal(&self) -> Journal {
        self.with(|desk| desk.journal.clone())
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.lock().faults = plan;
    }

    /// Takes out the webhooks that are due.
    pub fn due_webhooks(&self) -> Vec<Post> {
        let mut state = self.lock();
        let now = state.desk.now;
        let posts = state.outbox.take_due(now);
        self.signed(&state.desk, posts)
    }

    /// Takes a webhook back that nobody took; it is due again then.
    pub(crate) fn post_again(&self, post: Post, at: Timestamp) {
        self.lock().outbox.put_back(post, at);
    }

    /// The webhook about the newest change of a ticket as each hook would post it now; nothing is queued.
    pub fn webhooks_about(&self, ticket: TicketNo) -> Vec<Post> {
        let state = self.lock();
        let newest = state.desk.tickets.get(&ticket).and_then(|ticket| ticket.last_change());
        let posts = newest.map_or_else(Vec::new, |change| self.posts(&state.desk, ticket, change.no));
        self.signed(&state.desk, posts)
    }

    /// When something will happen by itself next: a webhook is due, a late request arrives, a rule acts.
    pub fn next_due(&self) -> Option<Timestamp> {
        let state = self.lock();
        [state.desk.next_due(), state.outbox.next_due()].into_iter().flatten().min()
    }

    /// Wakes whoever delivers webhooks when there are new ones. One watcher only: the socket server.
    pub(crate) fn watch(&self, waker: &Waker) {
        self.lock().watcher = Some(waker.clone());
    }

    /// The state, after everything that is due by now has happened.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.clock.now().max(state.desk.now);
        while let Some((at, pending)) = state.desk.take_due(now) {
            state.desk.now = at;
            self.carry_out(&mut state, pending);
            self.post_fresh(&mut state);
        }
        state.desk.now = now;
        state
    }

    fn carry_out(&self, state: &mut State, pending: Pending) {
        match pending {
            Pending::Rule { ticket, name, then } => {
                state.desk.update(ticket, &By::rule(&name), *then);
            }
            Pending::Request(request) => {
                self.0.dialect.answer(&mut state.desk, &mut state.random, &request);
            }
        }
    }

    /// Makes webhooks of what changed, and wakes whoever delivers them.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        self.post_fresh(&mut state);
        let watcher = state.watcher.take();
        drop(state);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    fn post_fresh(&self, state: &mut State) {
        for (ticket, change) in std::mem::take(&mut state.desk.fresh) {
            for post in self.posts(&state.desk, ticket, change) {
                state.outbox.put(post, state.desk.now, state.faults.webhooks, &mut state.random);
            }
        }
    }

    fn signed(&self, desk: &Helpdesk, mut posts: Vec<Post>) -> Vec<Post> {
        posts.iter_mut().for_each(|post| self.0.dialect.sign(desk, post));
        posts
    }

    fn posts(&self, desk: &Helpdesk, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
        desk.hooks.values().flat_map(|hook| self.0.dialect.webhook(desk, hook, ticket, change)).collect()
    }

    /// Answers a request that meets a fault, or none. The status is what the helpdesk answered, arrived or not.
    fn meet(
        &self,
        state: &mut State,
        request: Request<Bytes>,
        operation: Operation,
        fault: Option<Fault>,
    ) -> (Answer, Option<StatusCode>) {
        let dialect = &self.0.dialect;
        let trouble = |trouble| given(dialect.trouble(trouble));
        match fault {
            Some(Fault::RateLimited { retry_after }) => trouble(Trouble::RateLimited { retry_after }),
            Some(Fault::ServerError) => trouble(Trouble::ServerError),
            Some(Fault::Unavailable) => trouble(Trouble::Unavailable),
            Some(Fault::Unauthorized) => trouble(Trouble::Unauthorized),
            Some(Fault::Forbidden) => trouble(Trouble::Forbidden),
            Some(Fault::Down) => (Answer::Refused, None),
            Some(Fault::LostBefore) => (Answer::Lost, None),
            Some(Fault::Late(by)) => {
                if operation.kind == Kind::Write {
                    let at = state.desk.now.saturating_add(by).unwrap_or(Timestamp::MAX);
                    state.desk.later(at, Pending::Request(Box::new(request)));
                }
                (Answer::Lost, None)
            }
            Some(Fault::NoEffect) => {
                let mut copy = state.desk.clone();
                given(dialect.answer(&mut copy, &mut state.random, &request))
            }
            None | Some(Fault::Slow(_) | Fault::LostAfter | Fault::Truncated | Fault::Malformed) => {
                let response = dialect.answer(&mut state.desk, &mut state.random, &request);
                let status = Some(response.status());
                let after = match fault {
                    Some(Fault::Slow(after)) => after,
                    _ => SignedDuration::ZERO,
                };
                match fault {
                    Some(Fault::LostAfter) => (Answer::Lost, status),
                    _ => (Answer::Given { response: spoil(response, fault), after }, status),
                }
            }
        }
    }
}

fn given(response: Response<Bytes>) -> (Answer, Option<StatusCode>) {
    let status = response.status();
    (Answer::Given { response, after: SignedDuration::ZERO }, Some(status))
}

/// Damages an answer's body as the fault says.
fn spoil(response: Response<Bytes>, fault: Option<Fault>) -> Response<Bytes> {
    response.map(|body| match fault {
        Some(Fault::Truncated) => body.slice(..body.len() / 2),
        Some(Fault::Malformed) => Bytes::from_static(b"<html><body><h1>It works!</h1></body></html>"),
        _ => body,
    })
}

fn asked(at: Timestamp, request: &Request<Bytes>, operation: Operation, fault: Option<Fault>) -> Asked {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    // A token in the query would otherwise stand in the journal.
    let path = path.split_once("token=").map_or(path, |(before, _)| before);
    let answer_lost = matches!(fault, Some(Fault::LostBefore | Fault::LostAfter | Fault::Late(_) | Fault::Down));
    Asked {
        at,
        method: request.method().to_string(),
        path: path.to_owned(),
        operation: operation.name,
        kind: operation.kind,
        ticket: operation.ticket,
        status: None,
        fault: fault.map(Fault::name),
        answer_lost,
    }
}
