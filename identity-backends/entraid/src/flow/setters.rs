//! The methods that the builders of several flows have in common. Each is a
//! struct with a field `settings: Settings`.

/// Whose tenant to sign in to: for flows that ask Entra ID itself.
macro_rules! authority_setter {
    ($(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn authority(mut self, authority: $crate::Authority) -> Self {
            self.settings.authority = authority;
            self
        }
    };
}

/// What the token is for, and whose it is.
macro_rules! reader_setters {
    () => {
        /// What the token is for: one resource followed by `/.default`. Default:
        /// [`REDIS_SCOPE_DEFAULT`](crate::REDIS_SCOPE_DEFAULT).
        pub fn scope(mut self, scope: impl Into<String>) -> Self {
            self.settings.scope = scope.into();
            self
        }

        /// The claim of the access token that holds the Redis user name.
        /// Default: `oid`, the object id, which is what Azure wants.
        pub fn username_claim(mut self, claim: impl Into<String>) -> Self {
            self.settings.username = ::redis_authx::jwt::Username::claim(claim.into());
            self
        }

        /// Makes the Redis user name from the access token's claims, where it
        /// is none of them as it stands: say,
        /// `|claims: &Claims| Ok(format!("app-{}", claims.oid()?))`.
        pub fn username<F>(mut self, mapper: F) -> Self
        where
            F: Fn(&$crate::Claims) -> Result<String, $crate::ClaimError> + Send + Sync + 'static,
        {
            self.settings.username = ::redis_authx::jwt::Username::from_fn(mapper);
            self
        }
    };
}

/// What the token is for, whose it is, and by what it is asked for.
macro_rules! token_setters {
    () => {
        reader_setters! {}

        /// What sends the requests. Default:
        /// [`UreqClient`](crate::UreqClient) with its defaults.
        pub fn http_client(mut self, client: impl $crate::HttpClient) -> Self {
            self.settings.http = Some(::std::sync::Arc::new(client));
            self
        }
    };
}
