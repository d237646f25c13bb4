//! The cases with redis-rs 2.x.

use redis_2 as redis;
use redis_authx_redis::redis_2 as adapter;

#[path = "pubsub_contract.rs"]
pub(crate) mod pubsub_contract;

#[path = "sync_contract.rs"]
pub(crate) mod sync_contract;

#[path = "redis_rs.rs"]
mod redis_rs;

pub(crate) use adapter::AuthConnection;
