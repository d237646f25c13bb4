//! Each source of managed identities.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_authx::ErrorKind::{self, InvalidResponse, Misconfigured, Rejected, Unavailable};
use redis_authx_emulator::{AssignedIdentities, Emulator, Fault};
use redis_authx_entraid::{ManagedIdentity, ManagedIdentitySource as Source, UserAssignedId};

use crate::support::{ask, error, everything, token};

macro_rules! mount {
    ($($module:ident: $source:ident,)+) => {
        const SOURCES: &[Source] = &[$(Source::$source),+];

        $(mod $module {
            use redis_authx_emulator::Emulator;
            use redis_authx_entraid::{EntraIdentity, ManagedIdentity, ManagedIdentitySource};

            use crate::contract::{Flow, identity_contract};

            const SOURCE: ManagedIdentitySource = ManagedIdentitySource::$source;

            struct InThere;

            impl Flow for InThere {
                type Identity = EntraIdentity;

                async fn identity(emulator: &Emulator) -> EntraIdentity {
                    let identity = ManagedIdentity::system_assigned();
                    emulator.managed_identity(SOURCE, identity).build().unwrap()
                }

                fn secrets(emulator: &Emulator) -> Vec<String> {
                    let variables = emulator.managed_identity_variables(SOURCE);
                    let secret = |name: &&str| ["IDENTITY_HEADER", "MSI_SECRET"].contains(name);
                    let secrets = variables.into_iter().filter(|(name, _)| secret(name));
                    secrets.map(|(_, value)| value).collect()
                }
            }

            identity_contract!(InThere);
        })+
    };
}

mount! {
    app_service: AppService,
    azure_arc: AzureArc,
    cloud_shell: CloudShell,
    machine_learning: MachineLearning,
    service_fabric: ServiceFabric,
    virtual_machine: VirtualMachine,
}

async fn start() -> Emulator {
    Emulator::builder().start().await.unwrap()
}

/// In a place with this source, but for one variable.
fn with(
    emulator: &Emulator,
    source: Source,
    name: &'static str,
    value: impl Fn() -> String + Send + Sync + 'static,
) -> ManagedIdentity {
    let variables = emulator.managed_identity_variables(source);
    let identity = emulator.managed_identity(source, ManagedIdentity::system_assigned());
    identity.environment(move |asked| {
        if asked == name {
            return Some(value());
        }
        let found = variables.iter().find(|(name, _)| *name == asked);
        found.map(|(_, value)| value.clone())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_found_by_the_variables_of_its_place() {
    let emulator = start().await;
    for source in SOURCES
        .iter()
        .filter(|source| **source != Source::VirtualMachine)
    {
        let variables = emulator.managed_identity_variables(*source);
        let identity = ManagedIdentity::system_assigned()
            .arc_key_directory(emulator.arc_key_directory())
            .environment(move |asked| {
                let found = variables.iter().find(|(name, _)| *name == asked);
                found.map(|(_, value)| value.clone())
            })
            .build()
            .unwrap();
        assert_eq!(
            token(&identity).await.username(),
            emulator.object_id(),
            "{source:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_assigned_identity_is_found_by_its_ids() {
    let emulator = start().await;
    emulator
        .identity()
        .set_assigned_identities(AssignedIdentities::User);
    let ids = |client: &str, object: &str, resource: &str| {
        [
            UserAssignedId::Client(client.into()),
            UserAssignedId::Object(object.into()),
            UserAssignedId::Resource(resource.into()),
        ]
    };
    let (client, object) = (emulator.client_id(), emulator.object_id());
    let known = ids(client, object, emulator.managed_identity_resource_id());
    let unknown = ids(object, client, "/subscriptions/none");
    for (source, count) in [
        (Source::AppService, 3),
        (Source::MachineLearning, 1),
        (Source::VirtualMachine, 3),
    ] {
        let identity = |id: &UserAssignedId| {
            let identity = ManagedIdentity::user_assigned(id.clone());
            emulator.managed_identity(source, identity).build().unwrap()
        };
        for id in &known[..count] {
            assert_eq!(
                token(&identity(id)).await.username(),
                object,
                "{source:?} {id:?}"
            );
        }
        for id in &unknown[..count] {
            let error = error(&identity(id)).await;
            assert_eq!(error.kind(), Misconfigured, "{source:?} {id:?}");
            assert!(everything(&error).contains("assign it in Azure"));
        }
    }
}

/// What is not the same for all.
#[tokio::test(flavor = "multi_thread")]
async fn faults_by_source() {
    let emulator = start().await;
    for source in SOURCES {
        let identity = emulator.managed_identity(*source, ManagedIdentity::system_assigned());
        let identity = identity.build().unwrap();
        let (vm, arc) = (
            *source == Source::VirtualMachine,
            *source == Source::AzureArc,
        );
        let absent = if vm || arc {
            Unavailable
        } else {
            Misconfigured
        };
        let secret = match source {
            // There is none to be wrong: another source answers.
            Source::VirtualMachine | Source::CloudShell => Misconfigured,
            _ => Rejected,
        };
        for (fault, kind, wait) in [
            (Fault::ServerError(404), absent, vm.then_some(2)),
            (Fault::ServerError(410), Unavailable, Some(10)),
            (Fault::ServerError(500), Unavailable, Some(1)),
            (Fault::Refused(700_016), Misconfigured, None),
        ] {
            assert_fault(&emulator, &identity, fault, kind, wait).await;
        }
        // Azure Arc's agent has no such fault: it is its challenge.
        if !arc {
            assert_fault(&emulator, &identity, Fault::InvalidClient, secret, None).await;
        }
        token(&identity).await;
    }
}

async fn assert_fault(
    emulator: &Emulator,
    identity: &redis_authx_entraid::EntraIdentity,
    fault: Fault,
    kind: ErrorKind,
    wait: Option<u64>,
) {
    emulator.identity().fail_next(1, fault.clone());
    let error = error(identity).await;
    assert_eq!(
        error.kind(),
        kind,
        "{fault:?} {identity:?}: {}",
        everything(&error)
    );
    assert_eq!(
        error.retry_after(),
        wait.map(Duration::from_secs),
        "{fault:?} {identity:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_platform_changes_is_used_from_then_on() {
    let emulator = start().await;
    for (source, name) in [
        (Source::AppService, "IDENTITY_HEADER"),
        (Source::MachineLearning, "MSI_SECRET"),
        (Source::ServiceFabric, "IDENTITY_HEADER"),
    ] {
        let variables = emulator.managed_identity_variables(source);
        let right = variables
            .into_iter()
            .find(|(held, _)| *held == name)
            .unwrap()
            .1;
        let value = Arc::new(Mutex::new("an old secret".to_owned()));
        let held = Arc::clone(&value);
        let identity = with(&emulator, source, name, move || {
            held.lock().unwrap().clone()
        });
        let identity = identity.build().unwrap();
        let error = error(&identity).await;
        assert_eq!(error.kind(), Rejected, "{source:?}");
        assert!(!everything(&error).contains("an old secret"));
        *value.lock().unwrap() = right;
        token(&identity).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_the_expiry_are_read() {
    let emulator = start().await;
    for numeric in [false, true] {
        emulator.identity().set_numeric_expires_on(numeric);
        for source in SOURCES {
            let identity = emulator.managed_identity(*source, ManagedIdentity::system_assigned());
            token(&identity.build().unwrap()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_arc_s_keys_are_read_in_one_directory_only() {
    let emulator = start().await;
    let identity = emulator.managed_identity(Source::AzureArc, ManagedIdentity::system_assigned());
    token(&identity.clone().build().unwrap()).await;
    let asked = emulator.identity().token_requests();
    let elsewhere = identity
        .arc_key_directory(std::env::temp_dir())
        .build()
        .unwrap();
    let error = error(&elsewhere).await;
    assert_eq!(error.kind(), InvalidResponse);
    assert!(everything(&error).contains("not read"));
    // Its own directory, but not the one that the agent has.
    assert_eq!(emulator.identity().token_requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_fabric_is_known_by_its_thumbprint() {
    let emulator = start().await;
    let name = "IDENTITY_SERVER_THUMBPRINT";
    let identity = with(&emulator, Source::ServiceFabric, name, || "ab".repeat(20));
    let error = error(&identity.build().unwrap()).await;
    assert_eq!(error.kind(), Unavailable);
    assert!(everything(&error).contains("thumbprint"));
    assert_eq!(emulator.identity().token_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_for_a_virtual_machine_asks_for_no_token() {
    let emulator = start().await;
    let identity = ManagedIdentity::system_assigned().probe_first(true);
    let identity = emulator.managed_identity(Source::VirtualMachine, identity);
    let identity = identity.build().unwrap();
    // The look has a second, which is little on a busy machine.
    for _ in 0..20 {
        if ask(&identity).await.is_ok() {
            break;
        }
        assert_eq!(emulator.identity().token_requests(), 0);
    }
    token(&identity).await;
    assert_eq!(emulator.identity().token_requests(), 2);
}
