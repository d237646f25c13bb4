//! One connection to the store: who is logged in, the protocol version, the open transaction.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bytes::BytesMut;
use tokio::sync::mpsc;

use super::{
    Shared,
    commands::{self, Run, Spec},
    data::{DATABASES, Data},
    hub::Message,
    reply::{OK, Outcome, Reply},
    subscriptions::Subscriptions,
};

const NO_AUTH: &str = "NOAUTH Authentication required.";
const WRONG_PASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const EXEC_ABORT: &str = "EXECABORT Transaction discarded because of previous errors.";

/// See the module's description.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: u64,
    pub(crate) name: Vec<u8>,
    pub(crate) resp3: bool,
    pub(crate) database: usize,
    pub(crate) subscriptions: Subscriptions,
    logged_in: bool,
    quit: bool,
    transaction: Option<Transaction>,
    watching: Option<Arc<AtomicBool>>,
    messages: Option<mpsc::Receiver<Message>>,
}

#[derive(Default)]
struct Transaction {
    queued: Vec<(&'static Spec, Vec<Vec<u8>>)>,
    broken: bool,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            id: shared.next_session(),
            shared,
            name: Vec::new(),
            resp3: false,
            database: 0,
            subscriptions: Subscriptions::default(),
            logged_in: false,
            quit: false,
            transaction: None,
            watching: None,
            messages: None,
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.quit
    }

    /// The next message of a subscription; never ready without one.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        match &mut self.messages {
            Some(messages) => messages.recv().await,
            None => future::pending().await,
        }
    }

    pub(crate) fn deliver(&self, message: Message, out: &mut BytesMut) {
        // Unsubscribed while it was on its way.
        if self.subscriptions.wants(&message) {
            Subscriptions::message(message).write(self.resp3, out);
        }
    }

    /// Runs one request; the reply, or the several of a subscription, go to `out`.
    pub(crate) fn execute(&mut self, words: &[&[u8]], out: &mut BytesMut) {
        let resp3 = self.resp3;
        match self.answer(words, out) {
            Ok(Some(reply)) => reply.write(self.resp3, out),
            Ok(None) => {}
            Err(text) => Reply::Error(text).write(resp3, out),
        }
    }

    fn answer(
        &mut self,
        words: &[&[u8]],
        out: &mut BytesMut,
    ) -> Result<Option<Reply>, std::borrow::Cow<'static, str>> {
        let spec = match self.admit(words) {
            Ok(spec) => spec,
            Err(text) if words[0].eq_ignore_ascii_case(b"exec") => {
                self.transaction = None;
                self.unwatch(&mut Arc::clone(&self.shared).data());
                let reason = text.strip_prefix("ERR ").unwrap_or(&text);
                let text = format!("EXECABORT Transaction discarded because of: {reason}");
                return Err(text.into());
            }
            Err(text) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.broken = true;
                }
                return Err(text);
            }
        };
        if let (Some(transaction), false) = (&mut self.transaction, spec.runs_in_transaction()) {
            let owned = words.iter().map(|word| word.to_vec()).collect();
            transaction.queued.push((spec, owned));
            return Ok(Some(Reply::Simple("QUEUED")));
        }
        if let Run::Subscription(change) = spec.run {
            if self.messages.is_none() {
                self.messages = Some(self.shared.hub().join(self.id));
            }
            let shared = Arc::clone(&self.shared);
            let mut hub = shared.hub();
            for reply in self
                .subscriptions
                .change(change, &words[1..], self.id, &mut hub)
            {
                reply.write(self.resp3, out);
            }
            return Ok(None);
        }
        let shared = Arc::clone(&self.shared);
        let mut data = shared.data();
        self.run(spec, words, &mut data).map(Some)
    }

    /// Whether the command exists and may be run now.
    fn admit(&self, words: &[&[u8]]) -> Result<&'static Spec, std::borrow::Cow<'static, str>> {
        let spec = commands::find(words)?;
        if !self.logged_in && !spec.without_login() {
            return Err(NO_AUTH.into());
        }
        if !self.resp3 && self.subscriptions.count() > 0 && !spec.while_subscribed() {
            return Err(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context",
                spec.name
            )
            .into());
        }
        Ok(spec)
    }

    fn run(&mut self, spec: &Spec, words: &[&[u8]], data: &mut Data) -> Outcome {
        match spec.run {
            Run::Data(run) => run(&mut data.database(self.database), words),
            Run::Everything(run) => run(data, words),
            Run::Session(run) => run(self, words),
            Run::Subscription(_) => {
                Err("ERR the embedded store does not subscribe in transactions".into())
            }
            Run::Multi => match self.transaction {
                Some(_) => Err("ERR MULTI calls can not be nested".into()),
                None => {
                    self.transaction = Some(Transaction::default());
                    Ok(OK)
                }
            },
            Run::Exec => self.exec(data),
            Run::Discard => {
                self.transaction.take().ok_or("ERR DISCARD without MULTI")?;
                self.unwatch(data);
                Ok(OK)
            }
            Run::Watch => self.watch(words, data),
            Run::Unwatch => {
                self.unwatch(data);
                Ok(OK)
            }
            Run::Reset => Ok(self.reset(data)),
            Run::Quit => {
                self.quit = true;
                Ok(OK)
            }
        }
    }

    fn exec(&mut self, data: &mut Data) -> Outcome {
        let transaction = self.transaction.take().ok_or("ERR EXEC without MULTI")?;
        let disturbed = self
            .watching
            .as_ref()
            .is_some_and(|flag| flag.load(Relaxed));
        self.unwatch(data);
        if transaction.broken {
            return Err(EXEC_ABORT.into());
        }
        if disturbed {
            return Ok(Reply::NullArray);
        }
        let mut replies = Vec::with_capacity(transaction.queued.len());
        for (spec, words) in &transaction.queued {
            let words: Vec<_> = words.iter().map(Vec::as_slice).collect();
            replies.push(self.run(spec, &words, data).unwrap_or_else(Reply::Error));
        }
        Ok(Reply::Array(replies))
    }

    fn watch(&mut self, words: &[&[u8]], data: &mut Data) -> Outcome {
        if self.transaction.is_some() {
            return Err("ERR WATCH inside MULTI is not allowed".into());
        }
        let flag = self.watching.get_or_insert_default();
        for key in &words[1..] {
            data.watch(self.database, key, flag);
        }
        Ok(OK)
    }

    fn unwatch(&mut self, data: &mut Data) {
        if let Some(flag) = self.watching.take() {
            data.unwatch(&flag);
        }
    }

    fn reset(&mut self, data: &mut Data) -> Reply {
        self.unwatch(data);
        self.transaction = None;
        self.shared.hub().leave(self.id);
        self.messages = None;
        self.subscriptions = Subscriptions::default();
        self.logged_in = false;
        self.resp3 = false;
        self.database = 0;
        self.name.clear();
        Reply::Simple("RESET")
    }

    pub(crate) fn log_in(&mut self, user: &[u8], password: &[u8]) -> Result<(), &'static str> {
        if !self.shared.accepts(user, password) {
            return Err(WRONG_PASS);
        }
        self.logged_in = true;
        Ok(())
    }

    pub(crate) fn logged_in(&self) -> bool {
        self.logged_in
    }

    pub(crate) fn select(&mut self, number: usize) -> Outcome {
        if number >= DATABASES {
            return Err("ERR DB index is out of range".into());
        }
        self.database = number;
        Ok(OK)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.messages.is_some() {
            self.shared.hub().leave(self.id);
        }
        if let Some(flag) = self.watching.take() {
            self.shared.data().unwatch(&flag);
        }
    }
}
