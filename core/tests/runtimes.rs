//! A runtime behind a pointer is the same runtime.

use std::sync::Arc;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours};
use redis_authx::{Clock, TokenManager};

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
