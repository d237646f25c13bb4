//! What the clients of fred owe, against a real redis-server; and what fred does
//! by itself, so that it is noticed when that changes.

#![allow(clippy::unwrap_used)] // helpers of tests are not marked as such

mod blocked;
mod changes;
mod clients;
mod cluster;
mod faults;
mod handover_faults;
mod handovers;
mod identity;
mod load;
mod out_of_step;
mod replicas;
mod rotations;
mod sentinel;
mod site;
mod subscribers;
mod tls;
mod transactions;
mod traps;
