use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis_authx::Clock;

use super::listener::Listener;
use super::redirect_uri::Local;
use super::{AuthorizationCode, SignIn};
use crate::flow::user::may_pass;
use crate::secret::Secret;
use crate::{EntraIdentity, SignInError};

/// How often the port is looked at. Nothing in the standard library waits for
/// a socket and for time at once, and a person does not notice.
const TICK: Duration = Duration::from_millis(20);

/// A sign-in whose redirect is received on this machine.
///
/// Someone opens its [`url`](Self::url) in a browser on the same machine;
/// meanwhile [`finish`](Self::finish) waits. See [`AuthorizationCode`] for an
/// example.
///
/// # The listener
/// Listens on 127.0.0.1, and for `localhost` on `::1` too where there is IPv6:
/// nobody else on the machine can take the port there and be sent the code.
/// One path is answered, `GET` only, with a small page that loads nothing;
/// other requests, like those for an icon, get an error and change nothing. A
/// request may take 10 s and have 64 KiB, and 16 may be under way at once, of
/// which a newcomer ends the oldest.
///
/// No thread and no runtime: it is looked at every 20 ms by the clock that
/// `finish` is given. Dropping it closes the port.
pub struct LoopbackSignIn {
    sign_in: SignIn,
    listener: Listener,
    time_limit: Duration,
    deadline: Option<Instant>,
    code: Option<Secret>,
}

impl LoopbackSignIn {
    pub(super) fn new(flow: &AuthorizationCode) -> Result<Self, SignInError> {
        let local = Local::new(flow.redirect_uri.as_deref())?;
        let listener =
            Listener::bind(&local).map_err(|error| SignInError::Listener(Arc::new(error)))?;
        let sign_in = SignIn::new(flow, &local.uri(listener.port()))?;
        Ok(Self {
            sign_in,
            listener,
            time_limit: flow.time_limit,
            deadline: None,
            code: None,
        })
    }

    /// The sign-in page, for a browser on this machine. Good for one sign-in.
    #[must_use]
    pub fn url(&self) -> &str {
        self.sign_in.url()
    }

    /// Waits until the person has signed in, and redeems the code. `clock` is
    /// the runtime that the token manager will have, such as
    /// `redis_authx_tokio::Tokio`.
    ///
    /// The identity has the first token already; each one after it is asked
    /// for with the refresh token, of which the newest is kept.
    ///
    /// # Errors
    /// As for [`SignIn::finish`], and [`SignInError::TimedOut`] when nobody
    /// has signed in within the
    /// [`time_limit`](AuthorizationCode::time_limit), which counts from the
    /// first call.
    ///
    /// # Cancel safety
    /// When the future is dropped, the port stays open and a later call goes
    /// on. Only if that happens while the code is redeemed may its tokens be
    /// lost. After an error of the redemption after which [`SignIn::finish`] may
    /// be called again, a later call tries it again; after any other, it
    /// listens again.
    pub async fn finish(&mut self, clock: &dyn Clock) -> Result<EntraIdentity, SignInError> {
        if self.code.is_none() {
            self.code = Some(self.redirected(clock).await?);
        }
        let Some(code) = &self.code else {
            return Err(SignInError::TimedOut);
        };
        let redeemed = self.sign_in.redeem(code).await;
        if !matches!(&redeemed, Err(SignInError::Provider(error)) if may_pass(error)) {
            self.code = None;
        }
        redeemed
    }

    async fn redirected(&mut self, clock: &dyn Clock) -> Result<Secret, SignInError> {
        // A limit too long to add is one that nobody waits out.
        let deadline = match self.deadline {
            Some(deadline) => Some(deadline),
            None => clock.now().checked_add(self.time_limit),
        };
        self.deadline = deadline;
        loop {
            let now = clock.now();
            if let Some(request) = self.listener.look(now) {
                let code = self.sign_in.code(request.target());
                request.answer(code.is_ok());
                return code;
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Err(SignInError::TimedOut);
            }
            clock.sleep_until(now + TICK).await;
        }
    }
}

impl fmt::Debug for LoopbackSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackSignIn")
            .field("sign_in", &self.sign_in)
            .field("port", &self.listener.port())
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
