//! `handoffd` carries support handoffs out, whole: the context package, the owner, the clock, the word to the customer.
//!
//! This is the map, in the order a ticket takes:
//! - [`config`]: TOML with places, checked all at once, becomes a [`config::Config`].
//! - [`policy`]: pure: facts, conditions, routing, escalation, package ─▶ a verdict.
//! - [`plan`]: pure: a verdict ─▶ effects; the note's and the message's words.
//! - [`ledger`]: the only SQL; every state with its one transition function.

pub mod config;
pub mod ledger;
pub mod plan;
pub mod policy;
pub mod registry;
