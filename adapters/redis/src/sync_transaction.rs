//! What a connection's user knows of its transaction, and what becomes of it
//! when the connection is replaced.

/// A command, as far as transactions are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Discard,
    Exec,
    Multi,
    Other,
    Reset,
    Unwatch,
    Watch,
}

impl Word {
    /// The command with that name, in any case.
    pub(crate) fn of_name(name: &[u8]) -> Self {
        // Six names among hundreds: the length sorts out nearly all others.
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("EXEC") => Self::Exec,
            5 if is("MULTI") => Self::Multi,
            5 if is("RESET") => Self::Reset,
            5 if is("WATCH") => Self::Watch,
            7 if is("DISCARD") => Self::Discard,
            7 if is("UNWATCH") => Self::Unwatch,
            _ => Self::Other,
        }
    }

    /// Whether the server's transaction state is in doubt when this command
    /// was sent and its reply did not come.
    pub(crate) const fn leaves_doubt(self) -> bool {
        matches!(
            self,
            Self::Discard | Self::Exec | Self::Multi | Self::Reset | Self::Watch
        )
    }
}

/// The transaction state of a connection that has one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transaction {
    #[default]
    None,
    Watching,
    Open,
    /// It was open on a connection that is gone: what follows must not be
    /// executed one by one.
    Aborted,
    /// Keys were watched on a connection that is gone: they may have changed.
    Unguarded,
    /// A transaction after that: open, and not to be executed.
    Doomed,
}

/// What is to be done with commands that are about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is left to discard: `OK`.
    Discarded,
    /// Not sent: they belong to a transaction that is gone.
    Refused,
    Send,
    /// Not sent: as if a watched key had changed. With a `DISCARD` where the
    /// transaction is open.
    Void {
        discard: bool,
    },
}

impl Transaction {
    /// Whether an `AUTH` would become part of it.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Doomed)
    }

    /// Judges commands that are sent in one piece.
    pub(crate) fn before(&mut self, words: impl Iterator<Item = Word> + Clone) -> Verdict {
        match self {
            Self::None | Self::Watching | Self::Open => Verdict::Send,
            Self::Aborted => self.before_aborted(words),
            Self::Unguarded => {
                let mut words = words.skip_while(|word| *word != Word::Multi);
                if words.any(|word| word == Word::Exec) {
                    *self = Self::None;
                    Verdict::Void { discard: false }
                } else {
                    Verdict::Send
                }
            }
            Self::Doomed => {
                let mut words = words;
                if words.any(|word| word == Word::Exec) {
                    *self = Self::None;
                    Verdict::Void { discard: true }
                } else {
                    Verdict::Send
                }
            }
        }
    }

    /// Only the transaction's end, or the beginning of something new, lets
    /// commands through again.
    fn before_aborted(&mut self, mut words: impl Iterator<Item = Word> + Clone) -> Verdict {
        let first = words.clone().next();
        if let Some(Word::Multi | Word::Reset | Word::Watch) = first {
            *self = Self::None;
            return Verdict::Send;
        }
        let alone = words.clone().nth(1).is_none();
        if words.any(|word| matches!(word, Word::Discard | Word::Exec)) {
            *self = Self::None;
        }
        if alone && first == Some(Word::Discard) {
            Verdict::Discarded
        } else {
            Verdict::Refused
        }
    }

    /// After a reply, or an error in its place.
    pub(crate) fn answered(&mut self, word: Word, accepted: bool) {
        *self = match (*self, word) {
            // An error leaves no transaction behind either.
            (Self::Open | Self::Doomed, Word::Exec) => Self::None,
            (state, _) if !accepted => state,
            (_, Word::Reset) | (Self::Open | Self::Doomed, Word::Discard) => Self::None,
            (Self::None | Self::Watching, Word::Multi) => Self::Open,
            (Self::Unguarded, Word::Multi) => Self::Doomed,
            (Self::None, Word::Watch) => Self::Watching,
            (Self::Watching | Self::Unguarded, Word::Unwatch) => Self::None,
            (state, _) => state,
        };
    }

    /// After commands whose replies did not come. Whoever gets an error in the
    /// place of an `EXEC`'s reply is done with the transaction.
    pub(crate) fn unanswered(&mut self, mut words: impl Iterator<Item = Word>) {
        if words.any(|word| matches!(word, Word::Discard | Word::Exec | Word::Reset)) {
            *self = Self::None;
        }
    }

    /// Another connection has taken the place of the one before.
    pub(crate) const fn moved(&mut self) {
        *self = match self {
            Self::None => Self::None,
            Self::Open | Self::Doomed | Self::Aborted => Self::Aborted,
            Self::Watching | Self::Unguarded => Self::Unguarded,
        };
    }
}

#[cfg(test)]
mod tests;
