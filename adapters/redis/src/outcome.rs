//! How a request ended, as far as its connection is concerned.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server did it, or some of it.
    Done,
    /// The connection is of no more use: gone, out of step, or logged out.
    Lost,
    /// The server did none of it.
    Refused,
    /// No reply: it may be executed yet, or never.
    Unknown,
}
