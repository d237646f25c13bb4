//! What commands do to the transaction state of their connection.

/// What one command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `DISCARD`, `RESET`: there is no transaction and no `WATCH`.
    Discards,
    /// `EXEC`: the same, and it does what was queued.
    Executes,
    None,
    /// `MULTI`: from now on, commands are queued.
    Opens,
    /// `UNWATCH`; inside a transaction it is only queued.
    Unwatches,
    /// `WATCH`: the next `EXEC` is checked.
    Watches,
}

impl Effect {
    /// The effect of the command with that name, in any case.
    pub(crate) fn of_name(name: &[u8]) -> Self {
        // A few names among hundreds: the length sorts out nearly all others.
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("EXEC") => Self::Executes,
            5 if is("MULTI") => Self::Opens,
            5 if is("RESET") => Self::Discards,
            5 if is("WATCH") => Self::Watches,
            7 if is("DISCARD") => Self::Discards,
            7 if is("UNWATCH") => Self::Unwatches,
            _ => Self::None,
        }
    }
}

/// What commands do that are sent in one piece, so that nothing gets in
/// between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// They begin with what is no part of an open transaction.
    pub(crate) anew: bool,
    /// There is an `EXEC` among them that an earlier `WATCH` counts for.
    pub(crate) executes: bool,
    /// Whether a transaction is open after them, where they say so.
    pub(crate) open: Option<bool>,
    /// Whether a `WATCH` is in force after them, where they say so.
    pub(crate) watching: Option<bool>,
}

impl Effects {
    /// `MULTI` … `EXEC` in one piece, whatever is between them.
    pub(crate) const ATOMIC: Self = Self {
        anew: true,
        executes: true,
        open: Some(false),
        watching: Some(false),
    };

    pub(crate) const NONE: Self = Self {
        anew: false,
        executes: false,
        open: None,
        watching: None,
    };

    pub(crate) fn of(effects: impl IntoIterator<Item = Effect>) -> Self {
        let mut all = Self::NONE;
        for (place, effect) in effects.into_iter().enumerate() {
            all.anew |= place == 0 && matches!(effect, Effect::Opens | Effect::Watches);
            all.executes |= effect == Effect::Executes && all.watching != Some(false);
            match effect {
                Effect::Discards | Effect::Executes => {
                    all.open = Some(false);
                    all.watching = Some(false);
                }
                Effect::Opens => all.open = Some(true),
                Effect::Unwatches => all.watching = Some(false),
                Effect::Watches => all.watching = Some(true),
                Effect::None => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Effects {
        let names = line.split(' ');
        Effects::of(names.map(|name| Effect::of_name(name.as_bytes())))
    }

    #[test]
    fn names_are_read_in_any_case() {
        for (name, effect) in [
            ("MULTI", Effect::Opens),
            ("multi", Effect::Opens),
            ("Exec", Effect::Executes),
            ("DISCARD", Effect::Discards),
            ("RESET", Effect::Discards),
            ("watch", Effect::Watches),
            ("UNWATCH", Effect::Unwatches),
            ("GET", Effect::None),
            ("MULTIX", Effect::None),
            ("", Effect::None),
        ] {
            assert_eq!(Effect::of_name(name.as_bytes()), effect, "{name}");
        }
    }

    #[test]
    fn a_piece_counts_as_its_last_word() {
        for (line, open, watching) in [
            ("GET SET", None, None),
            ("MULTI SET", Some(true), None),
            ("MULTI SET EXEC", Some(false), Some(false)),
            ("SET EXEC MULTI", Some(true), Some(false)),
            ("WATCH GET", None, Some(true)),
            ("WATCH UNWATCH", None, Some(false)),
            ("EXEC WATCH", Some(false), Some(true)),
        ] {
            let all = of(line);
            assert_eq!((all.open, all.watching), (open, watching), "{line}");
        }
    }

    #[test]
    fn an_exec_counts_that_an_earlier_watch_is_for() {
        for (line, executes) in [
            ("EXEC", true),
            ("SET EXEC", true),
            ("MULTI SET EXEC", true),
            ("UNWATCH MULTI EXEC", false),
            ("DISCARD MULTI EXEC", false),
            ("GET", false),
        ] {
            assert_eq!(of(line).executes, executes, "{line}");
        }
        assert!(
            of("WATCH MULTI EXEC").executes,
            "a WATCH adds to those in force"
        );
    }

    #[test]
    fn what_begins_anew_is_no_part_of_an_open_transaction() {
        for (line, anew) in [
            ("MULTI", true),
            ("WATCH", true),
            ("GET MULTI", false),
            ("EXEC", false),
            ("DISCARD MULTI", false),
            ("GET", false),
        ] {
            assert_eq!(of(line).anew, anew, "{line}");
        }
    }
}
