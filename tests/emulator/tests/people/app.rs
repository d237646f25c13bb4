//! An application as a library makes it: requests, field by field.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use redis_authx_emulator::Emulator;
use redis_authx_entraid::{HttpClient, HttpMethod, HttpRequest, HttpResponse, UreqClient};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SCOPE: &str = "https://redis.azure.com/.default openid profile offline_access";
pub(crate) const REDIRECT: &str = "http://localhost:1234";

pub(crate) struct App {
    pub(crate) emulator: Emulator,
    http: UreqClient,
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::of(Emulator::builder().start().await.unwrap())
    }

    pub(crate) fn of(emulator: Emulator) -> Self {
        let http = UreqClient::builder().root_certificate_pem(emulator.ca_pem());
        let http = http.build().unwrap();
        Self { emulator, http }
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        let tenant = self.emulator.tenant_id();
        format!(
            "{}/{tenant}/oauth2/v2.0/{name}",
            self.emulator.identity_url()
        )
    }

    /// The address of the sign-in page, with some parameters set otherwise;
    /// an empty one is left out.
    pub(crate) fn page(&self, other: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("client_id", self.emulator.client_id()),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "a b&c"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend(other);
        let parameters: HashMap<_, _> = parameters.into_iter().collect();
        let mut url = Url::parse(&self.endpoint("authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(
            parameters
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        );
        url.into()
    }

    pub(crate) async fn send(
        &self,
        method: HttpMethod,
        url: &str,
        fields: &[(&str, &str)],
    ) -> HttpResponse {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = HttpRequest::new(method, url).with_body(body);
        self.http.send(request).await.unwrap()
    }

    /// What the redirect of a signed-in person says.
    pub(crate) async fn signed_in(&self, other: &[(&str, &str)]) -> HashMap<String, String> {
        parameters(&self.emulator.sign_in(&self.page(other)).await.unwrap())
    }

    /// The token endpoint's answer, with some fields set otherwise.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let mut all = vec![("client_id", self.emulator.client_id())];
        all.extend(fields);
        let all: HashMap<_, _> = all.into_iter().collect();
        let all: Vec<_> = all.into_iter().collect();
        let answer = self
            .send(HttpMethod::Post, &self.endpoint("token"), &all)
            .await;
        let json = serde_json::from_slice(answer.body()).unwrap();
        (answer.status(), json)
    }

    pub(crate) async fn redeem(&self, code: &str, other: &[(&str, &str)]) -> (u16, Value) {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        fields.extend(other);
        self.token(&fields).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }
}

pub(crate) fn parameters(url: &str) -> HashMap<String, String> {
    let query = url.split_once(['?', '#']).unwrap().1;
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

pub(crate) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(crate) fn text(answer: &HttpResponse) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}
