//! Who gets in, and what the others are told, on both stores.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx_emulator::{AuthRefusal, Emulator};
use support::{HOUR, Raw, STORES, connect, connected, emulator, info, open};

const WRONG_PASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const NO_AUTH: &str = "-NOAUTH Authentication required.\r\n";

#[tokio::test]
async fn a_good_token_logs_in_over_both_protocols() {
    for store in STORES {
        let emulator = emulator(store).await;
        for resp3 in [false, true] {
            let mut connection = connected(&emulator, resp3).await;
            let _: () = connection.set("key", "value").await.unwrap();
            let value: String = connection.get("key").await.unwrap();
            assert_eq!(value, "value");
            let count: i64 = connection.incr("count", 1).await.unwrap();
            assert_eq!(count, 1 + i64::from(resp3));
        }
        assert_eq!(emulator.redis().auths(), 2);
        assert_eq!(emulator.redis().auths_refused(), 0);
        assert_eq!(emulator.redis().connections_accepted(), 2);
    }
}

#[tokio::test]
async fn bad_log_ins_get_wrongpass_and_the_report_says_why() {
    for store in STORES {
        let emulator = emulator(store).await;
        let good = emulator.issue_token(HOUR);
        let expired = emulator.issue_token(Duration::ZERO);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let client_id = emulator.client_id().to_owned();
        let object_id = emulator.object_id().to_owned();
        for (user, token, why) in [
            (client_id.as_str(), good.as_str(), AuthRefusal::WrongUser),
            ("default", good.as_str(), AuthRefusal::WrongUser),
            (&object_id, &expired, AuthRefusal::Expired),
            (&object_id, "garbage", AuthRefusal::NotAToken),
            (&object_id, &good[..good.len() - 4], AuthRefusal::NotAToken),
        ] {
            for resp3 in [false, true] {
                let client = redis::Client::open(info(&emulator, resp3, user, token)).unwrap();
                let error = open(&client).await.unwrap_err();
                assert!(support::refused(&error), "{user}: {error}");
                let reports = emulator.redis().connection_reports();
                assert_eq!(reports.last().unwrap().last_refusal, Some(why));
            }
        }
        assert_eq!(emulator.redis().auths(), 0);
        assert!(emulator.redis().auths_refused() >= 10);
    }
}

#[tokio::test]
async fn replies_are_worded_and_ordered_as_redis_does() {
    for store in STORES {
        let emulator = emulator(store).await;
        let user = emulator.object_id().to_owned();
        let token = emulator.issue_token(HOUR);
        let mut raw = Raw::open(&emulator).await;
        raw.expect("PING\r\n", NO_AUTH).await;
        raw.expect(&format!("AUTH {token}\r\n"), WRONG_PASS).await;
        raw.expect("HELLO 5\r\n", "-NOPROTO unsupported protocol version\r\n")
            .await;
        raw.expect(
            "HELLO 3 AUTH x\r\n",
            "-ERR Syntax error in HELLO option 'AUTH'\r\n",
        )
        .await;
        raw.expect("AUTH a b c\r\n", "-ERR syntax error\r\n").await;
        raw.expect(
            "AUTH\r\n",
            "-ERR wrong number of arguments for 'auth' command\r\n",
        )
        .await;
        // Everything at once: the replies keep the order of the requests.
        raw.expect(
            &format!(
                "\r\nGET a\r\nAUTH {user} bad\r\nGET a\r\nAUTH {user} {token}\r\nSET a 1\r\n\
                 AUTH {user} bad\r\nINCR a\r\n*1\r\n$4\r\nPING\r\n*0\r\nRESET\r\nPING\r\n"
            ),
            &format!(
                "{NO_AUTH}{WRONG_PASS}{NO_AUTH}+OK\r\n+OK\r\n{WRONG_PASS}:2\r\n+PONG\r\n\
                 +RESET\r\n{NO_AUTH}"
            ),
        )
        .await;
        let report = emulator.redis().connection_reports().remove(0);
        assert_eq!((report.auths_accepted, report.auths_refused), (1, 5));
        raw.expect("QUIT\r\n", "+OK\r\n").await;
        assert_eq!(raw.rest().await, "");
    }
}

#[tokio::test]
async fn malformed_requests_are_answered_after_what_went_before_and_end_the_connection() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        raw.send("SET a 1\r\nINCR a\r\n*1\r\n:1\r\nINCR a\r\n")
            .await;
        assert_eq!(
            raw.rest().await,
            "+OK\r\n:2\r\n-ERR Protocol error: expected '$', got ':'\r\n"
        );
        let mut raw = Raw::open(&emulator).await;
        raw.send("*1000\r\n").await;
        assert_eq!(
            raw.rest().await,
            "-ERR Protocol error: unauthenticated multibulk length\r\n"
        );
    }
}

#[tokio::test]
async fn a_transaction_queues_auth_and_the_gateway_goes_by_its_outcome() {
    for store in STORES {
        let emulator = emulator(store).await;
        let redis = emulator.redis();
        let user = emulator.object_id();
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        let token = emulator.issue_token(HOUR * 2);
        let good = format!("AUTH {user} {token}\r\n");

        raw.expect(
            &format!("MULTI\r\nINCR n\r\n{good}AUTH {user} bad\r\nEXEC\r\n"),
            &format!("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n+OK\r\n{WRONG_PASS}"),
        )
        .await;
        assert_eq!((redis.auths(), redis.auths_refused()), (2, 1));
        assert_eq!(redis.auths_in_transactions(), 2);
        let left = redis.connection_reports()[0].time_left.unwrap();
        assert!(
            left > HOUR + HOUR / 2,
            "the queued AUTH moved the deadline: {left:?}"
        );

        // What is not run does not count, but was seen.
        let later = format!("AUTH {user} {}\r\n", emulator.issue_token(HOUR * 4));
        raw.expect(
            &format!("MULTI\r\n{later}DISCARD\r\n"),
            "+OK\r\n+QUEUED\r\n+OK\r\n",
        )
        .await;
        raw.send(&format!("MULTI\r\n{later}NOSUCH\r\nEXEC\r\nPING\r\n"))
            .await;
        raw.expect(
            "",
            "+OK\r\n+QUEUED\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
        )
        .await;
        raw.expect(
            "",
            "-EXECABORT Transaction discarded because of previous errors.\r\n+PONG\r\n",
        )
        .await;
        assert_eq!((redis.auths(), redis.auths_in_transactions()), (2, 4));
        let left = redis.connection_reports()[0].time_left.unwrap();
        assert!(
            left < HOUR * 3,
            "an AUTH that was not run moved the deadline: {left:?}"
        );
    }
}

#[tokio::test]
async fn a_resp2_subscriber_can_not_log_in_again_and_a_resp3_one_can() {
    for store in STORES {
        let emulator = emulator(store).await;
        let user = emulator.object_id().to_owned();
        let again = |hours: u32| format!("AUTH {user} {}\r\n", emulator.issue_token(HOUR * hours));
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        let subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
        raw.expect("SUBSCRIBE c\r\n", subscribed).await;
        raw.expect(
            &again(5),
            "-ERR Can't execute 'auth': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
             RESET are allowed in this context\r\n",
        )
        .await;
        let report = emulator.redis().connection_reports().remove(0);
        assert!(report.time_left.unwrap() < HOUR * 2);
        assert_eq!(report.last_refusal, Some(AuthRefusal::Backend));

        let mut publisher = Raw::logged_in(&emulator, HOUR).await;
        publisher.expect("PUBLISH c hi\r\n", ":1\r\n").await;
        raw.expect("", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n")
            .await;
        raw.expect(
            "UNSUBSCRIBE c\r\n",
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n",
        )
        .await;
        raw.expect(&again(5), "+OK\r\n").await;
        let report = emulator.redis().connection_reports().remove(0);
        assert!(report.time_left.unwrap() > HOUR * 4);

        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        raw.send("HELLO 3\r\nSUBSCRIBE c d\r\nPING\r\n").await;
        // HELLO's reply differs in length from server to server.
        let mut seen = String::new();
        while !seen.ends_with("+PONG\r\n") {
            seen.push_str(&raw.ask("", 1).await);
        }
        raw.expect(&again(5), "+OK\r\n").await;
        publisher.expect("PUBLISH d hi\r\n", ":1\r\n").await;
        raw.expect("", ">3\r\n$7\r\nmessage\r\n$1\r\nd\r\n$2\r\nhi\r\n")
            .await;
        let report = emulator.redis().connection_reports().pop().unwrap();
        assert_eq!(report.auths_accepted, 2);
        assert!(report.time_left.unwrap() > HOUR * 4);
    }
}

#[tokio::test]
async fn an_open_connection_keeps_its_session_when_a_later_auth_is_refused() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut connection = connected(&emulator, true).await;
        let refused: redis::RedisResult<()> = redis::cmd("AUTH")
            .arg(emulator.object_id())
            .arg("nonsense")
            .query_async(&mut connection)
            .await;
        assert!(support::refused(&refused.unwrap_err()));
        let _: i64 = connection.incr("n", 1).await.unwrap();
    }
}

#[tokio::test]
async fn emulators_in_one_process_are_apart() {
    let first = Emulator::builder()
        .object_id("object-1")
        .start()
        .await
        .unwrap();
    let second = Emulator::builder()
        .object_id("object-2")
        .start()
        .await
        .unwrap();
    assert_ne!(first.redis_url(), second.redis_url());
    assert_ne!(first.client_secret(), second.client_secret());
    assert!(
        connect(&second, true, &first.issue_token(HOUR))
            .await
            .is_err()
    );
    let mut connection = connected(&second, true).await;
    drop(first);
    let _: i64 = connection.incr("n", 1).await.unwrap();
}
