use crate::common::{everything, request};
use crate::fake::{Fake, echo};

/// Whatever the tool prints, and wherever: no error quotes it.
#[test]
fn no_error_holds_what_a_tool_printed() {
    const TOKEN: &str = "hunter2.hunter2.hunter2";
    for text in [
        TOKEN,
        "{\"accessToken\": \"hunter2.hunter2.hunter2",
        "{\"accessToken\": \"hunter2.hunter2.hunter2\"}",
        "{\"token\": \"hunter2.hunter2.hunter2\"}",
        "redis-authx%hunter2.hunter2.hunter2%1",
        "redis-authx%hunter2.hunter2.hunter2",
        "az login azd auth login Connect-AzAccount AADSTS50076 hunter2",
        "unrecognized arguments: hunter2",
    ] {
        for code in [0, 1, 2, 127] {
            let fake = Fake::new(&format!(
                "{}\n{} >&2\nexit {code}",
                echo(text),
                "echo hunter2"
            ));
            for identity in fake.identities() {
                let shown = match request(&identity) {
                    Ok(token) => format!("{token:?}"),
                    Err(error) => everything(&error),
                };
                assert!(!shown.contains("hunter2"), "{text}, {code}: {shown}");
                assert!(!format!("{identity:?}{identity:#?}").contains("hunter2"));
            }
        }
    }
}
