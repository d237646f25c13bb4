//! From an access token to the token that a manager holds.

mod lifetime;

use std::time::{Duration, SystemTime};

use redis_authx::jwt::{Claims, Username};
use redis_authx::{ErrorKind, ProviderError, Token};
use zeroize::Zeroizing;

use crate::EntraError;
pub(crate) use lifetime::lifetime;

/// How an access token is read.
#[derive(Debug)]
pub(crate) struct TokenReader(Username);

impl TokenReader {
    pub(crate) const fn new(username: Username) -> Self {
        Self(username)
    }

    /// The token, with its user name and what is left of its life at
    /// `received`.
    /// `expires_in` is what the service said of that, if anything, and `date`
    /// the `Date` header of its answer.
    pub(crate) fn token(
        &self,
        mut access_token: Zeroizing<String>,
        expires_in: Option<Duration>,
        date: Option<&str>,
        received: SystemTime,
    ) -> Result<Token, ProviderError> {
        let claims = Claims::parse(&access_token).map_err(ProviderError::invalid_response)?;
        let username = self
            .0
            .resolve(&claims)
            .map_err(ProviderError::invalid_response)?;
        let exp = claims.exp().map_err(ProviderError::invalid_response)?;
        let left = lifetime(exp, expires_in, date, received);
        if left.is_zero() {
            return Err(EntraError::unusable(
                ErrorKind::Expired,
                "the token it holds has expired by its own `exp` or `expires_in`; if it happens \
                 again and again, this machine's clock is ahead",
            ));
        }
        // Moved, not copied: no second copy is left to wipe.
        Ok(Token::new(username, std::mem::take(&mut *access_token)).expires_in(left))
    }
}
