use redis_authx::ConfigError;
use redis_authx_entraid::{Authority, ClientSecret, EntraIdentity, UreqClient};

use crate::Emulator;

impl Emulator {
    /// An identity provider that signs in here: with this emulator's client
    /// secret, over TLS, trusting its certificate authority and no other.
    ///
    /// # Errors
    /// [`ConfigError`] when the emulator was given an id or a secret that a
    /// real service could not have either, such as an empty one.
    pub fn client_secret_identity(&self) -> Result<EntraIdentity, ConfigError> {
        let http = UreqClient::builder()
            .root_certificate_pem(self.ca_pem())
            .build()?;
        ClientSecret::new(self.client_id(), self.client_secret())
            .authority(Authority::custom(format!(
                "{}/{}",
                self.identity_url(),
                self.tenant_id()
            )))
            .http_client(http)
            .build()
    }
}
