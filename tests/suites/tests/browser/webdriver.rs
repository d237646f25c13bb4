//! As much of the WebDriver protocol (W3C, "WebDriver") as it takes to use a
//! page.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis_authx_suites::PATIENCE;
use serde_json::{Value, json};

/// What a reply names an element by (W3C, "WebDriver" §12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A headless Chromium with a profile of its own, that believes every
/// certificate.
pub(crate) struct Browser {
    driver: Child,
    profile: PathBuf,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver, which tests/run installs");
        let port = port(&mut driver);
        let name = format!("authx-browser-{}-{port}", std::process::id());
        let mut browser = Self {
            driver,
            profile: env::temp_dir().join(name),
            session: format!("http://127.0.0.1:{port}/session"),
        };
        let profile = format!("--user-data-dir={}", browser.profile.display());
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=800,700",
                profile,
            ] },
        } } });
        let begun = browser.post("", &capabilities);
        let id = begun["sessionId"].as_str().expect("a session");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub(crate) fn title(&self) -> String {
        let title = self.get("/title");
        title.as_str().expect("a text").to_owned()
    }

    /// Waits until a page has this title.
    pub(crate) fn until(&self, title: &str) {
        Self::wait(|| self.title(), |found| found == title);
    }

    /// Waits until a page says this.
    pub(crate) fn until_it_says(&self, words: &str) {
        Self::wait(|| self.text(), |found| found.contains(words));
    }

    /// The text of the whole page, as it is seen. In one step: between two,
    /// another page may come.
    pub(crate) fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        let text = self.post("/execute/sync", &json!({ "script": script, "args": [] }));
        text.as_str().expect("a text").to_owned()
    }

    fn wait(found: impl Fn() -> String, is_it: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let found = found();
            if is_it(&found) {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "still at {found:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    pub(crate) fn press(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    fn element(&self, selector: &str) -> String {
        let query = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", &query);
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn get(&self, path: &str) -> Value {
        let answer = agent().get(format!("{}{path}", self.session)).call();
        value(answer)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = agent().post(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        value(request.send(body.to_string()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver alone would leave it behind.
        let _ = agent().delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

fn value(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let mut answer = answer.expect("an answer of the driver");
    let text = answer.body_mut().read_to_string().expect("a whole answer");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    assert!(answer.status().is_success(), "{text}");
    json["value"].take()
}

/// The free port that the driver has taken: it says so.
fn port(driver: &mut Child) -> u16 {
    let said = BufReader::new(driver.stdout.take().expect("piped"));
    for line in said.lines().map_while(Result::ok) {
        let number = line
            .strip_suffix('.')
            .and_then(|line| line.rsplit(' ').next());
        if line.contains("started successfully") {
            return number.and_then(|port| port.parse().ok()).expect("a port");
        }
    }
    panic!("the driver does not start");
}
