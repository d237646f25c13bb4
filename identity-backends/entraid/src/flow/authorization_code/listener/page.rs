//! What the browser shows at the end. Nothing of the request is in it.

pub(super) fn signed_in() -> String {
    page(
        "You have signed in",
        "You can close this window and go back to the application.",
    )
}

pub(super) fn failed() -> String {
    page(
        "The sign-in did not succeed",
        "Close this window and go back to the application, which knows the reason.",
    )
}

pub(super) fn nothing_here() -> String {
    page(
        "There is nothing here",
        "This address only receives the end of a sign-in.",
    )
}

fn page(title: &str, text: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1em/1.5 system-ui, sans-serif; max-width: 32em; margin: 20vh auto 0; padding: 0 1em }}
h1 {{ font-size: 1.5em }}
</style>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
"#
    )
}
