use std::path::Path;

const TABLE: &str = include_str!("README.md");
const CORE: &str = env!("CARGO_MANIFEST_DIR");

/// The rows: number, scenario, what stands for it.
fn rows() -> Vec<(u32, &'static str, &'static str)> {
    TABLE
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.splitn(3, '|');
            let number = cells.next()?.trim().parse().ok()?;
            Some((number, cells.next()?.trim(), cells.next()?.trim()))
        })
        .collect()
}

/// `file::test` in back ticks.
fn tests(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('`').skip(1).step_by(2).map(|name| {
        name.split_once("::")
            .unwrap_or_else(|| panic!("{name} is no test"))
    })
}

fn is_a_test(file: &str, name: &str) -> bool {
    let path = Path::new(CORE).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
    let Some((before, _)) = text.split_once(&format!("\nfn {name}(")) else {
        let nested = text.split_once(&format!("\n    fn {name}("));
        return nested.is_some_and(|(before, _)| before.trim_end().ends_with("#[test]"));
    };
    before.ends_with("#[test]")
}

#[test]
fn every_scenario_is_in_the_table_once() {
    let numbers: Vec<u32> = rows().into_iter().map(|(number, ..)| number).collect();
    let expected: Vec<u32> = (1..=111).chain(134..=152).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn every_test_of_the_table_exists() {
    let mut named = 0;
    for (number, scenario, cell) in rows() {
        assert!(scenario.len() > 5, "{number} says nothing");
        let mut count = 0;
        for (file, name) in tests(cell) {
            assert!(is_a_test(file, name), "{number}: no test {name} in {file}");
            count += 1;
        }
        // Where there is none, the reason.
        assert!(count > 0 || cell.len() > 15, "{number} has neither");
        named += usize::from(count > 0);
    }
    assert!(named >= 113, "only {named} scenarios have a test");
}

#[test]
fn what_is_no_test_is_seen() {
    assert!(is_a_test(
        "tests/scenarios/table.rs",
        "what_is_no_test_is_seen"
    ));
    assert!(!is_a_test("tests/scenarios/table.rs", "what_is_missing"));
    assert!(!is_a_test("tests/scenarios/table.rs", "rows"));
}
