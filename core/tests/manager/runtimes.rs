//! Runtimes behind a pointer, and those that can't run a task.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use futures::future::BoxFuture;
use redis_authx::testing::{ManualClock, ScriptedProvider, hours};
use redis_authx::{Clock, ConfigError, Runtime, Sleep, Spawner, TokenManager};

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

/// A clock that can't run tasks.
#[derive(Debug)]
struct NoTasks(ManualClock);

impl NoTasks {
    fn error() -> ConfigError {
        ConfigError::invalid("runtime", "one without tasks", "one with tasks")
    }
}

impl Clock for NoTasks {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Spawner for NoTasks {
    fn spawn(&self, _: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        Err(Self::error())
    }
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
