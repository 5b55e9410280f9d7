//! The configuration from outside: what it accepts, what it says about everything else, and what it keeps to itself.

mod abilities;
mod alerts;
mod broken;
mod chains;
mod example;
mod guide;
mod hostile;
mod hours;
mod include;
mod lints;
mod problems;
mod rollback;
mod schema;
mod secrets;
mod sensitive;
mod shapes;
mod targets;
mod templates;
mod times;
mod trials;
mod versions;
