//! Which settings of a managed identity can't work, and how ids are named.

mod common;
mod places;

use common::*;
use places::*;
use redis_authx_entraid::{ManagedIdentity, ManagedIdentitySource as Source, UserAssignedId};

const RESOURCE_ID: &str = "/subscriptions/s/resourceGroups/my group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

#[test]
fn a_user_assigned_identity_is_named_as_the_source_wants_it() {
    let ids = [
        UserAssignedId::Client(CLIENT_ID.into()),
        UserAssignedId::Object(OID.into()),
        UserAssignedId::Resource(RESOURCE_ID.into()),
    ];
    let values = [CLIENT_ID, OID, RESOURCE_ID];
    for source in every_source() {
        let names = match source {
            Source::AppService => [Some("client_id"), Some("principal_id"), Some("mi_res_id")],
            Source::MachineLearning => [Some("clientid"), None, None],
            Source::VirtualMachine => [Some("client_id"), Some("object_id"), Some("msi_res_id")],
            _ => [None; 3],
        };
        for ((id, value), name) in ids.iter().zip(values).zip(names) {
            let identity = ManagedIdentity::user_assigned(id.clone()).source(source);
            let identity = with(identity, variables(source));
            let Some(name) = name else {
                let error = refused(identity);
                assert_eq!(error.field(), "user_assigned");
                assert!(error.found().is_some_and(|found| found.contains(value)));
                continue;
            };
            let request = sent(identity);
            let query = request.url().split_once('?').expect("a query").1;
            let parameter = url::form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name);
            assert_eq!(parameter.expect("the id").1, value);
        }
    }
}

#[test]
fn azure_machine_learning_has_a_default_of_its_own() {
    let default = ("DEFAULT_IDENTITY_CLIENT_ID", "default-id");
    let variables = || {
        variables(Source::MachineLearning)
            .into_iter()
            .chain([default])
    };
    let system = with(ManagedIdentity::system_assigned(), variables());
    assert!(sent(system).url().ends_with("&clientid=default-id"));
    let id = UserAssignedId::Client("mine".into());
    let user = with(ManagedIdentity::user_assigned(id), variables());
    assert!(sent(user).url().ends_with("&clientid=mine"));
}

#[test]
fn ids_that_can_be_none_are_refused() {
    for id in [
        UserAssignedId::Client(String::new()),
        UserAssignedId::Client(" ".into()),
        UserAssignedId::Client("a b".into()),
        UserAssignedId::Object("a\n".into()),
        UserAssignedId::Resource("".into()),
        UserAssignedId::Resource("my-identity".into()),
        UserAssignedId::Resource("/subscriptions/\r\n".into()),
    ] {
        let identity = ManagedIdentity::user_assigned(id.clone()).source(Source::VirtualMachine);
        assert_eq!(
            refused(with(identity, [])).field(),
            "user_assigned",
            "{id:?}"
        );
    }
}

#[test]
fn a_variable_that_is_missing_or_malformed_is_named_and_not_shown() {
    for source in every_source() {
        for (left_out, _) in variables(source) {
            if source == Source::AzureArc {
                continue; // Without either, the agent's own address counts.
            }
            for bad in [
                None,
                Some(" "),
                Some("hunter2\r\nX: y"),
                Some("ftp://u:hunter2@x/"),
            ] {
                let is_secret = left_out.ends_with("HEADER") || left_out.ends_with("SECRET");
                if is_secret && bad.is_some_and(|bad| bad.starts_with("ftp")) {
                    continue;
                }
                let kept = variables(source)
                    .into_iter()
                    .filter(|(name, _)| *name != left_out);
                let variables = kept.chain(bad.map(|bad| (left_out, bad)));
                let error = refused(with(
                    ManagedIdentity::system_assigned().source(source),
                    variables,
                ));
                assert_eq!(error.field(), left_out, "{source:?}");
                assert!(!format!("{error} {error:?}").contains("hunter2"));
            }
        }
    }
    let plain = [
        ("IDENTITY_ENDPOINT", "http://x/"),
        ("IDENTITY_HEADER", "x"),
        ("IDENTITY_SERVER_THUMBPRINT", THUMBPRINT),
    ];
    let error = refused(with(ManagedIdentity::system_assigned(), plain));
    assert_eq!(error.field(), "IDENTITY_ENDPOINT");
    assert!(error.allowed().contains("https://"));
}
