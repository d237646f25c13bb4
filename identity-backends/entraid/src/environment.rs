//! Environment variables through one seam, so that a test can bring its own:
//! those of the process are everyone's.

use std::fmt;
use std::sync::Arc;

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where environment variables are read.
#[derive(Clone, Default)]
pub(crate) struct Environment(Option<Arc<Variables>>);

impl Environment {
    /// The process's own, read anew by every [`get`](Self::get): a platform
    /// may change them while the process lives.
    pub(crate) const fn process() -> Self {
        Self(None)
    }

    /// What this function says, asked anew by every [`get`](Self::get).
    pub(crate) fn from_fn<F>(variables: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        Self(Some(Arc::new(variables)))
    }

    /// These variables, and none of the process's.
    #[cfg(test)]
    pub(crate) fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs.into_iter().map(|(k, v)| (k.into(), v.into()));
        let pairs: std::collections::BTreeMap<String, String> = pairs.collect();
        Self::from_fn(move |name| pairs.get(name).cloned())
    }

    /// A variable's value; `None` for one that is not set or blank, which is
    /// how people unset one in a manifest. Bytes that are no UTF-8 become
    /// U+FFFD: better to be refused where it is used than not to be seen.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var_os(name)?.to_string_lossy().into_owned(),
            Some(variables) => variables(name)?,
        };
        (!value.trim().is_empty()).then_some(value)
    }
}

impl fmt::Debug for Environment {
    /// Values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "the process's environment",
            Some(_) => "an environment of its own",
        })
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
        assert_eq!(format!("{environment:?}"), "an environment of its own");
    }
}
