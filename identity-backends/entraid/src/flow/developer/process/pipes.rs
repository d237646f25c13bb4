//! What a tool prints, read from both of its pipes at once.

use std::io::{ErrorKind, Read};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::MAX_OUTPUT;
use crate::threads::{self, NoThread};

/// Its drop has the threads that read end with what they next read.
pub(super) struct Pipes(Arc<Shared>);

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Nothing has a pipe open any more.
    Silent,
    TooMuch,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

struct Shared {
    printed: Mutex<Printed>,
    news: Condvar,
}

struct Printed {
    /// By [`Stream`]; of all that may be printed, since growing would leave
    /// copies of the token behind.
    texts: [Zeroizing<Vec<u8>>; 2],
    open: usize,
    too_much: bool,
    wanted: bool,
}

impl Printed {
    const fn state(&self) -> State {
        match self.open {
            _ if self.too_much => State::TooMuch,
            0 => State::Silent,
            _ => State::Open,
        }
    }
}

impl Pipes {
    /// Begins to read; each pipe on a thread of its own.
    pub(super) fn read(
        stdout: Option<impl Read + Send + 'static>,
        stderr: Option<impl Read + Send + 'static>,
    ) -> Result<Self, NoThread> {
        let text = || Zeroizing::new(Vec::with_capacity(MAX_OUTPUT));
        let pipes = Self(Arc::new(Shared {
            printed: Mutex::new(Printed {
                texts: [text(), text()],
                open: 0,
                too_much: false,
                wanted: true,
            }),
            news: Condvar::new(),
        }));
        pipes.begin(Stream::Out, stdout)?;
        pipes.begin(Stream::Err, stderr)?;
        Ok(pipes)
    }

    fn begin(
        &self,
        stream: Stream,
        pipe: Option<impl Read + Send + 'static>,
    ) -> Result<(), NoThread> {
        let Some(pipe) = pipe else { return Ok(()) };
        self.0.lock().open += 1;
        let shared = Arc::clone(&self.0);
        threads::detached(Box::new(move || {
            shared.follow(stream, pipe);
            shared.lock().open -= 1;
            shared.news.notify_one();
        }))
    }

    /// Waits for `limit` at most, as long as there is something to wait for.
    pub(super) fn wait(&self, limit: Duration) -> State {
        let waits = |printed: &mut Printed| printed.state() == State::Open;
        let waited = self
            .0
            .news
            .wait_timeout_while(self.0.lock(), limit, waits)
            .unwrap_or_else(PoisonError::into_inner);
        waited.0.state()
    }

    /// What was printed so far: standard output, standard error.
    pub(super) fn take(self) -> [Zeroizing<Vec<u8>>; 2] {
        let mut printed = self.0.lock();
        printed.wanted = false;
        mem::take(&mut printed.texts)
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        self.0.lock().wanted = false;
    }
}

impl Shared {
    /// Until the pipe ends, too much has been printed, or nobody wants more.
    fn follow(&self, stream: Stream, mut pipe: impl Read) {
        let mut bytes = Zeroizing::new([0; 4096]);
        loop {
            match pipe.read(&mut *bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    let mut printed = self.lock();
                    let printed_before = printed.texts[stream as usize].len();
                    printed.too_much |= printed_before + length > MAX_OUTPUT;
                    if printed.too_much || !printed.wanted {
                        return;
                    }
                    printed.texts[stream as usize].extend_from_slice(&bytes[..length]);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
