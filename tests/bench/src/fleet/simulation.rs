//! Runs a fleet by one side's rules.

use super::checks::balance;
use super::identity::Answer;
use super::options::Options;
use super::queue::Event;
use super::server::{Outcome, Purpose};
use super::time::nanos;
use super::world::{Token, World};

/// How the processes of a fleet behave.
pub(super) trait Side {
    fn start(&mut self, world: &mut World, process: u32);
    /// A process's timer; it may be one that was overtaken.
    fn wake(&mut self, world: &mut World, process: u32);
    /// Whether the process still waited for it.
    fn answered(&mut self, world: &mut World, process: u32, request: u32, answer: Answer) -> bool;
    /// A connection's timer; it may be one that was overtaken.
    fn due(&mut self, world: &mut World, link: u32);
    fn ended(&mut self, world: &mut World, link: u32, ended: Ended);
    /// The server has closed it.
    fn lost(&mut self, world: &mut World, link: u32);
    /// Processes that will never ask for a token again.
    fn without_renewal(&self) -> u64;
    /// What must be true of this side's processes at the end.
    fn check(&self, world: &mut World);
}

/// How an AUTH ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) purpose: Purpose,
    pub(super) token: Token,
    pub(super) outcome: Outcome,
}

/// What became of a fleet.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) world: World,
    pub(super) without_renewal: u64,
}

pub(super) fn simulate<S: Side>(options: &Options, side: impl FnOnce(&mut World) -> S) -> Ending {
    let mut world = World::new(options);
    let ramp = nanos(options.ramp).max(1);
    for process in 0..options.processes {
        let at = world.random.u64(0..ramp);
        world.queue.add(at, Event::Start(process));
    }
    let mut side = side(&mut world);
    while let Some((at, event)) = world.queue.next_before(world.end) {
        world.now = at;
        handle(&mut world, &mut side, event);
    }
    world.now = world.end;
    world.recovery.observe(world.end);
    balance(&mut world);
    side.check(&mut world);
    Ending {
        without_renewal: side.without_renewal(),
        world,
    }
}

fn handle(world: &mut World, side: &mut impl Side, event: Event) {
    match event {
        Event::Answer {
            process,
            request,
            answer,
        } => {
            let wanted = side.answered(world, process, request, answer);
            let tally = &mut world.tally;
            match answer {
                _ if !wanted => tally.late += 1,
                Answer::Down => tally.down += 1,
                Answer::Throttled => tally.throttled += 1,
                Answer::Token { .. } => tally.issued += 1,
            }
        }
        Event::Due(link) => side.due(world, link),
        Event::Expiry(process) => {
            for link in world.expire(process) {
                side.lost(world, link);
            }
        }
        Event::Granted {
            link,
            incarnation,
            ends,
        } => world.granted(link, incarnation, ends),
        Event::Reply { link, outcome } => {
            let (purpose, token, outcome) = world.replied(link, outcome);
            let ended = Ended {
                purpose,
                token,
                outcome,
            };
            side.ended(world, link, ended);
        }
        Event::Start(process) => side.start(world, process),
        Event::Wake(process) => side.wake(world, process),
    }
}
