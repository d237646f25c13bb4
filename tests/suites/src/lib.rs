//! What the integration tests share: a bed with an emulator, a token manager
//! and a client, and a load that counts what an application would see.

mod bed;
mod clock;
mod load;

pub use bed::{Bed, BedBuilder, patient};
pub use clock::WrongClock;
pub use load::{KEY, Load, Seen};
