use redis_authx::{Clock, ConfigError};
use redis_authx_entraid::{
    AuthorizationCode, DeviceCode, EntraIdentity, HttpClient, HttpError, HttpErrorKind, HttpMethod,
    HttpRequest, SignInError,
};

use crate::Emulator;

impl Emulator {
    /// The sign-in of a person by browser, set to come here: to `begin`, or to
    /// `listen` on. [`sign_in`](Self::sign_in) takes the browser's part.
    ///
    /// # Errors
    /// [`ConfigError`] when the emulator's certificate can't be read, which
    /// does not happen.
    pub fn authorization_code(&self) -> Result<AuthorizationCode, ConfigError> {
        Ok(AuthorizationCode::new(self.client_id())
            .authority(self.authority())
            .http_client(self.http_client()?))
    }

    /// The sign-in of a person on another device, set to come here;
    /// [`SignInControl::approve_device`](crate::SignInControl::approve_device)
    /// takes the person's part.
    ///
    /// # Errors
    /// As for [`authorization_code`](Self::authorization_code).
    pub fn device_code(&self) -> Result<DeviceCode, ConfigError> {
        Ok(DeviceCode::new(self.client_id())
            .authority(self.authority())
            .http_client(self.http_client()?))
    }

    /// Someone signs in at `url`, a sign-in page of this emulator, without a
    /// browser. Returns where a browser would be sent, for
    /// [`SignIn::finish`](redis_authx_entraid::SignIn::finish) or a `GET`.
    ///
    /// # Errors
    /// When the page can't be reached or sends nobody anywhere.
    pub async fn sign_in(&self, url: &str) -> Result<String, HttpError> {
        self.press(url, "sign-in").await
    }

    /// Someone presses Cancel there.
    ///
    /// # Errors
    /// As for [`sign_in`](Self::sign_in).
    pub async fn cancel_sign_in(&self, url: &str) -> Result<String, HttpError> {
        self.press(url, "cancel").await
    }

    /// The identity of a person who has signed in by browser.
    ///
    /// # Errors
    /// When that does not succeed, as under a fault.
    pub async fn authorization_code_identity(&self) -> Result<EntraIdentity, SignInError> {
        let sign_in = self
            .authorization_code()?
            .redirect_uri("http://localhost")
            .begin()?;
        let redirected = self
            .sign_in(sign_in.url())
            .await
            .map_err(redis_authx::ProviderError::unavailable)?;
        sign_in.finish(&redirected).await
    }

    /// The identity of a person who has signed in on another device. `clock`
    /// as for [`DeviceSignIn::finish`](redis_authx_entraid::DeviceSignIn::finish).
    ///
    /// # Errors
    /// When that does not succeed, as under a fault.
    pub async fn device_code_identity(
        &self,
        clock: &dyn Clock,
    ) -> Result<EntraIdentity, SignInError> {
        let sign_in = self.device_code()?.begin().await?;
        self.sign_ins().approve_device(sign_in.user_code());
        sign_in.finish(clock).await
    }

    async fn press(&self, url: &str, action: &str) -> Result<String, HttpError> {
        let other = |reason: String| HttpError::new(HttpErrorKind::Other, reason);
        let client = self
            .http_client()
            .map_err(|error| other(error.to_string()))?;
        let request = HttpRequest::new(HttpMethod::Post, url)
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(format!("username=ada%40contoso.example&action={action}"));
        let answer = client.send(request).await?;
        answer
            .header("location")
            .map(str::to_owned)
            .ok_or_else(|| other(format!("status {} and no redirect", answer.status())))
    }
}
