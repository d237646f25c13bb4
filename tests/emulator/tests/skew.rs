//! The identity side's clock may be wrong, and then all of it is.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use redis_authx_emulator::Emulator;
use support::{HOUR, PATIENCE};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The `Date` of an answer of the identity side.
async fn date(emulator: &Emulator) -> SystemTime {
    let ca = Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .build()
        .new_agent();
    let (base, tenant) = (emulator.identity_url(), emulator.tenant_id());
    let url = format!("{base}/{tenant}/v2.0/.well-known/openid-configuration");
    let answer = tokio::task::spawn_blocking(move || agent.get(url).call().unwrap());
    let answer = answer.await.unwrap();
    let date = answer.headers().get_all("date");
    let [date] = date.iter().collect::<Vec<_>>()[..] else {
        panic!("not one date: {answer:?}");
    };
    httpdate::parse_http_date(date.to_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_answers_are_dated_by_its_own_clock() {
    let emulator = Emulator::builder().start().await.unwrap();
    let now = SystemTime::now();
    let right = now - Duration::from_secs(1)..now + PATIENCE;
    assert!(right.contains(&date(&emulator).await));
    emulator.identity().set_clock_skew(3600);
    assert!(right.contains(&(date(&emulator).await - HOUR)));
    emulator.identity().set_clock_skew(-3600);
    assert!(right.contains(&(date(&emulator).await + HOUR)));
    // A time that such a date can't say is left alone.
    emulator.identity().set_clock_skew(i64::MIN);
    assert!(right.contains(&date(&emulator).await));
}
