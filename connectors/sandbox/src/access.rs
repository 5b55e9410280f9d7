//! Who a request comes from: tokens for people, and clients that may ask for tokens.

use crate::ids::PersonNo;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What lets requests in. Its `Debug` shows no token and no secret.
#[derive(Clone, Default)]
pub struct Access {
    tokens: BTreeMap<String, Grant>,
    clients: BTreeMap<String, Client>,
    issued: u64,
}

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whom it acts for.
    pub person: PersonNo,
    /// The scopes as they were asked for; none: everything its person may do.
    pub scope: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A program that may ask for tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its secret.
    pub secret: String,
    /// Whom its tokens act for.
    pub person: PersonNo,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({} tokens, {} clients)", self.tokens.len(), self.clients.len())
    }
}

impl Access {
    /// Lets a token of the administrator's choosing in.
    pub fn allow(&mut self, token: impl Into<String>, grant: Grant) {
        self.tokens.insert(token.into(), grant);
    }

    /// Ends a token, or all of a person's.
    pub fn revoke(&mut self, person: PersonNo) {
        self.tokens.retain(|_, grant| grant.person != person);
    }

    /// Registers a program.
    pub fn register(&mut self, id: impl Into<String>, client: Client) {
        self.clients.insert(id.into(), client);
    }

    /// The program with this id, if its secret is right.
    pub fn client(&self, id: &str, secret: &str) -> Option<&Client> {
        self.clients.get(id).filter(|client| client.secret == secret)
    }

    /// Makes a new token; `bits` make it unlike any other.
    pub fn issue(&mut self, grant: Grant, bits: u64) -> String {
        self.issued += 1;
        let token = format!("sandbox-{}-{bits:016x}", self.issued);
        self.tokens.insert(token.clone(), grant);
        token
    }

    /// What a token allows now.
    pub fn grant(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.tokens.get(token).filter(|grant| grant.expires_at.is_none_or(|end| now < end))
    }
}
