//! The kit: what every connector speaks, and all that the daemon knows about a helpdesk.
//!
//! In reading order:
//! - [`id`], [`fact`]: identifiers as types; what a desk did not say is *unknown*, never a default.
//! - [`model`]: the common ticket: its head and its parts.
//! - [`mark`]: the effect's key where it can be read back.
//! - [`desk`]: the [`Desk`](desk::Desk) trait, its writes and receipts; [`capability`] declares what a desk can do.
//! - [`error`]: what a call failed with, and whether it may be repeated.
//! - [`clock`], [`random`], [`transport`]: the seams; nothing in a connector reads time, chance or a socket by itself.
//! - [`gate`]: all calls of one desk account, in the order of their deadlines, within the vendor's limits; [`ask`]: one of them,
//!   in JSON.
//! - [`webhook`]: what came in, and what of it is proven.
//! - [`wire`]: vendors' JSON, key by key; [`memory`]: what ids mean, remembered for a while; [`walk`]: a list by its tickets' last
//!   change, read as a stream.
//! - [`text`]: HTML and plain text, cuts, and quotes made harmless.
//! - [`language`]: languages by their tags; [`mail`]: whether a machine wrote a mail.
//! - [`secret`]: secrets that may be replaced while the daemon runs.
//! - [`settings`]: what the configuration hands to a connector.
//! - [`conformance`]: the suite that every connector's tests run.
//!
//! A connector knows this crate and nothing else of handoffd.

pub mod ask;
pub mod capability;
pub mod clock;
pub mod collision;
pub mod conformance;
pub mod desk;
pub mod error;
pub mod fact;
pub mod gate;
pub mod id;
pub mod language;
pub mod mail;
pub mod mark;
pub mod memory;
pub mod model;
pub mod random;
pub mod secret;
pub mod settings;
pub mod text;
pub mod transport;
pub mod walk;
pub mod webhook;
pub mod wire;
