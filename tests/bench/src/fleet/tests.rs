use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(line: &str) -> Options {
    let words = ["fleet"].into_iter().chain(line.split_whitespace());
    Line::try_parse_from(words).unwrap().options.resolved()
}

/// Some processes, a few hours, nothing amiss.
pub(super) fn small() -> Options {
    options("--processes 20 --connections 3 --hours 6 --auth-failures 0 --quiet")
}

fn printed(options: &Options) -> String {
    let mut report = Report::new();
    table::print(&mut report, options, &both(options));
    assert!(!report.missed_a_count(), "{report}");
    report.to_string()
}

#[test]
fn the_same_seed_leads_to_the_same_figures() {
    let fleet = "--processes 20 --hours 19 --seed";
    let once = printed(&options(&format!("{fleet} 3")));
    assert_eq!(once, printed(&options(&format!("{fleet} 3"))));
    assert_ne!(once, printed(&options(&format!("{fleet} 4"))));
}

#[test]
fn the_printed_command_repeats_it() {
    for line in [
        "--processes 3 --hours 18 --seed 9",
        "--smoke --hours 1 --quiet",
    ] {
        let first = options(line);
        let printed = printed(&first);
        let again = printed
            .lines()
            .find_map(|line| line.strip_prefix("again: fleet"));
        assert_eq!(options(again.unwrap()), first);
    }
}

#[test]
fn a_quiet_day_with_failing_auths_costs_us_no_connection() {
    let options = options("--processes 60 --hours 8 --auth-failures 0.01 --quiet");
    let [ours, builtin] = both(&options);
    assert_eq!(ours.world.checks.broken(), []);
    assert_eq!((ours.world.tally.lost, ours.without_renewal), (0, 0));
    assert_eq!(ours.world.open_links(), 600);
    // What fails is what ends there.
    assert!(builtin.world.tally.lost > 0);
    assert_eq!(
        builtin.world.tally.lost,
        builtin.world.tally.lost_needlessly
    );
}

#[test]
fn an_outage_ends_for_us_and_not_for_the_built_in() {
    let options = options("--processes 40 --hours 7 --outage 3h+2h");
    let [ours, builtin] = both(&options);
    let (ours_after, builtin_after) = (
        &ours.world.recovery.outages()[0],
        &builtin.world.recovery.outages()[0],
    );
    // Two hours outlast every token.
    assert_eq!((ours_after.fewest, builtin_after.fewest), (0, 0));
    assert!(ours_after.back_after(1).is_some_and(|late| late > 0));
    assert_eq!(builtin_after.back_after(0), None);
    assert_eq!((ours.without_renewal, builtin.without_renewal), (0, 40));
    assert_eq!(
        (ours.world.open_links(), builtin.world.open_links()),
        (400, 0)
    );
    assert_eq!(ours.world.checks.broken(), []);
    assert_eq!(builtin.world.checks.broken(), []);
}

#[test]
fn each_rotation_is_one_auth_a_connection_for_us() {
    let options = small();
    let [ours, builtin] = both(&options);
    let links = u64::from(options.links());
    let tally = &ours.world.tally;
    assert_eq!((tally.logins, tally.repeats), (links, 0));
    // One for each token and connection, but for those still spread.
    let full = tally.issued * u64::from(options.connections);
    assert!((full - links..=full).contains(&tally.auths.total), "{full}");
    let tally = &builtin.world.tally;
    assert_eq!((tally.logins, tally.repeats), (links, links));
    let full = tally.issued * u64::from(options.connections) + links;
    assert!((full - links..=full).contains(&tally.auths.total), "{full}");
}

#[test]
fn a_process_of_many_connections_keeps_to_its_limit() {
    let many = options("--processes 2 --connections 500 --hours 3 --auth-rate 50 --quiet");
    let [ours, _] = both(&many);
    assert_eq!(ours.world.checks.broken(), []);
    assert_eq!((ours.world.open_links(), ours.world.tally.lost), (1_000, 0));
}
