//! redis-rs's own hook, served from a token manager.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::redis::RedisResult;
use super::redis::auth::{BasicAuth, StreamingCredentialsProvider};
use futures_util::Stream;
use redis_authx::{Credentials, TokenError};

use super::error;

/// Gives [`Credentials`] the shape that redis-rs's own connections take.
pub trait RedisCredentials {
    /// A provider for redis-rs's `set_credentials_provider`: one line in a
    /// program that exists.
    fn redis_provider(&self) -> RedisProvider;
}

impl RedisCredentials for Credentials {
    fn redis_provider(&self) -> RedisProvider {
        RedisProvider(self.clone())
    }
}

/// What redis-rs asks for credentials; see
/// [`redis_provider`](RedisCredentials::redis_provider).
///
/// Served from the token in hand, so a connection never waits on the identity
/// service while there is a valid one. Better than nothing, and less than
/// [`AuthClient`](crate::AuthClient), since what redis-rs 1.8 does with it
/// can't be helped from outside:
///
/// * one refused or slow `AUTH` ends the renewal of that connection for good,
///   silently: the server closes it when its token expires;
/// * a `ConnectionManager` that is refused while it reconnects fails every
///   command from then on;
/// * all connections re-authenticate in the same instant;
/// * an `AUTH` may land inside a raw `MULTI`, and then `EXEC` has a reply too
///   many;
/// * the first token is awaited within the `connection_timeout`, 1 s by
///   default, and sent twice;
/// * synchronous connections, pub/sub, monitors and sentinels don't use it.
#[derive(Clone, Debug)]
pub struct RedisProvider(Credentials);

impl StreamingCredentialsProvider for RedisProvider {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        Box::pin(Rotations {
            credentials: self.0.clone(),
            generation: 0,
        })
    }
}

/// The token in hand, then each new one.
struct Rotations {
    credentials: Credentials,
    generation: u64,
}

impl Stream for Rotations {
    type Item = RedisResult<BasicAuth>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.credentials.poll_changed(cx)) {
                Ok(token) if token.generation() == self.generation => {}
                Ok(token) => {
                    self.generation = token.generation();
                    let auth =
                        BasicAuth::new(token.username().to_owned(), token.password().to_owned());
                    return Poll::Ready(Some(Ok(auth)));
                }
                Err(TokenError::Stopped) => return Poll::Ready(None),
                // The first token is worth waiting for.
                Err(TokenError::Pending { .. }) => {}
                Err(error) => return Poll::Ready(Some(Err(error::unavailable(&error)))),
            }
        }
    }
}
