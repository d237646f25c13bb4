use std::time::Duration;

use redis_authx::ErrorKind;
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::EntraIdentity;

use crate::contract::{Flow, identity_contract};
use crate::support::{error, everything, signed_up, token};

struct WorkloadIdentity;

impl Flow for WorkloadIdentity {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        let file = emulator.federated_token_file().unwrap();
        emulator.workload_identity(file).unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        // Of one issuer and subject: what differs is their ends.
        let token = emulator.federated_token(Duration::from_secs(60));
        let header = token.split('.').next().unwrap();
        vec![header.to_owned()]
    }
}

identity_contract!(WorkloadIdentity);

#[tokio::test]
async fn the_newest_token_in_the_file_is_used() {
    let (emulator, identity) = signed_up::<WorkloadIdentity>().await;
    let file = emulator.federated_token_file().unwrap();
    token(&identity).await;

    std::fs::write(&file, "half a tok").unwrap();
    let broken = error(&identity).await;
    assert_eq!(broken.kind(), ErrorKind::Other);
    std::fs::remove_file(&file).unwrap();
    let missing = error(&identity).await;
    assert_eq!(missing.kind(), ErrorKind::Misconfigured);
    for shown in [everything(&broken), everything(&missing)] {
        assert!(shown.contains(file.to_str().unwrap()), "{shown}");
    }

    let hour = Duration::from_secs(3600);
    std::fs::write(&file, emulator.federated_token(hour) + "\n").unwrap();
    token(&identity).await;
}

#[tokio::test]
async fn an_expired_or_foreign_token_is_refused() {
    let (emulator, identity) = signed_up::<WorkloadIdentity>().await;
    let file = emulator.federated_token_file().unwrap();

    std::fs::write(&file, emulator.federated_token(Duration::ZERO)).unwrap();
    emulator.identity().set_clock_skew(600);
    let expired = error(&identity).await;
    assert_eq!(expired.kind(), ErrorKind::Rejected);
    assert!(everything(&expired).contains("AADSTS700024"));
    emulator.identity().set_clock_skew(0);

    // Signed, but by nobody that the application federates with.
    let foreign = emulator.issue_token(Duration::from_secs(60));
    std::fs::write(&file, &foreign).unwrap();
    let refused = error(&identity).await;
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    let shown = everything(&refused);
    assert!(shown.contains("AADSTS700211"), "{shown}");
    assert!(!shown.contains(&foreign));
}

#[tokio::test]
async fn a_refusal_is_for_a_person() {
    let (emulator, identity) = signed_up::<WorkloadIdentity>().await;
    for number in [70_021, 70_025, 700_211, 700_212, 700_213, 700_229] {
        emulator.identity().fail_next(1, Fault::Refused(number));
        let error = error(&identity).await;
        assert_eq!(error.kind(), ErrorKind::Rejected, "{number}");
        assert!(everything(&error).contains(&format!("AADSTS{number}")));
        token(&identity).await;
    }
}
