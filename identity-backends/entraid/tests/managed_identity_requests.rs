//! What each source of managed identities is asked.

mod common;
mod places;

use std::sync::{Arc, Mutex};

use common::*;
use places::*;
use redis_authx::ErrorKind;
use redis_authx_entraid::{
    HttpMethod, HttpRequest, HttpResponse, ManagedIdentity, ManagedIdentitySource as Source,
};

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut headers = request.headers();
    headers
        .find(|(held, _)| held.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[test]
fn each_source_is_asked_in_its_own_way() {
    let resource = "resource=https%3A%2F%2Fredis.azure.com";
    for (source, method, url, headers) in [
        (
            Source::AppService,
            HttpMethod::Get,
            format!("http://app.invalid/msi/token?x=y&api-version=2019-08-01&{resource}"),
            &[("X-IDENTITY-HEADER", SECRET), ("Metadata", "true")][..],
        ),
        (
            Source::AzureArc,
            HttpMethod::Get,
            format!("http://arc.invalid/token?api-version=2020-06-01&{resource}"),
            &[("Metadata", "true")],
        ),
        (
            Source::CloudShell,
            HttpMethod::Post,
            "http://shell.invalid/oauth2/token".to_owned(),
            &[
                ("Metadata", "true"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
        ),
        (
            Source::MachineLearning,
            HttpMethod::Get,
            format!("http://ml.invalid/msi/token?api-version=2017-09-01&{resource}"),
            &[("secret", SECRET)],
        ),
        (
            Source::ServiceFabric,
            HttpMethod::Get,
            format!("https://fabric.invalid:2377/token?api-version=2019-07-01-preview&{resource}"),
            &[("Secret", SECRET)],
        ),
        (
            Source::VirtualMachine,
            HttpMethod::Get,
            format!(
                "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&{resource}"
            ),
            &[("Metadata", "true")],
        ),
    ] {
        // Named, and found out. Without its variables a virtual machine may be
        // one with Azure Arc's agent.
        let identity = with(ManagedIdentity::system_assigned(), variables(source));
        let mut ways = vec![identity.clone().source(source)];
        if source != Source::VirtualMachine {
            ways.push(identity);
        }
        for identity in ways {
            let request = sent(identity);
            assert_eq!(request.method(), method);
            assert_eq!(request.url(), url);
            assert!(!request.allows_proxy());
            assert_eq!(header(&request, "accept"), Some("application/json"));
            assert_eq!(request.headers().count(), headers.len() + 1);
            for (name, value) in headers {
                assert_eq!(header(&request, name), Some(*value), "{source:?}");
            }
            let body = if method == HttpMethod::Post {
                resource
            } else {
                ""
            };
            assert_eq!(request.body(), body.as_bytes());
        }
    }
}

#[test]
fn after_a_refusal_imds_is_asked_past_its_cache() {
    for source in every_source() {
        let http = Scripted::new(Ok(HttpResponse::new(500)));
        let identity = with(ManagedIdentity::system_assigned(), variables(source))
            .source(source)
            .http_client(http.clone())
            .build()
            .expect("a good configuration");
        request(&identity).expect_err("down");
        request_refused(&identity).expect_err("down");
        request(&identity).expect_err("down");
        let requests = http.requests();
        let urls: Vec<_> = requests.iter().map(HttpRequest::url).collect();
        let bypass = if source == Source::VirtualMachine {
            "&bypass_cache=true"
        } else {
            ""
        };
        assert_eq!(urls[1], format!("{}{bypass}", urls[0]), "{source:?}");
        assert_eq!(urls[2], urls[0], "{source:?}");
    }
}

#[test]
fn the_address_of_a_virtual_machines_endpoint_can_be_moved() {
    for (host, url) in [
        (
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/metadata/identity/oauth2/token?",
        ),
        (
            "https://pod.invalid/",
            "https://pod.invalid/metadata/identity/oauth2/token?",
        ),
        (
            "http://pod.invalid/a//",
            "http://pod.invalid/a/metadata/identity/oauth2/token?",
        ),
    ] {
        let identity = ManagedIdentity::system_assigned().source(Source::VirtualMachine);
        let moved = with(identity, [("AZURE_POD_IDENTITY_AUTHORITY_HOST", host)]);
        let request = sent(moved);
        assert!(request.url().starts_with(url), "{}", request.url());
    }
}

#[test]
fn the_resource_is_the_scope_without_its_end() {
    let vm = || {
        with(
            ManagedIdentity::system_assigned().source(Source::VirtualMachine),
            [],
        )
    };
    for (scope, resource) in [
        (
            "https://redis.azure.com//.default",
            "https%3A%2F%2Fredis.azure.com%2F",
        ),
        (
            "acca5fbb-b7e4-4009-81f1-37e38fd66d78/.default",
            "acca5fbb-b7e4-4009-81f1-37e38fd66d78",
        ),
        ("api://a&b=c/.default", "api%3A%2F%2Fa%26b%3Dc"),
    ] {
        let url = sent(vm().scope(scope)).url().to_owned();
        assert!(url.ends_with(&format!("&resource={resource}")), "{url}");
    }
    for scope in [
        "",
        "https://redis.azure.com",
        "/.default",
        "a/.default b/.default",
    ] {
        assert_eq!(refused(vm().scope(scope)).field(), "scope", "{scope}");
    }
}

#[test]
fn a_secret_is_read_anew_for_each_request() {
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    let secret = Arc::new(Mutex::new(Some("first".to_owned())));
    let identity = ManagedIdentity::system_assigned().environment({
        let secret = Arc::clone(&secret);
        move |name| match name {
            "IDENTITY_ENDPOINT" => Some("http://app.invalid/".to_owned()),
            "IDENTITY_HEADER" => secret.lock().expect("no test panicked").clone(),
            _ => None,
        }
    });
    let identity = built(identity, http.clone());
    request(&identity).expect("a token");
    *secret.lock().expect("no test panicked") = Some("second".to_owned());
    request(&identity).expect("a token");
    let headers: Vec<_> = http
        .requests()
        .iter()
        .map(|request| {
            header(request, "x-identity-header")
                .expect("the header")
                .to_owned()
        })
        .collect();
    assert_eq!(headers, ["first", "second"]);

    for gone in [None, Some("hunter2\n".to_owned())] {
        *secret.lock().expect("no test panicked") = gone;
        let error = request(&identity).expect_err("no secret to send");
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        assert!(everything(&error).contains("IDENTITY_HEADER"));
        assert!(!everything(&error).contains("hunter2"));
    }
    assert_eq!(http.requests().len(), 2);
}

#[test]
fn the_endpoint_is_looked_for_first_only_where_that_is_wanted() {
    let vm = with(
        ManagedIdentity::system_assigned().source(Source::VirtualMachine),
        [],
    );
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    let identity = built(vm.clone().probe_first(true), http.clone());
    request(&identity).expect("a token");
    request(&identity).expect("a token");
    let requests = http.requests();
    let [probe, first, second] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(header(probe, "metadata"), None);
    assert!(probe.time_limit().is_some() && !probe.allows_proxy());
    for request in [first, second] {
        assert_eq!(header(request, "metadata"), Some("true"));
        assert_eq!(request.time_limit(), None);
    }

    // Any answer shows that it is there.
    let http = Scripted::new(Ok(HttpResponse::new(400)));
    let identity = built(vm.probe_first(true), http.clone());
    assert!(request(&identity).is_err());
    assert_eq!(http.requests().len(), 2);

    // The others are known to be there by their variables.
    let app = with(
        ManagedIdentity::system_assigned(),
        variables(Source::AppService),
    );
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    request(&built(app.probe_first(true), http.clone())).expect("a token");
    assert_eq!(http.requests().len(), 1);
}

#[test]
fn no_debug_shows_a_secret() {
    for source in every_source() {
        let identity = with(ManagedIdentity::system_assigned(), variables(source));
        let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
        let mut shown = format!("{identity:?}{identity:#?}");
        let identity = built(identity.source(source), http.clone());
        request(&identity).expect("a token");
        shown += &format!("{identity:?}{identity:#?}{:?}", http.requests());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
