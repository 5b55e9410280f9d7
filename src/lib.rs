//! `handoffd` carries support handoffs out, whole: the context package, the owner, the clock, the word to the customer.
//!
//! This is the map, in the order a ticket takes; `docs/ARCHITECTURE.md` walks through it three times:
//! - [`config`]: TOML with places, checked all at once, becomes a [`config::Config`]; [`registry`] opens its desks.
//! - [`cli`]: one file per command; [`web`]: webhooks in, health and metrics out.
//! - [`daemon`]: wires the house and runs the one loop.
//! - [`intake`]: webhooks and polls become looks.
//! - [`cases`]: looks are worked off: read, join, decide, plan, record; what became of earlier handoffs.
//! - [`policy`]: pure: facts, conditions, routing, escalation, package ─▶ a verdict.
//! - [`plan`]: pure: a verdict ─▶ effects; the note's and the message's words.
//! - [`delivery`]: due effects go out through [`desks`]; a lost answer is looked up, never guessed.
//! - [`alert`]: one file for each channel by which people are told outside the helpdesk.
//! - [`ledger`]: the only SQL; every state with its one transition function.
//! - [`clock`], [`backoff`]: the wall's time and chance, and how long to wait.

pub mod alert;
pub mod backoff;
pub mod cases;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod delivery;
pub mod desks;
pub mod insight;
pub mod intake;
pub mod ledger;
pub mod plan;
pub mod policy;
pub mod registry;
pub mod web;
