use redis_authx::ErrorKind;
use redis_authx_emulator::{AppCertificate, Emulator, Fault};
use redis_authx_entraid::{AssertionAlgorithm, ClientCertificate as Certificate, EntraIdentity};

use crate::contract::{Flow, identity_contract};
use crate::support::{error, everything, signed_up, token};

struct ClientCertificate;

impl Flow for ClientCertificate {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        emulator.client_certificate_identity().unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        let key = emulator.app_certificate().private_key_pem();
        key.lines().skip(1).take(3).map(str::to_owned).collect()
    }
}

identity_contract!(ClientCertificate);

/// An emulator that takes only what Microsoft's documents describe.
async fn strict() -> Emulator {
    let builder = Emulator::builder().strict_assertions(true);
    builder.start().await.unwrap()
}

fn built(emulator: &Emulator, builder: Certificate) -> EntraIdentity {
    builder
        .authority(emulator.authority())
        .http_client(emulator.http_client().unwrap())
        .build()
        .unwrap()
}

fn from_pem(emulator: &Emulator) -> Certificate {
    Certificate::from_pem(emulator.client_id(), emulator.app_certificate().pem())
}

#[tokio::test]
async fn every_form_of_assertion_is_as_documented() {
    let emulator = strict().await;
    let own = emulator.app_certificate();
    for builder in [
        from_pem(&emulator),
        from_pem(&emulator).send_certificate_chain(true),
        from_pem(&emulator).thumbprint_sha256(own.thumbprint_sha256()),
        from_pem(&emulator).algorithm(AssertionAlgorithm::Rs256),
        from_pem(&emulator)
            .algorithm(AssertionAlgorithm::Rs256)
            .send_certificate_chain(true),
        Certificate::from_pem_parts(
            emulator.client_id(),
            own.certificate_pem(),
            own.private_key_pem(),
        ),
    ] {
        let identity = built(&emulator, builder);
        // Twice: no assertion is used again.
        token(&identity).await;
        token(&identity).await;
    }
}

#[tokio::test]
async fn pkcs12_signs_in_too() {
    let emulator = strict().await;
    let certificate = include_str!(
        "../../../../identity-backends/entraid/tests/data/certificates/certificate.pem"
    );
    let file =
        include_bytes!("../../../../identity-backends/entraid/tests/data/certificates/aes.pfx");
    let builder = Certificate::from_pkcs12(emulator.client_id(), file, "correct");
    let identity = built(&emulator, builder);
    assert!(everything(&error(&identity).await).contains("AADSTS700027"));
    emulator
        .identity()
        .register_certificate(certificate)
        .unwrap();
    token(&identity).await;
}

#[tokio::test]
async fn a_certificate_is_rotated_while_in_use() {
    let emulator = strict().await;
    let path = emulator.app_certificate_file().unwrap();
    let builder = Certificate::from_pem_file(emulator.client_id(), &path);
    let identity = built(&emulator, builder);
    token(&identity).await;

    let next = AppCertificate::generate().unwrap();
    emulator
        .identity()
        .register_certificate(next.certificate_pem())
        .unwrap();
    std::fs::write(&path, next.certificate_pem()).unwrap(); // its key is yet to come
    token(&identity).await;
    std::fs::write(&path, next.pem()).unwrap();
    token(&identity).await;

    // Only the new one is left, so that it is the one that signs.
    emulator.identity().forget_certificates();
    let error = error(&identity).await;
    assert_eq!(error.kind(), ErrorKind::Rejected);
    emulator
        .identity()
        .register_certificate(next.certificate_pem())
        .unwrap();
    token(&identity).await;
}

#[tokio::test]
async fn a_refusal_is_for_a_person() {
    let (emulator, identity) = signed_up::<ClientCertificate>().await;
    for (number, kind) in [
        (700_027, ErrorKind::Rejected),
        (700_024, ErrorKind::Rejected),
        (700_030, ErrorKind::Rejected),
        (50_012, ErrorKind::Rejected),
        (50_013, ErrorKind::Rejected),
        (50_027, ErrorKind::Rejected),
        (500_133, ErrorKind::Rejected),
        (7_000_112, ErrorKind::Rejected),
        (7_000_218, ErrorKind::Misconfigured),
        (700_016, ErrorKind::Misconfigured),
        (90_002, ErrorKind::Misconfigured),
        (70_011, ErrorKind::Misconfigured),
    ] {
        emulator.identity().fail_next(1, Fault::Refused(number));
        let error = error(&identity).await;
        assert_eq!(error.kind(), kind, "{number}");
        assert!(!error.is_transient());
        assert!(everything(&error).contains(&format!("AADSTS{number}")));
        token(&identity).await;
    }
}

#[tokio::test]
async fn an_unknown_certificate_client_or_tenant_is_refused() {
    let (emulator, identity) = signed_up::<ClientCertificate>().await;
    emulator.identity().forget_certificates();
    let unknown = error(&identity).await;
    assert_eq!(unknown.kind(), ErrorKind::Rejected);
    assert!(everything(&unknown).contains("AADSTS700027"));

    let pem = emulator.app_certificate().pem();
    let client = built(&emulator, Certificate::from_pem("someone-else", pem));
    let unknown = error(&client).await;
    assert_eq!(unknown.kind(), ErrorKind::Misconfigured);
    assert!(everything(&unknown).contains("AADSTS700016"));

    let elsewhere = format!("{}/another-tenant", emulator.identity_url());
    let tenant = from_pem(&emulator)
        .authority(redis_authx_entraid::Authority::custom(elsewhere))
        .http_client(emulator.http_client().unwrap())
        .build()
        .unwrap();
    let unknown = error(&tenant).await;
    assert_eq!(unknown.kind(), ErrorKind::Misconfigured);
    assert!(everything(&unknown).contains("AADSTS90002"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_minutes_does_no_harm_one_by_half_an_hour_is_named() {
    let (emulator, identity) = signed_up::<ClientCertificate>().await;
    for seconds in [240, -240] {
        emulator.identity().set_clock_skew(seconds);
        token(&identity).await;
    }
    for seconds in [1800, -1800] {
        emulator.identity().set_clock_skew(seconds);
        let error = error(&identity).await;
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let shown = everything(&error);
        assert!(
            shown.contains("AADSTS700024") && shown.contains("clock"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn no_answer_in_time_is_a_timeout() {
    let emulator = strict().await;
    let http = redis_authx_entraid::UreqClient::builder()
        .root_certificate_pem(emulator.ca_pem())
        .timeout(std::time::Duration::from_millis(300))
        .build()
        .unwrap();
    let identity = from_pem(&emulator)
        .authority(emulator.authority())
        .http_client(http)
        .build()
        .unwrap();
    emulator.identity().set_fault(Some(Fault::Hang));
    assert_eq!(error(&identity).await.kind(), ErrorKind::Timeout);
}
