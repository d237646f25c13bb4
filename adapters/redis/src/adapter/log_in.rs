//! The first log-in of a connection.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::RedisResult;
use futures_util::future::{BoxFuture, Either, select};
use redis_authx::{Credentials, ReauthErrorKind, Runtime, Token, TokenError};

use super::error;

/// Opens a connection with the token in hand, or the first to come; and once
/// more with a fresh one when the server refuses that.
pub(crate) async fn log_in<'a, T: Send>(
    credentials: &Credentials,
    runtime: &Arc<dyn Runtime>,
    limit: Duration,
    connect: impl Fn(Token) -> BoxFuture<'a, RedisResult<T>> + Send,
) -> RedisResult<(T, Token)> {
    let token = credentials.get(limit).await.map_err(error::no_token)?;
    let refused = match connect(token.clone()).await {
        Ok(connection) => return Ok((connection, token)),
        Err(error) if error::kind(&error) == ReauthErrorKind::Refused && !limit.is_zero() => error,
        Err(error) => return Err(error),
    };
    let fresh = pin!(another_token(credentials.clone(), token.generation()));
    let sleep = runtime.sleep_until(runtime.now() + limit);
    match select(fresh, sleep).await {
        Either::Left((Some(token), _)) => Ok((connect(token.clone()).await?, token)),
        _ => Err(refused),
    }
}

/// Requests another token than the refused one of this generation. `None` when the
/// same one comes again, and when the manager stops.
pub(crate) async fn another_token(credentials: Credentials, refused: u64) -> Option<Token> {
    match credentials.refresh_refused(refused).await {
        Ok(token) => (token.generation() > refused).then_some(token),
        Err(TokenError::Stopped) => None,
        // The manager retries.
        Err(_) => next_token(credentials, refused).await,
    }
}

/// The next token newer than `generation`; `None` when the manager stops.
async fn next_token(mut credentials: Credentials, generation: u64) -> Option<Token> {
    loop {
        match credentials.changed().await {
            Ok(token) if token.generation() > generation => return Some(token),
            Err(TokenError::Stopped) => return None,
            _ => {}
        }
    }
}
