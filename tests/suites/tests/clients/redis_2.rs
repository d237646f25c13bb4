//! The cases with redis-rs 2.x.

use redis_2 as redis;
use redis_authx_redis::redis_2 as adapter;

#[path = "contract.rs"]
pub(crate) mod contract;

#[path = "pubsub_contract.rs"]
pub(crate) mod pubsub_contract;

#[path = "sync_contract.rs"]
pub(crate) mod sync_contract;
