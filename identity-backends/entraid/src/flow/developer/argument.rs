//! What may stand in an argument.
//!
//! No shell reads the arguments, but the tools are scripts: `az.cmd` is run by
//! `cmd.exe`, and PowerShell's are part of a script text. So only what can't
//! mean anything there passes, and nothing that looks like an option.

use redis_authx::ConfigError;

/// `also`: what is allowed beside letters and digits.
fn check(
    field: &'static str,
    text: &str,
    also: &str,
    allowed: &'static str,
) -> Result<(), ConfigError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fits) {
        return Ok(());
    }
    Err(ConfigError::invalid(
        field,
        format_args!("{text:?}"),
        allowed,
    ))
}

/// Beside what every flow demands of it.
pub(super) fn check_scope(scope: &str) -> Result<(), ConfigError> {
    crate::scope::check_app_scope(scope)?;
    check(
        "scope",
        scope,
        ".-_:/",
        "letters, digits and `.-_:/`, with a letter or digit first",
    )
}

pub(super) fn check_tenant(tenant: &str) -> Result<(), ConfigError> {
    check(
        "tenant",
        tenant,
        ".-",
        "a tenant's id or domain: letters, digits, `-` and `.`, with a letter or digit first",
    )
}

pub(super) fn check_subscription(subscription: &str) -> Result<(), ConfigError> {
    check(
        "subscription",
        subscription,
        ".-_ ",
        "a subscription's id, or a name of letters, digits, spaces and `.-_`, with a letter or \
         digit first; where the name holds something else, use the id",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_values_pass() {
        for scope in [crate::REDIS_SCOPE_DEFAULT, crate::REDIS_SCOPE_APP_ID] {
            assert_eq!(check_scope(scope), Ok(()));
        }
        for tenant in ["contoso.com", "72f988bf-86f1-41af-91ab-2d7cd011db47"] {
            assert_eq!(check_tenant(tenant), Ok(()));
        }
        assert_eq!(check_subscription("Pay-As-You-Go 2_a.b"), Ok(()));
    }

    #[test]
    fn nothing_that_a_shell_or_an_option_parser_could_take_otherwise_passes() {
        let odd = [
            "", " ", "-x", "--tenant", "/c", "a;b", "a&b", "a|b", "a`b", "a$b", "a'b", "a\"b",
            "a\nb", "a\0b", "a%b", "a^b", "a(b", "a>b", "a\\b", "a*b", "\u{e9}", "a@b", "a,b",
        ];
        for text in odd {
            assert_eq!(check_tenant(text).unwrap_err().field(), "tenant", "{text}");
            assert!(check_subscription(text).is_err(), "{text}");
            let scope = format!("{text}/.default");
            assert_eq!(check_scope(&scope).unwrap_err().field(), "scope", "{text}");
        }
    }
}
