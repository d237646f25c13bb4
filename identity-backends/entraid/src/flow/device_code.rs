//! A person signs in on another device: the device authorization grant (RFC
//! 8628).

mod reply;
mod sign_in;

use std::sync::Arc;

use redis_authx::ConfigError;

use super::settings::Settings;
use super::user::UserApp;
use crate::SignInError;
use crate::token_endpoint::{Form, post};
pub use sign_in::DeviceSignIn;

/// Signs a person in who has a browser somewhere, though not here: they type a
/// code there. From then on the token is renewed without them. The device
/// authorization grant (Microsoft Learn, "OAuth 2.0 device authorization
/// grant flow").
///
/// ```no_run
/// use redis_authx_entraid::{Authority, DeviceCode};
/// # use redis_authx::testing::ManualClock;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = ManualClock::new();
/// let sign_in = DeviceCode::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11")
///     .authority(Authority::tenant("contoso.onmicrosoft.com"))
///     .begin()
///     .await?;
/// println!("{}", sign_in.message());
/// let identity = sign_in.finish(&runtime).await?;
/// # Ok(())
/// # }
/// ```
///
/// Prefer [`AuthorizationCode`](crate::AuthorizationCode) where there is a
/// browser: a device code can be phished, and many tenants block it by
/// Conditional Access. What is asked for is the same. The app registration
/// must allow public client flows.
#[derive(Clone, Debug)]
#[must_use]
pub struct DeviceCode {
    client_id: String,
    settings: Settings,
}

impl DeviceCode {
    /// The application (client) id of the app registration.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            settings: Settings::default(),
        }
    }

    authority_setter! {
        /// Whose tenant the person signs in to. Default:
        /// [`Authority::Default`](crate::Authority::Default), any tenant,
        /// which only works for an application that is registered as
        /// multitenant.
    }

    token_setters! {}

    /// Asks for a code to show to the person. One request.
    ///
    /// # Errors
    /// [`SignInError::Config`] names the setting that can't work: `client_id`,
    /// `authority.tenant`, `authority.url`, `scope` or `username_claim`.
    /// [`SignInError::Provider`] when the identity service gave no code.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn begin(&self) -> Result<DeviceSignIn, SignInError> {
        let app = UserApp::new(&self.client_id, None, &self.settings)?;
        let url: Result<_, ConfigError> = self.settings.authority.user_url("devicecode");
        let form = Form::new(&[("client_id", &app.client_id), ("scope", &app.scopes)]);
        let answer = post(&*self.settings.http(), &url?, form).await?;
        Ok(DeviceSignIn::new(Arc::new(app), reply::parse(&answer)?))
    }
}
