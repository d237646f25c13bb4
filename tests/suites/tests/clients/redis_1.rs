//! The cases with redis-rs 1.x.

use ::redis;
use redis_authx_redis as adapter;

#[path = "contract.rs"]
pub(crate) mod contract;

#[path = "pubsub_contract.rs"]
pub(crate) mod pubsub_contract;

#[path = "sync_contract.rs"]
pub(crate) mod sync_contract;
