//! What every token manager should be able to stand: `README.md` has the list,
//! and the test for each. Here are those that no other suite holds.

mod arithmetic;
mod construction;
mod ending;
mod failures;
mod lifecycle;
mod renewal;
mod schedule;
mod sharing;
mod slewing;
mod tokens;
mod waiting;
