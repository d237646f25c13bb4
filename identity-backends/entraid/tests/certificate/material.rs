//! What certificates and keys are taken, and what is said of the others.

use redis_authx::ConfigError;
use redis_authx_entraid::ClientCertificate;

use crate::common::*;
use crate::made::*;

fn refused(builder: ClientCertificate) -> ConfigError {
    let error = in_tenant(builder).build().expect_err("can't work");
    let shown = everything(&error);
    for key in [KEY_1, KEY_2] {
        assert!(!shown.contains(&key_pem(key)[100..140]), "{shown}");
    }
    error
}

fn signs(builder: ClientCertificate) {
    let (identity, http) = served(in_tenant(builder));
    request(&identity).expect("a token");
    assert!(Assertion::of(&http.requests()[0]).is_signed_by(KEY_1));
}

#[test]
fn key_and_certificate_in_any_order_and_form() {
    let key = key_pem(KEY_1);
    for pem in [
        good(),
        format!("{key}{CERTIFICATE_1}"),
        format!("{}{CERTIFICATE_1}", pkcs1_pem(KEY_1)),
        good().replace('\n', "\r\n"),
        format!(
            "\u{feff}Bag Attributes\n  friendlyName: x\n{CERTIFICATE_1}\nsubject=CN = x\n{key}"
        ),
        format!("{}{}", certificate_pem(KEY_2, -DAY, DAY), good()),
    ] {
        signs(from_pem(pem));
    }
    signs(ClientCertificate::from_pem_parts(
        CLIENT_ID,
        CERTIFICATE_1,
        key,
    ));
}

#[test]
fn files_are_read_when_it_is_built() {
    let folder = Folder::new("files");
    let one = folder.write("app.pem", good());
    signs(ClientCertificate::from_pem_file(CLIENT_ID, one));
    let certificate = folder.write("tls.crt", CERTIFICATE_1);
    let key = folder.write("tls.key", key_pem(KEY_1));
    signs(ClientCertificate::from_pem_files(
        CLIENT_ID,
        certificate,
        key,
    ));

    let missing = folder.path("not-there.pem");
    let error = refused(ClientCertificate::from_pem_file(CLIENT_ID, missing));
    assert_eq!(error.field(), "certificate");
    assert!(error.to_string().contains("not-there.pem"), "{error}");
    let long = folder.write("long.pem", vec![b'x'; (1 << 20) + 1]);
    let error = refused(ClientCertificate::from_pem_file(CLIENT_ID, long));
    assert!(error.to_string().contains("longer than 1048576"), "{error}");
    let error = refused(ClientCertificate::from_pem(
        CLIENT_ID,
        vec![b'x'; (1 << 20) + 1],
    ));
    assert!(error.to_string().contains("longer than 1048576"), "{error}");
}

#[test]
fn of_several_certificates_the_one_that_lasts_is_taken() {
    let short = certificate_pem(KEY_1, -DAY, DAY);
    let long = certificate_pem(KEY_1, -DAY, 2 * DAY);
    let expired = certificate_pem(KEY_1, -2 * DAY, -DAY);
    let pem = format!("{short}{long}{expired}{}", key_pem(KEY_1));
    let builder = from_pem(pem).thumbprint_sha256(thumbprint(&long));
    let (identity, _) = served(builder);
    request(&identity).expect("a token");
}

#[test]
fn of_several_certificates_one_that_is_not_valid_yet_waits_its_turn() {
    let now = certificate_pem(KEY_1, -DAY, DAY);
    let next = certificate_pem(KEY_1, DAY, 3 * DAY);
    let pem = format!("{next}{now}{}", key_pem(KEY_1));
    let (identity, http) = served(from_pem(pem.clone()));
    request(&identity).expect("a token");
    let assertion = Assertion::of(&http.requests()[0]);
    assert_eq!(assertion.header["x5t#S256"], x5t_s256(&now));
    // Its turn comes sooner if it is the one that is wanted.
    let error = refused(from_pem(pem).thumbprint_sha256(thumbprint(&next)));
    assert!(error.to_string().contains("is not valid before"), "{error}");
}

#[test]
fn of_several_certificates_the_one_of_the_thumbprint_is_taken() {
    let short = certificate_pem(KEY_1, -DAY, DAY);
    let long = certificate_pem(KEY_1, -DAY, 2 * DAY);
    let pem = format!("{long}{short}{}", key_pem(KEY_1));
    signs(from_pem(pem).thumbprint_sha256(thumbprint(&short)));
}

#[test]
fn dates_are_checked() {
    let key = key_pem(KEY_1);
    let error = refused(from_pem(certificate_pem(KEY_1, -2 * DAY, -DAY) + &key));
    assert_eq!(error.field(), "certificate");
    assert!(error.to_string().contains("expired on"), "{error}");
    assert!(error.to_string().contains(" GMT"), "{error}");
    let error = refused(from_pem(certificate_pem(KEY_1, 600, DAY) + &key));
    assert!(error.to_string().contains("is not valid before"), "{error}");
    // Just issued, by a clock that is ahead of this one.
    signs(from_pem(certificate_pem(KEY_1, 100, DAY) + &key));
    // Past 2049 a date is written in another way.
    signs(from_pem(certificate_pem(KEY_1, -DAY, 20_000 * DAY) + &key));
}

#[test]
fn a_thumbprint_is_checked_if_given() {
    let right = thumbprint(CERTIFICATE_1);
    let with_colons: Vec<_> = right
        .as_bytes()
        .chunks(2)
        .map(String::from_utf8_lossy)
        .collect();
    for text in [right.clone(), right.to_lowercase(), with_colons.join(":")] {
        signs(from_pem(good()).thumbprint_sha256(text));
    }
    let wrong = thumbprint(&certificate_pem(KEY_2, -DAY, DAY));
    let error = refused(from_pem(good()).thumbprint_sha256(&wrong));
    assert_eq!(error.field(), "thumbprint_sha256");
    assert!(error.to_string().contains(&wrong), "{error}");
    assert!(error.to_string().contains(&right), "{error}");
    let error = refused(from_pem(good()).thumbprint_sha256(&right[..40]));
    assert!(error.to_string().contains("SHA-1"), "{error}");
}

#[test]
fn what_can_not_work_is_said_so() {
    let key = key_pem(KEY_1);
    let ec = rcgen::KeyPair::generate().expect("a key");
    let ec_certificate = self_signed(&ec, -DAY, DAY);
    let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: \
                     AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let cut = &good()[..good().len() - 40];
    for (pem, field, says) in [
        (String::new(), "private_key", "not set"),
        (CERTIFICATE_1.to_owned(), "private_key", "not set"),
        (key.clone(), "certificate", "not set"),
        (format!("{}{key}", good()), "private_key", "2 keys"),
        (
            certificate_pem(KEY_2, -DAY, DAY) + &key,
            "certificate",
            "does not belong to",
        ),
        (
            ec_certificate.clone() + &key,
            "certificate",
            "not one of RSA",
        ),
        (
            ec_certificate + &ec.serialize_pem(),
            "private_key",
            "another algorithm than RSA",
        ),
        (
            CERTIFICATE_1.to_owned() + &pem("EC PRIVATE KEY", b"x"),
            "private_key",
            "an EC key",
        ),
        (
            CERTIFICATE_1.to_owned() + &key_pem(KEY_1024),
            "private_key",
            "TooSmall",
        ),
        (
            CERTIFICATE_1.to_owned() + &pem("ENCRYPTED PRIVATE KEY", b"x"),
            "private_key",
            "openssl pkey",
        ),
        (
            CERTIFICATE_1.to_owned() + encrypted,
            "private_key",
            "encrypted",
        ),
        (
            CERTIFICATE_1.to_owned() + &pem("OPENSSH PRIVATE KEY", b"x"),
            "private_key",
            "OpenSSH",
        ),
        (
            CERTIFICATE_1.to_owned() + &pem("PRIVATE KEY", b"x"),
            "private_key",
            "not PKCS#8",
        ),
        (
            pem("CERTIFICATE", &der(CERTIFICATE_1)[..200]) + &key,
            "certificate",
            "number 1 cannot be read",
        ),
        (cut.to_owned(), "certificate", "cut short"),
        (good().replace("MII", "M!I"), "certificate", "not base64"),
        (
            good().replacen("END CERTIFICATE", "END CRL", 1),
            "certificate",
            "another one ends",
        ),
    ] {
        let error = refused(from_pem(pem));
        assert_eq!(error.field(), field, "{error}");
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
    let error = refused(from_pem(KEY_1));
    assert!(error.to_string().contains("binary data"), "{error}");
}

#[test]
fn no_damage_makes_it_panic() {
    let der = der(CERTIFICATE_1);
    let key = key_pem(KEY_1);
    for at in (0..der.len()).step_by(4) {
        let mut damaged = der.clone();
        damaged[at] ^= 0xff;
        let _ = from_pem(pem("CERTIFICATE", &damaged) + &key).build();
        let _ = from_pem(pem("CERTIFICATE", &der[..at]) + &key).build();
    }
    for at in (0..64).step_by(3) {
        let mut damaged = KEY_1.to_vec();
        damaged[at] ^= 0xff;
        let _ = from_pem(CERTIFICATE_1.to_owned() + &key_pem(&damaged)).build();
    }
}

#[test]
fn the_other_settings_are_checked_too() {
    let field = |builder: ClientCertificate| builder.build().expect_err("wrong").field().to_owned();
    assert_eq!(
        field(ClientCertificate::from_pem(CLIENT_ID, good())),
        "authority"
    );
    assert_eq!(
        field(in_tenant(ClientCertificate::from_pem(" ", good()))),
        "client_id"
    );
    assert_eq!(field(from_pem(good()).scope("x")), "scope");
}
