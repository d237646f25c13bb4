//! The clock decides what time it is, not a timer that fires too soon.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Clock, ReauthError, ReauthPolicy, Token, TokenManager};
use redis_authx_session::{Reauthenticator, Session};

use crate::support::clocks::Impatient;

/// Notes when it was asked.
#[derive(Debug)]
struct Notes {
    clock: ManualClock,
    asked: std::sync::Mutex<Vec<Instant>>,
}

#[async_trait]
impl Session for Notes {
    fn is_connected(&self) -> bool {
        true
    }

    /// Takes four of the five seconds that it may.
    async fn authenticate(&self, _: &Token) -> Result<(), ReauthError> {
        let end = self.clock.now() + Duration::from_secs(4);
        self.clock.sleep_until(end).await;
        self.asked.lock().expect("whole").push(self.clock.now());
        Ok(())
    }

    async fn replace(&self, _: &Token) -> Result<(), ReauthError> {
        panic!("there is time enough");
    }
}

#[test]
fn nothing_is_done_before_its_time() {
    let clock = Impatient {
        time: ManualClock::new(),
        early: Arc::default(),
    };
    let start = clock.now();
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(1));
    let manager = TokenManager::builder(script.clone())
        .refresh_policy(crate::support::exact(|policy| policy))
        .spawn(clock.clone())
        .unwrap();
    let mut run = clock.time.run(async {});
    let runtime = Arc::new(clock.clone());
    let reauth = Reauthenticator::spawn(
        &manager.credentials(),
        ReauthPolicy::default(),
        Arc::<Impatient>::clone(&runtime),
    )
    .unwrap();
    let token = manager.credentials().current().unwrap();
    let sessions: Vec<_> = (0..2)
        .map(|_| {
            Arc::new(Notes {
                clock: clock.time.clone(),
                asked: std::sync::Mutex::default(),
            })
        })
        .collect();
    let _registered: Vec<_> = sessions
        .iter()
        .map(|session| {
            let session: Arc<dyn Session> = Arc::<Notes>::clone(session);
            reauth.register(Arc::downgrade(&session), &token)
        })
        .collect();
    run.advance(minutes(45) - Duration::from_millis(1));
    assert_eq!(script.requests(), 1);
    run.advance(Duration::from_millis(1));
    assert_eq!(script.requests(), 2);
    run.advance(minutes(10));
    assert!(clock.early.load(Ordering::SeqCst) > 100);
    // One at once, one half-way through the window.
    let asked: Vec<Vec<Duration>> = sessions
        .iter()
        .map(|session| {
            let asked = session.asked.lock().unwrap();
            asked.iter().map(|at| *at - start).collect()
        })
        .collect();
    let window = minutes(15) / 4;
    let first = minutes(45) + Duration::from_secs(4);
    assert_eq!(asked, [[first], [first + window / 2]]);
}
