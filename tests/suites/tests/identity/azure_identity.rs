use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind as AzureKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{RawResponse, StatusCode};
use redis_authx::{ErrorKind, async_trait};
use redis_authx_azure_identity::AzureIdentity;
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{HttpClient, HttpMethod, HttpRequest, HttpResponse, UreqClient};

use crate::contract::{Flow, mount};
use crate::support::{error, everything, signed_up, token};

/// A program with a credential of its own, which reports as `azure_identity`
/// does.
struct Bridge;

impl Flow for Bridge {
    type Identity = AzureIdentity;

    async fn identity(emulator: &Emulator) -> AzureIdentity {
        let http = UreqClient::builder()
            .root_certificate_pem(emulator.ca_pem())
            .build()
            .unwrap();
        AzureIdentity::new(Arc::new(Credential {
            url: format!(
                "{}/{}/oauth2/v2.0/token",
                emulator.identity_url(),
                emulator.tenant_id()
            ),
            form: format!(
                "client_id={}&client_secret={}&grant_type=client_credentials&scope=",
                emulator.client_id(),
                emulator.client_secret()
            ),
            http,
        }))
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        vec![emulator.client_secret().to_owned()]
    }
}

// Not that an expired token is an error: the manager finds that out, by its
// clock.
mount! { Bridge:
    a_token_is_the_object_id_and_a_jwt_that_redis_takes,
    each_request_asks_anew,
    the_same_token_again_is_passed_on,
    a_service_that_is_down_is_unavailable,
    a_hanging_request_can_be_dropped,
    a_connection_lives_through_rotations,
    a_connection_lives_through_faults,
}

struct Credential {
    url: String,
    form: String,
    http: UreqClient,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.form)
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let request = HttpRequest::new(HttpMethod::Post, &self.url)
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(format!("{}{}", self.form, scopes.join(" ")));
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| Error::new(AzureKind::Io, error));
        answer.and_then(|answer| read(&answer)).map_err(|error| {
            let message = format!("Credential authentication failed. {error}");
            Error::with_error(AzureKind::Credential, error, message)
        })
    }
}

fn read(answer: &HttpResponse) -> azure_core::Result<AccessToken> {
    let text = String::from_utf8_lossy(answer.body());
    let unreadable =
        || Error::with_message(AzureKind::DataConversion, format!("unexpected: {text}"));
    let json = serde_json::from_str::<serde_json::Value>(&text);
    if answer.status() != 200 {
        let mut headers = Headers::new();
        if let Some(wait) = answer.header("retry-after") {
            headers.insert(HeaderName::from_static("retry-after"), wait.to_owned());
        }
        let status = StatusCode::from(answer.status());
        let raw = RawResponse::from_bytes(status, headers, answer.body().to_vec());
        let code = json.ok().map(|json| json["error_codes"][0].to_string());
        let kind = AzureKind::HttpResponse {
            status,
            error_code: code,
            raw_response: Some(Box::new(raw)),
        };
        return Err(Error::with_message(kind, text.into_owned()));
    }
    let json = json.map_err(|_| unreadable())?;
    let token = json["access_token"].as_str().ok_or_else(unreadable)?;
    let life = json["expires_in"].as_u64().ok_or_else(unreadable)?;
    let expires_on = SystemTime::now() + Duration::from_secs(life);
    Ok(AccessToken::new(token.to_owned(), expires_on.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_classified_and_quoted_by_none() {
    let (emulator, identity) = signed_up::<Bridge>().await;
    let mut shown = format!("{identity:?}{identity:#?}");
    let throttled = Fault::Throttled {
        retry_after: Duration::from_secs(7),
    };
    for (fault, kind) in [
        (throttled, ErrorKind::Throttled),
        (Fault::ServerError(503), ErrorKind::Unavailable),
        (Fault::DropConnection, ErrorKind::Unavailable),
        (Fault::InvalidClient, ErrorKind::Rejected),
        (Fault::Malformed, ErrorKind::InvalidResponse),
        (Fault::EmptyBody, ErrorKind::InvalidResponse),
        (Fault::MissingOid, ErrorKind::InvalidResponse),
    ] {
        emulator.identity().set_fault(Some(fault.clone()));
        let error = error(&identity).await;
        assert_eq!(error.kind(), kind, "{fault:?}: {}", everything(&error));
        if let Fault::Throttled { retry_after } = fault {
            assert_eq!(error.retry_after(), Some(retry_after));
        }
        shown += &everything(&error);
        emulator.identity().set_fault(None);
        let token = token(&identity).await;
        assert!(!shown.contains(token.password()));
    }
    assert!(!shown.contains(emulator.client_secret()), "{shown}");
    assert!(!shown.contains("eyJ"), "{shown}");
}
