//! Which commands open and close a raw transaction.

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
    /// The effect of the command with that name, in any case.
    pub(crate) fn of_name(name: &[u8]) -> Self {
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

    /// The effect of commands that are sent in one piece: nothing gets in
    /// between.
    pub(crate) fn of_all(effects: impl Iterator<Item = Self>) -> Self {
        effects
            .filter(|effect| *effect != Self::None)
            .last()
            .unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
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
            ("", Effect::None),
        ] {
            assert_eq!(Effect::of_name(name.as_bytes()), effect, "{name}");
        }
    }
}
