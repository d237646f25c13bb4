//! The effect of redis-rs's commands and pipelines.

use super::redis::{Arg, Cmd, Pipeline};
use crate::effect::Effect;
#[cfg(feature = "sync")]
use crate::sync_transaction::Word;

pub(super) fn of(command: &Cmd) -> Effect {
    of_word(command.args_iter().next())
}

/// The command, as far as transactions are concerned.
#[cfg(feature = "sync")]
pub(super) fn word(command: &Cmd) -> Word {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => Word::of_name(name),
        _ => Word::Other,
    }
}

/// The effect of all the commands of a pipeline.
pub(super) fn of_pipeline(pipeline: &Pipeline) -> Effect {
    if pipeline.is_transaction() {
        return Effect::Closes;
    }
    let commands = pipeline.cmd_iter();
    Effect::of_all(commands.map(|command| of_word(command.args_iter().next())))
}

fn of_word(word: Option<Arg<&[u8]>>) -> Effect {
    match word {
        Some(Arg::Simple(name)) => Effect::of_name(name),
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::redis::{cmd, pipe};
    use super::*;

    #[test]
    fn the_first_word_is_the_command() {
        assert_eq!(of(&cmd("MULTI")), Effect::Opens);
        assert_eq!(of(cmd("SET").arg("MULTI").arg("EXEC")), Effect::None);
        assert_eq!(of(&Cmd::new()), Effect::None);
    }

    #[test]
    fn a_pipeline_counts_as_its_last_word() {
        let plain = |names: &[&str]| {
            let mut pipeline = pipe();
            names.iter().for_each(|name| {
                pipeline.cmd(name);
            });
            of_pipeline(&pipeline)
        };
        assert_eq!(plain(&["GET", "SET"]), Effect::None);
        assert_eq!(plain(&["MULTI", "SET"]), Effect::Opens);
        assert_eq!(plain(&["MULTI", "SET", "EXEC"]), Effect::Closes);
        assert_eq!(plain(&["SET", "EXEC", "MULTI"]), Effect::Opens);
        assert_eq!(of_pipeline(pipe().atomic().cmd("SET")), Effect::Closes);
    }
}
