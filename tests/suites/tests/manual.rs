//! The tests that the manuals of the adapters name exist.

use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `file::test` in back ticks.
fn tests(page: &str) -> Vec<(&str, &str)> {
    let words = page.split('`').skip(1).step_by(2);
    words.filter_map(|word| word.split_once(".rs::")).collect()
}

fn is_a_test(file: &str, name: &str) -> bool {
    let path = repository().join(format!("{file}.rs"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // A case of a contract is generic, and mounted elsewhere.
    ["(", "<"]
        .iter()
        .any(|next| text.contains(&format!("fn {name}{next}")))
}

#[test]
fn every_test_that_a_manual_names_exists() {
    for page in [
        "redis/src/manual/built_in",
        "redis/src/manual/guarantees",
        "redis/src/manual/pools",
        "redis/src/manual/server_versions",
        "redis/src/manual/sync",
        "fred/src/manual/guarantees",
    ] {
        let path = repository().join(format!("adapters/{page}.md"));
        let text = std::fs::read_to_string(path).unwrap();
        let named = tests(&text);
        assert!(named.len() > 10, "{page}: only {} tests", named.len());
        for (file, name) in named {
            assert!(is_a_test(file, name), "{page}: no {name} in {file}.rs");
        }
    }
}

#[test]
fn what_is_no_test_is_seen() {
    let here = "tests/suites/tests/manual";
    assert!(is_a_test(here, "what_is_no_test_is_seen"));
    assert!(!is_a_test(here, "what_is_missing"));
    assert!(!is_a_test("tests/suites/tests/missing", "what_is_missing"));
}
