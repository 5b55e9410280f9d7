//! Opening hours: which instants count, and which instant is reached once enough of them were counted.
//!
//! - [`Week`] holds the blocks of a week as people write them (`"09:00-12:00"`, `"22:00-06:00"`, `"24:00"`);
//! - [`ics`] turns a calendar file into holidays;
//! - [`Calendar`] joins a week, a zone and holidays, and answers: [`Calendar::add`], [`Calendar::between`],
//!   [`Calendar::is_open`], [`Calendar::next_opening`];
//! - [`Deadline`] is an answer with its [`Working`], for people.
//!
//! An instant is open if the clock on the wall in the calendar's zone shows a time inside a block of that day, and that
//! day is no holiday. Nothing else is assumed: an hour that a clock change repeats counts twice, one that it leaves out
//! does not count, and a date that a zone skipped never comes. A block over midnight counts as the two blocks that it
//! is made of, each on its own date. Everything is pure: no clock, no file, no machine's zone.

mod calendar;
mod count;
mod date;
pub mod ics;
mod shown;
mod week;
mod working;
mod yearly;
mod zone;

pub use calendar::{Calendar, CalendarProblem};
pub use count::OutOfReach;
pub use shown::{is_shown_twice, length, moment};
pub use week::{Block, Day, Overlap, Week, days};
pub use working::{Deadline, Span, Working};
pub use zone::{UnknownZone, zone};
