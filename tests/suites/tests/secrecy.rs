//! No secret in any log line, event, error or Debug: everything is captured,
//! at trace level, through a whole run with every kind of fault.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::AsyncCommands;
use redis_authx_emulator::Fault;
use redis_authx_suites::{Bed, Load};
use tracing_subscriber::EnvFilter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_written_down() {
    let captured = Captured::default();
    let writer = captured.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let bed = Bed::builder()
        .request_timeout(Duration::from_secs(2))
        .start()
        .await;
    let mut secrets = vec![bed.emulator.client_secret().to_owned()];
    let connection = bed.waiting().await;
    let load = Load::start(std::slice::from_ref(&connection), 2);
    let faults = [
        Fault::Throttled {
            retry_after: Duration::from_secs(1),
        },
        Fault::Malformed,
        Fault::MissingOid,
        Fault::ServerError(500),
        Fault::InvalidClient,
    ];
    let mut written = String::new();
    for fault in faults {
        secrets.push(
            bed.manager
                .credentials()
                .current()
                .unwrap()
                .password()
                .to_owned(),
        );
        bed.emulator.identity().fail_next(1, fault);
        bed.emulator.redis().refuse_next_auths(1);
        let target = bed.rotations() + 1;
        bed.until("a rotation", |bed| {
            bed.manager.refresh();
            bed.rotations() >= target
        })
        .await;
        bed.settled(std::slice::from_ref(&connection)).await;
        bed.emulator.redis().drop_connections();
        written += &format!(
            "{bed:?} {connection:?} {:?} {:?} {:?}",
            bed.manager.status(),
            connection.status(),
            bed.manager.credentials().current(),
        );
    }
    secrets.push(
        bed.manager
            .credentials()
            .current()
            .unwrap()
            .password()
            .to_owned(),
    );
    written += &format!("{:?}", load.stop().await);
    written += &format!(
        "{:?}",
        connection.clone().get::<_, Option<u64>>("count").await
    );
    written += &format!("{:?}", bed.events());
    written += &String::from_utf8_lossy(&captured.0.lock().unwrap());

    // It did capture: our own lines, and those of the libraries below.
    assert!(written.contains("token refreshed"));
    assert!(
        written.contains("TRACE"),
        "nothing at trace level was captured"
    );
    secrets.dedup();
    assert!(
        secrets.len() > 5,
        "the client secret and at least five tokens"
    );
    for secret in &secrets {
        assert!(secret.len() >= 16);
        assert!(
            !written.contains(secret.as_str()),
            "a secret was written down"
        );
        // Not in part either: the signature alone would do for a token.
        let tail = &secret[secret.len() - 12..];
        assert!(
            !written.contains(tail),
            "the end of a secret was written down"
        );
    }
}
