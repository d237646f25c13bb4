//! The identity side, as a client over TLS sees it.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use redis_authx_emulator::{Emulator, Fault, TokenVersion};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use support::{HOUR, PATIENCE, Raw, eventually};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// What came back, or `None` if the connection ended without an answer.
type Answer = Option<(u16, Option<String>, String)>;

struct Client {
    agent: Agent,
    url: String,
    id: String,
    secret: String,
}

impl Client {
    fn new(emulator: &Emulator) -> Arc<Self> {
        let ca = Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build()
            .new_agent();
        Arc::new(Self {
            agent,
            url: format!("{}/{}", emulator.identity_url(), emulator.tenant_id()),
            id: emulator.client_id().to_owned(),
            secret: emulator.client_secret().to_owned(),
        })
    }

    async fn token_with(self: &Arc<Self>, secret: &str) -> Answer {
        let (client, secret) = (Arc::clone(self), secret.to_owned());
        let call = move || {
            let form = [
                ("client_id", client.id.as_str()),
                ("client_secret", &secret),
                ("grant_type", "client_credentials"),
                ("scope", "https://redis.azure.com/.default"),
                ("client_info", "1"),
            ];
            let url = format!("{}/oauth2/v2.0/token?client-request-id=1", client.url);
            client.agent.post(&url).send_form(form)
        };
        tokio::task::spawn_blocking(move || read(call()))
            .await
            .unwrap()
    }

    async fn token(self: &Arc<Self>) -> Answer {
        self.token_with(&self.secret).await
    }

    /// The claims of a token that must come.
    async fn claims(self: &Arc<Self>) -> Value {
        let (status, _, body) = self.token().await.unwrap();
        assert_eq!(status, 200, "{body}");
        claims(access_token(&body))
    }

    async fn get(self: &Arc<Self>, path: &str) -> Value {
        let client = Arc::clone(self);
        let url = format!("{}{path}", self.url);
        let call = move || read(client.agent.get(&url).call());
        let (status, _, body) = tokio::task::spawn_blocking(call).await.unwrap().unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = answer.ok()?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    Some((
        status,
        retry_after,
        response.body_mut().read_to_string().ok()?,
    ))
}

fn access_token(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn claims(token: impl AsRef<str>) -> Value {
    let part = token.as_ref().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn logs_in(emulator: &Emulator, token: &str) -> bool {
    let mut raw = Raw::open(emulator).await;
    raw.send(&format!(
        "AUTH {} {token}\r\nQUIT\r\n",
        emulator.object_id()
    ))
    .await;
    raw.rest().await.starts_with("+OK")
}

#[tokio::test]
async fn a_token_comes_as_entra_sends_it_and_redis_takes_it() {
    for version in [TokenVersion::V1, TokenVersion::V2] {
        let emulator = Emulator::builder()
            .token_version(version)
            .start()
            .await
            .unwrap();
        let client = Client::new(&emulator);
        let (status, _, body) = client.token().await.unwrap();
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"].as_i64(), Some(3600));
        assert!(answer["ext_expires_in"].is_i64());
        let token = access_token(&body);
        assert_eq!(claims(&token)["oid"], emulator.object_id());
        assert!(logs_in(&emulator, &token).await);
        let identity = emulator.identity();
        assert_eq!(
            (identity.token_requests(), identity.tokens_issued()),
            (1, 1)
        );
        assert_eq!(identity.failed_requests(), 0);
        assert_eq!(identity.request_times().len(), 1);
    }
}

#[tokio::test]
async fn discovery_leads_to_the_token_endpoint_and_to_the_key_that_signs() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    let document = client.get("/v2.0/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], format!("{}/v2.0", client.url));
    assert_eq!(
        document["token_endpoint"],
        format!("{}/oauth2/v2.0/token", client.url)
    );
    let keys_path = "/discovery/v2.0/keys";
    assert_eq!(document["jwks_uri"], format!("{}{keys_path}", client.url));
    assert_eq!(
        client.get("/.well-known/openid-configuration").await,
        document
    );

    let key = client.get(keys_path).await["keys"][0].clone();
    let token = access_token(&client.token().await.unwrap().2);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header = signed.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents {
        n: decode(&key["n"]),
        e: decode(&key["e"]),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_real_line_breaks_or_without() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    for plain in [false, true] {
        emulator.identity().set_plain_error_text(plain);
        let (status, _, body) = client.token_with("wrong-secret").await.unwrap();
        assert_eq!(status, 401);
        assert_eq!(body.contains("\\r\\n"), !plain, "{body}");
        assert!(!body.contains("wrong-secret"));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"], "invalid_client");
        assert_eq!(body["error_codes"][0], 7_000_215);
        assert!(
            body["error_description"]
                .as_str()
                .unwrap()
                .starts_with("AADSTS7000215: ")
        );
    }
    assert_eq!(emulator.identity().failed_requests(), 2);
}

#[tokio::test]
async fn each_fault_shows_and_goes() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    let identity = emulator.identity();

    let retry_after = Duration::from_millis(1500);
    identity.fail_next(1, Fault::Throttled { retry_after });
    let (status, header, body) = client.token().await.unwrap();
    assert_eq!((status, header.as_deref()), (429, Some("2")));
    assert!(
        serde_json::from_str::<Value>(&body).is_err(),
        "plain text: {body}"
    );

    identity.fail_next(2, Fault::ServerError(503));
    for _ in 0..2 {
        let (status, _, body) = client.token().await.unwrap();
        assert_eq!(status, 503);
        assert!(serde_json::from_str::<Value>(&body).is_ok());
    }
    identity.fail_next(1, Fault::InvalidClient);
    assert_eq!(client.token().await.unwrap().0, 401);
    identity.fail_next(1, Fault::Malformed);
    let (status, _, body) = client.token().await.unwrap();
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<Value>(&body).is_err());
    identity.fail_next(1, Fault::EmptyBody);
    assert_eq!(client.token().await.unwrap(), (200, None, String::new()));
    identity.set_fault(Some(Fault::DropConnection));
    assert_eq!(client.token().await, None);
    identity.set_fault(None);
    assert_eq!(identity.failed_requests(), 7);

    identity.fail_next(1, Fault::OversizedBody(1 << 20));
    let (status, _, body) = client.token().await.unwrap();
    assert!(status == 200 && body.len() > 1 << 20);
    assert_eq!(client.token().await.unwrap().0, 200);
    assert_eq!(
        (identity.tokens_issued(), identity.failed_requests()),
        (2, 7)
    );
}

#[tokio::test]
async fn flawed_tokens_are_well_formed_and_redis_refuses_them() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    for fault in [
        Fault::ExpiredToken,
        Fault::NotYetValid,
        Fault::MissingOid,
        Fault::WrongAudience,
    ] {
        emulator.identity().fail_next(1, fault.clone());
        let token = access_token(&client.token().await.unwrap().2);
        assert_eq!(
            claims(&token).get("oid").is_none(),
            fault == Fault::MissingOid
        );
        assert!(!logs_in(&emulator, &token).await, "{fault:?}");
    }
    emulator.identity().set_fault(Some(Fault::SameToken));
    let first = access_token(&client.token().await.unwrap().2);
    let again = access_token(&client.token().await.unwrap().2);
    assert_eq!(first, again);
    emulator.identity().set_fault(None);
    assert_ne!(access_token(&client.token().await.unwrap().2), first);
}

#[tokio::test]
async fn a_hung_request_gets_its_answer_when_it_is_released() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    emulator.identity().fail_next(1, Fault::Hang);
    let hung = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.token().await }
    });
    eventually("the request", || emulator.identity().token_requests() == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!hung.is_finished());
    assert_eq!(client.token().await.unwrap().0, 200, "others are served");
    emulator.identity().release_hung();
    assert_eq!(hung.await.unwrap().unwrap().0, 200);
}

#[tokio::test]
async fn an_outage_lasts_as_long_as_it_is_told_to() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    assert_eq!(client.token().await.unwrap().0, 200);
    emulator.identity().set_outage(true);
    // Once on the connection that is kept alive, once on a new one.
    assert_eq!(client.token().await, None);
    assert_eq!(client.token().await, None);
    emulator.identity().set_outage(false);
    assert_eq!(client.token().await.unwrap().0, 200);

    let start = Instant::now();
    // Longer than the next request takes to get there.
    let outage = Duration::from_secs(3);
    emulator.identity().outage(outage);
    assert_eq!(client.token().await, None);
    while client.token().await.is_none() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(start.elapsed() >= outage);
}

#[tokio::test]
async fn latency_lifetime_and_clock_can_be_set() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Client::new(&emulator);
    let identity = emulator.identity();
    let delay = Duration::from_millis(300);
    identity.set_latency(delay);
    let start = Instant::now();
    let before = client.claims().await;
    assert!(start.elapsed() >= delay);
    identity.set_latency(Duration::ZERO);

    identity.set_token_lifetime(HOUR * 2);
    let longer = client.claims().await;
    let gained = longer["exp"].as_i64().unwrap() - before["exp"].as_i64().unwrap();
    assert!((3600..3700).contains(&gained), "{gained}");

    identity.set_clock_skew(-7200 - 600);
    let behind = access_token(&client.token().await.unwrap().2);
    assert!(
        !logs_in(&emulator, &behind).await,
        "expired by the Redis side's clock"
    );
    identity.set_clock_skew(600);
    let ahead = access_token(&client.token().await.unwrap().2);
    assert!(
        !logs_in(&emulator, &ahead).await,
        "not yet valid by the Redis side's clock"
    );
    identity.set_clock_skew(i64::MIN);
    client.claims().await;
    identity.set_clock_skew(0);
    let right = access_token(&client.token().await.unwrap().2);
    assert!(logs_in(&emulator, &right).await);
}

#[tokio::test]
async fn plain_http_is_served_only_on_request() {
    let emulator = Emulator::builder().start().await.unwrap();
    assert_eq!(emulator.identity_plain_url(), None);
    let emulator = Emulator::builder()
        .plain_identity(true)
        .start()
        .await
        .unwrap();
    let url = format!(
        "{}/common/discovery/instance?api-version=1.1",
        emulator.identity_plain_url().unwrap()
    );
    let origin = emulator.identity_plain_url().unwrap().to_owned();
    let body = tokio::task::spawn_blocking(move || read(ureq::get(&url).call()));
    let body: Value = serde_json::from_str(&body.await.unwrap().unwrap().2).unwrap();
    let host = origin.strip_prefix("http://").unwrap();
    assert_eq!(body["metadata"][0]["preferred_network"], host);
    assert!(
        body["tenant_discovery_endpoint"]
            .as_str()
            .unwrap()
            .starts_with(&origin)
    );
}
