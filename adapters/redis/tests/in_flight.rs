//! Every order in which two senders and a rotation can meet on one connection, by
//! loom, in front of a server that drops the reply to a refused `AUTH` where other
//! replies are pending, as redis-server 7.2 and later does.
//!
//! What is real: `src/gate/in_flight.rs`, compiled here with loom's atomics, and the
//! order of what is done with it. What stands in for something: the connection and
//! its server (`Wire`), and `event_listener::Event` (`sync::Event`). A wake-up that is
//! lost shows as a deadlock, which loom reports.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use in_flight::InFlight;
use loom::future::block_on;
use loom::model::Builder;
use loom::sync::{Arc, Mutex};
use loom::thread;

#[allow(dead_code, reason = "the flags are the adapter's")]
#[path = "../src/gate/in_flight.rs"]
mod in_flight;

mod sync {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use loom::sync::{Arc, Mutex};

    pub(super) use loom::sync::atomic::{AtomicUsize, Ordering};

    /// Wakes all that listen, however many it is told to: a listener looks again.
    #[derive(Debug, Default)]
    pub(super) struct Event(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    pub(super) struct State {
        notified: usize,
        listening: Vec<Waker>,
    }

    pub(super) struct Listener {
        state: Arc<Mutex<State>>,
        since: usize,
    }

    impl Event {
        pub(super) fn listen(&self) -> Listener {
            let state = Arc::clone(&self.0);
            let since = state.lock().unwrap().notified;
            Listener { state, since }
        }

        pub(super) fn notify(&self, _count: usize) {
            let listening = {
                let mut state = self.0.lock().unwrap();
                state.notified += 1;
                std::mem::take(&mut state.listening)
            };
            listening.into_iter().for_each(Waker::wake);
        }
    }

    impl Future for Listener {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = self.state.lock().unwrap();
            if state.notified > self.since {
                return Poll::Ready(());
            }
            state.listening.push(cx.waker().clone());
            Poll::Pending
        }
    }
}

/// What one request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Of(usize),
    Echo,
    Refused,
}

/// A connection: requests that the server has not read, and who waits for replies.
#[derive(Default)]
struct Wire {
    unread: Vec<Reply>,
    /// In the order of their requests.
    waiting: VecDeque<usize>,
    got: Vec<Option<Reply>>,
}

impl Wire {
    /// Sends a request whose right answer is known; returns its number.
    fn send(&mut self, answer: Reply) -> usize {
        self.unread.push(answer);
        self.waiting.push_back(self.got.len());
        self.got.push(None);
        self.got.len() - 1
    }

    /// The server reads all that has come, and answers it at once.
    fn serve(&mut self) {
        let mut is_pending = false;
        for answer in std::mem::take(&mut self.unread) {
            if answer == Reply::Refused && is_pending {
                continue;
            }
            is_pending = true;
            if let Some(request) = self.waiting.pop_front() {
                self.got[request] = Some(answer);
            }
        }
    }
}

#[derive(Default)]
struct Connection {
    in_flight: InFlight,
    wire: Mutex<Wire>,
}

impl Connection {
    fn send(&self, answer: Reply) -> usize {
        self.wire.lock().unwrap().send(answer)
    }

    /// What a request has got, once the server has answered all.
    fn reply(&self, request: usize) -> Option<Reply> {
        let mut wire = self.wire.lock().unwrap();
        wire.serve();
        wire.got[request]
    }

    /// A command, as the plain path and `Gate::before` send one.
    fn command(&self, number: usize) {
        let entered = match self.in_flight.try_enter() {
            true => None,
            false => Some(block_on(self.in_flight.enter())),
        };
        let request = self.send(Reply::Of(number));
        let reply = self.reply(request);
        assert_eq!(reply, Some(Reply::Of(number)), "another's reply");
        if entered.is_none() {
            self.in_flight.leave();
        }
    }

    /// One whose caller has stopped waiting: its reply is still to come.
    fn command_given_up(&self, number: usize) {
        let entered = block_on(self.in_flight.enter());
        self.send(Reply::Of(number));
        drop(entered);
    }

    /// A rotation, as `Slot::authenticate` does one, whose token is refused.
    fn rotation(&self, checks: Checks) {
        let held_off = self.in_flight.hold_off();
        if checks.drained {
            block_on(held_off.drained());
        }
        if checks.echo {
            let echo = self.send(Reply::Echo);
            assert_eq!(self.reply(echo), Some(Reply::Echo), "another's reply");
        }
        let auth = self.send(Reply::Refused);
        assert_eq!(self.reply(auth), Some(Reply::Refused), "another's reply");
        drop(held_off);
    }
}

/// What a rotation makes sure of before its `AUTH`.
#[derive(Clone, Copy)]
struct Checks {
    drained: bool,
    echo: bool,
}

/// A sender that gives up its first command, beside a rotation; with another sender or
/// without. Then one command more. At most so many preemptions.
fn explore(checks: Checks, with_another: bool, preemptions: usize) {
    let orders = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&orders);
    let mut model = Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 100_000;
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::default());
        let (one, two) = (Arc::clone(&connection), Arc::clone(&connection));
        let one = thread::spawn(move || {
            one.command_given_up(1);
            one.command(2);
        });
        let two = with_another.then(|| thread::spawn(move || two.command(3)));
        connection.rotation(checks);
        one.join().unwrap();
        two.into_iter().for_each(|two| two.join().unwrap());
        connection.command(4);
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("{orders} orders");
    assert!(orders > 1000, "explored: {orders}");
}

#[test]
fn no_command_gets_the_reply_of_another() {
    let checks = Checks {
        drained: true,
        echo: true,
    };
    explore(checks, true, 2);
    explore(checks, false, 4);
}

/// A command that met nobody holding it off is sent beside the `AUTH`.
#[test]
#[should_panic(expected = "another's reply")]
fn without_the_count_one_does() {
    let checks = Checks {
        drained: false,
        echo: true,
    };
    explore(checks, false, 4);
}

/// The reply to a command that was given up is still to come.
#[test]
#[should_panic(expected = "another's reply")]
fn without_the_echo_one_does() {
    let checks = Checks {
        drained: true,
        echo: false,
    };
    explore(checks, false, 4);
}
