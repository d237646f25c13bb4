//! What comes with time. The certificate is good from 2026 to 2126.

use std::error::Error;
use std::time::Duration;

use redis_authx::ErrorKind;

use super::*;

const CERTIFICATE: &str = include_str!("../../../tests/data/certificates/certificate.pem");
const KEY: &[u8] = include_bytes!("../../../tests/data/certificates/key-1.der");

fn pem() -> String {
    use base64::Engine;
    let key = base64::engine::general_purpose::STANDARD.encode(KEY);
    format!("{CERTIFICATE}-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n")
}

fn year(year: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952)
}

fn signer(part: Part) -> Result<Signer, ConfigError> {
    Ok(Signer {
        client_id: "c".into(),
        algorithm: AssertionAlgorithm::Ps256,
        with_chain: false,
        holder: Holder::new(Source::pem([part]), None, year(2050))?,
    })
}

fn refused(signer: &Signer, now: SystemTime) -> ConfigError {
    let error = signer.sign("a", now).expect_err("not valid then");
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    let source = error.source().and_then(<dyn Error>::downcast_ref);
    let source: &ConfigError = source.expect("a ConfigError");
    source.clone()
}

#[test]
fn it_is_refused_outside_its_dates() {
    let source = || Source::pem([Part::bytes(pem())]);
    for (then, says) in [(2020, "is not valid before"), (2130, "expired on")] {
        let error = Holder::new(source(), None, year(then)).expect_err("not valid");
        assert_eq!(error.field(), "certificate");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn one_that_expires_while_in_use_signs_no_more() {
    let signer = signer(Part::bytes(pem())).expect("valid in 2050");
    assert!(signer.sign("a", year(2125)).is_ok());
    let error = refused(&signer, year(2130));
    assert!(error.to_string().contains("expired on"), "{error}");
}

#[test]
fn once_expired_it_matters_what_is_in_the_file() {
    let path = std::env::temp_dir().join(format!("authx-{}-expiry.pem", std::process::id()));
    let write = |text: &str| std::fs::write(&path, text).expect("written");
    write(&pem());
    let signer = signer(Part::File(path.clone())).expect("valid in 2050");

    let error = refused(&signer, year(2130));
    assert!(error.to_string().contains("expired on"), "{error}");
    write("half");
    assert!(
        signer.sign("a", year(2125)).is_ok(),
        "the former one serves"
    );
    assert_eq!(refused(&signer, year(2130)).field(), "private_key");
    std::fs::remove_file(&path).expect("it was there");
    assert!(
        signer.sign("a", year(2125)).is_ok(),
        "the former one serves"
    );
    let error = refused(&signer, year(2130));
    assert!(error.to_string().contains("can't be read"), "{error}");
}
