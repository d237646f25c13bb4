//! How many processes hold a valid token, and how long after an outage.

use super::time::{Nanos, Spell};

/// Shares of the fleet, in per cent, whose return is timed.
pub(super) const SHARES: [u64; 2] = [99, 100];

#[derive(Debug)]
pub(super) struct Recovery {
    processes: u64,
    valid: u64,
    outages: Vec<Outage>,
}

/// One outage and what followed, until the next.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) spell: Spell,
    until: Nanos,
    over: bool,
    /// The fewest processes with a valid token.
    pub(super) fewest: u64,
    /// When it was last below each share.
    below: [Nanos; SHARES.len()],
    /// Still below at the end of what is looked at.
    never: [bool; SHARES.len()],
}

impl Recovery {
    pub(super) fn new(processes: u32, spells: &[Spell], end: Nanos) -> Self {
        let ends = spells.iter().skip(1).map(|next| next.from).chain([end]);
        let outages = spells.iter().zip(ends).map(|(spell, until)| Outage {
            spell: *spell,
            until,
            over: false,
            fewest: processes.into(),
            below: [0; SHARES.len()],
            never: [false; SHARES.len()],
        });
        Self {
            processes: processes.into(),
            valid: 0,
            outages: outages.filter(|outage| outage.spell.from < end).collect(),
        }
    }

    pub(super) fn gained(&mut self, now: Nanos) {
        self.observe(now);
        self.valid += 1;
    }

    pub(super) fn forfeited(&mut self, now: Nanos) {
        self.observe(now);
        self.valid -= 1;
        for outage in &mut self.outages {
            if outage.spell.from <= now && now < outage.until {
                outage.fewest = outage.fewest.min(self.valid);
            }
        }
    }

    /// Looks at what has been so until `now`.
    pub(super) fn observe(&mut self, now: Nanos) {
        for outage in &mut self.outages {
            let at = now.min(outage.until);
            if at <= outage.spell.to || outage.over {
                continue;
            }
            outage.over = at == outage.until;
            for (number, share) in SHARES.into_iter().enumerate() {
                if self.valid * 100 < self.processes * share {
                    outage.below[number] = at;
                    outage.never[number] = outage.over;
                }
            }
        }
    }

    pub(super) const fn valid(&self) -> u64 {
        self.valid
    }

    pub(super) fn outages(&self) -> &[Outage] {
        &self.outages
    }
}

impl Outage {
    /// How long after its end the fleet was back at a share for good; `None`
    /// when it never was.
    pub(super) fn back_after(&self, share: usize) -> Option<Nanos> {
        let late = self.below[share].saturating_sub(self.spell.to);
        (!self.never[share]).then_some(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(regained: u64) -> Outage {
        let spell = Spell { from: 10, to: 20 };
        let mut recovery = Recovery::new(200, &[spell], 100);
        (0..200).for_each(|_| recovery.gained(1));
        (0..5).for_each(|_| recovery.forfeited(15));
        (0..regained).for_each(|minute| recovery.gained(30 + minute));
        recovery.observe(100);
        recovery.outages()[0].clone()
    }

    #[test]
    fn recovery_is_timed_from_the_end_of_the_outage() {
        let whole = watched(5);
        assert_eq!(whole.fewest, 195);
        // 198 of 200 are 99 %.
        assert_eq!(
            [0, 1].map(|share| whole.back_after(share)),
            [Some(12), Some(14)]
        );
        let most = watched(3);
        assert_eq!([0, 1].map(|share| most.back_after(share)), [Some(12), None]);
        assert_eq!(watched(0).back_after(0), None);
    }
}
