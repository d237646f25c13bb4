//! Every fault that the Redis side can show, on both stores.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use redis_authx_emulator::{AuthRefusal, Refusal, Store};
use support::{HOUR, PATIENCE, Raw, STORES, connect, connected, emulator, eventually, refused};
use tokio::time::{self, sleep};

const WRONG_PASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

#[tokio::test]
async fn refuse_next_auths_refuses_that_many() {
    for store in STORES {
        let emulator = emulator(store).await;
        let line = format!(
            "AUTH {} {}\r\n",
            emulator.object_id(),
            emulator.issue_token(HOUR)
        );
        emulator.redis().refuse_next_auths(2);
        let mut raw = Raw::open(&emulator).await;
        raw.expect(&line.repeat(3), &format!("{WRONG_PASS}{WRONG_PASS}+OK\r\n"))
            .await;
        assert_eq!(
            (emulator.redis().auths(), emulator.redis().auths_refused()),
            (1, 2)
        );
        let report = emulator.redis().connection_reports().remove(0);
        assert_eq!(report.last_refusal, Some(AuthRefusal::OnRequest));
    }
}

#[tokio::test]
async fn only_fresh_tokens_pass_after_refuse_auth_until_fresh_token() {
    for store in STORES {
        let emulator = emulator(store).await;
        let old = emulator.issue_token(HOUR);
        let mut open = connect(&emulator, true, &old).await.unwrap();
        emulator.redis().refuse_auth_until_fresh_token();
        assert!(refused(&connect(&emulator, true, &old).await.unwrap_err()));
        connected(&emulator, true).await;
        let pong: String = redis::cmd("PING").query_async(&mut open).await.unwrap();
        assert_eq!(pong, "PONG", "who is logged in stays so");
    }
}

#[tokio::test]
async fn revoking_closes_the_connections_that_live_on_the_old_tokens() {
    for store in STORES {
        let emulator = emulator(store).await;
        let old = emulator.issue_token(HOUR);
        let line = format!("AUTH {} {old}\r\n", emulator.object_id());
        let mut first = Raw::open(&emulator).await;
        first.expect(&line, "+OK\r\n").await;
        let mut idle = Raw::open(&emulator).await;
        idle.expect("PING\r\n", "-NOAUTH Authentication required.\r\n")
            .await;
        emulator.redis().revoke_tokens_issued_until_now();
        assert_eq!(first.rest().await, "");
        idle.expect(&line, WRONG_PASS).await;
        idle.auth(&emulator, HOUR).await;
        assert_eq!(emulator.redis().closed_by_expiry(), 0);
    }
}

#[tokio::test]
async fn a_delayed_auth_stalls_its_connection_and_no_other() {
    for store in STORES {
        let emulator = emulator(store).await;
        let delay = Duration::from_millis(600);
        let token = emulator.issue_token(HOUR);
        let auth = format!("AUTH {} {token}\r\n", emulator.object_id());
        let mut slow = Raw::logged_in(&emulator, HOUR).await;
        let mut quick = Raw::logged_in(&emulator, HOUR).await;
        emulator.redis().delay_next_auths(1, delay);
        let start = Instant::now();
        slow.send(&format!("SET a 1\r\n{auth}INCR a\r\n")).await;
        slow.expect("", "+OK\r\n").await;
        eventually("the AUTH's arrival", || emulator.redis().commands() >= 3).await;
        quick.expect("PING\r\n", "+PONG\r\n").await;
        slow.expect("", "+OK\r\n:2\r\n").await;
        assert!(start.elapsed() >= delay);
        // Used up; the general delay stays until it is taken back.
        emulator.redis().set_auth_delay(delay);
        for _ in 0..2 {
            let start = Instant::now();
            slow.expect(&auth, "+OK\r\n").await;
            assert!(start.elapsed() >= delay);
        }
        emulator.redis().set_auth_delay(Duration::ZERO);
        slow.expect(&auth, "+OK\r\n").await;
    }
}

#[tokio::test]
async fn auths_in_flight_are_counted_until_their_replies() {
    for store in STORES {
        let emulator = emulator(store).await;
        emulator.redis().set_auth_delay(Duration::from_secs(2));
        let token = emulator.issue_token(HOUR);
        let auth = format!("AUTH {} {token}\r\n", emulator.object_id());
        let mut connections = Vec::new();
        for _ in 0..5 {
            connections.push(Raw::open(&emulator).await);
        }
        // All within the delay.
        for raw in &mut connections {
            raw.send(&auth).await;
        }
        for raw in &mut connections {
            raw.expect("", "+OK\r\n").await;
        }
        let peak = emulator.redis().peak_auths_in_flight();
        assert_eq!(peak, 5);
        connections[0].expect(&auth, "+OK\r\n").await;
        assert_eq!(emulator.redis().peak_auths_in_flight(), 5);
        assert_eq!(emulator.redis().auths_in_flight(), 0);
    }
}

#[tokio::test]
async fn drop_connections_closes_all_and_keeps_the_data() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        let mut unknown = Raw::open(&emulator).await;
        raw.expect("INCR n\r\n", ":1\r\n").await;
        unknown
            .expect("PING\r\n", "-NOAUTH Authentication required.\r\n")
            .await;
        assert_eq!(emulator.redis().connections(), 2);
        emulator.redis().drop_connections();
        assert_eq!(raw.rest().await, "");
        assert_eq!(unknown.rest().await, "");
        eventually("no connections", || emulator.redis().connections() == 0).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        raw.expect("INCR n\r\n", ":2\r\n").await;
        assert_eq!(emulator.redis().connection_reports().len(), 3);
    }
}

#[tokio::test]
async fn refused_connections_are_closed_at_once() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut open = Raw::logged_in(&emulator, HOUR).await;
        emulator.redis().refuse_connections(true);
        assert_eq!(Raw::open(&emulator).await.rest().await, "");
        open.expect("PING\r\n", "+PONG\r\n").await;
        assert_eq!(emulator.redis().connections_accepted(), 1);
        emulator.redis().refuse_connections(false);
        connected(&emulator, true).await;
    }
}

#[tokio::test]
async fn a_restart_drops_connections_and_keeps_what_was_acknowledged() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        for n in 1..=100 {
            raw.expect("INCR n\r\n", &format!(":{n}\r\n")).await;
        }
        let url = emulator.redis_url().to_owned();
        emulator.redis().restart_server().await.unwrap();
        assert_eq!(raw.rest().await, "");
        assert_eq!(emulator.redis_url(), url);
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        raw.expect("GET n\r\n", "$3\r\n100\r\n").await;
    }
}

#[tokio::test]
async fn a_stopped_server_takes_nobody_until_it_is_started() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        emulator.redis().stop_server();
        assert_eq!(raw.rest().await, "");
        let token = emulator.issue_token(HOUR);
        let attempt = time::timeout(PATIENCE, connect(&emulator, true, &token))
            .await
            .unwrap();
        assert!(attempt.is_err());
        emulator.redis().start_server().await.unwrap();
        connected(&emulator, true).await;
        emulator.redis().start_server().await.unwrap();
        connected(&emulator, true).await;
    }
}

#[tokio::test]
async fn commands_are_counted() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        raw.expect(&"PING\r\n".repeat(1000), &"+PONG\r\n".repeat(1000))
            .await;
        raw.expect(
            "MULTI\r\nPING\r\nEXEC\r\n",
            "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n",
        )
        .await;
        assert_eq!(emulator.redis().commands(), 1004);
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_refusal_behind_replies_is_dropped_on_request() {
    for store in STORES {
        let emulator = emulator(store).await;
        let token = emulator.issue_token(HOUR);
        let bad = format!("AUTH {} not-{token}\r\n", emulator.object_id());
        let good = format!("AUTH {} {token}\r\n", emulator.object_id());
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        let in_order = format!("+PONG\r\n{WRONG_PASS}+OK\r\n");
        let pipelined = format!("PING\r\n{bad}SET a 1\r\n");
        raw.expect(&pipelined, &in_order).await;
        emulator.redis().drop_refusals_behind_replies(true);
        raw.expect(&pipelined, "+PONG\r\n+OK\r\n").await;
        raw.expect(&bad, WRONG_PASS).await;
        // A good one is answered, and its reply is not mistaken for another's.
        raw.expect(&format!("PING\r\n{good}"), "+PONG\r\n+OK\r\n")
            .await;
        assert_eq!(emulator.redis().auths(), 2);
        assert_eq!(emulator.redis().auths_refused(), 3);
    }
}

#[tokio::test]
async fn what_is_planned_for_reauthentications_spares_first_log_ins() {
    for store in STORES {
        let emulator = emulator(store).await;
        let auth = format!(
            "AUTH {} {}\r\n",
            emulator.object_id(),
            emulator.issue_token(HOUR)
        );
        let redis = emulator.redis();
        redis.refuse_next_reauths_with(1, Refusal::WrongPass);
        redis.delay_next_reauths(1, 2 * PATIENCE);
        let mut raw = Raw::open(&emulator).await;
        raw.expect(&auth, "+OK\r\n").await;
        raw.send(&auth).await;
        eventually("the AUTH's arrival", || {
            emulator.redis().auths_in_flight() == 1
        })
        .await;
        let mut other = Raw::logged_in(&emulator, HOUR).await;
        other.expect(&auth, WRONG_PASS).await;
        other.expect(&auth, "+OK\r\n").await;
    }
}

#[tokio::test]
async fn a_refusal_has_the_answer_that_was_asked_for() {
    let emulator = emulator(Store::RedisServer).await;
    let token = emulator.issue_token(HOUR);
    let auth = format!("AUTH {} {token}\r\n", emulator.object_id());
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    for text in ["NOPERM no right to it", "ERR not now"] {
        let refusal = Refusal::Error(text.to_owned());
        emulator.redis().refuse_next_auths_with(1, refusal);
        raw.expect(&auth, &format!("-{text}\r\n")).await;
    }
    emulator
        .redis()
        .refuse_next_auths_with(1, Refusal::Unanswered);
    raw.expect(&format!("{auth}PING\r\n"), "+PONG\r\n").await;
    raw.expect(&auth, "+OK\r\n").await;
    assert_eq!(emulator.redis().auths_refused(), 3);
}
