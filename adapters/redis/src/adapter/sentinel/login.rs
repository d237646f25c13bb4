use std::fmt;

use super::redis::RedisConnectionInfo;
use redis_authx::Token;

/// What sentinels are told before they answer. They have users and passwords of
/// their own, apart from the servers they watch.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum SentinelLogin {
    /// Nothing.
    #[default]
    None,
    /// The same as the servers: the newest token and its user.
    Token,
    /// A user name and a password that never change. Made by
    /// [`password`](Self::password).
    #[non_exhaustive]
    Password {
        /// The name; `default` where the sentinels know only a password.
        username: String,
        /// The password.
        password: String,
    },
}

impl SentinelLogin {
    /// This user name and password; the name is `default` where the sentinels
    /// know only a password (`requirepass`).
    #[must_use]
    pub fn password(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password {
            username: username.into(),
            password: password.into(),
        }
    }

    /// What to log in to a sentinel with.
    pub(crate) fn settings(&self, token: &Token) -> RedisConnectionInfo {
        let settings = RedisConnectionInfo::default();
        match self {
            Self::None => settings,
            Self::Token => settings
                .set_username(token.username())
                .set_password(token.password()),
            Self::Password { username, password } => {
                settings.set_username(username).set_password(password)
            }
        }
    }
}

impl fmt::Debug for SentinelLogin {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token => "Token",
            Self::Password { .. } => "Password(..)",
        })
    }
}
