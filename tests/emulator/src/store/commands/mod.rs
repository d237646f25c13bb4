//! The commands by name, with how many words each takes.

mod collections;
mod connection;
mod keys;
mod lists;
mod numbers;
mod strings;

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use super::{
    data::{Data, Database},
    hub::Way,
    reply::{OK, Outcome, Reply},
    session::Session,
    subscriptions::Change,
};

/// How a command is run, by what it works on.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Data(fn(&mut Database<'_>, &[&[u8]]) -> Outcome),
    Everything(fn(&mut Data, &[&[u8]]) -> Outcome),
    Session(fn(&mut Session, &[&[u8]]) -> Outcome),
    Subscription(Change),
    Multi,
    Exec,
    Discard,
    Watch,
    Unwatch,
    Reset,
    Quit,
}

/// One command.
pub(crate) struct Spec {
    /// In lower case, as error texts have it.
    pub(crate) name: &'static str,
    least: usize,
    most: usize,
    pub(crate) run: Run,
}

impl Spec {
    pub(crate) fn without_login(&self) -> bool {
        matches!(self.name, "auth" | "hello" | "quit" | "reset")
    }

    pub(crate) fn while_subscribed(&self) -> bool {
        matches!(self.run, Run::Subscription(_) | Run::Quit | Run::Reset) || self.name == "ping"
    }

    /// Whether it is run at once even in a transaction.
    pub(crate) fn runs_in_transaction(&self) -> bool {
        matches!(
            self.run,
            Run::Multi | Run::Exec | Run::Discard | Run::Watch | Run::Reset | Run::Quit
        )
    }
}

/// No bound on the number of words.
const ANY: usize = usize::MAX;

const fn spec(name: &'static str, least: usize, most: usize, run: Run) -> Spec {
    Spec {
        name,
        least,
        most,
        run,
    }
}

const fn subscription(name: &'static str, least: usize, way: Way, on: bool) -> Spec {
    spec(
        name,
        least,
        ANY,
        Run::Subscription(Change {
            word: name,
            way,
            on,
        }),
    )
}

static COMMANDS: [Spec; 61] = [
    spec("append", 3, 3, Run::Data(strings::append)),
    spec("auth", 2, ANY, Run::Session(connection::auth)),
    spec("client", 2, ANY, Run::Session(connection::client)),
    spec("command", 1, ANY, Run::Session(connection::command)),
    spec("dbsize", 1, 1, Run::Data(keys::dbsize)),
    spec("decr", 2, 2, Run::Data(strings::decr)),
    spec("decrby", 3, 3, Run::Data(strings::decrby)),
    spec("del", 2, ANY, Run::Data(keys::del)),
    spec("discard", 1, 1, Run::Discard),
    spec("echo", 2, 2, Run::Session(connection::echo)),
    spec("exec", 1, 1, Run::Exec),
    spec("exists", 2, ANY, Run::Data(keys::exists)),
    spec("expire", 3, 3, Run::Data(keys::expire)),
    spec(
        "flushall",
        1,
        2,
        Run::Everything(|data, _| {
            data.clear_all();
            Ok(OK)
        }),
    ),
    spec("flushdb", 1, 2, Run::Data(keys::flushdb)),
    spec("get", 2, 2, Run::Data(strings::get)),
    spec("hdel", 3, ANY, Run::Data(collections::hdel)),
    spec("hello", 1, ANY, Run::Session(connection::hello)),
    spec("hexists", 3, 3, Run::Data(collections::hexists)),
    spec("hget", 3, 3, Run::Data(collections::hget)),
    spec("hgetall", 2, 2, Run::Data(collections::hgetall)),
    spec("hlen", 2, 2, Run::Data(collections::hlen)),
    spec("hset", 4, ANY, Run::Data(collections::hset)),
    spec("incr", 2, 2, Run::Data(strings::incr)),
    spec("incrby", 3, 3, Run::Data(strings::incrby)),
    spec("info", 1, ANY, Run::Session(connection::info)),
    spec("keys", 2, 2, Run::Data(keys::keys)),
    spec("llen", 2, 2, Run::Data(lists::llen)),
    spec("lpop", 2, ANY, Run::Data(lists::lpop)),
    spec("lpush", 3, ANY, Run::Data(lists::lpush)),
    spec("lrange", 4, 4, Run::Data(lists::lrange)),
    spec("mget", 2, ANY, Run::Data(strings::mget)),
    spec("mset", 3, ANY, Run::Data(strings::mset)),
    spec("multi", 1, 1, Run::Multi),
    spec("persist", 2, 2, Run::Data(keys::persist)),
    spec("pexpire", 3, 3, Run::Data(keys::pexpire)),
    spec("ping", 1, ANY, Run::Session(connection::ping)),
    subscription("psubscribe", 2, Way::Pattern, true),
    spec("pttl", 2, 2, Run::Data(keys::pttl)),
    spec("publish", 3, 3, Run::Session(connection::publish)),
    subscription("punsubscribe", 1, Way::Pattern, false),
    spec("quit", 1, ANY, Run::Quit),
    spec("reset", 1, 1, Run::Reset),
    spec("rpop", 2, ANY, Run::Data(lists::rpop)),
    spec("rpush", 3, ANY, Run::Data(lists::rpush)),
    spec("sadd", 3, ANY, Run::Data(collections::sadd)),
    spec("scard", 2, 2, Run::Data(collections::scard)),
    spec("select", 2, 2, Run::Session(connection::select)),
    spec("set", 3, ANY, Run::Data(strings::set)),
    spec("sismember", 3, 3, Run::Data(collections::sismember)),
    spec("smembers", 2, 2, Run::Data(collections::smembers)),
    spec("srem", 3, ANY, Run::Data(collections::srem)),
    spec("strlen", 2, 2, Run::Data(strings::strlen)),
    subscription("subscribe", 2, Way::Channel, true),
    spec("time", 1, 1, Run::Session(connection::time)),
    spec("ttl", 2, 2, Run::Data(keys::ttl)),
    spec("type", 2, 2, Run::Data(keys::kind)),
    spec("unlink", 2, ANY, Run::Data(keys::del)),
    subscription("unsubscribe", 1, Way::Channel, false),
    spec("unwatch", 1, 1, Run::Unwatch),
    spec("watch", 2, ANY, Run::Watch),
];

static BY_NAME: LazyLock<HashMap<&'static [u8], &'static Spec>> = LazyLock::new(|| {
    COMMANDS
        .iter()
        .map(|spec| (spec.name.as_bytes(), spec))
        .collect()
});

/// The command that the words ask for, if there are enough of them.
pub(crate) fn find(words: &[&[u8]]) -> Result<&'static Spec, Cow<'static, str>> {
    const LONGEST: usize = 16;
    let name = words.first().copied().unwrap_or_default();
    let mut lower = [0; LONGEST];
    let spec = lower.get_mut(..name.len()).and_then(|lower| {
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        BY_NAME.get(&*lower).copied()
    });
    let spec = spec.ok_or_else(|| unknown(words))?;
    if !(spec.least..=spec.most).contains(&words.len()) {
        return Err(wrong_number(spec.name));
    }
    Ok(spec)
}

fn wrong_number(command: &str) -> Cow<'static, str> {
    format!("ERR wrong number of arguments for '{command}' command").into()
}

/// For commands whose bound Redis does not keep in its table.
fn at_most(most: usize, words: &[&[u8]]) -> Result<(), Cow<'static, str>> {
    if words.len() <= most {
        return Ok(());
    }
    let name = String::from_utf8_lossy(words[0]).to_ascii_lowercase();
    Err(wrong_number(&name))
}

fn unknown(words: &[&[u8]]) -> Cow<'static, str> {
    let shown = |word: &[u8]| String::from_utf8_lossy(&word[..word.len().min(128)]).into_owned();
    let name = shown(words.first().copied().unwrap_or_default());
    let mut text = format!("ERR unknown command '{name}', with args beginning with: ");
    for word in words.iter().skip(1).take(16) {
        text.push_str(&format!("'{}' ", shown(word)));
        if text.len() > 128 {
            break;
        }
    }
    text.into()
}

/// The replies of commands that change a number of things.
fn counted(count: usize) -> Outcome {
    Ok(Reply::count(count))
}
