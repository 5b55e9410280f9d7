//! The traps of the RT sheet, one by one, with RT's answers written down: what a running RT shows only by luck or not at
//! all (races, a proxy's pages, an account that sees half).

mod desk;
mod reading;
mod writing;
