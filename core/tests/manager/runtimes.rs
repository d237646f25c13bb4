//! Runtimes behind a pointer, and those that can't run a task.

use std::sync::Arc;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours};
use redis_authx::{Clock, Runtime, TokenManager};

use crate::support::clocks::NoTasks;

#[test]
fn a_manager_runs_on_a_shared_runtime() {
    let time = Arc::new(ManualClock::new());
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(1));
    let manager = TokenManager::builder(script)
        .spawn(Arc::clone(&time))
        .expect("valid settings");
    let mut run = time.run(async {});
    let credentials = manager.credentials();
    assert_eq!(credentials.current().expect("a token").password(), "a");
    let runtime = credentials.runtime().expect("spawned on one");
    assert_eq!((runtime.now(), runtime.wall()), (time.now(), time.wall()));
    run.advance(hours(1));
    assert_eq!(credentials.current().expect("a token").password(), "b");
}

#[test]
fn a_runtime_that_refuses_the_task_is_an_error_of_what_was_to_run() {
    let time = ManualClock::new();
    let runtime: Arc<dyn Runtime> = Arc::new(NoTasks(time));
    let script = ScriptedProvider::new().token("a", hours(1));
    let refused = TokenManager::builder(script.clone()).spawn(runtime);
    assert_eq!(refused.err(), Some(NoTasks::error()));
    assert_eq!(script.requests(), 0);
}
