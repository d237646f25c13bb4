//! The rules of the redis-rs built-in (1.8), as its source has them:
//! a token is renewed 240 s before it expires; at most four attempts, then
//! renewal has ended; every connection sends AUTH at once; one AUTH that fails
//! ends that connection's renewal; a new connection sends AUTH twice.
//!
//! Kinder than measured: a connection that was closed is opened again at once
//! while a valid token is held, and with backoff after a failure.

use redis_authx::ExponentialBackoff;

use super::identity::Answer;
use super::options::Options;
use super::queue::Event;
use super::server::{Outcome, Purpose};
use super::simulation::{Ended, Side};
use super::time::{MILLI, Nanos, SECOND, nanos};
use super::world::{Token, World};

/// `TOKEN_REFRESH_BUFFER_SECS`.
const MARGIN: Nanos = 240 * SECOND;
/// `RetryConfig`: three retries, from 100 ms to 30 s, doubling.
const ATTEMPTS: u32 = 4;
const FIRST_DELAY: Nanos = 100 * MILLI;
const LONGEST_DELAY: Nanos = 30 * SECOND;
/// The default time limits of a command and of a new connection.
const RESPONSE_LIMIT: Nanos = 500 * MILLI;
const CONNECT_LIMIT: Nanos = SECOND;

pub(super) struct Builtin {
    processes: Vec<Process>,
    links: Vec<Client>,
    backoff: ExponentialBackoff,
}

#[derive(Clone, Copy, Default)]
struct Process {
    token: Token,
    /// Failed in a row.
    attempts: u32,
    requests: u32,
    ended: bool,
}

/// A connection, as its client sees it.
#[derive(Clone, Copy, Default)]
struct Client {
    connected: bool,
    renewing: bool,
    busy: bool,
    /// A token came while it was busy.
    pending: bool,
    failures: u32,
}

impl Builtin {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            processes: vec![Process::default(); options.processes as usize],
            links: vec![Client::default(); options.links() as usize],
            backoff: super::reconnecting(),
        }
    }

    fn request(&mut self, world: &mut World, process: u32) {
        let this = &mut self.processes[process as usize];
        this.requests += 1;
        world.ask(process, this.requests);
    }

    fn renew(&mut self, world: &mut World, link: u32) {
        let token = self.processes[world.process_of(link) as usize].token;
        let client = &mut self.links[link as usize];
        if client.busy {
            client.pending = true;
            return;
        }
        client.busy = true;
        world.authenticate(link, Purpose::Renewal, token, RESPONSE_LIMIT);
    }

    fn connect(&mut self, world: &mut World, link: u32) {
        let process = world.process_of(link);
        let client = &mut self.links[link as usize];
        if client.busy || client.connected || !world.holds_valid(process) {
            return;
        }
        client.busy = true;
        let token = self.processes[process as usize].token;
        world.authenticate(link, Purpose::Login, token, CONNECT_LIMIT);
    }

    fn failed(&mut self, world: &mut World, process: u32) {
        let this = &mut self.processes[process as usize];
        this.attempts += 1;
        if this.attempts >= ATTEMPTS {
            this.ended = true;
            return;
        }
        let delay = FIRST_DELAY << (this.attempts - 1);
        // Its jitter adds up to once more.
        let jitter = (delay as f64 * world.random.f64()) as Nanos;
        let at = world.now + delay.min(LONGEST_DELAY) + jitter;
        world.queue.add(at, Event::Wake(process));
    }
}

impl Side for Builtin {
    fn start(&mut self, world: &mut World, process: u32) {
        self.request(world, process);
    }

    fn wake(&mut self, world: &mut World, process: u32) {
        self.request(world, process);
    }

    fn answered(&mut self, world: &mut World, process: u32, _: u32, answer: Answer) -> bool {
        let Answer::Token { life } = answer else {
            self.failed(world, process);
            return true;
        };
        let life = Nanos::from(life) * MILLI;
        let this = &mut self.processes[process as usize];
        this.attempts = 0;
        this.token = Token {
            generation: this.token.generation + 1,
            expires: world.now + life,
        };
        world.received(process, this.token.expires);
        for link in world.links_of(process) {
            let client = self.links[link as usize];
            if !client.connected {
                self.connect(world, link);
            } else if client.renewing {
                self.renew(world, link);
            }
        }
        let at = world.now + life.saturating_sub(MARGIN);
        world.queue.add(at, Event::Wake(process));
        true
    }

    fn due(&mut self, world: &mut World, link: u32) {
        self.connect(world, link);
    }

    fn ended(&mut self, world: &mut World, link: u32, ended: Ended) {
        let client = &mut self.links[link as usize];
        client.busy = false;
        match (ended.purpose, ended.outcome) {
            (Purpose::Login, Outcome::Done) => {
                client.connected = true;
                client.renewing = true;
                client.failures = 0;
                client.pending = false;
                // The first item of its subscription is the same token.
                self.renew(world, link);
            }
            (Purpose::Login, _) => {
                client.failures += 1;
                let sample = world.random.f64();
                let delay = nanos(self.backoff.jittered_delay(client.failures, sample));
                world
                    .queue
                    .add(world.now + delay.max(MILLI), Event::Due(link));
            }
            (Purpose::Renewal, Outcome::Done) => {
                if std::mem::take(&mut client.pending) {
                    self.renew(world, link);
                }
            }
            (Purpose::Renewal, _) => {
                client.renewing = false;
                if !client.connected {
                    self.connect(world, link);
                }
            }
        }
    }

    fn lost(&mut self, world: &mut World, link: u32) {
        let client = &mut self.links[link as usize];
        client.connected = false;
        client.renewing = false;
        self.connect(world, link);
    }

    fn without_renewal(&self) -> u64 {
        self.processes
            .iter()
            .filter(|process| process.ended)
            .count() as u64
    }

    fn check(&self, world: &mut World) {
        for (client, link) in self.links.iter().zip(0..) {
            let agreed = client.connected == world.is_open(link);
            world
                .checks
                .hold(agreed, "client and server disagree on a connection");
        }
    }
}
