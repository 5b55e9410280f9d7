//! One policy file that uses every key, run by the whole daemon on three desks: the sandbox's Zendesk, the sandbox's Request
//! Tracker, and a real Request Tracker that nobody here wrote. For each kind of transition and each trigger one ticket
//! fires, and a twin that differs in one thing stays.
//!
//! The real one is left out where no Request Tracker is installed; with `HANDOFFD_TEST_REAL=1` that is a failure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "the connector's tests use all of it")]
#[path = "../../connectors/rt/tests/real/instance.rs"]
mod instance;
#[allow(dead_code, reason = "the connector's tests use all of it")]
#[path = "../../connectors/rt/tests/real/raw.rs"]
mod raw;
#[path = "../config/shapes.rs"]
mod shapes;

mod desk;
mod embedded;
mod keys;
mod paths;
mod policy;
mod real;

use embedded::Embedded;
use real::Real;

#[test]
fn every_path_fires_and_its_twin_stays_on_the_sandboxs_zendesk() {
    paths::all(&mut Embedded::zendesk());
}

#[test]
fn every_path_fires_and_its_twin_stays_on_the_sandboxs_request_tracker() {
    paths::all(&mut Embedded::request_tracker());
}

#[test]
fn every_path_fires_and_its_twin_stays_on_a_real_request_tracker() {
    if let Some(mut real) = Real::start() {
        paths::all(&mut real);
    }
}
