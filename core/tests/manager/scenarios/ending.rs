use std::sync::{Arc, Mutex};

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Clock, Event, ManagerState, TokenError};

use crate::support::{Source, numbered, rig, rig_with};

#[test]
fn a_stop_at_the_very_moment_of_a_renewal_is_one_whichever_comes_first() {
    for stop_is_first in [true, false] {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| numbered(n, hours(1)));
        let renewal = time.now() + minutes(45);
        let mut rig = rig_with(&time, source.clone(), |builder| builder);
        let (manager, clock) = (rig.manager.clone(), time.clone());
        // Tasks run in the order in which they fell asleep: the driver does so
        // anew at each check of the clocks, the last one at 41 minutes.
        let _connected = rig.manager.credentials().count_connection();
        rig.run.spawn(async move {
            if !stop_is_first {
                clock.sleep_until(renewal - minutes(1) / 4).await;
            }
            clock.sleep_until(renewal).await;
            manager.stop();
        });
        rig.run.advance(minutes(45));
        assert_eq!(rig.manager.status().state, ManagerState::Stopped);
        assert_eq!(source.requests(), if stop_is_first { 1 } else { 2 });
        rig.run.advance(hours(1));
        assert_eq!(source.requests(), if stop_is_first { 1 } else { 2 });
        assert_eq!(rig.time.timers(), 0);
    }
}

#[test]
fn a_request_that_is_cancelled_by_a_stop_is_no_failure() {
    let script = ScriptedProvider::new().hang();
    let mut rig = rig(script.clone());
    let told: Arc<Mutex<Vec<bool>>> = Arc::default();
    for _ in 0..10 {
        let (credentials, told) = (rig.manager.credentials(), Arc::clone(&told));
        rig.run.spawn(async move {
            let outcome = credentials.get(hours(1)).await;
            let stopped = matches!(outcome, Err(TokenError::Stopped));
            told.lock().unwrap().push(stopped);
        });
    }
    rig.manager.stop();
    rig.run.settle();
    assert_eq!(script.open_requests(), 0);
    assert!(matches!(rig.events.take().as_slice(), [Event::Stopped]));
    let status = rig.manager.status();
    assert_eq!(status.failures, 0);
    assert!(status.last_error.is_none());
    assert_eq!(*told.lock().unwrap(), [true; 10]);
}
