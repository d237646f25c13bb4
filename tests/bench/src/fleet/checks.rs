//! What must be true of every fleet, whatever its rules.

use super::queue::Event;
use super::world::World;

/// Things that did not hold, told apart by what they are.
#[derive(Debug, Default)]
pub(super) struct Checks {
    made: u64,
    broken: Vec<(&'static str, u64)>,
}

impl Checks {
    pub(super) fn hold(&mut self, holds: bool, otherwise: &'static str) {
        self.made += 1;
        if holds {
            return;
        }
        match self.broken.iter_mut().find(|(what, _)| *what == otherwise) {
            Some((_, times)) => *times += 1,
            None => self.broken.push((otherwise, 1)),
        }
    }

    pub(super) const fn made(&self) -> u64 {
        self.made
    }

    pub(super) fn broken(&self) -> &[(&'static str, u64)] {
        &self.broken
    }
}

/// Nothing is lost or made from nothing: at the end the books are balanced.
pub(super) fn balance(world: &mut World) {
    let (mut answers, mut replies) = (0, 0);
    for event in world.queue.left() {
        match event {
            Event::Answer { .. } => answers += 1,
            Event::Reply { .. } => replies += 1,
            _ => {}
        }
    }
    let tally = &world.tally;
    let answered = tally.issued + tally.throttled + tally.down + tally.late;
    let requests = tally.requests.total == answered + answers;
    let auths = tally.auths.total == tally.all_ended() + replies;
    let flights = world.in_flight() == replies;
    let valid = (0..world.process_count())
        .filter(|process| world.holds_valid(*process))
        .count() as u64;
    let counted = valid == world.recovery.valid();
    let checks = &mut world.checks;
    checks.hold(requests, "a token request without an answer");
    checks.hold(auths, "an AUTH without an end");
    checks.hold(flights, "an AUTH that belongs to no connection");
    checks.hold(counted, "processes with a valid token counted wrongly");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::small;

    fn broken(spoil: impl Fn(&mut World)) -> Vec<&'static str> {
        let mut world = World::new(&small());
        world.ask(0, 1);
        spoil(&mut world);
        balance(&mut world);
        world
            .checks
            .broken()
            .iter()
            .map(|(what, _)| *what)
            .collect()
    }

    #[test]
    fn books_that_do_not_balance_are_seen() {
        assert!(broken(|_| ()).is_empty());
        let unanswered = broken(|world| world.tally.issued += 1);
        assert_eq!(unanswered, ["a token request without an answer"]);
        let unended = broken(|world| world.tally.auths.count(0));
        assert_eq!(unended, ["an AUTH without an end"]);
        let miscounted = broken(|world| world.recovery.gained(0));
        assert_eq!(miscounted, ["processes with a valid token counted wrongly"]);
    }

    #[test]
    fn what_breaks_often_is_told_once() {
        let mut checks = Checks::default();
        for holds in [true, false, false] {
            checks.hold(holds, "this");
        }
        assert_eq!(
            (checks.broken(), checks.made()),
            ([("this", 2)].as_slice(), 3)
        );
    }
}
