//! Settings of an emulator.

use std::{fmt, time::Duration};

use crate::{Emulator, EmulatorError, SentinelAuth, Store, TokenVersion, identity::Registration};

/// Settings of an emulator; each has a default that suits a test.
///
/// Made by [`Emulator::builder`].
#[derive(Clone)]
pub struct EmulatorBuilder {
    pub(crate) token_lifetime: Duration,
    pub(crate) store: Store,
    pub(crate) sentinel_login: SentinelAuth,
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) object_id: String,
    pub(crate) registration: Registration,
    pub(crate) token_version: TokenVersion,
    pub(crate) fractional_expiry: bool,
    pub(crate) strict_assertions: bool,
    pub(crate) plain_identity: bool,
    pub(crate) redis_port: u16,
    pub(crate) redis_tls_port: u16,
    pub(crate) identity_port: u16,
    pub(crate) plain_identity_port: u16,
    pub(crate) managed_identity_port: u16,
    pub(crate) redis_server_program: String,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(3600),
            store: Store::default(),
            sentinel_login: SentinelAuth::default(),
            tenant_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            client_secret: None,
            object_id: "33333333-3333-4333-8333-333333333333".to_owned(),
            registration: Registration::default(),
            token_version: TokenVersion::default(),
            fractional_expiry: false,
            strict_assertions: false,
            plain_identity: false,
            redis_port: 0,
            redis_tls_port: 0,
            identity_port: 0,
            plain_identity_port: 0,
            managed_identity_port: 0,
            redis_server_program: "redis-server".to_owned(),
        }
    }
}

impl EmulatorBuilder {
    /// How long tokens live; default one hour. Changed later by
    /// [`IdentityControl::set_token_lifetime`](crate::IdentityControl::set_token_lifetime).
    ///
    /// Tokens end on a whole second, as Entra's do, rounded up: one lives up to
    /// a second longer than this.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Where the data is; default [`Store::Embedded`].
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// What the sentinels of [`Store::Sentinel`] want to be told; default
    /// [`SentinelAuth::None`].
    #[must_use]
    pub fn sentinel_login(mut self, login: SentinelAuth) -> Self {
        self.sentinel_login = login;
        self
    }

    /// The tenant that the identity side serves; default
    /// `11111111-1111-4111-8111-111111111111`.
    #[must_use]
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = id.into();
        self
    }

    /// The client (application) id that may ask for tokens; default
    /// `22222222-2222-4222-8222-222222222222`.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// The client's secret; default a random one for each emulator.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// The object id of the service principal, which is the Redis user name;
    /// default `33333333-3333-4333-8333-333333333333`.
    ///
    /// Other than the client id, so that a mix-up of the two shows.
    #[must_use]
    pub fn object_id(mut self, id: impl Into<String>) -> Self {
        self.object_id = id.into();
        self
    }

    /// Registers a redirect URI of a public client (platform "Mobile and
    /// desktop applications"), beside `http://localhost`, which always is. The
    /// port of a loopback host does not count, the path does.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.registration.public.push(uri.into());
        self
    }

    /// Registers a redirect URI of a confidential client (platform "Web"),
    /// which must send the client secret.
    #[must_use]
    pub fn web_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.registration.web.push(uri.into());
        self
    }

    /// The shape of the tokens; default [`TokenVersion::V2`].
    #[must_use]
    pub fn token_version(mut self, version: TokenVersion) -> Self {
        self.token_version = version;
        self
    }

    /// Whether `exp` may hold a fraction of a second (RFC 7519 §2 allows it,
    /// Entra has none); default `false`. For lifetimes near or below a second;
    /// `expires_in` stays a whole number and at least 1.
    #[must_use]
    pub fn fractional_expiry(mut self, fractional: bool) -> Self {
        self.fractional_expiry = fractional;
        self
    }

    /// Whether assertions signed with a certificate must be as Microsoft's
    /// documents have them; default `false`, which takes what the official
    /// libraries send.
    ///
    /// Strictly: the audience is the token endpoint; thumbprints are base64url
    /// without padding, `x5c` is base64 of DER; `nbf`, `iat` and `exp` are whole
    /// numbers and at most ten minutes apart; no `jti` comes twice.
    #[must_use]
    pub fn strict_assertions(mut self, strict: bool) -> Self {
        self.strict_assertions = strict;
        self
    }

    /// Whether to serve the identity side by plain HTTP too; default `false`.
    /// For clients that can't be told of a CA; no Entra library takes it.
    #[must_use]
    pub fn plain_identity(mut self, plain: bool) -> Self {
        self.plain_identity = plain;
        self
    }

    /// The port of the plain Redis listener; default 0, a free one. Of
    /// several nodes the first one's; the others get free ones.
    #[must_use]
    pub fn redis_port(mut self, port: u16) -> Self {
        self.redis_port = port;
        self
    }

    /// The port of the TLS Redis listener; default 0, a free one. Of several
    /// nodes the first one's; the others get free ones.
    #[must_use]
    pub fn redis_tls_port(mut self, port: u16) -> Self {
        self.redis_tls_port = port;
        self
    }

    /// The port of the TLS identity listener; default 0, a free one.
    #[must_use]
    pub fn identity_port(mut self, port: u16) -> Self {
        self.identity_port = port;
        self
    }

    /// The port of the plain identity listener; default 0, a free one. It is
    /// opened only with [`plain_identity`](Self::plain_identity).
    #[must_use]
    pub fn plain_identity_port(mut self, port: u16) -> Self {
        self.plain_identity_port = port;
        self
    }

    /// The port of managed identities' endpoints; default 0, a free one.
    #[must_use]
    pub fn managed_identity_port(mut self, port: u16) -> Self {
        self.managed_identity_port = port;
        self
    }

    /// The program that [`Store::RedisServer`], [`Store::Cluster`] and
    /// [`Store::Sentinel`] run; default `redis-server`,
    /// looked for on `PATH`.
    #[must_use]
    pub fn redis_server_program(mut self, program: impl Into<String>) -> Self {
        self.redis_server_program = program.into();
        self
    }

    /// Starts the emulator on the current tokio runtime.
    ///
    /// # Errors
    /// For settings that can't work, ports in use, a `redis-server` that is
    /// missing or does not start, a Redis that can't be reached or used.
    pub async fn start(self) -> Result<Emulator, EmulatorError> {
        self.check()?;
        Emulator::start(self).await
    }

    fn check(&self) -> Result<(), EmulatorError> {
        const ALLOWED: &str =
            "a UUID or name of letters, digits, '.', '_' and '-', at most 128 long";
        for (setting, value) in [
            ("tenant_id", &self.tenant_id),
            ("client_id", &self.client_id),
            ("object_id", &self.object_id),
        ] {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if value.is_empty() || value.len() > 128 || !value.bytes().all(fits) {
                return Err(invalid(setting, value, ALLOWED));
            }
        }
        let general = ["common", "organizations", "consumers"];
        if general.contains(&self.tenant_id.as_str()) {
            let allowed = "a tenant of its own: Entra serves no client credentials there";
            return Err(invalid("tenant_id", &self.tenant_id, allowed));
        }
        if self.object_id == "default" {
            let allowed = "another name than that of Redis's default user";
            return Err(invalid("object_id", &self.object_id, allowed));
        }
        if self.client_secret.as_deref() == Some("") {
            return Err(invalid("client_secret", "", "a text that is not empty"));
        }
        self.store.check()?;
        let longest = Duration::from_secs(10 * 365 * 24 * 3600);
        if !(Duration::from_millis(1)..=longest).contains(&self.token_lifetime) {
            let found = format!("{:?}", self.token_lifetime);
            return Err(invalid("token_lifetime", &found, "from 1 ms to ten years"));
        }
        Ok(())
    }
}

pub(crate) fn invalid(setting: &'static str, found: &str, allowed: &'static str) -> EmulatorError {
    EmulatorError::InvalidSetting {
        setting,
        found: found.to_owned(),
        allowed,
    }
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's URL may hold a password, the secret is one.
        f.debug_struct("EmulatorBuilder")
            .field("token_lifetime", &self.token_lifetime)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("object_id", &self.object_id)
            .finish_non_exhaustive()
    }
}
