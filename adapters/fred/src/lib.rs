//! Clients of [fred](https://docs.rs/fred) that stay logged in while their
//! tokens change.

mod builder;
mod connections;
mod error;
mod node;
mod plaintext;
mod provider;
mod renewal;
mod served;
mod watch;
mod weak;

pub use builder::{AuthBuilder, BuilderExt};
pub use connections::ConnectionReport;
pub use renewal::{Renewal, RenewalBuilder};
