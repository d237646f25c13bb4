//! What one connection's requests and replies amount to: which reply answers which log-in, when
//! the session ends, whether a transaction is open.
//!
//! Nothing is guessed from the requests: a log-in counts when the backend's reply to it has come
//! by, also when that is an element of `EXEC`'s reply.

use std::{collections::VecDeque, time::Instant};

use super::{
    command::Kind,
    control::{Counters, InFlight},
    reply::Reply,
    report::Record,
    verify::{AuthRefusal, Pass},
};

/// A log-in on its way.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) verdict: Result<Pass, AuthRefusal>,
    /// Counts it as being in flight for as long as it exists.
    pub(crate) _in_flight: InFlight,
}

/// A request whose reply matters.
#[derive(Debug)]
struct Awaited {
    number: u64,
    kind: Kind,
    attempt: Option<Attempt>,
    confirmations: usize,
}

/// The log-in that a connection lives on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login {
    pub(crate) ends: Instant,
    pub(crate) token_number: u64,
}

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Session {
    sent: u64,
    answered: u64,
    awaited: VecDeque<Awaited>,
    resp3: bool,
    subscribed: bool,
    in_transaction: bool,
    queued: usize,
    queued_logins: Vec<(usize, Kind, Option<Attempt>)>,
    login: Option<Login>,
    pub(crate) record: Record,
    /// The last words to the client, once every reply is out.
    pub(crate) farewell: Option<String>,
}

impl Session {
    pub(crate) fn login(&self) -> Option<Login> {
        self.login
    }

    /// How many requests wait for a reply that matters.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited.len() + self.queued_logins.len()
    }

    /// Whether the client has replies to come.
    pub(crate) fn owes_replies(&self) -> bool {
        self.sent > self.answered
    }

    /// Requests went to the backend that are nothing special.
    pub(crate) fn sent_plain(&mut self, requests: u64) {
        self.sent += requests;
    }

    /// A log-in was refused without a reply.
    pub(crate) fn refused_unanswered(&mut self, why: AuthRefusal, counters: &Counters) {
        counters.login_refused();
        self.record.refused(why);
    }

    /// A request goes to the backend whose reply matters.
    pub(crate) fn sent(&mut self, kind: Kind, words: usize, attempt: Option<Attempt>) {
        self.awaited.push_back(Awaited {
            number: self.sent,
            kind,
            attempt,
            // UNSUBSCRIBE without a channel confirms as often as there are
            // channels; the first one is enough to go on.
            confirmations: words.saturating_sub(1).max(1),
        });
        self.sent += 1;
    }

    /// Whether the elements of the coming replies are needed.
    pub(crate) fn wants_elements(&self) -> bool {
        !self.queued_logins.is_empty()
    }

    /// Whether a whole reply, not yet told to [`replied`](Self::replied), names
    /// nodes.
    pub(crate) fn answers_topology(&self, reply: &Reply<'_>) -> bool {
        let front = self.awaited.front();
        front.is_some_and(|front| {
            front.kind == Kind::Topology && front.number == self.answered && !self.is_push(reply)
        })
    }

    /// A whole reply came by. Returns whether the log-in changed.
    pub(crate) fn replied(&mut self, reply: &Reply<'_>, counters: &Counters) -> bool {
        if self.is_push(reply) {
            self.pushed(reply);
            return false;
        }
        let number = self.answered;
        self.answered += 1;
        let awaited = match self.awaited.front() {
            Some(front) if front.number == number => self.awaited.pop_front(),
            _ => None,
        };
        if self.in_transaction && reply.head.starts_with(b"+QUEUED") {
            let position = self.queued;
            self.queued += 1;
            if let Some(Awaited {
                kind: kind @ (Kind::Auth | Kind::Hello),
                attempt,
                ..
            }) = awaited
            {
                counters.login_in_transaction();
                self.queued_logins.push((position, kind, attempt));
            }
            return false;
        }
        let Some(awaited) = awaited else {
            return false;
        };
        let first = reply.head.first().copied().unwrap_or_default();
        let is_refused = awaited
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.verdict.is_err());
        if is_refused && !is_error(first) {
            // No server accepts it: this one has dropped the refusal, and the
            // reply is the next request's.
            self.login_answered(awaited.kind, awaited.attempt, b'-', counters);
            return self.replied(reply, counters);
        }
        match awaited.kind {
            Kind::Auth | Kind::Hello => {
                self.login_answered(awaited.kind, awaited.attempt, first, counters)
            }
            Kind::Multi => {
                self.in_transaction |= first == b'+';
                false
            }
            Kind::Exec => self.transaction_ended(reply.elements, counters),
            Kind::Discard => {
                self.transaction_ended(&[], counters);
                false
            }
            Kind::Reset => first == b'+' && self.reset(),
            Kind::Plain | Kind::Topology | Kind::Subscription => false,
        }
    }

    /// Messages of pub/sub answer no request. RESP3 marks them; in RESP2 they
    /// are arrays, told by their first word on a connection that subscribes.
    fn is_push(&self, reply: &Reply<'_>) -> bool {
        match reply.head.first() {
            Some(b'>') => true,
            Some(b'*') if !self.resp3 => {
                let subscribing = self.awaited.front().is_some_and(|front| {
                    front.kind == Kind::Subscription && front.number == self.answered
                });
                (self.subscribed || subscribing)
                    && (is_confirmation(word(reply.head))
                        || matches!(word(reply.head), b"message" | b"pmessage" | b"smessage"))
            }
            _ => false,
        }
    }

    fn pushed(&mut self, reply: &Reply<'_>) {
        if !is_confirmation(word(reply.head)) {
            return;
        }
        self.subscribed = reply.last_integer.is_some_and(|channels| channels > 0);
        let answered = self.answered;
        if let Some(front) = self.awaited.front_mut()
            && front.kind == Kind::Subscription
            && front.number == answered
        {
            front.confirmations -= 1;
            if front.confirmations == 0 {
                self.awaited.pop_front();
                self.answered += 1;
            }
        }
    }

    fn login_answered(
        &mut self,
        kind: Kind,
        attempt: Option<Attempt>,
        first: u8,
        counters: &Counters,
    ) -> bool {
        let accepted = !is_error(first);
        if accepted && kind == Kind::Hello {
            self.resp3 = first == b'%';
        }
        let Some(attempt) = attempt else {
            return false;
        };
        match attempt.verdict {
            Ok(pass) if accepted => {
                let now = Instant::now();
                counters.login_accepted();
                self.record.accepted(self.login, &pass, now);
                self.login = Some(Login {
                    ends: now + pass.left,
                    token_number: pass.number,
                });
                true
            }
            verdict => {
                counters.login_refused();
                self.record
                    .refused(verdict.err().unwrap_or(AuthRefusal::Backend));
                false
            }
        }
    }

    fn transaction_ended(&mut self, elements: &[u8], counters: &Counters) -> bool {
        self.in_transaction = false;
        self.queued = 0;
        let mut changed = false;
        // Without an element the transaction was not run, nor the log-in.
        for (position, kind, attempt) in std::mem::take(&mut self.queued_logins) {
            if let Some(&first) = elements.get(position) {
                changed |= self.login_answered(kind, attempt, first, counters);
            }
        }
        changed
    }

    fn reset(&mut self) -> bool {
        self.resp3 = false;
        self.subscribed = false;
        self.in_transaction = false;
        self.queued = 0;
        self.queued_logins.clear();
        self.login.take().is_some()
    }
}

const fn is_error(first: u8) -> bool {
    matches!(first, b'-' | b'!')
}

fn is_confirmation(word: &[u8]) -> bool {
    word.ends_with(b"subscribe")
}

/// The first element of an array of bulk strings, from the reply's first bytes.
fn word(head: &[u8]) -> &[u8] {
    head.split(|&byte| byte == b'\n')
        .nth(2)
        .map_or(&[], <[u8]>::trim_ascii_end)
}
