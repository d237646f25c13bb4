//! Commands on hashes and sets.

use std::collections::{HashMap, HashSet};

use crate::store::{
    data::Database,
    reply::{Outcome, Reply},
};

pub(crate) fn hset(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let (pairs, rest) = words[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err("ERR wrong number of arguments for 'hset' command".into());
    }
    super::counted(db.change_hash(words[1], |hash| {
        let pairs = pairs.iter();
        pairs
            .filter(|[field, value]| hash.insert(field.to_vec(), value.to_vec()).is_none())
            .count()
    })?)
}

pub(crate) fn hget(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let hash = db.hash(words[1])?;
    Ok(Reply::bulk_or_null(
        hash.and_then(|hash| hash.get(words[2])),
    ))
}

pub(crate) fn hexists(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let found = db
        .hash(words[1])?
        .is_some_and(|hash| hash.contains_key(words[2]));
    Ok(Reply::Integer(i64::from(found)))
}

pub(crate) fn hlen(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.hash(words[1])?.map_or(0, HashMap::len))
}

pub(crate) fn hgetall(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let mut items = Vec::new();
    for (field, value) in db.hash(words[1])?.into_iter().flatten() {
        items.extend([Reply::bulk(field), Reply::bulk(value)]);
    }
    Ok(Reply::Map(items))
}

pub(crate) fn hdel(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.change_hash(words[1], |hash| {
        words[2..]
            .iter()
            .filter(|field| hash.remove(**field).is_some())
            .count()
    })?)
}

pub(crate) fn sadd(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.change_members(words[1], |set| {
        words[2..]
            .iter()
            .filter(|member| set.insert(member.to_vec()))
            .count()
    })?)
}

pub(crate) fn srem(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.change_members(words[1], |set| {
        words[2..]
            .iter()
            .filter(|member| set.remove(**member))
            .count()
    })?)
}

pub(crate) fn scard(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.members(words[1])?.map_or(0, HashSet::len))
}

pub(crate) fn sismember(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let found = db
        .members(words[1])?
        .is_some_and(|set| set.contains(words[2]));
    Ok(Reply::Integer(i64::from(found)))
}

pub(crate) fn smembers(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let set = db.members(words[1])?.into_iter().flatten();
    Ok(Reply::Set(set.map(Reply::bulk).collect()))
}
