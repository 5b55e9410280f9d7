//! What the tenant writes down: every request, every write that took effect, and what it had to complain of.

use jiff::Timestamp;

/// The tenant's own record.
#[derive(Default)]
pub struct Journal {
    pub requests: Vec<Asked>,
    pub writes: Vec<Written>,
    /// Requests that the vendor does not document; there must be none.
    pub complaints: Vec<String>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Timestamp,
    pub endpoint: &'static str,
    pub writes: bool,
    pub ticket: Option<i64>,
    /// None: the connection did not stand, or was closed before anything was done.
    pub status: Option<u16>,
    /// Whether a readable answer went out.
    pub answered: bool,
}

/// A write through the API that took effect.
#[derive(Clone, Debug)]
pub struct Written {
    pub at: Timestamp,
    pub ticket: i64,
    /// Whether its answer went out whole.
    pub answered: bool,
}

impl Journal {
    pub fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// The answer to what was just done on this ticket did not go out.
    pub fn unanswered(&mut self, ticket: Option<i64>) {
        let at = self.requests.last().map(|asked| (asked.at, asked.writes, asked.status));
        let Some((at, true, Some(200))) = at else { return };
        if let Some(written) = self.writes.last_mut().filter(|one| Some(one.ticket) == ticket && one.at == at) {
            written.answered = false;
        }
    }

    /// Requests about a ticket at an endpoint.
    pub fn asked(&self, ticket: i64, endpoint: &str) -> usize {
        self.requests.iter().filter(|asked| asked.ticket == Some(ticket) && asked.endpoint == endpoint).count()
    }

    /// Writes to a ticket that took effect.
    pub fn written(&self, ticket: i64) -> impl Iterator<Item = &Written> {
        self.writes.iter().filter(move |written| written.ticket == ticket)
    }
}
