use serde_json::{Value, json};

/// Someone who has signed in, by the name they gave.
#[derive(Clone, Debug)]
pub(crate) struct User {
    username: String,
}

impl User {
    /// The name that stands where nobody is asked.
    pub(crate) const DEFAULT: &str = "ada@contoso.example";

    /// `None` for a name that no page takes.
    pub(crate) fn new(username: &str) -> Option<Self> {
        const LONGEST: usize = 113;
        let username = username.trim();
        let fits = (1..=LONGEST).contains(&username.chars().count());
        (fits && !username.contains(char::is_control)).then(|| Self {
            username: username.to_owned(),
        })
    }

    pub(crate) fn someone() -> Self {
        Self {
            username: Self::DEFAULT.to_owned(),
        }
    }

    /// What a token says of its user ("Access token claims reference", "ID token claims
    /// reference"); of an application it says none of this.
    pub(crate) fn describe(&self, claims: &mut Value) {
        let name = self.username.split('@').next().unwrap_or_default();
        claims["name"] = json!(name);
        claims["preferred_username"] = json!(self.username);
    }
}
