//! Commands on strings.

use std::time::{Duration, Instant};

use super::numbers::{end_of, integer};
use crate::store::{
    data::{Database, Failure, Value},
    reply::{OK, Outcome, Reply},
};

const SYNTAX: &str = "ERR syntax error";

pub(crate) fn get(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    Ok(Reply::bulk_or_null(db.text(words[1])?))
}

pub(crate) fn strlen(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.text(words[1])?.map_or(0, <[u8]>::len))
}

pub(crate) fn append(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.change_text(words[1], |text| {
        text.extend_from_slice(words[2]);
        Ok(text.len())
    })?)
}

pub(crate) fn mget(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let values = words[1..]
        .iter()
        // Another kind of value counts as none here.
        .map(|key| Reply::bulk_or_null(db.text(key).unwrap_or(None)));
    Ok(Reply::Array(values.collect()))
}

pub(crate) fn mset(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let (pairs, rest) = words[1..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err("ERR wrong number of arguments for 'mset' command".into());
    }
    for [key, value] in pairs {
        db.set(key, Value::Text(value.to_vec()), None);
    }
    Ok(OK)
}

pub(crate) fn incr(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    add(db, words[1], 1)
}

pub(crate) fn incrby(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    add(db, words[1], integer(words[2])?)
}

pub(crate) fn decr(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    add(db, words[1], -1)
}

pub(crate) fn decrby(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let step = integer(words[2])?
        .checked_neg()
        .ok_or("ERR decrement would overflow")?;
    add(db, words[1], step)
}

fn add(db: &mut Database<'_>, key: &[u8], step: i64) -> Outcome {
    let sum = db.change_text(key, |text| {
        let before = if text.is_empty() { 0 } else { integer(text)? };
        let sum = before
            .checked_add(step)
            .ok_or("ERR increment or decrement would overflow")?;
        *text = sum.to_string().into_bytes();
        Ok(sum)
    })?;
    Ok(Reply::Integer(sum))
}

#[derive(Default)]
struct SetOptions {
    only_new: bool,
    only_existing: bool,
    get: bool,
    keep_expiry: bool,
    ends_at: Option<Instant>,
}

pub(crate) fn set(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let options = SetOptions::read(&words[3..])?;
    let key = words[1];
    let exists = db.get(key).is_some();
    let before = if options.get {
        Some(Reply::bulk_or_null(db.text(key)?))
    } else {
        None
    };
    if (options.only_new && exists) || (options.only_existing && !exists) {
        return Ok(before.unwrap_or(Reply::Null));
    }
    let expiry = if options.keep_expiry {
        db.expiry(key).flatten().map(|left| Instant::now() + left)
    } else {
        options.ends_at
    };
    db.set(key, Value::Text(words[2].to_vec()), expiry);
    Ok(before.unwrap_or(OK))
}

impl SetOptions {
    fn read(words: &[&[u8]]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => options.only_new = true,
                b"XX" => options.only_existing = true,
                b"GET" => options.get = true,
                b"KEEPTTL" => options.keep_expiry = true,
                unit @ (b"EX" | b"PX") if options.ends_at.is_none() => {
                    let count = integer(words.next().ok_or(SYNTAX)?)?;
                    if count <= 0 {
                        return Err("ERR invalid expire time in 'set' command".into());
                    }
                    let unit = Duration::from_millis(if unit == b"EX" { 1000 } else { 1 });
                    options.ends_at = Some(end_of(count, unit, "set")?);
                }
                _ => return Err(SYNTAX.into()),
            }
        }
        let contradicts = (options.only_new && options.only_existing)
            || (options.keep_expiry && options.ends_at.is_some());
        if contradicts {
            Err(SYNTAX.into())
        } else {
            Ok(options)
        }
    }
}
