//! Commands about the connection and the server.

use super::numbers::integer;
use crate::{
    clock,
    store::{
        reply::{OK, Outcome, Reply},
        session::Session,
    },
};

/// The protocol level that clients are told; what they find is less.
const VERSION: &str = "7.0.0";

pub(crate) fn ping(session: &mut Session, words: &[&[u8]]) -> Outcome {
    super::at_most(2, words)?;
    let text = words.get(1).copied();
    if !session.resp3 && session.subscriptions.count() > 0 {
        let text = text.unwrap_or_default();
        return Ok(Reply::Array(vec![Reply::bulk("pong"), Reply::bulk(text)]));
    }
    Ok(text.map_or(Reply::Simple("PONG"), Reply::bulk))
}

pub(crate) fn echo(_: &mut Session, words: &[&[u8]]) -> Outcome {
    Ok(Reply::bulk(words[1]))
}

pub(crate) fn auth(session: &mut Session, words: &[&[u8]]) -> Outcome {
    let (user, password) = match words {
        [_, password] => (&b"default"[..], *password),
        [_, user, password] => (*user, *password),
        _ => return Err("ERR syntax error".into()),
    };
    session.log_in(user, password)?;
    Ok(OK)
}

pub(crate) fn hello(session: &mut Session, words: &[&[u8]]) -> Outcome {
    let mut resp3 = session.resp3;
    if let Some(version) = words.get(1) {
        let wrong = "ERR Protocol version is not an integer or out of range";
        resp3 = match integer(version).map_err(|_| wrong)? {
            2 => false,
            3 => true,
            _ => return Err("NOPROTO unsupported protocol version".into()),
        };
    }
    let mut login = None;
    let mut name = None;
    let mut rest = words.get(2..).unwrap_or_default();
    while let Some((option, tail)) = rest.split_first() {
        rest = match (option.to_ascii_uppercase().as_slice(), tail) {
            (b"AUTH", [user, password, tail @ ..]) => {
                login = Some((*user, *password));
                tail
            }
            (b"SETNAME", [given, tail @ ..]) => {
                name = Some(given.to_vec());
                tail
            }
            _ => {
                let option = String::from_utf8_lossy(option);
                return Err(format!("ERR Syntax error in HELLO option '{option}'").into());
            }
        };
    }
    if let Some((user, password)) = login {
        session.log_in(user, password)?;
    }
    if !session.logged_in() {
        return Err(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise \
                    the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the \
                    client and select the RESP protocol version at the same time"
                .into(),
        );
    }
    if let Some(name) = name {
        session.name = name;
    }
    session.resp3 = resp3;
    Ok(Reply::Map(vec![
        Reply::bulk("server"),
        Reply::bulk("redis"),
        Reply::bulk("version"),
        Reply::bulk(VERSION),
        Reply::bulk("proto"),
        Reply::Integer(if resp3 { 3 } else { 2 }),
        Reply::bulk("id"),
        Reply::Integer(i64::try_from(session.id).unwrap_or(i64::MAX)),
        Reply::bulk("mode"),
        Reply::bulk("standalone"),
        Reply::bulk("role"),
        Reply::bulk("master"),
        Reply::bulk("modules"),
        Reply::Array(Vec::new()),
    ]))
}

pub(crate) fn select(session: &mut Session, words: &[&[u8]]) -> Outcome {
    let number = integer(words[1])?;
    session.select(usize::try_from(number).unwrap_or(usize::MAX))
}

pub(crate) fn client(session: &mut Session, words: &[&[u8]]) -> Outcome {
    match (words[1].to_ascii_uppercase().as_slice(), &words[2..]) {
        (b"SETINFO", [_, _]) | (b"NO-EVICT" | b"NO-TOUCH", [_]) => Ok(OK),
        (b"SETNAME", [name]) => {
            session.name = name.to_vec();
            Ok(OK)
        }
        (b"GETNAME", []) if session.name.is_empty() => Ok(Reply::Null),
        (b"GETNAME", []) => Ok(Reply::bulk(&session.name)),
        (b"ID", []) => Ok(Reply::Integer(
            i64::try_from(session.id).unwrap_or(i64::MAX),
        )),
        _ => {
            let subcommand = String::from_utf8_lossy(words[1]);
            let text = format!(
                "ERR unknown subcommand or wrong number of arguments for '{subcommand}' (embedded \
                 store of the emulator)"
            );
            Err(text.into())
        }
    }
}

pub(crate) fn publish(session: &mut Session, words: &[&[u8]]) -> Outcome {
    let reached = session.shared.hub().publish(words[1], words[2]);
    Ok(Reply::count(reached))
}

pub(crate) fn time(_: &mut Session, _: &[&[u8]]) -> Outcome {
    let now = clock::unix_now();
    let micros = (now.fract() * 1e6) as u64;
    Ok(Reply::Array(vec![
        Reply::bulk((now as u64).to_string()),
        Reply::bulk(micros.to_string()),
    ]))
}

pub(crate) fn info(_: &mut Session, _: &[&[u8]]) -> Outcome {
    Ok(Reply::bulk(format!(
        "# Server\r\nredis_version:{VERSION}\r\nredis_mode:standalone\r\nos:embedded store of \
         authx-emulator\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
    )))
}

/// Enough for clients that ask on connecting and can do without an answer.
pub(crate) fn command(_: &mut Session, words: &[&[u8]]) -> Outcome {
    let counts = words
        .get(1)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"COUNT"));
    Ok(if counts {
        Reply::count(super::COMMANDS.len())
    } else {
        Reply::Array(Vec::new())
    })
}
