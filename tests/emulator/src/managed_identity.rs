//! Ready managed identities, and what other clients have to be told.

use std::path::Path;

use redis_authx_entraid::{ManagedIdentity, ManagedIdentitySource as Source};

use crate::{
    Emulator,
    identity::managed_identity::{
        APP_SERVICE_PATH, ARC_PREFIX, CLOUD_SHELL_PATH, IMDS_PATH, MACHINE_LEARNING_PATH,
        RESOURCE_ID,
    },
};

impl Emulator {
    /// `http://127.0.0.1:PORT`, where the endpoints of managed identities are,
    /// IMDS's at the path that it has in Azure. Requests that a client sends as
    /// to a proxy, to `http://169.254.169.254`, are answered as well.
    pub fn managed_identity_url(&self) -> &str {
        &self.managed_identity_url
    }

    /// The resource id of the user-assigned identity. Its other ids are
    /// [`client_id`](Self::client_id) and [`object_id`](Self::object_id).
    pub fn managed_identity_resource_id(&self) -> &str {
        RESOURCE_ID
    }

    /// The environment variables by which a process knows that it is in a place
    /// with this source, as names and values: for a client in any language,
    /// started with them. Empty for a source that this version does not know.
    ///
    /// Azure Arc's key files are not where unmodified clients look for them:
    /// see [`arc_key_directory`](Self::arc_key_directory).
    ///
    /// ```
    /// use redis_authx_emulator::Emulator;
    /// use redis_authx_entraid::ManagedIdentitySource;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().start().await?;
    /// let variables = emulator.managed_identity_variables(ManagedIdentitySource::AppService);
    /// std::process::Command::new("node").arg("app.js").envs(variables);
    /// # Ok(())
    /// # }
    /// ```
    pub fn managed_identity_variables(&self, source: Source) -> Vec<(&'static str, String)> {
        let at = |path: &str| format!("{}{path}", self.managed_identity_url);
        let secret = || self.state.managed.secret.clone();
        match source {
            Source::AppService => vec![
                ("IDENTITY_ENDPOINT", at(APP_SERVICE_PATH)),
                ("IDENTITY_HEADER", secret()),
            ],
            Source::AzureArc => {
                let path = format!("{ARC_PREFIX}{IMDS_PATH}");
                vec![
                    ("IDENTITY_ENDPOINT", at(&path)),
                    ("IMDS_ENDPOINT", at(ARC_PREFIX)),
                ]
            }
            Source::CloudShell => vec![("MSI_ENDPOINT", at(CLOUD_SHELL_PATH))],
            Source::MachineLearning => vec![
                ("MSI_ENDPOINT", at(MACHINE_LEARNING_PATH)),
                ("MSI_SECRET", secret()),
            ],
            Source::ServiceFabric => vec![
                (
                    "IDENTITY_ENDPOINT",
                    format!("{}{IMDS_PATH}", self.service_fabric.url),
                ),
                ("IDENTITY_HEADER", secret()),
                (
                    "IDENTITY_SERVER_THUMBPRINT",
                    self.service_fabric.thumbprint.clone(),
                ),
            ],
            Source::VirtualMachine => vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", at(""))],
            _ => Vec::new(),
        }
    }

    /// Where Azure Arc's agent has its key files; made with the first of them.
    pub fn arc_key_directory(&self) -> &Path {
        self.state.managed.keys.folder()
    }

    /// Points a managed identity here: it finds itself in a place with this
    /// source.
    ///
    /// ```
    /// use redis_authx_emulator::Emulator;
    /// use redis_authx_entraid::{ManagedIdentity, ManagedIdentitySource};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().start().await?;
    /// let identity = emulator
    ///     .managed_identity(ManagedIdentitySource::AppService, ManagedIdentity::system_assigned())
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn managed_identity(&self, source: Source, identity: ManagedIdentity) -> ManagedIdentity {
        let variables = self.managed_identity_variables(source);
        identity
            .source(source)
            .arc_key_directory(self.arc_key_directory())
            .environment(move |asked| {
                let found = variables.iter().find(|(name, _)| *name == asked);
                found.map(|(_, value)| value.clone())
            })
    }
}
