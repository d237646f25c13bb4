//! Microsoft Entra ID tokens for Azure Managed Redis, on any async runtime or
//! none.
//!
//! It makes an [`EntraIdentity`], which a
//! [`TokenManager`](redis_authx::TokenManager) asks for tokens. It does not
//! cache, schedule or retry: that is the manager's. It does not verify a
//! token's signature: that is Redis's. And it knows no Redis client.
//!
//! ```text
//!  ClientSecret ─build()─▶ EntraIdentity ──form──▶ HttpClient ──▶ login.microsoftonline.com
//!                               │                                        │
//!   Token { oid, access token } ◀────── claims, expiry, errors ──────────┘
//! ```
//!
//! # Example
//! Against a service that is down, so that it runs anywhere. Leave
//! `http_client` out to reach the real one, and `spawn` the manager on your
//! runtime.
//!
//! ```
//! use redis_authx::testing::{ManualClock, seconds};
//! use redis_authx::{ErrorKind, TokenError, TokenManager};
//! use redis_authx_entraid::{Authority, ClientSecret};
//! # use redis_authx_entraid::{HttpClient, HttpError, HttpRequest, HttpResponse};
//! # #[derive(Debug)]
//! # struct Down;
//! # #[redis_authx::async_trait]
//! # impl HttpClient for Down {
//! #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
//! #         Ok(HttpResponse::new(503))
//! #     }
//! # }
//!
//! # fn main() -> Result<(), redis_authx::ConfigError> {
//! let identity = ClientSecret::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11", "the secret's value")
//!     .authority(Authority::tenant("contoso.onmicrosoft.com"))
//!     .http_client(Down)
//!     .build()?;
//!
//! let time = ManualClock::new();
//! let (manager, driver) = TokenManager::builder(identity).build(&time)?;
//! let mut run = time.run(driver);
//! run.advance(seconds(60));
//!
//! match manager.credentials().current() {
//!     Err(TokenError::Unavailable(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable),
//!     other => panic!("{other:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Ways to sign in
//! | with | |
//! |---|---|
//! | a client secret | [`ClientSecret`] |
//! | a certificate, from PEM or PKCS#12 | [`ClientCertificate`] |
//! | the token that Kubernetes writes to a file | [`WorkloadIdentity`] |
//! | a token of any other issuer that the application federates with | [`ClientAssertion`] |
//!
//! # The user name
//! Azure wants the object id of the service principal, which is the access
//! token's `oid`; neither the client id nor the object id of the app
//! registration will do. It is read from the token.
//! [`username_claim`](ClientSecret::username_claim) and
//! [`username`](ClientSecret::username) name another.
//!
//! # The expiry
//! A token expires at the earlier of its own `exp`, by the service's clock, and
//! the reply's `expires_in`. The service's clock is read from the reply's
//! `Date` header, so that a wrong clock on this machine does no harm. One that
//! has expired on arrival is an error of kind
//! [`Expired`](redis_authx::ErrorKind::Expired).
//!
//! # Errors
//! How an answer is classified, after Microsoft Learn, "Microsoft Entra
//! authentication and authorization error codes". The status is looked at
//! before the body, and of the body the `AADSTS` number before the error word.
//! [`Rejected`](redis_authx::ErrorKind::Rejected) and
//! [`Misconfigured`](redis_authx::ErrorKind::Misconfigured) wait for an
//! operator; the others are tried again soon. The
//! [`source`](std::error::Error::source) is an [`EntraError`], a [`ClaimError`]
//! or an [`HttpError`].
//!
//! | answer | kind |
//! |---|---|
//! | 429; AADSTS50196, 90055 | `Throttled`, with `Retry-After` up to an hour |
//! | 408, 5xx | `Unavailable`, with `Retry-After` |
//! | 4xx with `server_error`, `temporarily_unavailable`; AADSTS50033, 90006, 90012, 90024, 90033, 90090 | `Unavailable` |
//! | 4xx with `invalid_client`, `unauthorized_client`, `access_denied`, `invalid_grant`; AADSTS7000215, 7000222, 7000112, 700027, 700030, 53003 | `Rejected` |
//! | 4xx with AADSTS700024, 500133, 50012, 50013, 50027, 70021, 70025, 700211, 700212, 700213, 700229 | `Rejected`: the assertion, or who federates with whom |
//! | 4xx with `interaction_required`, `consent_required`, `login_required`; AADSTS50072, 50074, 50076, 50079, 50173, 65001, 700082 | `Rejected`: a person is needed |
//! | 4xx with `invalid_request`, `invalid_scope`, `invalid_resource`, `invalid_tenant`, `invalid_instance`, `unsupported_…`; AADSTS700016, 90002, 900023, 90038, 50059, 50194, 9001023, 70011, 700022, 1002012, 500011, 50001, 900144, 900561, 7000218, 90124, 90130 | `Misconfigured` |
//! | 404, 405, 407 that say nothing of this | `Misconfigured` |
//! | other 4xx | `Other` |
//! | 3xx, and any other status but 200 | `InvalidResponse` |
//! | 200 without a usable JSON object, access token or claim; longer than 1 MiB | `InvalidResponse` |
//! | 200 with an expired token | `Expired` |
//! | no connection; no TLS, as with a certificate that is not trusted | `Unavailable` |
//! | no answer in time | `Timeout` |
//!
//! And what goes wrong before anything is sent; the source is a
//! [`ConfigError`](redis_authx::ConfigError):
//!
//! | found | kind |
//! |---|---|
//! | a certificate that has expired, or was replaced by what can't be used and has expired since | `Misconfigured` |
//! | a token file that is not there, may not be read, or is too long | `Misconfigured` |
//! | a token file, or a function's answer, that is empty or no JWT | `Other` |
//!
//! What [`AzureCli`], [`AzureDeveloperCli`] and [`AzurePowerShell`] make of their
//! tool; the source is a [`ToolError`]:
//!
//! | the tool | kind |
//! |---|---|
//! | is not installed, can't be started, or is too old | `Misconfigured` |
//! | has nobody signed in to it, or wants that again | `Rejected` |
//! | fails with an `AADSTS` number of the table above | as there |
//! | fails otherwise | `Other` |
//! | takes longer than 8 s, or as long as it is allowed | `Timeout` |
//! | prints no token, or more than 128 KiB | `InvalidResponse` |
//!
//! When all of [`DefaultAzureCredential`] fail, the source is a
//! [`ChainError`](redis_authx::ChainError).
//!
//! No error, `Debug` or log line holds a secret, a token, a response body or a
//! tool's output.
//!
//! # Coming from Redis's other Entra ID libraries
//! | there | here |
//! |---|---|
//! | `createForClientCredentials` | [`ClientSecret`] |
//! | `clientId`, `clientSecret` | [`ClientSecret::new`] |
//! | `createForClientCredentialsWithCertificate` | [`ClientCertificate`] |
//! | `clientId`, `clientCertificate` with `x5c`, `privateKey` | [`ClientCertificate::from_pem_parts`], and [`send_certificate_chain`](ClientCertificate::send_certificate_chain), as `x5c` is sent there |
//! | `thumbprintSha256` | [`thumbprint_sha256`](ClientCertificate::thumbprint_sha256): may be left out, and is checked |
//! | `thumbprint` (SHA-1) | [`AssertionAlgorithm::Rs256`]: computed |
//! | `createForDefaultAzureCredential` | [`DefaultAzureCredential`]; for a credential of your own, `redis-authx-azure-identity` |
//! | `authorityConfig.type`: `default` | [`Authority::Default`], refused for this grant, as Entra ID does |
//! | `multi-tenant` with `tenantId` | [`Authority::tenant`] |
//! | `custom` with `authorityUrl` | [`Authority::custom`] |
//! | `scopes` | [`ClientSecret::scope`]: one |
//! | `REDIS_SCOPE_DEFAULT` | [`REDIS_SCOPE_DEFAULT`] |
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `pkcs12` | certificates and keys from PKCS#12 files (`.pfx`, `.p12`) |
//! | `reqwest` | `ReqwestClient`: requests through a `reqwest::Client` of your own |

mod authority;
mod environment;
mod error;
mod file;
mod flow;
mod http;
mod identity;
mod issue;
mod retry_after;
mod scope;
mod secret;
mod token_endpoint;

pub use authority::{Authority, Cloud};
pub use error::EntraError;
pub use flow::{
    AssertionAlgorithm, AzureCli, AzureDeveloperCli, AzurePowerShell, ClientAssertion,
    ClientCertificate, ClientSecret, DefaultAzureCredential, ManagedIdentity,
    ManagedIdentitySource, ToolError, ToolErrorKind, UserAssignedId, WorkloadIdentity,
};
#[cfg(feature = "reqwest")]
pub use http::ReqwestClient;
pub use http::{
    HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BODY,
    UreqClient, UreqClientBuilder,
};
pub use identity::EntraIdentity;
pub use redis_authx::jwt::{ClaimError, Claims};
pub use scope::{REDIS_SCOPE_APP_ID, REDIS_SCOPE_DEFAULT};
