//! The program: what it prints is what a client needs, and it cleans up.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_authx-emulator");

#[test]
fn it_prints_the_settings_of_clients_and_ends_cleanly() {
    let mut process = Command::new(PROGRAM)
        .args(["--plain-identity", "--token-lifetime", "2.5"])
        .env("AUTHX_EMULATOR_CLIENT_SECRET", "it's secret")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut exports = HashMap::new();
    let mut line = String::new();
    while !line.contains("Running") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended early");
        if let Some((name, value)) = line
            .trim()
            .strip_prefix("export ")
            .and_then(|l| l.split_once('='))
        {
            exports.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
    }
    assert_eq!(exports["AZURE_CLIENT_SECRET"], r"it'\''s secret");
    assert!(exports["AZURE_AUTHORITY_HOST"].starts_with("https://localhost:"));
    assert!(exports["REDIS_URL"].starts_with("rediss://localhost:"));
    assert!(exports["IDENTITY_ENDPOINT"].starts_with("http://127.0.0.1:"));
    assert!(exports.contains_key("IDENTITY_HEADER"));
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"] {
        let pem = fs::read_to_string(&exports[name]).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }
    let pem = fs::read_to_string(&exports["AZURE_CLIENT_CERTIFICATE_PATH"]).unwrap();
    assert!(pem.contains("BEGIN PRIVATE KEY"));
    let token = fs::read_to_string(&exports["AZURE_FEDERATED_TOKEN_FILE"]).unwrap();
    assert_eq!(token.split('.').count(), 3);
    let ended = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    assert!(process.wait().unwrap().success());
    line.clear();
    out.read_to_string(&mut line).unwrap();
    assert_eq!(line, "Stopped.\n");
    for name in [
        "SSL_CERT_FILE",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ] {
        assert!(!Path::new(&exports[name]).exists(), "{name}");
    }
}

#[test]
fn bad_settings_end_it_with_a_reason() {
    for (arguments, said) in [
        (
            vec!["--store", "elsewhere"],
            "must be embedded, redis-server, cluster, sentinel or redis://",
        ),
        (vec!["--token-lifetime", "0"], "token_lifetime is"),
        (vec!["--token-lifetime=-1"], "--token-lifetime"),
        (vec!["--object-id", "a b"], "object_id is \"a b\""),
        (
            vec!["--store", "redis://127.0.0.1:1"],
            "can't reach the Redis at 127.0.0.1:1",
        ),
    ] {
        let output = Command::new(PROGRAM).args(&arguments).output().unwrap();
        assert!(!output.status.success());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
}

#[test]
fn it_names_the_sentinels() {
    let mut process = Command::new(PROGRAM)
        .args(["--store", "sentinel"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("Running") {
        assert_ne!(out.read_line(&mut seen).unwrap(), 0, "it ended early");
    }
    let line = seen.lines().find(|line| line.starts_with("Sentinels"));
    assert_eq!(line.unwrap().matches("rediss://localhost:").count(), 3);
    assert!(seen.contains("\nMaster's name    mymaster\n"), "{seen}");
    let ended = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    assert!(process.wait().unwrap().success());
}
