//! The pages that people see. They load nothing, and everything from outside is escaped.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:light-dark(#767676,#8a8a8a)}\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:light-dark(#f3f2f1,#1b1a19)}\
main{box-sizing:border-box;max-width:27rem;margin:12vh auto 0;padding:2.5rem;\
background:light-dark(#fff,#252423);box-shadow:0 2px 6px #0003}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\
.note{border-left:4px solid #0067b8;padding-left:.75rem;font-size:.9rem}\
.error{border-left:4px solid #d13438;padding-left:.75rem;overflow-wrap:anywhere}\
code{overflow-wrap:anywhere}\
label{display:block;margin:1rem 0 .25rem}\
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid var(--line)}\
.buttons{display:flex;flex-direction:row-reverse;gap:.5rem;margin-top:1.5rem}\
button{font:inherit;padding:.4rem 1.5rem;border:1px solid var(--line);cursor:pointer}\
.main{background:#0067b8;border-color:#0067b8;color:#fff}";

/// Submits a form as soon as it is there. The policy names it by its hash.
const SUBMIT: &str = "document.forms[0].submit()";
const SUBMIT_HASH: &str = "sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE=";

/// For an application, with the user name filled in and what was wrong with it.
pub(super) fn sign_in(client: &str, username: &str, error: Option<&str>) -> Response {
    let fields = username_field(username);
    form(
        "Sign in",
        &for_application(client),
        error,
        &fields,
        "Sign in",
    )
}

/// For a device, whose code the person types in.
pub(super) fn device(client: &str, user_code: &str, error: Option<&str>) -> Response {
    let fields = format!(
        r#"<label for="code">Code</label>
<input id="code" name="code" value="{}" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus>
{}"#,
        escaped(user_code),
        username_field("").replace(" autofocus", "")
    );
    let intro = format!(
        "{}<p>Enter the code that the device shows.</p>",
        for_application(client)
    );
    form("Sign in on a device", &intro, error, &fields, "Sign in")
}

/// At the end of a sign-in that has no redirect.
pub(super) fn done(title: &str, text: &str) -> Response {
    page(StatusCode::OK, title, &format!("<p>{}</p>", escaped(text)))
}

/// An answer that has nowhere to go.
pub(super) fn refused(description: &str) -> Response {
    let text = format!(
        r#"<p class="error" role="alert">{}</p>"#,
        escaped(description)
    );
    page(StatusCode::BAD_REQUEST, "You can't sign in here", &text)
}

/// An answer by `response_mode=form_post` (OAuth 2.0 Form Post Response Mode §2).
pub(super) fn form_post(action: &str, fields: &[(&'static str, String)]) -> Response {
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            let value = escaped(value);
            format!(r#"<input type="hidden" name="{name}" value="{value}">"#)
        })
        .collect();
    let body = format!(
        r#"<form method="post" action="{}">{inputs}
<div class="buttons"><button class="main">Continue</button></div></form>
<script>{SUBMIT}</script>"#,
        escaped(action)
    );
    page(StatusCode::OK, "Back to the application", &body)
}

fn for_application(client: &str) -> String {
    format!(
        r#"<p>To the application<br><code>{}</code></p>
<p class="note">This is an emulator: any user name will do, and there is no password.</p>"#,
        escaped(client)
    )
}

fn username_field(username: &str) -> String {
    format!(
        r#"<label for="username">User name</label>
<input id="username" name="username" value="{}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>"#,
        escaped(username)
    )
}

/// Posts to where the page came from.
fn form(title: &str, intro: &str, error: Option<&str>, fields: &str, main: &str) -> Response {
    let error = error.map_or_else(String::new, |error| {
        format!(r#"<p class="error" role="alert">{}</p>"#, escaped(error))
    });
    let body = format!(
        r#"{intro}
<form method="post">
{error}
{fields}
<div class="buttons">
<button class="main" name="action" value="sign-in">{main}</button>
<button name="action" value="cancel" formnovalidate>Cancel</button>
</div>
</form>"#
    );
    page(StatusCode::OK, title, &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{STYLE}</style>
<main>
<h1>{title}</h1>
{body}
</main>
"#
    );
    // No `form-action`: browsers hold it against the redirect that ends the
    // sign-in.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src '{SUBMIT_HASH}'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
    ];
    (status, headers, html).into_response()
}

/// For text and for attributes in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use ring::digest;

    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_place() {
        assert_eq!(
            escaped(r#"<a href="x" title='y'>&amp;"#),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;"
        );
    }

    #[test]
    fn the_policy_names_the_one_script() {
        let hash = digest::digest(&digest::SHA256, SUBMIT.as_bytes());
        assert_eq!(SUBMIT_HASH, format!("sha256-{}", STANDARD.encode(hash)));
    }
}
