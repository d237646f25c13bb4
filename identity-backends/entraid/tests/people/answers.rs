use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use redis_authx::async_trait;
use redis_authx_entraid::{
    Authority, AuthorizationCode, HttpClient, HttpError, HttpRequest, HttpResponse, SignIn,
};
use url::{Url, form_urlencoded};

use crate::common::*;

pub(crate) type Fields = HashMap<String, String>;

/// Gives these answers in their order, and keeps what was asked.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Fields>,
    /// Whether what is late has come.
    late: bool,
}

enum Answer {
    Now(HttpResponse),
    Late(HttpResponse),
    Never,
}

impl Answers {
    pub(crate) fn then(self, answer: HttpResponse) -> Self {
        self.script().answers.push_back(Answer::Now(answer));
        self
    }

    /// Comes only after [`late`](Self::late).
    pub(crate) fn then_late(self, answer: HttpResponse) -> Self {
        self.script().answers.push_back(Answer::Late(answer));
        self
    }

    pub(crate) fn late(&self) {
        self.script().late = true;
    }

    /// One request that never gets an answer.
    pub(crate) fn then_hangs(self) -> Self {
        self.script().answers.push_back(Answer::Never);
        self
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no panic")
    }

    pub(crate) fn asked(&self) -> Vec<Fields> {
        self.script().asked.clone()
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

#[async_trait]
impl HttpClient for Answers {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = {
            let mut script = self.script();
            script.asked.push(fields(request.body()));
            script
                .answers
                .pop_front()
                .expect("an answer for each request")
        };
        match answer {
            Answer::Now(answer) => Ok(answer),
            Answer::Late(answer) => {
                std::future::poll_fn(|_| match self.script().late {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                })
                .await;
                Ok(answer)
            }
            Answer::Never => std::future::pending().await,
        }
    }
}

fn fields(encoded: &[u8]) -> Fields {
    form_urlencoded::parse(encoded).into_owned().collect()
}

pub(crate) fn query(url: &str) -> Fields {
    fields(
        Url::parse(url)
            .expect("a URL")
            .query()
            .unwrap_or_default()
            .as_bytes(),
    )
}

pub(crate) fn flow() -> AuthorizationCode {
    AuthorizationCode::new(CLIENT_ID)
        .authority(Authority::tenant("contoso.com"))
        .redirect_uri("http://localhost:3000/redirect")
}

/// A sign-in that is answered with `answers`, which are made of its nonce.
pub(crate) fn begun(answers: impl FnOnce(&str, Answers) -> Answers) -> (SignIn, Answers, String) {
    let http = Answers::default();
    let sign_in = flow().http_client(http.clone()).begin().expect("a sign-in");
    let asked = query(sign_in.url());
    answers(&asked["nonce"], http.clone());
    let redirect = format!("/redirect?code=code-hunter2&state={}", asked["state"]);
    (sign_in, http, redirect)
}

/// A token reply with all that a sign-in brings.
pub(crate) fn reply(nonce: &str, refresh_token: &str) -> HttpResponse {
    let id_token = jwt(&format!(r#"{{"nonce":"{nonce}","name":"id-hunter2"}}"#));
    HttpResponse::new(200).with_body(format!(
        r#"{{"access_token":"{}","expires_in":3599,"id_token":"{id_token}","refresh_token":"{refresh_token}"}}"#,
        access_token(3600)
    ))
}

pub(crate) fn refused(word: &str, code: u32) -> HttpResponse {
    let body = format!(r#"{{"error":"{word}","error_codes":[{code}]}}"#);
    HttpResponse::new(400).with_body(body)
}
