//! The endpoints of managed identities, as foreign clients see them: byte by byte, over a socket.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use redis_authx_emulator::{AssignedIdentities, Emulator, Fault};
use redis_authx_entraid::ManagedIdentitySource as Source;
use serde_json::Value;
use support::PATIENCE;

const IMDS: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";
const RESOURCE: &str = "&resource=https%3A%2F%2Fredis.azure.com";

struct Answer {
    status: u16,
    head: String,
    body: Value,
}

/// The lines of a request's head, sent as they are.
async fn send(emulator: &Emulator, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let url = emulator.managed_identity_url();
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let mut request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = tokio::task::spawn_blocking(exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    Answer {
        status: head[9..12].parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

async fn imds(emulator: &Emulator, query: &str) -> Answer {
    let line = format!("GET {IMDS}{query}");
    send(emulator, &line, &[("Metadata", "true")], "").await
}

async fn start() -> Emulator {
    Emulator::builder().start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_machines_reply_is_texts_throughout() {
    let emulator = start().await;
    let answer = imds(&emulator, RESOURCE).await;
    assert_eq!(answer.status, 200);
    let fields = answer.body.as_object().unwrap();
    assert!(fields.values().all(Value::is_string), "{fields:?}");
    for name in [
        "access_token",
        "expires_in",
        "expires_on",
        "not_before",
        "refresh_token",
    ] {
        assert!(fields.contains_key(name), "{name}");
    }
    assert_eq!(fields["token_type"], "Bearer");
    assert_eq!(fields["resource"], "https://redis.azure.com");

    // As it came, with the slash that some write.
    let answer = imds(&emulator, &format!("{RESOURCE}%2F")).await;
    assert_eq!(answer.body["resource"], "https://redis.azure.com/");
    emulator.identity().set_numeric_expires_on(true);
    assert!(imds(&emulator, RESOURCE).await.body["expires_on"].is_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn any_version_and_both_forms_of_a_request_are_taken() {
    let emulator = start().await;
    let proxied = format!("GET http://169.254.169.254{IMDS}{RESOURCE}");
    let answer = send(&emulator, &proxied, &[("metadata", "True")], "").await;
    assert_eq!(answer.status, 200);
    for (version, status) in [
        ("2019-08-01", 200),
        ("2025-01-01", 200),
        ("2017-12-01", 400),
        ("", 400),
    ] {
        let line = format!("GET /metadata/identity/oauth2/token?api-version={version}{RESOURCE}");
        let answer = send(&emulator, &line, &[("Metadata", "true")], "").await;
        assert_eq!(answer.status, status, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_the_header_is_answered_and_not_counted() {
    let emulator = start().await;
    let line = format!("GET {IMDS}{RESOURCE}");
    for headers in [&[][..], &[("Metadata", "false")]] {
        let answer = send(&emulator, &line, headers, "").await;
        assert_eq!(
            (answer.status, &answer.body["error"]),
            (400, &"bad_request_102".into())
        );
    }
    assert_eq!(emulator.identity().token_requests(), 0);
    let answer = send(
        &emulator,
        &line.replace("GET", "POST"),
        &[("Metadata", "true")],
        "",
    )
    .await;
    assert_eq!(answer.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_are_found_by_each_of_their_ids() {
    use AssignedIdentities::{Both, None, System, User};

    let emulator = start().await;
    let (client, object) = (emulator.client_id(), emulator.object_id());
    let resource = emulator.managed_identity_resource_id().to_lowercase();
    let by = |name: &str, value: &str| format!("{RESOURCE}&{name}={value}");
    let ids = [
        by("client_id", client),
        by("object_id", object),
        by("msi_res_id", &resource),
        by("mi_res_id", &resource),
    ];
    for (assigned, unnamed, named) in [
        (Both, 200, 200),
        (System, 200, 400),
        (User, 200, 200),
        (None, 400, 400),
    ] {
        emulator.identity().set_assigned_identities(assigned);
        assert_eq!(
            imds(&emulator, RESOURCE).await.status,
            unnamed,
            "{assigned:?}"
        );
        for id in &ids {
            assert_eq!(imds(&emulator, id).await.status, named, "{assigned:?} {id}");
        }
    }
    emulator.identity().set_assigned_identities(Both);
    for id in [
        by("client_id", object),
        by("object_id", client),
        by("principal_id", object),
        format!("{}&object_id={object}", by("client_id", client)),
    ] {
        let answer = imds(&emulator, &id).await;
        assert_eq!(
            answer.body["error_description"], "Identity not found",
            "{id}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_worded_as_the_source_words_it() {
    let emulator = start().await;
    for query in ["", "&resource=https%3A%2F%2Fgraph.microsoft.com"] {
        let answer = imds(&emulator, query).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body["error_description"].is_string());
    }

    let variables: HashMap<_, _> = emulator
        .managed_identity_variables(Source::AppService)
        .into_iter()
        .collect();
    let path = variables["IDENTITY_ENDPOINT"]
        .strip_prefix(emulator.managed_identity_url())
        .unwrap();
    let secret = variables["IDENTITY_HEADER"].as_str();
    let foreign = format!(
        "{RESOURCE}&msi_res_id={}",
        emulator.managed_identity_resource_id()
    );
    for (secret, query, status) in [
        (secret, RESOURCE, 200),
        ("wrong", RESOURCE, 401),
        (secret, "", 400),
        (secret, "&resource=https%3A%2F%2Fgraph.microsoft.com", 500),
        (secret, &foreign, 400),
    ] {
        let line = format!("GET {path}?api-version=2019-08-01{query}");
        let answer = send(&emulator, &line, &[("X-IDENTITY-HEADER", secret)], "").await;
        assert_eq!(answer.status, status, "{query}");
        let said = answer.body.get("statusCode").cloned();
        assert_eq!(said, (status != 200).then(|| status.into()));
        assert!(answer.body.get("expires_in").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_arc_gives_a_token_for_what_a_file_holds() {
    let emulator = start().await;
    let line = format!("GET /arc/metadata/identity/oauth2/token?api-version=2020-06-01{RESOURCE}");
    let challenge = send(&emulator, &line, &[("Metadata", "true")], "").await;
    assert_eq!(challenge.status, 401);
    let (_, rest) = challenge
        .head
        .split_once("www-authenticate: Basic realm=")
        .unwrap();
    let path = rest.lines().next().unwrap();
    assert_eq!(
        std::path::Path::new(path).parent(),
        Some(emulator.arc_key_directory())
    );
    let key = format!("Basic {}", std::fs::read_to_string(path).unwrap());
    assert_eq!(emulator.identity().token_requests(), 0);

    let headers = [("Metadata", "true"), ("Authorization", &key)];
    assert_eq!(send(&emulator, &line, &headers, "").await.status, 200);
    // Once, and only with the other header.
    assert_eq!(send(&emulator, &line, &headers, "").await.status, 401);
    assert_eq!(send(&emulator, &line, &headers[1..], "").await.status, 400);
    let folder = emulator.arc_key_directory().to_owned();
    drop(emulator);
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_shell_takes_a_form() {
    let emulator = start().await;
    let headers = [
        ("Metadata", "true"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let line = "POST /cloud-shell/oauth2/token";
    assert_eq!(
        send(&emulator, line, &headers, &RESOURCE[1..]).await.status,
        200
    );
    assert_eq!(
        send(&emulator, line, &headers[1..], &RESOURCE[1..])
            .await
            .status,
        400
    );
    assert_eq!(send(&emulator, line, &headers, "").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_given_again_keeps_its_dates() {
    let emulator = start().await;
    let first = imds(&emulator, RESOURCE).await.body;
    emulator
        .identity()
        .set_token_lifetime(Duration::from_secs(60));
    emulator.identity().set_fault(Some(Fault::SameToken));
    let again = imds(&emulator, RESOURCE).await.body;
    for field in ["access_token", "expires_on", "not_before"] {
        assert_eq!(first[field], again[field]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_answered_in_the_words_of_the_source() {
    let emulator = start().await;
    let hour = Duration::from_secs(3600);
    for (fault, status) in [
        (Fault::ServerError(404), 404),
        (Fault::ServerError(410), 410),
        (Fault::Refused(700_016), 400),
        (Fault::InvalidClient, 401),
        (Fault::Throttled { retry_after: hour }, 429),
    ] {
        emulator.identity().fail_for(hour, fault.clone());
        assert_eq!(imds(&emulator, RESOURCE).await.status, status, "{fault:?}");
    }
    emulator
        .identity()
        .fail_for(Duration::ZERO, Fault::ServerError(410));
    assert_eq!(imds(&emulator, RESOURCE).await.status, 200);
}
