use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::machine::{Lease, RequestId};
use crate::trace::Work;
use crate::{ErrorKind, IdentityProvider, ProviderError, Token};

/// A request under way. Dropping it cancels it; a panic in that is let go.
pub(super) struct Request {
    id: RequestId,
    work: Work,
    answer: BoxFuture<'static, Result<Token, ProviderError>>,
}

impl Request {
    /// The provider's code runs only when polled, and a panic in it, early or
    /// late, is a failed attempt.
    pub(super) fn new(id: RequestId, provider: Arc<dyn IdentityProvider>) -> Self {
        let work = Work::token_request(id.attempt());
        let asked = work.around(async move { provider.request_token().await });
        let answer = AssertUnwindSafe(asked).catch_unwind().map(|outcome| {
            outcome.unwrap_or_else(|_| Err(ProviderError::other("the identity provider panicked")))
        });
        Self {
            id,
            work,
            answer: answer.boxed(),
        }
    }

    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Token, ProviderError>> {
        Pin::new(&mut self.answer).poll(cx)
    }

    /// What came of it. One that nobody hears of was cancelled.
    pub(super) fn ended(&mut self, failure: Option<ErrorKind>) {
        self.work.ended(failure.map(ErrorKind::as_str));
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let answer = std::mem::replace(&mut self.answer, Box::pin(std::future::pending()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(answer)));
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The token as it will be handed out, with its life from now: the one place
/// where a wall-clock expiry becomes a lifetime.
pub(super) fn lease(token: Token, generation: u64, wall: SystemTime) -> Lease<Token> {
    let lifetime = token.time_left(wall);
    Lease::new(token.issued(generation, wall), lifetime)
}
