//! Commands on keys of any kind.

use std::time::Duration;

use super::numbers::{end_of, integer};
use crate::store::{
    data::{Database, Value},
    glob,
    reply::{OK, Outcome, Reply},
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) fn del(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(words[1..].iter().filter(|key| db.remove(key)).count())
}

pub(crate) fn exists(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(
        words[1..]
            .iter()
            .filter(|key| db.get(key).is_some())
            .count(),
    )
}

pub(crate) fn kind(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    Ok(Reply::Simple(match db.get(words[1]) {
        None => "none",
        Some(Value::Text(_)) => "string",
        Some(Value::Hash(_)) => "hash",
        Some(Value::List(_)) => "list",
        Some(Value::Set(_)) => "set",
    }))
}

pub(crate) fn expire(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    expire_in(db, words, SECOND, "expire")
}

pub(crate) fn pexpire(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    expire_in(db, words, MILLISECOND, "pexpire")
}

fn expire_in(db: &mut Database<'_>, words: &[&[u8]], unit: Duration, command: &str) -> Outcome {
    let count = integer(words[2])?;
    let found = if count <= 0 {
        db.remove(words[1])
    } else {
        db.set_expiry(words[1], Some(end_of(count, unit, command)?))
    };
    Ok(Reply::Integer(i64::from(found)))
}

pub(crate) fn persist(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let had_one = db.expiry(words[1]).flatten().is_some();
    if had_one {
        db.set_expiry(words[1], None);
    }
    Ok(Reply::Integer(i64::from(had_one)))
}

pub(crate) fn ttl(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    // Rounded to the nearest second, as Redis does.
    Ok(time_left(db, words[1], |left| {
        (left.as_millis() + 500) / 1000
    }))
}

pub(crate) fn pttl(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    Ok(time_left(db, words[1], |left| left.as_millis()))
}

fn time_left(db: &mut Database<'_>, key: &[u8], count: fn(Duration) -> u128) -> Reply {
    Reply::Integer(match db.expiry(key) {
        None => -2,
        Some(None) => -1,
        Some(Some(left)) => i64::try_from(count(left)).unwrap_or(i64::MAX),
    })
}

pub(crate) fn keys(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let keys = db.live_keys().into_iter();
    let fitting = keys.filter(|key| glob::matches(words[1], key));
    Ok(Reply::Array(fitting.map(Reply::Bulk).collect()))
}

pub(crate) fn dbsize(db: &mut Database<'_>, _: &[&[u8]]) -> Outcome {
    super::counted(db.live_keys().len())
}

pub(crate) fn flushdb(db: &mut Database<'_>, _: &[&[u8]]) -> Outcome {
    db.clear();
    Ok(OK)
}
