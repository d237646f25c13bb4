//! Commands on lists.

use std::collections::VecDeque;

use super::numbers::integer;
use crate::store::{
    data::Database,
    reply::{Outcome, Reply},
};

type List = VecDeque<Vec<u8>>;

pub(crate) fn lpush(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    push(db, words, List::push_front)
}

pub(crate) fn rpush(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    push(db, words, List::push_back)
}

fn push(db: &mut Database<'_>, words: &[&[u8]], push: fn(&mut List, Vec<u8>)) -> Outcome {
    super::counted(db.change_list(words[1], |list| {
        for word in &words[2..] {
            push(list, word.to_vec());
        }
        list.len()
    })?)
}

pub(crate) fn lpop(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    pop(db, words, List::pop_front)
}

pub(crate) fn rpop(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    pop(db, words, List::pop_back)
}

fn pop(db: &mut Database<'_>, words: &[&[u8]], pop: fn(&mut List) -> Option<Vec<u8>>) -> Outcome {
    // Redis looks at this only when it runs the command, not when it queues it.
    super::at_most(3, words)?;
    let count = words
        .get(2)
        .map(|count| {
            integer(count)
                .ok()
                .and_then(|count| usize::try_from(count).ok())
        })
        .map(|count| count.ok_or("ERR value is out of range, must be positive"))
        .transpose()?;
    if db.list(words[1])?.is_none() {
        return Ok(if count.is_some() {
            Reply::NullArray
        } else {
            Reply::Null
        });
    }
    db.change_list(words[1], |list| match count {
        None => pop(list).map_or(Reply::Null, Reply::Bulk),
        Some(count) => {
            let count = count.min(list.len());
            Reply::Array(
                (0..count)
                    .filter_map(|_| pop(list))
                    .map(Reply::Bulk)
                    .collect(),
            )
        }
    })
}

pub(crate) fn llen(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    super::counted(db.list(words[1])?.map_or(0, VecDeque::len))
}

pub(crate) fn lrange(db: &mut Database<'_>, words: &[&[u8]]) -> Outcome {
    let (first, last) = (integer(words[2])?, integer(words[3])?);
    let Some(list) = db.list(words[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    // Negative positions count from the end.
    let position = |at: i64| {
        if at < 0 {
            at.saturating_add(length)
        } else {
            at
        }
    };
    let first = usize::try_from(position(first).max(0)).unwrap_or(usize::MAX);
    let last = position(last).min(length - 1);
    let count = usize::try_from(last + 1).unwrap_or(0).saturating_sub(first);
    Ok(Reply::Array(
        list.iter()
            .skip(first)
            .take(count)
            .map(Reply::bulk)
            .collect(),
    ))
}
