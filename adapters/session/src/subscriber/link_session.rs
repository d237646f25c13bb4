use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use redis_authx::{ReauthError, ReauthErrorKind, Token};

use super::connector::{Error, SubscriberConnector};
use crate::Session;
use crate::handover::{ActiveLink, HandoverController, Link as _, Subscriptions};

/// The active connection of a subscriber, as the re-authenticator's task holds it.
///
/// Nothing in it keeps that task alive, or the connection registered.
pub(super) struct LinkSession<C: SubscriberConnector> {
    connector: C,
    controller: HandoverController<C::Link, C::Feed>,
    /// Held during a handover, an `AUTH` and a change of the subscriptions.
    turn: async_lock::Mutex<()>,
    /// Changes only during a turn.
    subscriptions: Mutex<Subscriptions>,
}

impl<C: SubscriberConnector> LinkSession<C> {
    pub(super) fn new(connector: C, controller: HandoverController<C::Link, C::Feed>) -> Self {
        Self {
            connector,
            controller,
            turn: async_lock::Mutex::default(),
            subscriptions: Mutex::default(),
        }
    }

    pub(super) fn active_link(&self) -> &ActiveLink<C::Link> {
        self.controller.active_link()
    }

    pub(super) async fn turn(&self) -> async_lock::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        let subscriptions = self.subscriptions.lock();
        subscriptions.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self) {
        self.controller.close();
    }

    /// Replaces the connection by one that supports every kind of subscription.
    /// Called during a turn.
    pub(super) async fn upgrade(&self, token: &Token) -> Result<(), Error<C>> {
        self.connector.upgrade();
        let opened = self.connector.open(token).await?;
        self.hand_over(opened, token).await
    }

    async fn hand_over(
        &self,
        (link, feed): (C::Link, C::Feed),
        token: &Token,
    ) -> Result<(), Error<C>> {
        let publish = |link: Arc<C::Link>, marker| {
            async move { self.connector.publish(&marker, &link, token).await }.boxed()
        };
        let subscriptions = self.subscriptions().clone();
        self.controller
            .hand_over(link, feed, &subscriptions, publish)
            .await
    }

    /// Called during a turn.
    async fn authenticate_link(&self, link: &C::Link, token: &Token) -> Result<(), ReauthError> {
        let result = self.connector.authenticate(link, token).await;
        if let Err(error) = &result
            && matches!(
                error.kind(),
                ReauthErrorKind::Disconnected | ReauthErrorKind::OutOfStep
            )
        {
            // The re-authenticator replaces it because of this error.
            link.health().mark_lost();
        }
        result
    }
}

#[async_trait]
impl<C: SubscriberConnector> Session for LinkSession<C> {
    fn is_connected(&self) -> bool {
        !self.active_link().current().health().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.active_link().current();
        if link.health().is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        if !link.takes_commands() {
            return Err(ReauthErrorKind::Unsupported.into());
        }
        let checked = self.connector.check_token(&link, token).await;
        checked.map_err(|error| match error.kind() {
            // The connection that is lost is not that of `link`.
            ReauthErrorKind::Disconnected | ReauthErrorKind::OutOfStep => {
                ReauthError::new(ReauthErrorKind::Other).with_source(error)
            }
            _ => error,
        })?;
        let _turn = self.turn().await;
        self.authenticate_link(&link, token).await
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let _turn = self.turn().await;
        match self.connector.open(token).await.map_err(C::reauth_error) {
            Ok(opened) => {
                let handed_over = self.hand_over(opened, token).await;
                handed_over.map_err(C::reauth_error)
            }
            // The server may have no room for another connection, and the active
            // one would end without the token.
            Err(error) => {
                let link = self.active_link().current();
                if error.kind() == ReauthErrorKind::Refused
                    || link.health().is_lost()
                    || !link.takes_commands()
                {
                    return Err(error);
                }
                self.authenticate_link(&link, token).await
            }
        }
    }
}

impl<C: SubscriberConnector> fmt::Debug for LinkSession<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkSession")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
