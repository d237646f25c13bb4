//! Microsoft Entra ID tokens for Azure Managed Redis, on any async runtime or
//! none.
//!
//! It makes an [`EntraIdentity`], which a
//! [`TokenManager`](redis_authx::TokenManager) asks for tokens. It does not
//! cache, schedule or retry: that is the manager's. It does not verify a
//! token's signature: that is Redis's. And it knows no Redis client.
//!
//! ```text
//!  a way to sign in ─build()─▶ EntraIdentity ──form──▶ HttpClient ──▶ login.microsoftonline.com,
//!                                    │                                 or the machine's own endpoint
//!        Token { oid, access token } ◀────── claims, expiry, errors ──────────┘
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
//! let (manager, driver) = TokenManager::builder(identity).build(&time);
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
//! | the identity of the place it runs in: a virtual machine, App Service, … | [`ManagedIdentity`] |
//! | the token that Kubernetes writes to a file | [`WorkloadIdentity`] |
//! | a token of any other issuer that the application federates with | [`ClientAssertion`] |
//! | a person and a browser | [`AuthorizationCode`] (feature `interactive`) |
//! | a person and another device | [`DeviceCode`] (feature `interactive`) |
//! | what a developer is signed in to already | [`AzureCli`], [`AzureDeveloperCli`], [`AzurePowerShell`] |
//! | whichever of these there is | [`DefaultAzureCredential`] |
//!
//! # People
//! With the feature `interactive`. A person signs in once, with a browser on this machine or wherever the
//! application's redirect is received ([`AuthorizationCode`]), or on another
//! device ([`DeviceCode`]). What comes of that is an [`EntraIdentity`] like any
//! other, which needs them no more: it has a refresh token. When that dies,
//! after 90 days without use or because it was revoked, requests fail with
//! [`Rejected`](redis_authx::ErrorKind::Rejected), and someone must sign in
//! again. It is kept in memory only.
//!
//! # The user name
//! Azure wants the object id of the service principal or the person, which is the access
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
//! How an answer of Entra ID is classified, after Microsoft Learn, "Microsoft Entra
//! authentication and authorization error codes". The status is looked at
//! before the body, and of the body the `AADSTS` number before the error word.
//! What a managed identity's endpoint answers is judged by rows of its own.
//! [`Rejected`](redis_authx::ErrorKind::Rejected),
//! [`Misconfigured`](redis_authx::ErrorKind::Misconfigured) and
//! [`NotConfigured`](redis_authx::ErrorKind::NotConfigured) wait for an
//! operator; the others are tried again soon. The
//! [`source`](std::error::Error::source) is an [`EntraError`], a [`ClaimError`]
//! or an [`HttpError`].
//!
//! | answer | kind |
//! |---|---|
//! | 429; AADSTS50196, 90055 | `Throttled`, with `Retry-After` up to an hour |
//! | 408, 5xx | `Unavailable`, with `Retry-After` |
//! | 4xx with `server_error`, `temporarily_unavailable`; AADSTS50033, 90006, 90012, 90024, 90033, 90090 | `Unavailable` |
//! | 4xx with `invalid_client`, `unauthorized_client`, `access_denied`, `invalid_grant`, `bad_verification_code`; AADSTS7000215, 7000222, 7000112, 700027, 700030, 53003, 50020, 50034, 50105, 51004, 54005, 501481, 70018, 70019 | `Rejected` |
//! | 4xx with AADSTS700024, 500133, 50012, 50013, 50027, 70021, 70025, 700211, 700212, 700213, 700229 | `Rejected`: the assertion, or who federates with whom |
//! | 4xx with `interaction_required`, `consent_required`, `login_required`; AADSTS50058, 50072, 50074, 50076, 50078, 50079, 50085, 50089, 50132, 50133, 50173, 65001, 65004, 70000, 70008, 70043, 700082, 700084 | `Rejected`: a person must sign in again, or consent |
//! | 4xx with `invalid_request`, `invalid_scope`, `invalid_resource`, `invalid_tenant`, `invalid_instance`, `unsupported_…`; AADSTS700016, 90002, 900023, 90038, 50059, 50194, 9001023, 70011, 700022, 1002012, 500011, 50001, 900144, 900561, 7000218, 90124, 90130, 50011, 50147, 70004, 501491, 700005, 700025, 9002327 | `Misconfigured` |
//! | 404, 405, 407 that say nothing of this | `Misconfigured` |
//! | other 4xx | `Other` |
//! | 3xx, and any other status but 200 | `InvalidResponse` |
//! | 200 without a usable JSON object, access token or claim; longer than 1 MiB | `InvalidResponse` |
//! | 200 with an expired token | `Expired` |
//! | a managed identity's: 404 of IMDS or Azure Arc; 410 | `Unavailable`, with the waits of [`ManagedIdentity`](ManagedIdentity#attempts) |
//! | a managed identity's: 400, other 404; `invalid_request`, `invalid_resource`, `bad_request_102`, `unknown_source`; `ManagedIdentityNotFound`, `ArgumentNullOrEmpty`, `InvalidApiVersion` | `Misconfigured` |
//! | a managed identity's: 401, 403; `unauthorized_client`, `access_denied`, `SecretHeaderNotFound` | `Rejected` |
//! | Azure Arc's key file: not in its directory, malformed; not permitted; gone | `InvalidResponse`; `Misconfigured`; `Unavailable` |
//! | a variable with a secret that has gone from the environment | `Misconfigured` |
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
//! What the browser is redirected with in place of a code is read in the same
//! way. Why a sign-in came to nothing says [`SignInError`].
//!
//! What [`AzureCli`], [`AzureDeveloperCli`] and [`AzurePowerShell`] make of their
//! tool; the source is a [`ToolError`]:
//!
//! | the tool | kind |
//! |---|---|
//! | is not installed, is too old, or has no account signed in to it | `NotConfigured` |
//! | can't be started | `Misconfigured` |
//! | wants a new sign-in, with an `AADSTS` number | `Rejected` |
//! | fails with an `AADSTS` number of the table above | as there |
//! | fails otherwise | `Other` |
//! | takes longer than 8 s, or as long as it is allowed | `Timeout` |
//! | prints no token, or more than 128 KiB | `InvalidResponse` |
//!
//! When all of [`DefaultAzureCredential`] fail, the source is a
//! [`ChainError`](redis_authx::ChainError).
//!
//! No error, `Debug` or log line holds a secret, a code, a verifier, a token, a
//! response body or a tool's output.
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
//! | `createForAuthorizationCodeWithPKCE` | [`AuthorizationCode`] |
//! | `redirectUri` | [`AuthorizationCode::redirect_uri`] |
//! | its PKCE codes, URL and provider, in three steps | [`AuthorizationCode::begin`], [`SignIn::url`], [`SignIn::finish`]; or [`AuthorizationCode::listen`], which needs no server |
//! | its scopes, `user.read` among them | one scope for Redis, and no other resource's: with `user.read` the token is Microsoft Graph's, which Redis refuses |
//! | `createForDefaultAzureCredential` | [`DefaultAzureCredential`]; for a credential of your own, `redis-authx-azure-identity` |
//! | `authorityConfig.type`: `default` | [`Authority::Default`]: for people; refused for applications, as Entra ID does |
//! | `multi-tenant` with `tenantId` | [`Authority::tenant`] |
//! | `custom` with `authorityUrl` | [`Authority::custom`] |
//! | `createForSystemAssignedManagedIdentity` | [`ManagedIdentity::system_assigned`]; `clientId` has no use |
//! | `createForUserAssignedManagedIdentity` | [`ManagedIdentity::user_assigned`]; `clientId` has no use |
//! | `userAssignedClientId` | [`UserAssignedId::Client`] |
//! | `scopes` | `scope` of each builder, as [`ClientSecret::scope`]: one |
//! | `REDIS_SCOPE_DEFAULT` | [`REDIS_SCOPE_DEFAULT`] |
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `interactive` | people who sign in: [`AuthorizationCode`], [`DeviceCode`] |
//! | `pkcs12` | certificates and keys from PKCS#12 files (`.pfx`, `.p12`) |
//! | `reqwest` | `ReqwestClient`: requests through a `reqwest::Client` of your own |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "interactive"),
    doc = "
[`AuthorizationCode`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.AuthorizationCode.html>
[`AuthorizationCode::begin`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.AuthorizationCode.html#method.begin>
[`AuthorizationCode::listen`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.AuthorizationCode.html#method.listen>
[`AuthorizationCode::redirect_uri`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.AuthorizationCode.html#method.redirect_uri>
[`DeviceCode`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.DeviceCode.html>
[`SignIn::url`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.SignIn.html#method.url>
[`SignIn::finish`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/struct.SignIn.html#method.finish>
[`SignInError`]: <https://docs.rs/redis-authx-entraid/latest/redis_authx_entraid/enum.SignInError.html>"
)]

mod authority;
mod environment;
mod error;
mod file;
mod flow;
mod http;
mod identity;
mod issue;
mod json;
mod retry_after;
mod scope;
mod secret;
mod threads;
mod token_endpoint;

pub use authority::{Authority, Cloud};
pub use error::EntraError;
#[cfg(feature = "interactive")]
pub use error::SignInError;
pub use flow::{
    AssertionAlgorithm, AzureCli, AzureDeveloperCli, AzurePowerShell, ClientAssertion,
    ClientCertificate, ClientSecret, DefaultAzureCredential, ManagedIdentity,
    ManagedIdentitySource, ToolError, ToolErrorKind, UserAssignedId, WorkloadIdentity,
};
#[cfg(feature = "interactive")]
pub use flow::{AuthorizationCode, DeviceCode, DeviceSignIn, LoopbackSignIn, Prompt, SignIn};
#[cfg(feature = "reqwest")]
pub use http::ReqwestClient;
pub use http::{
    HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BODY,
    UreqClient, UreqClientBuilder,
};
pub use identity::EntraIdentity;
pub use redis_authx::jwt::{ClaimError, Claims};
pub use scope::{REDIS_SCOPE_APP_ID, REDIS_SCOPE_DEFAULT};
