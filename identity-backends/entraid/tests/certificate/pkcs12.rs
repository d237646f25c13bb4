//! PKCS#12 files, of OpenSSL's two kinds.

use redis_authx_entraid::ClientCertificate;

use crate::common::*;
use crate::made::*;

const AES: &[u8] = include_bytes!("../data/certificates/aes.pfx");
const LEGACY: &[u8] = include_bytes!("../data/certificates/legacy.pfx");
const NO_PASSWORD: &[u8] = include_bytes!("../data/certificates/no-password.pfx");

fn from_bytes(file: &[u8], password: &str) -> ClientCertificate {
    in_tenant(ClientCertificate::from_pkcs12(CLIENT_ID, file, password))
}

#[test]
fn both_kinds_of_encryption_are_read() {
    for (file, password) in [(AES, "correct"), (LEGACY, "correct"), (NO_PASSWORD, "")] {
        let builder = from_bytes(file, password).thumbprint_sha256(thumbprint(CERTIFICATE_1));
        let (identity, http) = served(builder);
        request(&identity).expect("a token");
        assert!(Assertion::of(&http.requests()[0]).is_signed_by(KEY_1));
    }
}

#[test]
fn a_file_is_read_again_when_it_changes() {
    let folder = Folder::new("pkcs12");
    let path = folder.write("app.pfx", AES);
    let builder = ClientCertificate::from_pkcs12_file(CLIENT_ID, &path, "correct");
    let (identity, http) = served(in_tenant(builder));
    folder.write("app.pfx", LEGACY);
    request(&identity).expect("a token");
    folder.write("app.pfx", b"half");
    request(&identity).expect("a token");
    assert_eq!(http.requests().len(), 2);
}

#[test]
fn what_can_not_be_read_is_said_so() {
    for file in [AES, LEGACY] {
        for password in ["hunter2hunter2", ""] {
            let builder = from_bytes(file, password);
            assert!(!format!("{builder:?}").contains("hunter2hunter2"));
            let error = builder.build().expect_err("wrong password");
            assert_eq!(error.field(), "password", "{error}");
            assert!(!everything(&error).contains("hunter2hunter2"));
        }
    }
    for file in [b"".as_slice(), b"hunter2", &AES[..500], good().as_bytes()] {
        let error = from_bytes(file, "correct").build().expect_err("no PKCS#12");
        assert_eq!(error.field(), "certificate", "{error}");
        assert!(error.to_string().contains("PKCS#12"), "{error}");
    }
}

#[test]
fn no_damage_makes_it_panic() {
    for file in [AES, LEGACY] {
        for at in (0..file.len()).step_by(7) {
            let mut damaged = file.to_vec();
            damaged[at] ^= 0x55;
            let _ = from_bytes(&damaged, "correct").build();
        }
    }
}
