//! Which commands open and close a raw transaction.

use redis::{Arg, Cmd, Pipeline};

/// What a command does to the transaction state of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// From its reply on, there is no transaction: `EXEC`, `DISCARD`, `RESET`.
    Closes,
    None,
    /// From its sending on, every command is queued: `MULTI`.
    Opens,
}

impl Effect {
    pub(crate) fn of(command: &Cmd) -> Self {
        match command.args_iter().next() {
            Some(Arg::Simple(name)) => Self::of_name(name),
            _ => Self::None,
        }
    }

    /// The effect of all the commands of a pipeline, which is sent in one
    /// piece: nothing gets in between.
    pub(crate) fn of_pipeline(pipeline: &Pipeline) -> Self {
        if pipeline.is_transaction() {
            return Self::Closes;
        }
        pipeline
            .cmd_iter()
            .map(Self::of)
            .filter(|effect| *effect != Self::None)
            .last()
            .unwrap_or(Self::None)
    }

    fn of_name(name: &[u8]) -> Self {
        // Four names among hundreds: the length sorts out nearly all others.
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("EXEC") => Self::Closes,
            5 if is("MULTI") => Self::Opens,
            5 if is("RESET") => Self::Closes,
            7 if is("DISCARD") => Self::Closes,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{cmd, pipe};

    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for (name, effect) in [
            ("MULTI", Effect::Opens),
            ("multi", Effect::Opens),
            ("Exec", Effect::Closes),
            ("DISCARD", Effect::Closes),
            ("RESET", Effect::Closes),
            ("GET", Effect::None),
            ("MULTIX", Effect::None),
            ("WATCH", Effect::None),
        ] {
            assert_eq!(Effect::of(&cmd(name)), effect, "{name}");
        }
        assert_eq!(Effect::of(&Cmd::new()), Effect::None);
    }

    #[test]
    fn a_value_is_no_command() {
        assert_eq!(
            Effect::of(cmd("SET").arg("MULTI").arg("EXEC")),
            Effect::None
        );
    }

    #[test]
    fn a_pipeline_counts_as_its_last_word() {
        let plain = |names: &[&str]| {
            let mut pipeline = pipe();
            names.iter().for_each(|name| {
                pipeline.cmd(name);
            });
            Effect::of_pipeline(&pipeline)
        };
        assert_eq!(plain(&["GET", "SET"]), Effect::None);
        assert_eq!(plain(&["MULTI", "SET"]), Effect::Opens);
        assert_eq!(plain(&["MULTI", "SET", "EXEC"]), Effect::Closes);
        assert_eq!(plain(&["SET", "EXEC", "MULTI"]), Effect::Opens);
        assert_eq!(
            Effect::of_pipeline(pipe().atomic().cmd("SET")),
            Effect::Closes
        );
    }
}
