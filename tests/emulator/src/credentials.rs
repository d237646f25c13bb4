use std::path::PathBuf;

use redis_authx::ConfigError;
use redis_authx_entraid::{
    Authority, ClientCertificate, ClientSecret, EntraIdentity, UreqClient, WorkloadIdentity,
};

use crate::Emulator;

/// Identity providers that sign in here, each in its own way: over TLS,
/// trusting this emulator's certificate authority and no other.
impl Emulator {
    /// An identity provider that signs in here by this emulator's client
    /// secret.
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

    /// An identity provider that signs in here by this emulator's
    /// [`app_certificate`](Self::app_certificate).
    ///
    /// # Errors
    /// As for [`client_secret_identity`](Self::client_secret_identity).
    pub fn client_certificate_identity(&self) -> Result<EntraIdentity, ConfigError> {
        ClientCertificate::from_pem(self.client_id(), self.app_certificate().pem())
            .authority(self.authority())
            .http_client(self.http_client()?)
            .build()
    }

    /// An identity provider that signs in here by the token in a file, such as
    /// [`federated_token_file`](Self::federated_token_file) writes.
    ///
    /// # Errors
    /// As for [`client_secret_identity`](Self::client_secret_identity).
    pub fn workload_identity(
        &self,
        token_file: impl Into<PathBuf>,
    ) -> Result<EntraIdentity, ConfigError> {
        WorkloadIdentity::new()
            .client_id(self.client_id())
            .token_file(token_file)
            .authority(self.authority())
            .http_client(self.http_client()?)
            .build()
    }

    /// Where this emulator's tenant is, for an identity provider of your own
    /// making.
    pub fn authority(&self) -> Authority {
        Authority::custom(format!("{}/{}", self.identity_url(), self.tenant_id()))
    }

    /// An HTTP client that trusts this emulator, for an identity provider of
    /// your own making.
    ///
    /// # Errors
    /// None that is known of: the certificate authority is this emulator's own.
    pub fn http_client(&self) -> Result<UreqClient, ConfigError> {
        UreqClient::builder()
            .root_certificate_pem(self.ca_pem())
            .build()
    }
}
