use std::fmt::Display;
use std::path::{Path, PathBuf};

use redis_authx::{ConfigError, ProviderError, async_trait};

use super::assertion::{self, Assertion, MAX_ASSERTION, NOT_A_JWT, foreign};
use super::settings::{Settings, check_client_id};
use crate::environment::Environment;
use crate::secret::Secret;
use crate::threads;
use crate::{Authority, EntraIdentity, file};

/// Signs in as the workload that Kubernetes, or another platform, has written a
/// token for: Microsoft Entra Workload ID (Microsoft Learn, "Use Microsoft
/// Entra Workload ID with AKS").
///
/// On AKS everything comes from the environment that its webhook sets up:
///
/// | variable | or |
/// |---|---|
/// | `AZURE_CLIENT_ID` | [`client_id`](Self::client_id) |
/// | `AZURE_TENANT_ID`, and `AZURE_AUTHORITY_HOST` if set | [`authority`](Self::authority) |
/// | `AZURE_FEDERATED_TOKEN_FILE` | [`token_file`](Self::token_file) |
///
/// ```no_run
/// use redis_authx_entraid::WorkloadIdentity;
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = WorkloadIdentity::new().build()?;
/// # Ok(())
/// # }
/// ```
///
/// The file is read for **each** request, since the platform replaces it while
/// the program runs; the white space around the token is dropped. It is read on
/// a thread of its own, so it does not hold up an async runtime.
///
/// # Errors
/// A file that is not there, may not be read, is not a regular file or has more
/// than 64 KiB makes the request fail as
/// [`Misconfigured`](redis_authx::ErrorKind::Misconfigured). One that is empty
/// or holds no JWT, as while it is being written, does as
/// [`Other`](redis_authx::ErrorKind::Other): it is read again soon. Whether the
/// token is any good is for Entra ID to say.
///
/// # Cancel safety
/// A request that is dropped while the file is read leaves a thread behind
/// until that is done.
#[derive(Clone, Debug)]
#[must_use]
pub struct WorkloadIdentity {
    client_id: Option<String>,
    token_file: Option<PathBuf>,
    environment: Environment,
    pub(super) settings: Settings,
}

impl WorkloadIdentity {
    /// Everything from the environment, which
    /// [`build`](Self::build) reads.
    pub fn new() -> Self {
        Self::in_environment(Environment::process())
    }

    pub(crate) fn in_environment(environment: Environment) -> Self {
        Self {
            client_id: None,
            token_file: None,
            environment,
            settings: Settings::default(),
        }
    }

    /// The client id of the app registration or user-assigned managed identity
    /// that trusts the platform's tokens. Default: `AZURE_CLIENT_ID`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// The file that the platform keeps a token in. Default:
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    authority_setter! {
        /// Whose tenant the workload signs in to. Default: the tenant
        /// `AZURE_TENANT_ID` of `AZURE_AUTHORITY_HOST`, or of the public cloud
        /// if that is not set. One that is given here stands for both.
    }

    token_setters! {}

    /// Builds the identity. Reads the environment, not the file, and sends
    /// nothing.
    ///
    /// # Errors
    /// Names what is not set, or can't work: `AZURE_CLIENT_ID`,
    /// `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE`, `client_id`,
    /// `token_file`, `authority`, `authority.tenant`, `authority.url`, `scope`
    /// or `username_claim`.
    pub fn build(mut self) -> Result<EntraIdentity, ConfigError> {
        let variable = |name: &'static str, allowed: &'static str| {
            let value = self.environment.get(name);
            value.ok_or_else(|| ConfigError::missing(name, allowed))
        };
        let client_id = match self.client_id {
            Some(id) => id,
            None => variable(
                "AZURE_CLIENT_ID",
                "the application's client id in this environment variable, or a `client_id(..)`",
            )?,
        };
        check_client_id(&client_id, None)?;
        let path = match self.token_file {
            Some(path) => path,
            None => PathBuf::from(variable(
                "AZURE_FEDERATED_TOKEN_FILE",
                "the path of the token file in this environment variable, or a `token_file(..)`; \
                 on AKS, check that the pod has the label `azure.workload.identity/use: \"true\"`",
            )?),
        };
        if path.as_os_str().is_empty() {
            return Err(ConfigError::invalid("token_file", "empty", "a path"));
        }
        if self.settings.authority == Authority::Default {
            self.settings.authority = Authority::from_environment(&self.environment)?;
        }
        assertion::identity(client_id, self.settings, TokenFile(path))
    }
}

impl Default for WorkloadIdentity {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct TokenFile(PathBuf);

#[async_trait]
impl Assertion for TokenFile {
    async fn assertion(&self, _audience: &str) -> Result<Secret, ProviderError> {
        let path = self.0.clone();
        threads::unblock(move || read(&path)).await
    }
}

fn read(path: &Path) -> Result<Secret, ProviderError> {
    let problem = |found: &dyn Display| {
        ConfigError::invalid(
            "token_file",
            found,
            "a file that holds the platform's token, a JWT",
        )
    };
    let content = file::read(path, MAX_ASSERTION).map_err(|error| {
        let source = problem(&error);
        if error.is_lasting() {
            ProviderError::misconfigured(source)
        } else {
            ProviderError::other(source)
        }
    })?;
    std::str::from_utf8(&content)
        .map_err(|_| NOT_A_JWT)
        .and_then(foreign)
        .map_err(|found| {
            ProviderError::other(problem(&format_args!("{path:?}, which holds {found}")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: (&str, &str) = ("AZURE_CLIENT_ID", "c-1");
    const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "contoso.com");
    const HOST: (&str, &str) = ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/");
    const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/var/token");

    fn builder(pairs: &[(&str, &str)]) -> WorkloadIdentity {
        WorkloadIdentity::in_environment(Environment::from_pairs(pairs.iter().copied()))
    }

    fn built(builder: WorkloadIdentity) -> String {
        format!("{:?}", builder.build().expect("everything is there"))
    }

    #[test]
    fn the_environment_says_it_all() {
        let shown = built(builder(&[CLIENT, TENANT, HOST, FILE]));
        assert!(shown.contains("\"c-1\""), "{shown}");
        assert!(shown.contains("microsoftonline.us/contoso.com/"), "{shown}");
        assert!(shown.contains("/var/token"), "{shown}");
        let shown = built(builder(&[CLIENT, TENANT, FILE]));
        assert!(
            shown.contains("microsoftonline.com/contoso.com/"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_set_goes_before_the_environment() {
        let own = builder(&[CLIENT, TENANT, HOST, FILE])
            .client_id("c-2")
            .token_file("/other")
            .authority(Authority::tenant("fabrikam.com"));
        let shown = built(own);
        assert!(shown.contains("\"c-2\""), "{shown}");
        assert!(
            shown.contains("microsoftonline.com/fabrikam.com/"),
            "{shown}"
        );
        assert!(shown.contains("/other"), "{shown}");
        let none = builder(&[]).client_id("c").token_file("/t");
        built(none.authority(Authority::tenant("fabrikam.com")));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (pairs, field) in [
            (&[TENANT, FILE][..], "AZURE_CLIENT_ID"),
            (&[CLIENT, FILE], "AZURE_TENANT_ID"),
            (&[CLIENT, TENANT, HOST], "AZURE_FEDERATED_TOKEN_FILE"),
            (&[("AZURE_CLIENT_ID", "c 1"), TENANT, FILE], "client_id"),
        ] {
            let error = builder(pairs).build().expect_err("incomplete");
            assert_eq!(error.field(), field, "{error}");
        }
        let error = builder(&[CLIENT, TENANT]).token_file("").build();
        assert_eq!(error.expect_err("no path").field(), "token_file");
        let error = builder(&[CLIENT, TENANT, FILE]).scope("x").build();
        assert_eq!(error.expect_err("no scope").field(), "scope");
    }
}
