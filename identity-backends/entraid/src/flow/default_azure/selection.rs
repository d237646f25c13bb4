use redis_authx::ConfigError;

use super::member::{ALL, Member};
use crate::environment::Environment;

pub(super) const VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// Those that identify a deployed program, which come first.
const DEPLOYED: usize = 3;

/// What `AZURE_TOKEN_CREDENTIALS` leaves of the chain (Microsoft Learn,
/// "Credential chains in the Azure Identity library").
pub(super) fn members(environment: &Environment) -> Result<&'static [Member], ConfigError> {
    let Some(value) = environment.get(VARIABLE) else {
        return Ok(&ALL);
    };
    let value = value.trim();
    let is = |name: &str| value.eq_ignore_ascii_case(name);
    if is("prod") {
        return Ok(&ALL[..DEPLOYED]);
    }
    if is("dev") {
        return Ok(&ALL[DEPLOYED..]);
    }
    ALL.chunks(1)
        .find(|one| one.iter().all(|member| is(member.name())))
        .ok_or_else(|| {
            let names = ALL.map(|member| format!("`{}`", member.name())).join(", ");
            ConfigError::invalid(
                VARIABLE,
                format_args!("{value:?}"),
                format!("`dev`, `prod`, or one of {names}"),
            )
        })
}
