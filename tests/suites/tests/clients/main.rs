//! What a connection owes: of redis-rs on every runtime that it can use and with
//! each of its major versions, and of fred.
//!
//! A case is written once, in a file that ends in `contract.rs`, and mounted for
//! every pair; some, on tokio, with every version of the server as well. The emulator runs on a tokio runtime of its own, of which the
//! host's threads know nothing: redis-rs, built with both of its runtimes here,
//! then takes smol.

#![allow(clippy::unwrap_used)] // the cases are called by tests, not marked as such
#![allow(
    clippy::duplicate_mod,
    reason = "the same cases, compiled for each version of redis-rs"
)]

mod connection;
mod contract;
mod fred;
mod host;
mod redis_1;
mod redis_2;
mod site;

/// The cases, for one client on one host, with a version of the server.
macro_rules! contract {
    ($name:ident: $connection:path, on $host:ident, $version:ident: $($more:ident)*) => {
        mod $name {
            contract! { @ $connection, $host, $version:
                rotations_fail_no_command
                rotations_fail_no_command_in_resp3
                a_rotation_sends_one_auth_a_connection
                transactions_have_their_own_replies
                a_refused_auth_is_not_noticed
                a_refused_auth_misdirects_no_reply
                a_lost_connection_comes_back
                an_outage_ends_by_itself
                a_closed_connection_leaves_nothing
                $($more)*
            }
        }
    };
    (@ $connection:path, $host:ident, $version:ident: $($case:ident)+) => {
        $(#[test]
        fn $case() {
            let case = crate::contract::$case::<$connection, _>;
            crate::site::run::<crate::host::$host, _>(stringify!($version), case);
        })+
    };
}

/// The cases of sync connections, likewise.
macro_rules! sync_contract {
    ($name:ident: $adapter:ident on $host:ident, $version:ident) => {
        mount! { $name: $adapter sync_contract on $host, $version:
            a_sync_connection_is_renewed
            a_refused_sync_log_in_takes_a_fresh_token
            a_lost_sync_connection_comes_back
        }
    };
}

/// The cases of subscribers, likewise.
macro_rules! pubsub_contract {
    ($name:ident: $adapter:ident on $host:ident, $version:ident) => {
        mount! { $name: $adapter pubsub_contract on $host, $version:
            messages_outlive_their_tokens
            messages_outlive_their_tokens_in_resp3
        }
    };
}

/// The cases of subscribers whose methods block. On tokio, that is for threads
/// of its own.
macro_rules! sync_pubsub_contract {
    ($name:ident: $adapter:ident on $host:ident, $version:ident) => {
        mount! { $name: $adapter pubsub_contract on $host, $version:
            messages_on_a_thread_outlive_their_tokens
        }
    };
}

macro_rules! mount {
    ($name:ident: $adapter:ident $cases:ident on $host:ident, $version:ident: $($case:ident)+) => {
        mod $name {
            $(#[test]
            fn $case() {
                let case = crate::$adapter::$cases::$case;
                crate::site::run::<crate::host::$host, _>(stringify!($version), case);
            })+
        }
    };
}

/// One client of a kind, on one runtime.
macro_rules! each_client {
    ($version:ident) => {
        mod $version {
            contract!(redis_1_on_tokio: crate::redis_1::AuthConnection, on OnTokio, $version: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);
            contract!(redis_2_on_tokio: crate::redis_2::AuthConnection, on OnTokio, $version: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);
            // A token that is new to fred is shown on another connection first, where a
            // stalled AUTH costs nothing: tests/fred/faults.rs has those on live ones.
            // fred runs on tokio alone, and shows nobody the commands that go by, so that a
            // transaction of commands of its own is not noticed: tests/fred/transactions.rs.
            contract!(fred_on_tokio: crate::fred::OneClient, on OnTokio, $version:);
            sync_contract!(sync_redis_1_on_tokio: redis_1 on OnTokio, $version);
            pubsub_contract!(pubsub_redis_1_on_tokio: redis_1 on OnTokio, $version);
        }
    };
}

redis_authx_suites::for_every_server!(each_client);

// What the version of the server makes no difference to: the other runtimes, and what shares
// its code with one of those.
contract!(fred_pool_on_tokio: crate::fred::OfAPool, on OnTokio, on_path:);
contract!(redis_1_on_smol: crate::redis_1::AuthConnection, on OnSmol, on_path: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);
contract!(redis_1_on_async_std: crate::redis_1::AuthConnection, on OnAsyncStd, on_path: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);
contract!(redis_2_on_smol: crate::redis_2::AuthConnection, on OnSmol, on_path: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);
contract!(redis_2_on_async_std: crate::redis_2::AuthConnection, on OnAsyncStd, on_path: no_auth_gets_into_a_raw_transaction a_stalled_auth_leads_to_a_new_connection);

sync_contract!(sync_redis_1_on_smol: redis_1 on OnSmol, on_path);
sync_contract!(sync_redis_1_on_async_std: redis_1 on OnAsyncStd, on_path);
sync_contract!(sync_redis_2_on_tokio: redis_2 on OnTokio, on_path);
sync_contract!(sync_redis_2_on_smol: redis_2 on OnSmol, on_path);
sync_contract!(sync_redis_2_on_async_std: redis_2 on OnAsyncStd, on_path);

pubsub_contract!(pubsub_redis_1_on_smol: redis_1 on OnSmol, on_path);
pubsub_contract!(pubsub_redis_1_on_async_std: redis_1 on OnAsyncStd, on_path);
pubsub_contract!(pubsub_redis_1_on_threads: redis_1 on OnThreads, on_path);
pubsub_contract!(pubsub_redis_2_on_tokio: redis_2 on OnTokio, on_path);
pubsub_contract!(pubsub_redis_2_on_smol: redis_2 on OnSmol, on_path);
pubsub_contract!(pubsub_redis_2_on_async_std: redis_2 on OnAsyncStd, on_path);
pubsub_contract!(pubsub_redis_2_on_threads: redis_2 on OnThreads, on_path);

sync_pubsub_contract!(sync_pubsub_redis_1_on_threads: redis_1 on OnThreads, on_path);
sync_pubsub_contract!(sync_pubsub_redis_1_on_smol: redis_1 on OnSmol, on_path);
sync_pubsub_contract!(sync_pubsub_redis_1_on_async_std: redis_1 on OnAsyncStd, on_path);
sync_pubsub_contract!(sync_pubsub_redis_2_on_threads: redis_2 on OnThreads, on_path);
sync_pubsub_contract!(sync_pubsub_redis_2_on_smol: redis_2 on OnSmol, on_path);
sync_pubsub_contract!(sync_pubsub_redis_2_on_async_std: redis_2 on OnAsyncStd, on_path);
