//! Environment variables through one seam, so that a test can bring its own:
//! those of the process are everyone's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Where environment variables are read.
#[derive(Clone, Default)]
pub(crate) struct Environment(Option<Arc<BTreeMap<String, String>>>);

impl Environment {
    /// The process's own, read anew by every [`get`](Self::get): a platform
    /// may change them while the process lives.
    pub(crate) const fn process() -> Self {
        Self(None)
    }

    /// These variables, and none of the process's.
    pub(crate) fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs.into_iter().map(|(k, v)| (k.into(), v.into()));
        Self(Some(Arc::new(pairs.collect())))
    }

    /// A variable's value; `None` for one that is not set or blank, which is
    /// how people unset one in a manifest. Bytes that are no UTF-8 become
    /// U+FFFD: better to be refused where it is used than not to be seen.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var_os(name)?.to_string_lossy().into_owned(),
            Some(pairs) => pairs.get(name)?.clone(),
        };
        (!value.trim().is_empty()).then_some(value)
    }
}

impl fmt::Debug for Environment {
    /// Values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the process's environment"),
            Some(pairs) => f.debug_set().entries(pairs.keys()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_variable_is_none() {
        let environment = Environment::from_pairs([("A", "1"), ("B", ""), ("C", " \n")]);
        assert_eq!(environment.get("A").as_deref(), Some("1"));
        for name in ["B", "C", "D", "PATH"] {
            assert_eq!(environment.get(name), None, "{name}");
        }
    }

    #[test]
    fn the_process_has_its_own() {
        let environment = Environment::process();
        assert!(environment.get("PATH").is_some());
        assert_eq!(environment.get("REDIS_AUTHX_NEVER_SET"), None);
    }

    #[test]
    fn values_are_not_shown() {
        let environment = Environment::from_pairs([("AZURE_CLIENT_SECRET", "hunter2")]);
        assert_eq!(format!("{environment:?}"), "{\"AZURE_CLIENT_SECRET\"}");
    }
}
