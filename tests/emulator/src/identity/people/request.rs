use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

use super::Scopes;
use crate::identity::{
    IdentityState,
    form::Form,
    grant::{check_client, check_user_tenant},
    refusal::Refusal,
};

/// A request to the authorize endpoint whose answer has somewhere to go ("OAuth 2.0 authorization
/// code flow", "Request an authorization code").
pub(super) struct Request {
    pub(super) answer_to: AnswerTo,
    pub(super) scopes: Scopes,
    pub(super) challenge: Option<Challenge>,
    pub(super) nonce: Option<String>,
    pub(super) client_info: bool,
    pub(super) login_hint: Option<String>,
    pub(super) no_prompt: bool,
}

/// Where an answer goes, good or bad.
pub(super) struct AnswerTo {
    pub(super) redirect_uri: String,
    pub(super) confidential: bool,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) enum ResponseMode {
    FormPost,
    Fragment,
    Query,
}

/// Why a request is refused.
pub(super) enum Bad {
    /// The answer has nowhere to go: the page shows it.
    Shown(Refusal),
    Redirected(AnswerTo, Refusal),
}

impl Request {
    pub(super) fn read(state: &IdentityState, tenant: &str, form: &Form) -> Result<Self, Bad> {
        let answer_to = AnswerTo::read(state, tenant, form).map_err(Bad::Shown)?;
        match Self::rest(tenant, form) {
            Ok(rest) => Ok(rest(answer_to)),
            Err(refusal) => Err(Bad::Redirected(answer_to, refusal)),
        }
    }

    fn rest(tenant: &str, form: &Form) -> Result<impl FnOnce(AnswerTo) -> Self + use<>, Refusal> {
        match form.require("response_type")? {
            "code" => {}
            other => return Err(Refusal::response_type(other)),
        }
        let scopes = Scopes::read(form.require("scope")?, tenant)?;
        let challenge = Challenge::read(form)?;
        let text = |name| form.get(name).map(str::to_owned);
        let (nonce, login_hint) = (text("nonce"), text("login_hint"));
        let client_info = form.get("client_info") == Some("1");
        let no_prompt = form.get("prompt") == Some("none");
        Ok(move |answer_to| Self {
            answer_to,
            scopes,
            challenge,
            nonce,
            client_info,
            login_hint,
            no_prompt,
        })
    }
}

impl AnswerTo {
    fn read(state: &IdentityState, tenant: &str, form: &Form) -> Result<Self, Refusal> {
        check_user_tenant(state, tenant)?;
        check_client(state, tenant, form)?;
        let redirect_uri = form.require("redirect_uri")?;
        let confidential = state
            .people
            .registration
            .find(redirect_uri)
            .ok_or_else(|| Refusal::unregistered_redirect(redirect_uri))?;
        let mode = match form.get("response_mode") {
            None | Some("query") => ResponseMode::Query,
            Some("fragment") => ResponseMode::Fragment,
            Some("form_post") => ResponseMode::FormPost,
            Some(other) => return Err(Refusal::response_mode(other)),
        };
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            confidential,
            mode,
            state: form.get("state").map(str::to_owned),
        })
    }
}

/// A PKCE challenge (RFC 7636 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    text: String,
    s256: bool,
}

impl Challenge {
    fn read(form: &Form) -> Result<Option<Self>, Refusal> {
        let Some(text) = form.get("code_challenge") else {
            return Ok(None);
        };
        if !(43..=128).contains(&text.len()) {
            return Err(Refusal::challenge_size());
        }
        let s256 = match form.get("code_challenge_method") {
            Some("S256") => true,
            // Left out it means plain.
            None | Some("plain") => false,
            Some(_) => return Err(Refusal::challenge_method()),
        };
        let text = text.to_owned();
        Ok(Some(Self { text, s256 }))
    }

    pub(crate) fn is_met(&self, verifier: &str) -> bool {
        if self.s256 {
            let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
            URL_SAFE_NO_PAD.encode(hash) == self.text
        } else {
            verifier == self.text
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    fn challenge(query: &str) -> Result<Option<Challenge>, Refusal> {
        Challenge::read(&Form::read(&HeaderMap::new(), query.as_bytes()))
    }

    #[test]
    fn both_methods_and_the_default() {
        // RFC 7636 appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let hash = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let s256 = format!("code_challenge={hash}&code_challenge_method=S256");
        let s256 = challenge(&s256).unwrap().unwrap();
        assert!(s256.is_met(verifier) && !s256.is_met(hash));
        for method in ["", "&code_challenge_method=plain"] {
            let plain = challenge(&format!("code_challenge={hash}{method}"));
            let plain = plain.unwrap().unwrap();
            assert!(plain.is_met(hash) && !plain.is_met(verifier));
        }
        assert_eq!(challenge("code_challenge_method=S256").unwrap(), None);
    }

    #[test]
    fn a_bad_challenge_has_its_number() {
        let (short, long) = ("x".repeat(42), "x".repeat(129));
        let good = "x".repeat(43);
        for (query, code) in [
            (format!("code_challenge={short}"), "50147"),
            (format!("code_challenge={long}"), "50147"),
            (
                format!("code_challenge={good}&code_challenge_method=s256"),
                "501491",
            ),
        ] {
            let refusal = format!("{:?}", challenge(&query).unwrap_err());
            assert!(refusal.contains(&format!("code: {code},")), "{refusal}");
        }
    }
}
