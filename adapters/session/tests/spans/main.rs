//! Spans around what sessions do. A program of its own: each of its threads has a
//! subscriber. Beside threads without one, `tracing` may take a span for disabled.

#[path = "../reauth/fleet.rs"]
#[allow(dead_code)] // not all of it is used here
mod fleet;
#[path = "../../../../core/tests/support/mod.rs"]
mod support;
#[path = "../../../../core/tests/support/transcript.rs"]
mod transcript;

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{ReauthErrorKind, ReauthPolicy};
use tracing::info;

use crate::fleet::{Act, Fake, Fleet, Reply};
use crate::support::{backoff, numbered};
use crate::transcript::transcript;

/// Hourly tokens and retries without jitter.
fn fleet() -> Fleet {
    let policy = ReauthPolicy::builder()
        .backoff(backoff(1, seconds(1), seconds(5)))
        .auth_timeout(seconds(3))
        .build();
    Fleet::with(&ManualClock::new(), policy.expect("valid settings"), |n| {
        numbered(n, hours(1))
    })
}

/// Those lines that tell of connections, with `#` for this one's name.
fn about_connections(lines: &[String], name: &str) -> Vec<String> {
    let about = |line: &&String| line.contains("re-authenticated") || !line.starts_with(':');
    let lines = lines
        .iter()
        .filter(about)
        .map(|line| line.replace(name, "#"));
    lines
        .filter(|line| !line.contains("token_request"))
        .collect()
}

fn name(session: &Fake) -> String {
    session.status().connection.to_string()
}

#[test]
fn each_auth_and_each_replacement_is_a_span_that_says_how_it_ended() {
    let mut connection = String::new();
    let lines = transcript(|| {
        let mut fleet = fleet();
        let session = fleet.join(|act, call| {
            info!("{act:?} {call}");
            match call {
                1 => Reply::Fail(ReauthErrorKind::Busy),
                2 => Reply::Hang,
                3 => Reply::Panic,
                4 => Reply::DoneAfter(seconds(2)),
                5 => Reply::Fail(ReauthErrorKind::Unsupported),
                _ => Reply::Done,
            }
        });
        connection = name(&session);
        fleet.run.advance(minutes(90) + seconds(1));
        assert_eq!(session.status().generation, 3);
    });
    let spans: Vec<String> = about_connections(&lines, &connection)
        .into_iter()
        .filter(|line| !line.starts_with(':'))
        .collect();
    let expected = [
        "reauthenticate: Auth 1",
        "reauthenticate connection=# generation=2 outcome=\"failed\" kind=\"busy\" (DEBUG)",
        "reauthenticate: Auth 2",
        "reauthenticate connection=# generation=2 outcome=\"failed\" kind=\"timeout\" (DEBUG)",
        "reauthenticate: Auth 3",
        "reauthenticate connection=# generation=2 outcome=\"failed\" kind=\"other\" (DEBUG)",
        "reauthenticate: Auth 4",
        "reauthenticate connection=# generation=2 outcome=\"succeeded\" (DEBUG)",
        "reauthenticate: Auth 5",
        "reauthenticate connection=# generation=3 outcome=\"failed\" kind=\"unsupported\" (DEBUG)",
        "replace_connection: Replace 6",
        "replace_connection connection=# generation=3 outcome=\"succeeded\" (INFO)",
    ];
    assert_eq!(spans, expected);
}

#[test]
fn the_event_that_tells_of_it_comes_after_it() {
    let mut connection = String::new();
    let lines = transcript(|| {
        let mut fleet = fleet();
        let session = fleet.join(|_, _| Reply::Done);
        connection = name(&session);
        fleet.run.advance(minutes(46));
    });
    let expected = [
        "reauthenticate connection=# generation=2 outcome=\"succeeded\" (DEBUG)",
        ": connection re-authenticated connection=# generation=2 latency=0ns",
    ];
    assert_eq!(about_connections(&lines, &connection), expected);
}

#[test]
fn one_whose_session_leaves_was_cancelled() {
    for act in [Act::Auth, Act::Replace] {
        let mut connection = String::new();
        let lines = transcript(|| {
            let mut fleet = fleet();
            let session = fleet.join(|_, _| Reply::Hang);
            connection = name(&session);
            match act {
                Act::Auth => fleet.run.advance(minutes(45)),
                Act::Replace => session.disconnect(),
            }
            fleet.run.settle();
            assert_eq!(fleet.open(), 1);
            session.unregister();
            fleet.run.settle();
        });
        let expected = match act {
            Act::Auth => "reauthenticate connection=# generation=2 outcome=\"cancelled\" (DEBUG)",
            Act::Replace => {
                "replace_connection connection=# generation=1 outcome=\"cancelled\" (INFO)"
            }
        };
        assert_eq!(about_connections(&lines, &connection), [expected]);
    }
}
