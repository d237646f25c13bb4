use std::task::{Context, Waker};

use redis_authx::testing::{Run, hours, seconds};
use redis_authx::{Credentials, TokenManager};

use super::Crowd;
use crate::support::manager;

/// Clones of one [`Credentials`].
pub(super) struct Ours {
    manager: TokenManager,
    run: Run,
    waker: Waker,
    subscribers: Vec<Credentials>,
}

impl Ours {
    pub(super) fn gather(size: usize, waker: &Waker) -> Self {
        let (manager, run) = manager(hours(1));
        let mut first = manager.credentials();
        let mut cx = Context::from_waker(waker);
        // The token in hand is no news to them.
        let _ = first.poll_changed(&mut cx);
        let mut subscribers: Vec<Credentials> = (0..size).map(|_| first.clone()).collect();
        for subscriber in &mut subscribers {
            let _ = subscriber.poll_changed(&mut cx);
        }
        Self {
            manager,
            run,
            waker: waker.clone(),
            subscribers,
        }
    }
}

impl Crowd for Ours {
    fn rotate(&mut self) -> usize {
        // Past the minimum interval.
        self.run.advance(seconds(2));
        let before = self.manager.status().generation;
        self.manager.refresh();
        self.run.settle();
        let cx = &mut Context::from_waker(&self.waker);
        let mut reached = 0;
        for subscriber in &mut self.subscribers {
            let fresh = match subscriber.poll_changed(cx) {
                std::task::Poll::Ready(Ok(token)) => token.generation() == before + 1,
                _ => false,
            };
            reached += usize::from(fresh && subscriber.poll_changed(cx).is_pending());
        }
        reached
    }
}
