//! Access tokens that are JSON Web Tokens (RFC 7519): which user they are for,
//! and until when. Feature `jwt`.
//!
//! Used by the identity backends for Microsoft Entra ID, and for custom providers.
//!
//! ```
//! use redis_authx::jwt::{Claims, Username};
//!
//! # fn main() -> Result<(), redis_authx::jwt::ClaimError> {
//! let claims = Claims::parse("e30.eyJvaWQiOiI4ZjBjNmM1ZSIsImV4cCI6MTc2MDAwMDAwMH0.c2ln")?;
//! assert_eq!(claims.oid()?, "8f0c6c5e");
//!
//! let username = Username::from_fn(|claims| Ok(format!("app-{}", claims.oid()?)));
//! assert_eq!(username.resolve(&claims)?, "app-8f0c6c5e");
//! # Ok(())
//! # }
//! ```

mod claims;
mod error;
mod parse;
mod username;

pub use claims::Claims;
pub use error::ClaimError;
pub use username::Username;
