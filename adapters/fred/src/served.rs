//! Which token a connection logged in with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fred::types::config::Server;
use redis_authx::Token;

/// More servers than a client has. Beyond it nothing is known of the others,
/// which costs an `AUTH` each.
const MOST: usize = 1024;

/// What one client's connections were given to log in with: for each server the
/// oldest since its last connection was announced. fred asks for a connection's
/// credentials some time before it announces it, and may ask for another
/// meanwhile: the oldest is never newer than what that connection has.
#[derive(Debug, Default)]
pub(crate) struct Served(Mutex<HashMap<Server, Token>>);

impl Served {
    pub(crate) fn put(&self, server: &Server, token: &Token) {
        let mut served = self.lock();
        if served.len() < MOST && !served.contains_key(server) {
            served.insert(server.clone(), token.clone());
        }
    }

    pub(crate) fn take(&self, server: &Server) -> Option<Token> {
        self.lock().remove(server)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Server, Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_counts_until_it_is_taken() {
        let (served, server) = (Served::default(), Server::new("localhost", 6379));
        assert!(served.take(&server).is_none());
        served.put(&server, &Token::new("app", "old"));
        served.put(&server, &Token::new("app", "new"));
        assert_eq!(served.take(&server).unwrap().password(), "old");
        assert!(served.take(&server).is_none());
        served.put(&server, &Token::new("app", "new"));
        assert_eq!(served.take(&server).unwrap().password(), "new");
    }

    #[test]
    fn it_does_not_grow_without_limit() {
        let served = Served::default();
        for port in 1..=2000 {
            served.put(&Server::new("localhost", port), &Token::new("app", "x"));
        }
        assert_eq!(served.lock().len(), MOST);
    }
}
