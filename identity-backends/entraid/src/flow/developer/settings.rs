use std::path::PathBuf;
use std::time::Duration;

use redis_authx::ConfigError;

use super::Flow;
use super::argument::{check_scope, check_tenant};
use super::tool::{Kind, Tool};
use crate::EntraIdentity;
use crate::environment::Environment;
use crate::flow::settings::Settings;

/// Python's SDK allows 10 s; a little less, so that this limit is met before
/// the manager's `request_timeout` and the error can say which tool it was.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// What every tool can be told.
#[derive(Clone, Debug)]
pub(super) struct ToolSettings {
    pub(super) tenant: Option<String>,
    pub(super) program: Option<PathBuf>,
    pub(super) time_limit: Duration,
    pub(super) environment: Environment,
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self {
            tenant: None,
            program: None,
            time_limit: TIME_LIMIT,
            environment: Environment::process(),
        }
    }
}

impl ToolSettings {
    /// Before anything becomes an argument.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        check_scope(&settings.scope)?;
        if let Some(tenant) = &self.tenant {
            check_tenant(tenant)?;
        }
        if self.time_limit.is_zero() {
            return Err(ConfigError::invalid(
                "time_limit",
                "zero",
                "how long the tool may take, as 8 s",
            ));
        }
        match &self.program {
            Some(program) if !program.is_absolute() => Err(ConfigError::invalid(
                "program",
                format_args!("{program:?}"),
                "an absolute path",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn identity(
        self,
        kind: &'static Kind,
        arguments: Vec<String>,
        settings: &Settings,
    ) -> Result<EntraIdentity, ConfigError> {
        Ok(EntraIdentity::new(Flow {
            reader: settings.reader()?,
            tool: Tool::new(kind, self),
            arguments,
        }))
    }
}
