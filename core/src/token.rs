//! Tokens: a secret, whose it is, and until when it works.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::Moment;

/// When a connection that logged in with a token ends, counted from its log-in.
///
/// Until when a token may log in and how long the session lasts that it opened
/// are two things, and the clouds differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionRule {
    /// The server closes the connection when the token expires. Azure Managed
    /// Redis does (Microsoft Learn, "Use Microsoft Entra for cache
    /// authentication"). The default.
    #[default]
    EndsWithToken,
    /// The session lasts this long, whatever becomes of the token. Amazon
    /// ElastiCache and MemoryDB: 12 hours (AWS, "Authenticating with IAM").
    Lasts(Duration),
    /// The session never ends for this reason. Google Memorystore.
    Unbounded,
}

/// A user name, its short-lived password, and until when it works.
///
/// What an [`IdentityProvider`](crate::IdentityProvider) returns and what
/// [`Credentials`](crate::Credentials) hands out. A clone is one reference
/// count. The password is redacted in `Debug` and wiped from memory when the
/// last clone is dropped.
///
/// ```
/// use std::time::Duration;
/// use redis_authx::Token;
///
/// let token = Token::new("object-id", "s3cret").expires_in(Duration::from_secs(3600));
/// assert!(!format!("{token:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct Token(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    secret: Arc<Secret>,
    expiry: Expiry,
    refresh_in: Option<Duration>,
    session: SessionRule,
    generation: u64,
    received_at: Option<SystemTime>,
}

struct Secret {
    username: String,
    password: Zeroizing<String>,
}

/// `In` and `At` as the provider states them; `End` once a manager has received
/// the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    Never,
    In(Duration),
    At(SystemTime),
    End(Moment),
}

impl Token {
    /// A token that never expires, until
    /// [`expires_in`](Self::expires_in) or [`expires_at`](Self::expires_at)
    /// says otherwise. `username` and `password` go to the server as
    /// `AUTH username password`.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            secret: Arc::new(Secret {
                username: username.into(),
                password: Zeroizing::new(password.into()),
            }),
            expiry: Expiry::Never,
            refresh_in: None,
            session: SessionRule::default(),
            generation: 0,
            received_at: None,
        }))
    }

    /// It expires this long after it was requested. Prefer it to
    /// [`expires_at`](Self::expires_at) where the identity service gives both:
    /// it doesn't depend on a correct wall clock.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        Arc::make_mut(&mut self.0).expiry = Expiry::In(lifetime);
        self
    }

    /// It expires at this wall-clock time. A time in the past makes it
    /// [expired on arrival](crate::ErrorKind::Expired).
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        Arc::make_mut(&mut self.0).expiry = Expiry::At(at);
        self
    }

    /// The next token is requested no later than this after it is received. For
    /// a password without an expiry that can change, and for identity services
    /// that say when to come back. Default: the
    /// [`RefreshPolicy`](crate::RefreshPolicy) alone decides, and a token that
    /// never expires is not requested again.
    #[must_use]
    pub fn refresh_in(mut self, wait: Duration) -> Self {
        Arc::make_mut(&mut self.0).refresh_in = Some(wait);
        self
    }

    /// When a connection that logged in with it ends. Default:
    /// [`SessionRule::EndsWithToken`].
    #[must_use]
    pub fn session(mut self, rule: SessionRule) -> Self {
        Arc::make_mut(&mut self.0).session = rule;
        self
    }

    /// The user name for `AUTH`.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.0.secret.username
    }

    /// The password for `AUTH`: the secret itself. Keep it out of logs.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.0.secret.password
    }

    /// Which rotation brought it: 1 for the manager's first token, 2 for the
    /// next, and so on; 0 for one that no manager has handed out.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// When the manager received it; `None` for one that no manager has
    /// handed out.
    #[must_use]
    pub fn received_at(&self) -> Option<SystemTime> {
        self.0.received_at
    }

    /// When it expires, by the wall clock; `None` when it never does, and for
    /// one that no manager has received and whose lifetime starts then.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        match self.0.expiry {
            Expiry::At(at) => Some(at),
            Expiry::End(end) => Some(end.wall()),
            Expiry::In(_) | Expiry::Never => None,
        }
    }

    /// When a connection that logged in with it ends.
    #[must_use]
    pub fn session_rule(&self) -> SessionRule {
        self.0.session
    }

    /// When it expires, as seen at `now`; `None` when it never does.
    #[must_use]
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        match self.0.expiry {
            Expiry::Never => None,
            Expiry::In(lifetime) => Some(now.after(lifetime)),
            Expiry::At(at) => Some(now.until(at)),
            Expiry::End(end) => Some(end),
        }
    }

    /// The time until it expires: `None` when it never does, zero when it has.
    /// Manager, credentials and connections all decide by this.
    #[must_use]
    pub fn time_left(&self, now: Moment) -> Option<Duration> {
        self.deadline(now).map(|end| end.time_left(now))
    }

    /// Whether the wall clock has passed its expiry.
    pub(crate) fn has_expired_by(&self, wall: SystemTime) -> bool {
        self.expiry().is_some_and(|at| at <= wall)
    }

    pub(crate) fn refresh_wait(&self) -> Option<Duration> {
        self.0.refresh_in
    }

    pub(crate) fn end(&self) -> Option<Moment> {
        match self.0.expiry {
            Expiry::End(end) => Some(end),
            Expiry::At(_) | Expiry::In(_) | Expiry::Never => None,
        }
    }

    /// Whether both stand for the same secret of the same user.
    pub(crate) fn same_secret(&self, other: &Self) -> bool {
        self.username() == other.username() && self.password() == other.password()
    }

    /// The token as the manager hands it out. A lifetime counts from the
    /// request, since the identity service may have started it then.
    pub(crate) fn issued(mut self, generation: u64, requested: Moment, received: Moment) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.generation = generation;
        inner.received_at = Some(received.wall());
        inner.expiry = match inner.expiry {
            Expiry::In(lifetime) => Expiry::End(requested.after(lifetime)),
            Expiry::At(at) => Expiry::End(received.until(at)),
            stated => stated,
        };
        self
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            secret,
            expiry,
            refresh_in,
            session,
            generation,
            received_at,
        } = &*self.0;
        f.debug_struct("Token")
            .field("username", &secret.username)
            .field("password", &"[redacted]")
            .field("expiry", expiry)
            .field("refresh_in", refresh_in)
            .field("session", session)
            .field("generation", generation)
            .field("received_at", received_at)
            .finish()
    }
}
