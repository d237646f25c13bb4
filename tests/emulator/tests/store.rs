//! The embedded store against a real `redis-server`: the same requests, the same bytes back.
#![allow(clippy::unwrap_used)]

mod support;

use redis_authx_emulator::Store;
use support::{HOUR, Raw, emulator};

/// Sends the lines and gives each one's reply.
async fn replies(store: Store, resp3: bool, lines: &[String]) -> Vec<String> {
    let emulator = emulator(store).await;
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    if resp3 {
        // HELLO's reply names the server's version and is not compared.
        raw.send("HELLO 3\r\n").await;
        raw.reply().await;
    }
    raw.send(&format!("{}\r\n", lines.join("\r\n"))).await;
    let mut replies = Vec::new();
    for _ in lines {
        replies.push(raw.reply().await);
    }
    replies
}

async fn compare(lines: &[String]) {
    for resp3 in [false, true] {
        let ours = replies(Store::Embedded, resp3, lines).await;
        let theirs = replies(Store::RedisServer, resp3, lines).await;
        for ((line, ours), theirs) in lines.iter().zip(ours).zip(theirs) {
            assert_eq!(ours, theirs, "{line} (RESP3: {resp3})");
        }
    }
}

const SCRIPT: &str = "\
SET a 1|GET a|GET none|STRLEN a|STRLEN none|APPEND a 23|INCR a|INCRBY a -200|DECR a|DECRBY a 5|\
SET a x NX|SET a x XX|SET b x XX|SET b y NX GET|SET a z GET|SET a 1 EX 100|TTL a|SET a 2 KEEPTTL|\
TTL a|SET a 3|TTL a|TTL none|PTTL none|SET a b FOO|SET a b EX 0|SET a b EX x|SET a b NX XX|SET a|\
EXPIRE a 100|TTL a|PERSIST a|PERSIST a|EXPIRE none 5|EXPIRE a x|EXPIRE a -1|EXISTS a|\
PEXPIRE b 100000|TTL b|INCR b|MSET a 1 b 2|MSET a 1 b|MGET a none b|DEL a none|UNLINK b|DEL b|\
SET n 9223372036854775807|INCR n|DECRBY n -9223372036854775808|SET n 010|INCR n|SET n +1|INCR n|\
HSET h f 1 g 2|HSET h f 3|HSET h f|HGET h f|HGET h none|HGET none f|HLEN h|HEXISTS h f|HDEL h g x|\
HGETALL h|HGETALL none|HDEL h f|EXISTS h|HGET n f|TYPE n|TYPE none|HSET h a b|TYPE h|\
RPUSH l 1 2 3|LPUSH l 0 x|LLEN l|LRANGE l 0 -1|LRANGE l -2 100|LRANGE l 3 1|LRANGE l -100 0|\
LRANGE none 0 -1|LPOP l|RPOP l|LPOP l 2|RPOP none|LPOP none 2|LPOP l 0|LPOP l -1|LPOP l x|\
LRANGE l 0 -1|RPOP l 9|EXISTS l|LPUSH n a|TYPE l|\
SADD s a b a|SCARD s|SISMEMBER s a|SISMEMBER s x|SREM s a x|SMEMBERS s|SMEMBERS none|SADD n x|\
SREM s b|EXISTS s|KEYS h*|KEYS [|KEYS *q?|DBSIZE|SELECT 1|DBSIZE|SELECT 0|SELECT 99|SELECT x|\
PING|PING x|PING a b|ECHO|NOSUCH|NOSUCH a b|GET|GET a b|CLIENT GETNAME|CLIENT SETNAME me|\
CLIENT GETNAME|MULTI|INCR t|GET h|EXEC|MULTI|DISCARD|EXEC|DISCARD|\
WATCH t|INCR t|MULTI|INCR t|EXEC|WATCH t|MULTI|GET t|EXEC|MULTI|MULTI|WATCH t|EXEC|MULTI|NOSUCH|\
EXEC|PUBLISH c x|FLUSHDB|DBSIZE|SET a 1|FLUSHALL|DBSIZE";

#[tokio::test]
async fn each_command_answers_as_redis_does() {
    let lines: Vec<_> = SCRIPT.split('|').map(str::to_owned).collect();
    compare(&lines).await;
}

#[tokio::test]
async fn random_requests_are_answered_alike() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let names = [
        "GET", "SET", "INCR", "APPEND", "DEL", "EXISTS", "HSET", "HGET", "HDEL", "LPUSH", "RPOP",
        "LRANGE", "SADD", "SREM", "SCARD", "TYPE", "STRLEN", "LLEN", "DECRBY", "MGET", "LPOP",
        "PERSIST", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "HLEN", "INCRBY", "MSET",
    ];
    let words = ["a", "b", "c", "1", "-2", "x", "0"];
    let lines: Vec<_> = (0..600)
        .map(|_| {
            let mut line = random.choice(names).unwrap().to_owned();
            for _ in 0..random.usize(0..4) {
                line.push(' ');
                line.push_str(random.choice(words).unwrap());
            }
            line
        })
        .collect();
    compare(&lines).await;
}

#[tokio::test]
async fn keys_expire() {
    let emulator = emulator(Store::Embedded).await;
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    raw.expect(
        "SET a 1 PX 300\r\nSET b 1\r\nWATCH a\r\n",
        "+OK\r\n+OK\r\n+OK\r\n",
    )
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    raw.expect(
        "GET a\r\nDBSIZE\r\nSET a 2 PX 1\r\n",
        "$-1\r\n:1\r\n+OK\r\n",
    )
    .await;
    raw.expect("MULTI\r\nPING\r\nEXEC\r\n", "+OK\r\n+QUEUED\r\n*-1\r\n")
        .await;
}
