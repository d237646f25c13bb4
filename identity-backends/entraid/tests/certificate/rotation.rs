//! The file changes while the program runs.

use std::path::Path;

use redis_authx_entraid::{ClientCertificate, EntraIdentity};

use crate::common::*;
use crate::made::*;

struct Rotating {
    folder: Folder,
    identity: EntraIdentity,
    http: Scripted,
}

impl Rotating {
    fn new(name: &str, pem: impl AsRef<[u8]>) -> Self {
        let folder = Folder::new(name);
        let path = folder.write("app.pem", pem);
        let (identity, http) = served(from_file(&path));
        Self {
            folder,
            identity,
            http,
        }
    }

    fn write(&self, pem: impl AsRef<[u8]>) {
        self.folder.write("app.pem", pem);
    }

    /// The key that signed the next request.
    fn signed_with(&self, key: &[u8]) -> bool {
        request(&self.identity).expect("a token");
        let requests = self.http.requests();
        Assertion::of(requests.last().expect("a request")).is_signed_by(key)
    }
}

fn from_file(path: &Path) -> ClientCertificate {
    in_tenant(ClientCertificate::from_pem_file(CLIENT_ID, path))
}

fn with_key_2() -> String {
    certificate_pem(KEY_2, -DAY, DAY) + &key_pem(KEY_2)
}

#[test]
fn a_new_certificate_is_used_from_the_next_request_on() {
    let rotating = Rotating::new("new", good());
    assert!(rotating.signed_with(KEY_1));
    rotating.write(with_key_2());
    assert!(rotating.signed_with(KEY_2));
    rotating.write(good());
    assert!(rotating.signed_with(KEY_1));
}

#[test]
fn a_file_that_can_not_be_used_changes_nothing() {
    let rotating = Rotating::new("broken", good());
    let half = &with_key_2()[..1500];
    for broken in [
        "",
        half,
        "something else",
        CERTIFICATE_1,
        &(certificate_pem(KEY_2, -DAY, DAY) + &key_pem(KEY_1)),
        &(certificate_pem(KEY_2, -2 * DAY, -DAY) + &key_pem(KEY_2)),
        &(certificate_pem(KEY_2, DAY, 2 * DAY) + &key_pem(KEY_2)),
    ] {
        rotating.write(broken);
        assert!(rotating.signed_with(KEY_1), "{broken}");
    }
    std::fs::remove_file(rotating.folder.path("app.pem")).expect("it was there");
    assert!(rotating.signed_with(KEY_1));
    rotating.write(with_key_2());
    assert!(rotating.signed_with(KEY_2));
}

#[test]
fn a_pinned_certificate_is_not_replaced() {
    let folder = Folder::new("pinned");
    let path = folder.write("app.pem", good());
    let pin = thumbprint(CERTIFICATE_1);
    let (identity, http) = served(from_file(&path).thumbprint_sha256(pin));
    folder.write("app.pem", with_key_2());
    request(&identity).expect("a token");
    assert!(Assertion::of(&http.requests()[0]).is_signed_by(KEY_1));
}
