use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{IdentityProvider, ProviderError, Token, TokenRequest};

/// The user name of its tokens.
const USER: &str = "user";

/// A provider that answers from a script, one step per request.
///
/// Clones share the script and the count. At the script's end it answers
/// [`Unavailable`](crate::ErrorKind::Unavailable).
#[derive(Clone, Default)]
pub struct ScriptedProvider(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    requests: usize,
    open: usize,
    most_open: usize,
}

enum Step {
    Answer(Result<Token, ProviderError>),
    Hang,
    Panic,
}

impl ScriptedProvider {
    /// Creates an empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a token of the user `user` with this password and lifetime.
    #[must_use]
    pub fn token(self, password: &str, lifetime: Duration) -> Self {
        self.answer(Ok(Token::new(USER, password).expires_in(lifetime)))
    }

    /// Adds an error.
    #[must_use]
    pub fn error(self, error: ProviderError) -> Self {
        self.answer(Err(error))
    }

    /// Adds an answer.
    #[must_use]
    pub fn answer(self, answer: Result<Token, ProviderError>) -> Self {
        self.step(Step::Answer(answer))
    }

    /// Adds a request that is never answered.
    #[must_use]
    pub fn hang(self) -> Self {
        self.step(Step::Hang)
    }

    /// Adds a panic.
    #[must_use]
    pub fn panic(self) -> Self {
        self.step(Step::Panic)
    }

    /// The number of requests made so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// The number of requests under way: those that hang and were not cancelled.
    #[must_use]
    pub fn open_requests(&self) -> usize {
        self.lock().open
    }

    /// The largest number of requests that were under way at once.
    #[must_use]
    pub fn most_open_requests(&self) -> usize {
        self.lock().most_open
    }

    fn step(self, step: Step) -> Self {
        self.lock().steps.push_back(step);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ScriptedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedProvider")
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for ScriptedProvider {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let _open = Open::new(self);
        let step = self.lock().steps.pop_front();
        match step {
            Some(Step::Answer(answer)) => answer,
            Some(Step::Hang) => std::future::pending().await,
            Some(Step::Panic) => panic!("the script says so"),
            None => Err(ProviderError::unavailable("the script has ended")),
        }
    }
}

/// A request under way.
struct Open(ScriptedProvider);

impl Open {
    fn new(provider: &ScriptedProvider) -> Self {
        let mut script = provider.lock();
        script.requests += 1;
        script.open += 1;
        script.most_open = script.most_open.max(script.open);
        Self(provider.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().open -= 1;
    }
}
