//! The cases with redis-rs 1.x.

use ::redis;
use redis_authx_redis as adapter;

#[path = "contract.rs"]
pub(crate) mod contract;
