use super::*;
use crate::REDIS_SCOPE_DEFAULT;

const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "contoso.com");
const CLIENT: (&str, &str) = ("AZURE_CLIENT_ID", "c-1");
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "hunter2");
const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/var/token");

fn only(name: &'static str) -> (&'static str, &'static str) {
    ("AZURE_TOKEN_CREDENTIALS", name)
}

fn built(pairs: &[(&str, &str)]) -> Result<EntraIdentity, ConfigError> {
    let credential = DefaultAzureCredential {
        settings: Settings::default(),
        environment: Environment::from_pairs(pairs.iter().copied()),
    };
    credential.build()
}

fn shown(pairs: &[(&str, &str)]) -> String {
    format!("{:?}", built(pairs).expect("a usable environment"))
}

fn refused(pairs: &[(&str, &str)]) -> ConfigError {
    built(pairs).expect_err("an unusable environment")
}

/// Where each member stands in what is shown of the chain.
fn order(shown: &str) -> Vec<&'static str> {
    let mut found: Vec<_> = member::ALL
        .iter()
        .filter_map(|member| Some((shown.find(member.name())?, member.name())))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

const NAMES: [&str; 6] = [
    "EnvironmentCredential",
    "WorkloadIdentityCredential",
    "ManagedIdentityCredential",
    "AzureCliCredential",
    "AzurePowerShellCredential",
    "AzureDeveloperCliCredential",
];

#[test]
fn all_are_asked_in_the_documented_order() {
    assert_eq!(order(&shown(&[])), NAMES);
    assert_eq!(order(&shown(&[only(" ")])), NAMES);
    assert_eq!(order(&shown(&[TENANT, CLIENT, SECRET, FILE])), NAMES);
}

#[test]
fn a_part_of_them_can_be_chosen() {
    for prod in ["prod", "PROD", " prod\n"] {
        assert_eq!(order(&shown(&[only(prod)])), NAMES[..3], "{prod:?}");
    }
    assert_eq!(order(&shown(&[only("dev")])), NAMES[3..]);
}

#[test]
fn one_alone_is_no_chain() {
    let all = [TENANT, CLIENT, SECRET, FILE];
    for (name, mark) in [
        ("EnvironmentCredential", "client_secret"),
        ("workloadidentitycredential", "/var/token"),
        ("ManagedIdentityCredential", "VirtualMachine"),
        ("AzureCliCredential", "get-access-token"),
        ("AzurePowerShellCredential", "-EncodedCommand"),
        ("AZUREDEVELOPERCLICREDENTIAL", "--no-prompt"),
    ] {
        let text = shown(&[&all[..], &[only(name)]].concat());
        assert!(text.contains(mark), "{name}: {text}");
        assert!(order(&text).is_empty(), "{name}: {text}");
        assert!(!text.contains("hunter2"), "{name}: {text}");
    }
    // No probe where nothing else would be asked.
    assert!(shown(&[only("ManagedIdentityCredential")]).contains("probe: false"));
    assert!(shown(&[only("prod")]).contains("probe: true"));
}

#[test]
fn one_alone_must_have_what_it_needs() {
    for (pairs, field) in [
        (&[only("EnvironmentCredential")][..], "AZURE_TENANT_ID"),
        (&[only("EnvironmentCredential"), TENANT], "AZURE_CLIENT_ID"),
        (
            &[only("EnvironmentCredential"), TENANT, CLIENT],
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        (
            &[only("WorkloadIdentityCredential"), TENANT, CLIENT],
            "AZURE_FEDERATED_TOKEN_FILE",
        ),
    ] {
        let error = refused(pairs);
        assert_eq!((error.field(), error.found()), (field, None), "{error}");
    }
}

#[test]
fn an_unknown_name_is_answered_with_those_that_are_known() {
    for name in ["VisualStudioCredential", "production", "dev,prod"] {
        let error = refused(&[only(name)]);
        assert_eq!(error.field(), "AZURE_TOKEN_CREDENTIALS");
        assert_eq!(error.found(), Some(&*format!("{name:?}")));
        for known in NAMES.iter().chain(&["dev", "prod"]) {
            assert!(error.allowed().contains(&format!("`{known}`")), "{error}");
        }
    }
}

#[test]
fn the_secret_goes_before_the_certificate() {
    let certificate = ("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/app.pem");
    let text = shown(&[TENANT, CLIENT, SECRET, certificate, only("prod")]);
    assert!(text.contains("client_secret"), "{text}");
    let error = refused(&[TENANT, CLIENT, certificate, only("prod")]);
    assert_eq!(error.field(), "AZURE_CLIENT_CERTIFICATE_PATH", "{error}");
}

#[test]
fn what_is_set_but_wrong_is_named_by_its_variable() {
    let host = ("AZURE_AUTHORITY_HOST", "http://example.com");
    let pfx = ("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/app.PFX");
    for (pairs, field) in [
        (
            &[("AZURE_TENANT_ID", "a b"), CLIENT, SECRET][..],
            "AZURE_TENANT_ID",
        ),
        (
            &[("AZURE_TENANT_ID", "common"), CLIENT, SECRET],
            "AZURE_TENANT_ID",
        ),
        (
            &[TENANT, ("AZURE_CLIENT_ID", "a b"), SECRET],
            "AZURE_CLIENT_ID",
        ),
        (&[TENANT, CLIENT, SECRET, host], "AZURE_AUTHORITY_HOST"),
        (
            &[TENANT, CLIENT, ("AZURE_CLIENT_SECRET", "x\n")],
            "AZURE_CLIENT_SECRET",
        ),
        (&[TENANT, CLIENT, FILE, host], "AZURE_AUTHORITY_HOST"),
        (&[TENANT, CLIENT, pfx], "AZURE_CLIENT_CERTIFICATE_PATH"),
    ] {
        let error = refused(pairs);
        assert_eq!(error.field(), field, "{error}");
        assert!(error.found().is_some(), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn an_id_that_the_place_does_not_take_leaves_the_others() {
    let shell = ("MSI_ENDPOINT", "http://localhost:50342/oauth2/token");
    assert_eq!(order(&shown(&[CLIENT, shell])), NAMES);
    let alone = refused(&[CLIENT, shell, only("ManagedIdentityCredential")]);
    assert_eq!(alone.field(), "user_assigned");
}

#[test]
fn a_scope_that_the_tools_do_not_take_leaves_the_others() {
    let credential = |scope: &str, pairs: &[(&str, &str)]| {
        let credential = DefaultAzureCredential {
            settings: Settings::default(),
            environment: Environment::from_pairs(pairs.iter().copied()),
        };
        credential.scope(scope).build()
    };
    let odd = "api://a@b/.default";
    let text = format!("{:?}", credential(odd, &[]).expect("others take it"));
    assert_eq!(order(&text), NAMES);
    assert!(!text.contains("get-access-token"), "{text}");
    for only_tools in ["dev", "AzureCliCredential"] {
        let error = credential(odd, &[only(only_tools)]).expect_err("no other takes it");
        assert_eq!(error.field(), "scope");
    }
    for selected in [" ", "prod", "dev"] {
        let error = credential("two scopes", &[only(selected)]).expect_err("no scope");
        assert_eq!(error.field(), "scope");
    }
}

#[test]
fn a_claim_that_can_not_work_leaves_none() {
    let credential = DefaultAzureCredential {
        settings: Settings::default(),
        environment: Environment::from_pairs([("PATH", "/bin")]),
    };
    let error = credential.username_claim(" ").build();
    assert_eq!(error.expect_err("no claim").field(), "username_claim");
}

#[test]
fn each_member_asks_for_the_scope_that_was_set() {
    let credential = |scope: &str| {
        let all = [TENANT, CLIENT, SECRET, FILE];
        let credential = DefaultAzureCredential {
            settings: Settings::default(),
            environment: Environment::from_pairs(all),
        };
        credential.scope(scope).build()
    };
    let text = format!("{:?}", credential("api://other/.default").expect("a scope"));
    assert!(!text.contains(REDIS_SCOPE_DEFAULT), "{text}");
    assert!(!text.contains("redis.azure.com"), "{text}");
    assert_eq!(
        credential("two scopes").expect_err("no scope").field(),
        "scope"
    );
}
