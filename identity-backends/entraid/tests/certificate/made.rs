//! Certificates made to measure, and assertions looked into.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, SerialNumber, date_time_ymd};
use redis_authx_entraid::{Authority, ClientCertificate, EntraIdentity, HttpRequest};
use ring::digest::{SHA256, digest};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair, RsaParameters,
    RsaPublicKeyComponents,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;

use crate::common::{CLIENT_ID, Scripted, access_token, token_reply};

pub(crate) const KEY_1: &[u8] = include_bytes!("../data/certificates/key-1.der");
pub(crate) const KEY_2: &[u8] = include_bytes!("../data/certificates/key-2.der");
pub(crate) const KEY_1024: &[u8] = include_bytes!("../data/certificates/key-1024.der");
/// Of key 1; good for a hundred years.
pub(crate) const CERTIFICATE_1: &str = include_str!("../data/certificates/certificate.pem");

pub(crate) const DAY: i64 = 24 * 3600;

/// A PKCS#8 key as PEM.
pub(crate) fn key_pem(pkcs8: &[u8]) -> String {
    pem("PRIVATE KEY", pkcs8)
}

/// The PKCS#1 key inside a PKCS#8 key: what follows its 26 bytes of header, for
/// keys of this size.
pub(crate) fn pkcs1_pem(pkcs8: &[u8]) -> String {
    pem("RSA PRIVATE KEY", &pkcs8[26..])
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// A certificate of an RSA key, valid from and to so many seconds from now.
pub(crate) fn certificate_pem(pkcs8: &[u8], from: i64, to: i64) -> String {
    let key = PrivatePkcs8KeyDer::from(pkcs8);
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_RSA_SHA256).expect("an RSA key");
    self_signed(&key, from, to)
}

pub(crate) fn self_signed(key: &KeyPair, from: i64, to: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let at = |seconds: i64| {
        let since = now.as_secs().checked_add_signed(seconds).expect("a date");
        date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
    };
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.serial_number = Some(SerialNumber::from(now.as_nanos() as u64));
    (params.not_before, params.not_after) = (at(from), at(to));
    params.self_signed(key).expect("a certificate").pem()
}

/// Certificate and key of key 1, both good.
pub(crate) fn good() -> String {
    CERTIFICATE_1.to_owned() + &key_pem(KEY_1)
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    let body = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD
        .decode(body.collect::<String>())
        .expect("one section")
}

/// As it stands in an assertion's header.
pub(crate) fn x5t_s256(pem: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &der(pem)))
}

pub(crate) fn thumbprint(pem: &str) -> String {
    let bytes = digest(&SHA256, &der(pem));
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

pub(crate) fn in_tenant(builder: ClientCertificate) -> ClientCertificate {
    builder.authority(Authority::tenant("contoso.com"))
}

pub(crate) fn from_pem(pem: impl Into<Vec<u8>>) -> ClientCertificate {
    in_tenant(ClientCertificate::from_pem(CLIENT_ID, pem))
}

/// An identity whose every request gets a token, and its requests.
pub(crate) fn served(builder: ClientCertificate) -> (EntraIdentity, Scripted) {
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    let identity = builder.http_client(http.clone()).build();
    (identity.expect("a good configuration"), http)
}

/// A `client_assertion`, decoded.
pub(crate) struct Assertion {
    pub(crate) jwt: String,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Assertion {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let form = url::form_urlencoded::parse(request.body());
        let mut field = form.filter(|(name, _)| name == "client_assertion");
        let jwt = field.next().expect("an assertion").1.into_owned();
        let part = |index| {
            let part = jwt.split('.').nth(index).expect("a JWT");
            let json = URL_SAFE_NO_PAD.decode(part).expect("base64url");
            serde_json::from_slice(&json).expect("JSON")
        };
        let (header, claims) = (part(0), part(1));
        Self {
            jwt,
            header,
            claims,
        }
    }

    /// Whether this key has signed it, as the header's `alg` says.
    pub(crate) fn is_signed_by(&self, pkcs8: &[u8]) -> bool {
        let algorithm: &RsaParameters = match self.header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            other => panic!("{other:?}"),
        };
        let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("a key");
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
        let (signed, signature) = self.jwt.rsplit_once('.').expect("a JWT");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        public
            .verify(algorithm, signed.as_bytes(), &signature)
            .is_ok()
    }
}

/// A folder of this test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("authx-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
