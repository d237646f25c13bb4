use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use redis_authx::{Clock, Moment, ProviderError};

use super::reply::Prompt;
use crate::flow::user::{UserApp, identity, may_pass};
use crate::{EntraError, EntraIdentity, SignInError};

/// RFC 8628 §3.5.
const SLOWER_BY: Duration = Duration::from_secs(5);
/// Where the service is down, the polls are farther and farther apart, up to
/// this.
const SLOWEST: Duration = Duration::from_secs(60);

/// A sign-in that has begun: someone must open
/// [`verification_uri`](Self::verification_uri) and enter
/// [`user_code`](Self::user_code), for which [`finish`](Self::finish) waits.
///
/// `Debug` shows the user code, and not what is polled with.
#[derive(Debug)]
pub struct DeviceSignIn {
    app: Arc<UserApp>,
    prompt: Prompt,
}

impl DeviceSignIn {
    pub(super) const fn new(app: Arc<UserApp>, prompt: Prompt) -> Self {
        Self { app, prompt }
    }

    /// The code to enter, as `ABCD1234`.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.prompt.user_code
    }

    /// The address to open, as `https://microsoft.com/devicelogin`.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.prompt.verification_uri
    }

    /// Both in a sentence, by the identity service: one line, without control
    /// characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.prompt.message
    }

    /// How long the code is good for, from when it was given: 15 min as a rule.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.prompt.expires_in
    }

    /// Waits until the person has signed in, asking as often as the identity
    /// service allows. `clock` is the runtime that the token manager will
    /// have, such as `redis_authx_tokio::Tokio`.
    ///
    /// A service that is slow, down or throttling in the meantime is asked
    /// again, ever more slowly. The identity has the first token already; each one after
    /// it is asked for with the refresh token, of which the newest is kept.
    ///
    /// # Errors
    /// [`SignInError::Cancelled`] when the person declined,
    /// [`SignInError::TimedOut`] when the code has expired,
    /// [`SignInError::Provider`] when the identity service refuses, sends what
    /// can't be used, or is still down when the code expires.
    ///
    /// # Cancel safety
    /// When the future is dropped while it waits, a later call goes on. While
    /// it asks, the tokens of a sign-in that was just completed may be lost.
    pub async fn finish(&self, clock: &dyn Clock) -> Result<EntraIdentity, SignInError> {
        let Prompt {
            device_code,
            expires_in,
            interval,
            ..
        } = &self.prompt;
        let grant = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code.expose()),
        ];
        let end = clock.now() + *expires_in;
        let mut interval = *interval;
        let mut pause = interval;
        loop {
            clock.sleep_until(end.min(clock.now() + pause)).await;
            let error = match self.app.ask(&grant).await {
                Ok(reply) => {
                    return Ok(identity(Arc::clone(&self.app), reply, Moment::now(clock))?);
                }
                Err(error) => error,
            };
            pause = match word(&error) {
                Some("authorization_pending") => interval,
                Some("slow_down") => {
                    interval += SLOWER_BY;
                    interval
                }
                Some("authorization_declined") => return Err(SignInError::Cancelled),
                Some("expired_token") => return Err(SignInError::TimedOut),
                _ if may_pass(&error) => {
                    let longer = (pause * 2).min(SLOWEST.max(interval));
                    longer.max(error.retry_after().unwrap_or_default())
                }
                _ => return Err(error.into()),
            };
            if clock.now() >= end {
                // What kept the person's answer from being heard, if anything.
                return Err(match word(&error) {
                    Some("authorization_pending" | "slow_down") => SignInError::TimedOut,
                    _ => error.into(),
                });
            }
        }
    }
}

/// The error word of an answer, where there was one.
fn word(error: &ProviderError) -> Option<&str> {
    error.source()?.downcast_ref::<EntraError>()?.error()
}
