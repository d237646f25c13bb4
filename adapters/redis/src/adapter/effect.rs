//! What redis-rs's commands and pipelines do to their connection.

use super::redis::{Arg, Cmd, Pipeline};
use crate::blocking::Blocking;
use crate::effect::{Effect, Effects};

pub(super) fn of(command: &Cmd) -> Effects {
    Effects::of([of_word(command.args_iter().next())])
}

/// The effect of all the commands of a pipeline.
pub(super) fn of_pipeline(pipeline: &Pipeline) -> Effects {
    if pipeline.is_transaction() {
        return Effects::ATOMIC;
    }
    let commands = pipeline.cmd_iter();
    Effects::of(commands.map(|command| of_word(command.args_iter().next())))
}

/// Whether it does nothing to its connection, and does not block it.
pub(super) fn is_plain(command: &Cmd) -> bool {
    is_plain_word(command.args_iter().next())
}

/// The same of a pipeline: of all its commands, and it is no transaction itself.
pub(super) fn is_plain_pipeline(pipeline: &Pipeline) -> bool {
    let mut commands = pipeline.cmd_iter();
    !pipeline.is_transaction() && commands.all(|command| is_plain_word(command.args_iter().next()))
}

/// How a command blocks, if it does.
pub(super) fn blocking(command: &Cmd) -> Option<Blocking> {
    // Without a reply there is nothing to wait for.
    if command.is_no_response() {
        return None;
    }
    blocking_words(command.args_iter())
}

/// How the commands of a pipeline block that do.
pub(super) fn blocking_in(pipeline: &Pipeline) -> Vec<Blocking> {
    if pipeline.is_transaction() {
        return Vec::new();
    }
    let commands = pipeline.cmd_iter();
    commands
        .filter_map(|command| blocking_words(command.args_iter()))
        .collect()
}

/// The name of a command.
pub(super) fn name(command: &Cmd) -> Option<&[u8]> {
    word(command.args_iter().next())
}

pub(super) fn word(word: Option<Arg<&[u8]>>) -> Option<&[u8]> {
    word.and_then(simple)
}

/// The words of a command that has no cursor among them.
pub(super) fn words<'a>(words: impl Iterator<Item = Arg<&'a [u8]>>) -> Vec<&'a [u8]> {
    words.filter_map(simple).collect()
}

fn blocking_words<'a>(mut words: impl Iterator<Item = Arg<&'a [u8]>>) -> Option<Blocking> {
    let name = words.next().and_then(simple)?;
    if !Blocking::may_be(name) {
        return None;
    }
    let rest = words.filter_map(simple);
    let words: Vec<&[u8]> = std::iter::once(name).chain(rest).collect();
    Blocking::of(&words)
}

const fn simple(word: Arg<&[u8]>) -> Option<&[u8]> {
    match word {
        Arg::Simple(word) => Some(word),
        _ => None,
    }
}

fn is_plain_word(word: Option<Arg<&[u8]>>) -> bool {
    let name = word.and_then(simple);
    name.is_some_and(|name| Effect::of_name(name) == Effect::None && !Blocking::may_be(name))
}

fn of_word(word: Option<Arg<&[u8]>>) -> Effect {
    word.and_then(simple).map_or(Effect::None, Effect::of_name)
}

#[cfg(test)]
mod tests {
    use super::super::redis::{cmd, pipe};
    use super::*;

    #[test]
    fn the_first_word_is_the_command() {
        assert_eq!(of(&cmd("MULTI")), Effects::of([Effect::Opens]));
        assert_eq!(of(cmd("SET").arg("MULTI").arg("EXEC")), Effects::NONE);
        assert_eq!(of(&Cmd::new()), Effects::NONE);
    }

    #[test]
    fn most_commands_are_plain() {
        for plain in ["GET", "set", "HGETALL", "PING"] {
            assert!(is_plain(&cmd(plain)), "{plain}");
        }
        for other in ["MULTI", "exec", "WATCH", "BLPOP", "xread", "WAIT", "RESET"] {
            assert!(!is_plain(&cmd(other)), "{other}");
        }
        assert!(!is_plain(&Cmd::new()));
    }

    #[test]
    fn a_pipeline_is_plain_when_all_of_it_is() {
        assert!(is_plain_pipeline(&pipe()));
        assert!(is_plain_pipeline(pipe().get("a").set("b", 1)));
        assert!(!is_plain_pipeline(pipe().atomic().get("a")));
        for other in ["MULTI", "WATCH", "BLPOP"] {
            assert!(!is_plain_pipeline(pipe().get("a").cmd(other)), "{other}");
        }
    }

    #[test]
    fn a_pipeline_is_read_as_a_whole() {
        let mut pipeline = pipe();
        pipeline.cmd("MULTI").cmd("SET").arg("EXEC");
        let expected = Effects::of([Effect::Opens, Effect::None]);
        assert_eq!(of_pipeline(&pipeline), expected);
        assert_eq!(of_pipeline(pipe().atomic().cmd("SET")), Effects::ATOMIC);
    }

    #[test]
    fn commands_that_block_are_found() {
        let mut blpop = cmd("BLPOP");
        blpop.arg("queue").arg(2);
        assert!(blocking(&blpop).is_some());
        assert!(blocking(cmd("GET").arg("BLPOP")).is_none());
        assert!(blocking(blpop.clone().set_no_response(true)).is_none());
        let mut pipeline = pipe();
        pipeline.get("key").add_command(blpop);
        assert_eq!(blocking_in(&pipeline).len(), 1);
        assert!(blocking_in(pipeline.atomic()).is_empty());
    }
}
