//! The process dies in the middle of a reload: what starts again from the file goes on with everything, once.

use crate::stage::{Dialect, Stage};
use futures::executor::block_on;
use handoffd::daemon::reload::Wish;
use handoffd::ledger::Boundary;
use handoffd_sandbox::ids::TicketNo;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;

/// Lets so many steps of the ledger pass, then nothing any more.
struct Death(AtomicI64);

impl Death {
    fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed) < 0
    }
}

impl Boundary for Death {
    fn pass(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 {
            Box::pin(std::future::ready(()))
        } else {
            Box::pin(std::future::pending())
        }
    }
}

#[test]
fn whenever_the_process_dies_the_next_one_runs_what_the_file_says_and_nothing_is_lost_or_doubled() {
    let mut died = 0;
    for steps in 0..12 {
        let death = Arc::new(Death(AtomicI64::new(i64::MAX)));
        let mut stage = Stage::new(Dialect::Zendesk).restart(Some(death.clone()));
        stage.seconds(20);
        let tickets: Vec<TicketNo> = (0..20).map(|_| stage.ticket("A refund")).collect();
        stage.seconds(130);
        stage.edit("first wording", "second wording");
        death.0.store(steps, Ordering::Relaxed);
        let mut reload = Box::pin(stage.reloader.reload(Wish::File, "test"));
        // The thread that reads the file answers in its own time; every step after that is the ledger's.
        block_on(poll_fn(|context| match reload.as_mut().poll(context) {
            Poll::Pending if death.has_come() => Poll::Ready(()),
            poll => poll.map(drop),
        }));
        drop(reload);
        died += usize::from(death.has_come());
        let said = handoffd::config::load(&stage.file()).expect("good").policy.version;
        let mut stage = stage.restart(None);
        stage.seconds(1_200);
        assert_eq!(stage.version(), said, "{steps}");
        for no in tickets {
            assert_eq!((stage.queue(no), stage.marks(no).len()), ("Billing".into(), 1), "{steps}");
        }
    }
    assert!(died > 2, "some reloads were cut off: {died}");
}
