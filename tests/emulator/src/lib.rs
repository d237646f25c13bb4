//! Draft.
mod builder;
mod clock;
mod credentials;
mod emulator;
mod error;
mod gateway;
mod identity;
mod listener;
mod random;
mod server;
mod store;
mod tls;

pub use self::{
    builder::Builder,
    emulator::Emulator,
    error::EmulatorError,
    gateway::{AuthRefusal, ConnectionReport, RedisControl},
    identity::{Fault, IdentityControl, TokenVersion},
    server::Store,
};
