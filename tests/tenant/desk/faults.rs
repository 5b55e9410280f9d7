//! What goes wrong, and with which requests.

use super::refusal::Refusal;
use super::route::Question;

/// One kind of trouble.
pub struct Fault {
    on: Box<dyn Fn(&Question) -> bool + Send>,
    does: Does,
    /// How often yet.
    times: u32,
}

/// What happens to a request that a fault hits.
#[derive(Clone, Debug)]
pub enum Does {
    /// No connection.
    Unreachable,
    /// The connection is closed before anything is done.
    Cut,
    /// Done, then the connection is closed.
    CutAfter,
    /// Done, then no answer ever comes.
    Hold,
    /// Done, then half of an answer that is no JSON.
    Garble,
    /// Nothing is done but this answer.
    Say(Refusal),
}

impl Fault {
    /// Hits whatever fits, for ever.
    pub fn always(does: Does, on: impl Fn(&Question) -> bool + Send + 'static) -> Self {
        Self { on: Box::new(on), does, times: u32::MAX }
    }

    /// Hits the first that fits.
    pub fn once(does: Does, on: impl Fn(&Question) -> bool + Send + 'static) -> Self {
        Self { times: 1, ..Self::always(does, on) }
    }

    /// The trouble of this request, used up once more.
    pub fn take(faults: &mut Vec<Fault>, question: &Question) -> Option<Does> {
        let at = faults.iter().position(|fault| (fault.on)(question))?;
        let does = faults[at].does.clone();
        faults[at].times -= 1;
        if faults[at].times == 0 {
            faults.remove(at);
        }
        Some(does)
    }
}

impl Does {
    /// The login is refused.
    pub fn unauthorized() -> Self {
        Self::Say(Refusal::unauthorized())
    }

    /// A right is missing.
    pub fn forbidden() -> Self {
        Self::Say(Refusal::forbidden())
    }

    /// No such record, or not for us.
    pub fn not_found() -> Self {
        Self::Say(Refusal::not_found())
    }

    /// The ticket was closed meanwhile.
    pub fn closed() -> Self {
        Self::Say(Refusal::closed())
    }

    /// A field's value is refused.
    pub fn invalid(field: &str, description: &str) -> Self {
        Self::Say(Refusal::invalid(field, description))
    }

    /// A page of HTML with status 500.
    pub fn broken() -> Self {
        Self::Say(Refusal::broken())
    }
}
