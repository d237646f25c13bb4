mod people;

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
        ClientSecret::new(self.client_id(), self.client_secret())
            .authority(self.authority())
            .http_client(self.http_client()?)
            .build()
    }

    /// Of the emulator's tenant.
    fn authority(&self) -> Authority {
        Authority::custom(format!("{}/{}", self.identity_url(), self.tenant_id()))
    }

    /// Trusts the emulator and nobody else.
    fn http_client(&self) -> Result<UreqClient, ConfigError> {
        UreqClient::builder()
            .root_certificate_pem(self.ca_pem())
            .build()
    }
}
