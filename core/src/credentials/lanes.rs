use crate::Token;

const LANES: usize = 8;

/// A token under several reference counts, so that readers on different
/// threads don't pass one cache line to and fro. Its secret is there once.
#[derive(Debug)]
pub(crate) struct Lanes([Token; LANES]);

/// Which of the counts a handle uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lane(u8);

impl Lane {
    /// The lane of the handle number `count`.
    pub(crate) const fn of(count: usize) -> Self {
        Self((count % LANES) as u8)
    }
}

impl Lanes {
    pub(crate) fn new(token: &Token) -> Self {
        Self(std::array::from_fn(|_| token.counted_apart()))
    }

    pub(crate) fn token(&self, lane: Lane) -> Token {
        self.0[usize::from(lane.0) % LANES].clone()
    }
}
