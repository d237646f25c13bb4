use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Runs `test` and returns a line for each event, `outer > inner: message`,
/// and one for each span when it closes, `outer > span field=value (level)`.
/// No line holds a token of `support`.
pub(crate) fn transcript(test: impl FnOnce()) -> Vec<String> {
    let recorder = Recorder::default();
    let book = Arc::clone(&recorder.0);
    tracing::subscriber::with_default(recorder, test);
    let book = book.lock().expect("whole");
    assert!(book.spans.iter().all(|span| span.refs == 0), "a span leaks");
    assert!(book.entered.is_empty());
    assert!(!book.lines.iter().any(|line| line.contains("token-")));
    book.lines.clone()
}

#[derive(Default)]
struct Recorder(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    lines: Vec<String>,
    spans: Vec<Span>,
    /// The tests use one thread each.
    entered: Vec<usize>,
}

struct Span {
    metadata: &'static Metadata<'static>,
    /// The names of those that it is in, and its own.
    path: String,
    fields: String,
    refs: usize,
}

impl Recorder {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("whole")
    }
}

impl Book {
    fn path(&self) -> String {
        let within = self.entered.last().map(|index| &self.spans[*index]);
        within.map_or_else(String::new, |span| span.path.clone())
    }
}

fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64() - 1).expect("few spans")
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut book = self.book();
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        assert!(attributes.is_contextual());
        let path = match book.path() {
            outer if outer.is_empty() => metadata.name().to_owned(),
            outer => format!("{outer} > {}", metadata.name()),
        };
        book.spans.push(Span {
            metadata,
            path,
            fields: fields.0,
            refs: 1,
        });
        Id::from_u64(book.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.book().spans[index(id)].fields += &fields.0;
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {
        panic!("nothing follows from anything");
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Fields(String::new());
        event.record(&mut message);
        let mut book = self.book();
        let line = format!("{}:{}", book.path(), message.0);
        book.lines.push(line);
    }

    fn enter(&self, id: &Id) {
        self.book().entered.push(index(id));
    }

    fn exit(&self, id: &Id) {
        assert_eq!(self.book().entered.pop(), Some(index(id)));
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.book().spans[index(id)].refs += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut book = self.book();
        let span = &mut book.spans[index(&id)];
        span.refs -= 1;
        if span.refs > 0 {
            return false;
        }
        let line = format!("{}{} ({})", span.path, span.fields, span.metadata.level());
        let ours = span.metadata.target() == "redis_authx";
        assert!(ours || span.metadata.name() == "app");
        book.lines.push(line);
        true
    }
}

/// ` field=value`, the message without its name.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        }
        .expect("a string takes all");
    }
}
