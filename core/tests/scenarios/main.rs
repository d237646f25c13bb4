//! What every token manager should be able to stand: `README.md` has the list,
//! and the test for each. Here are those that no other suite holds.

#[path = "../support/mod.rs"]
mod support;

mod arithmetic;
mod construction;
mod ending;
mod failures;
mod lifecycle;
mod renewal;
mod schedule;
mod sharing;
mod slewing;
mod table;
mod tokens;
mod waiting;
