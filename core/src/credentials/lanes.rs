use crate::Token;

const LANES: usize = 8;

/// A token under several reference counts, so that readers on different
/// threads don't pass one cache line to and fro. Its secret is there once.
#[derive(Debug)]
pub(crate) struct Lanes([Token; LANES]);

/// Which of the counts a handle uses: less than [`LANES`].
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
        self.0[usize::from(lane.0)].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;
    use crate::{StaticToken, TokenManager};

    #[test]
    fn handles_take_turns() {
        let identity = StaticToken::new(Token::new("app", "s3cret"));
        let (manager, _driver) = TokenManager::builder(identity)
            .build(&ManualClock::new())
            .expect("a good configuration");
        let first = manager.credentials();
        let handles: Vec<_> = (0..2 * LANES).map(|_| first.clone()).collect();
        for lane in 0..LANES as u8 {
            let users = handles.iter().filter(|handle| handle.lane.0 == lane);
            assert_eq!(users.count(), 2);
        }
    }

    #[test]
    fn each_lane_has_the_token_and_a_count_of_its_own() {
        let token = Token::new("app", "s3cret");
        let lanes = Lanes::new(&token);
        let (one, other) = (lanes.token(Lane(0)), lanes.token(Lane(1)));
        assert!(one.same_secret(&token) && other.same_secret(&token));
        assert!(!one.counted_with(&other));
        assert!(one.counted_with(&lanes.token(Lane(0))));
    }
}
