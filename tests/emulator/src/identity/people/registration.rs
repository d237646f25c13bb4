use url::Url;

/// The redirect URIs of the one application, by the platform they are registered for.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    /// "Mobile and desktop applications": a public client, which has no secret.
    pub(crate) public: Vec<String>,
    /// "Web": a confidential client, which must send its secret.
    pub(crate) web: Vec<String>,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            public: vec!["http://localhost".to_owned()],
            web: Vec::new(),
        }
    }
}

impl Registration {
    /// Whether it is registered, and then whether for a confidential client.
    pub(crate) fn find(&self, uri: &str) -> Option<bool> {
        let among = |registered: &[String]| registered.iter().any(|one| matches(one, uri));
        if among(&self.web) {
            Some(true)
        } else {
            among(&self.public).then_some(false)
        }
    }
}

/// "Redirect URI (reply URL) outline and restrictions": the same in every letter, but that the
/// port of a loopback host does not count, and no path is the path `/`.
fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    for url in [&mut registered, &mut asked] {
        if matches!(url.host_str(), Some("localhost" | "127.0.0.1")) {
            let _ = url.set_port(None);
        }
    }
    asked.fragment().is_none() && registered == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_host_is_free() {
        for (registered, asked, is) in [
            ("http://localhost", "http://localhost:51234", true),
            ("http://localhost", "http://localhost:51234/", true),
            ("http://localhost:3000/a", "http://localhost/a", true),
            ("http://localhost/a", "http://localhost:1/A", false),
            ("http://localhost/a", "http://localhost:1/a/", false),
            ("http://localhost", "https://localhost", false),
            ("http://localhost", "http://127.0.0.1", false),
            ("http://localhost", "http://localhost/#x", false),
            ("http://localhost", "http://localhost@evil.example/", false),
            ("https://a.example/b", "https://a.example:444/b", false),
            ("https://a.example/b", "https://a.example/b?c", false),
            ("msal1://auth", "msal1://auth", true),
            ("msal1://auth", "", false),
        ] {
            assert_eq!(matches(registered, asked), is, "{asked}");
        }
        let mut registration = Registration::default();
        registration.web.push("https://a.example/b".to_owned());
        assert_eq!(registration.find("http://localhost:9"), Some(false));
        assert_eq!(registration.find("https://a.example/b"), Some(true));
        assert_eq!(registration.find("https://b.example/"), None);
    }
}
