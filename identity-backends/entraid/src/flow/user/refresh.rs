use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis_authx::ProviderError;

use super::UserApp;
use crate::secret::Secret;
use crate::token_endpoint::Reply;

/// The refresh token, of which the newest is kept.
pub(super) struct Refresh {
    newest: Secret,
    /// Stays when the caller's future is dropped, at its time limit as a rule:
    /// the service may have used up the token by then, and what it answers be
    /// the only place where the next one is.
    under_way: Option<BoxFuture<'static, Result<Reply, ProviderError>>>,
}

impl Refresh {
    pub(super) const fn new(refresh_token: Secret) -> Self {
        Self {
            newest: refresh_token,
            under_way: None,
        }
    }

    /// Asks for tokens once.
    pub(super) async fn ask(&mut self, app: &Arc<UserApp>) -> Result<Reply, ProviderError> {
        // Of a dropped request whose answer has come in the meantime nothing
        // else is used: its token may be old. One without an answer is not
        // waited for: it may hang for ever.
        if let Some(Ok(mut late)) = self.under_way.take().and_then(FutureExt::now_or_never) {
            self.keep(&mut late);
        }
        let (app, refresh_token) = (Arc::clone(app), self.newest.clone());
        let asking = self.under_way.insert(Box::pin(async move {
            app.ask(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.expose()),
            ])
            .await
        }));
        let answer = asking.await;
        self.under_way = None;
        let mut reply = answer?;
        self.keep(&mut reply);
        Ok(reply)
    }

    /// Before the token is looked at: Entra ID lets the old one live, other
    /// services don't, and then this is the only one left.
    fn keep(&mut self, reply: &mut Reply) {
        if let Some(newer) = reply.refresh_token.take() {
            self.newest = Secret::from(newer);
        }
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}
