//! What the integration tests share: a bed with an emulator, a token manager
//! and a client, and a load that counts what an application would see.

mod acl;
mod bed;
mod clock;
mod ledger;
mod load;
mod servers;
mod stall;
mod threaded;

pub use acl::allow;
pub use bed::{Bed, BedBuilder, PATIENCE, patient, prompt};
pub use clock::WrongClock;
pub use ledger::{Arrived, PATTERNS, Pattern, Published, Publisher, channels};
pub use load::{KEY, Load, Seen};
pub use servers::{Server, VARIABLE};
pub use stall::{Socket, Stall};
pub use threaded::{Threaded, Worked, blocking};
