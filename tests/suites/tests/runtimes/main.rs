//! What every runtime owes the core, and the token manager on each of them.
//!
//! A case is written once and mounted for every runtime; a new one is a host
//! in `host.rs` and a line here. Runtimes other than the manual clock live in
//! real time, so the waits are short, and nothing is asserted about how long
//! anything takes: a case that hangs is given up after a minute.

#![allow(clippy::unwrap_used)] // the cases are called by tests, not marked as such

mod host;
mod manager;
mod own_threads;
mod sleep;
mod spawn;
mod support;
mod tokio_ends;
mod wall;

macro_rules! mount {
    ($host:ty: $($area:ident::$case:ident,)+) => {$(
        #[test]
        fn $case() {
            support::within_a_minute(|| {
                use host::Host;
                let mut host = <$host>::start();
                let case = $area::$case(host.runtime());
                host.block_on(case);
            });
        }
    )+};
}

/// What every runtime owes.
macro_rules! contract {
    ($host:ty) => {
        mount! { $host:
            sleep::now_never_goes_back,
            sleep::a_sleep_ends_no_earlier_than_its_deadline,
            sleep::a_sleep_of_the_past_is_over_at_once,
            sleep::sleeps_end_in_the_order_of_their_deadlines,
            sleep::a_long_sleep_holds_up_no_short_one,
            sleep::a_dropped_sleep_wakes_nobody_and_is_forgotten,
            sleep::a_sleep_wakes_whoever_polled_it_last,
            sleep::a_sleep_may_move_to_another_thread,
            sleep::ten_thousand_sleeps_all_end,
            sleep::a_sleep_far_in_the_future_is_harmless,

            spawn::a_task_outlives_everything_its_spawner_held,
            spawn::a_task_spawns_another,
            spawn::a_task_is_dropped_once_it_has_ended,
            spawn::many_tasks_run_at_a_time,
            spawn::wake_ups_from_another_thread_are_not_lost,
            spawn::a_runtime_is_used_as_a_trait_object,

            manager::a_manager_starts_and_hands_out_a_token,
            manager::tokens_are_rotated,
            manager::a_refresh_brings_a_new_token,
            manager::stopping_ends_the_task,
            manager::stopping_cancels_a_request_that_hangs,
            manager::dropping_the_last_handle_leaves_nothing,
            manager::a_task_may_drop_the_last_handle,
            manager::a_provider_may_drop_the_last_handle,
            manager::a_plain_thread_waits_for_a_token,
            manager::a_plain_thread_gives_up_at_its_limit,
            manager::a_provider_that_panics_is_asked_again,
        }
    };
}

/// What those owe besides that run on the system's time and threads.
macro_rules! in_real_time {
    ($host:ty) => {
        mount! { $host:
            spawn::a_panicking_task_takes_no_other_with_it,
            wall::the_wall_clock_is_the_systems,
        }
    };
}

mod tokio_current_thread {
    use super::*;

    contract!(host::TokioCurrentThread);
    in_real_time!(host::TokioCurrentThread);
}

mod tokio_multi_thread {
    use super::*;

    contract!(host::TokioMultiThread);
    in_real_time!(host::TokioMultiThread);
}

mod on_tokio {
    use super::*;

    contract!(host::OnTokioFromOutside);
    in_real_time!(host::OnTokioFromOutside);
}

mod async_std {
    use super::*;

    contract!(host::AsyncStdHost);
    in_real_time!(host::AsyncStdHost);
}

mod smol {
    use super::*;

    contract!(host::SmolHost);
    in_real_time!(host::SmolHost);
}

mod threads {
    use super::*;

    contract!(host::ThreadsHost);
    in_real_time!(host::ThreadsHost);
}

mod manual_clock {
    use super::*;

    contract!(host::ManualHost);
}
