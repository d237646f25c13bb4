use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::SpanGuard;
use crate::caught::Caught;
use crate::machine::{Lease, RequestId};
use crate::{Clock, ErrorKind, IdentityProvider, Moment, ProviderError, Token, TokenRequest};

/// A request under way. Dropping it cancels it; a panic during that is caught.
pub(super) struct Request {
    id: RequestId,
    started: Moment,
    work: SpanGuard,
    answer: Caught<Result<Token, ProviderError>>,
}

impl Request {
    /// The provider's code runs only when polled, and a panic in it, early or
    /// late, is a failed attempt.
    pub(super) fn new(
        id: RequestId,
        provider: Arc<dyn IdentityProvider>,
        clock: Arc<dyn Clock>,
        started: Moment,
    ) -> Self {
        let work = SpanGuard::token_request(id.attempt());
        let asked = work.around(async move {
            let request = TokenRequest::of(id, &*clock);
            provider.request_token(&request).await
        });
        Self {
            id,
            started,
            work,
            answer: Caught::new(asked),
        }
    }

    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Token, ProviderError>> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| {
            answer.unwrap_or_else(|| Err(ProviderError::other("the identity provider panicked")))
        })
    }

    /// Records the outcome. A request without one was cancelled.
    pub(super) fn ended(&mut self, failure: Option<ErrorKind>) {
        self.work.ended(failure.map(ErrorKind::as_str));
    }

    /// The token as it will be handed out.
    pub(super) fn lease(&self, token: Token, generation: u64, now: Moment) -> Lease<Token> {
        let token = token.issued(generation, self.started, now);
        let (end, refresh_in) = (token.end(), token.refresh_wait());
        Lease::new(token, end).refresh_in(refresh_in)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
