//! Where a tool is.

use std::env::split_paths;
use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// The first of `names`, as files are called on this system, in the PATH's
/// folders. Relative ones, as `.`, are passed over, and the current folder is
/// not looked in: whoever can write there could be asked in the tool's place.
pub(super) fn find(names: &[&str], environment: &Environment) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// Where a tool is run: nowhere in particular, so that no folder's settings or
/// modules are taken up.
pub(super) fn folder(environment: &Environment) -> PathBuf {
    if cfg!(windows) {
        environment
            .get("SystemRoot")
            .map_or_else(|| PathBuf::from("C:\\Windows"), PathBuf::from)
    } else {
        PathBuf::from("/")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<PathBuf> {
        find(
            &["no-such-tool", "sh"],
            &Environment::from_pairs([("PATH", path)]),
        )
    }

    #[test]
    fn the_first_absolute_folder_that_has_it_counts() {
        assert_eq!(found("/nowhere:/bin"), Some("/bin/sh".into()));
        assert_eq!(found("/bin:/usr/bin"), Some("/bin/sh".into()));
    }

    #[test]
    fn relative_folders_are_passed_over() {
        for path in ["", ".", "::", "bin", "../../../../../../../../bin"] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_program_is_passed_over() {
        let environment = Environment::from_pairs([("PATH", "/etc:/")]);
        assert_eq!(find(&["passwd", "bin"], &environment), None);
    }
}
