//! The versions of the server that tests run on.
//!
//! `REDIS_AUTHX_SERVERS` lists programs beside the one on the `PATH`, by the names that
//! they give themselves: `redis-6.2=/a/redis-server:valkey-9.1=/b/valkey-server`.
//! `tests/run` sets it. The versions that tests are mounted for are in
//! [`for_every_server!`](crate::for_every_server). libtest can't skip a test while it runs:
//! those of a version that is not listed say so, once in each test program, and pass.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;
use std::sync::Mutex;
use std::{env, io};

use crate::{Bed, BedBuilder};

/// Where the programs are.
pub const VARIABLE: &str = "REDIS_AUTHX_SERVERS";

/// The name of the one on the `PATH`, whichever version that is.
const ON_PATH: &str = "on_path";

/// A program, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    program: String,
    valkey: bool,
    version: (u32, u32),
}

impl Server {
    /// The one that tests with this module name run on: `on_path`, `redis_6_2` and so on.
    /// `None`, and a line that says so, if it is not on this machine.
    ///
    /// # Panics
    /// When it is listed but can't be run, or says that it is another version.
    #[must_use]
    pub fn named(module: &str) -> Option<Self> {
        if module == ON_PATH {
            return Some(Self::on_path());
        }
        let listed = env::var(VARIABLE).unwrap_or_default();
        let Some(program) = program(&listed, module) else {
            say_missing(module);
            return None;
        };
        let server = Self::of(program);
        assert_eq!(server.module(), module, "{program} is another version");
        Some(server)
    }

    /// The one on the `PATH`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn on_path() -> Self {
        Self::of("redis-server")
    }

    fn of(program: &str) -> Self {
        let output = Command::new(program).arg("--version").output();
        let output = output.unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
        let said = String::from_utf8_lossy(&output.stdout);
        let (valkey, version) =
            read(&said).unwrap_or_else(|| panic!("{program} says no version, but {said:?}"));
        Self {
            program: program.to_owned(),
            valkey,
            version,
        }
    }

    fn module(&self) -> String {
        let name = if self.valkey { "valkey" } else { "redis" };
        format!("{name}_{}_{}", self.version.0, self.version.1)
    }

    /// To be run.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// A [`Bed`] with this server.
    #[must_use]
    pub fn bed(&self) -> BedBuilder {
        Bed::builder().redis_server_program(&self.program)
    }

    /// Whether it is Valkey, of whichever version.
    #[must_use]
    pub fn is_valkey(&self) -> bool {
        self.valkey
    }

    /// Whether it has what Redis got with 7.0: sharded channels, functions, `BLMPOP`,
    /// `BZMPOP`, rights to single subcommands.
    #[must_use]
    pub fn is_7_or_later(&self) -> bool {
        self.version >= (7, 0)
    }
}

/// "Redis server v=6.2.5 …", "Valkey server v=9.1.2 …".
fn read(said: &str) -> Option<(bool, (u32, u32))> {
    let (name, rest) = said.split_once(" server v=")?;
    let mut numbers = rest.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((name == "Valkey", (number()?, number()?)))
}

/// The program that the list has for this module name.
fn program<'a>(listed: &'a str, module: &str) -> Option<&'a str> {
    let entries = listed.split(':').filter_map(|entry| entry.split_once('='));
    let name = |entry: &str| entry.replace(['-', '.'], "_");
    let mut found = entries.filter(|(entry, _)| name(entry) == module);
    found.next().map(|(_, program)| program)
}

/// Past libtest, which shows nothing of a test that passes.
fn say_missing(module: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().expect("no panic");
    if said.insert(module.to_owned()) {
        let line =
            format!("NOT TESTED on {module}: not in {VARIABLE}; tests/run fetches it if it can\n");
        // Nobody may be there to read it.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// Calls a macro once for every version of the server that is tested on: with the name of
/// the module that its tests are in, which [`Server::named`] takes, and what else is given.
///
/// The list of versions is here.
#[macro_export]
macro_rules! for_every_server {
    ($mount:path $(, $($given:tt)*)?) => {
        $mount!(on_path $(, $($given)*)?);
        $mount!(redis_6_2 $(, $($given)*)?);
        $mount!(redis_8_2 $(, $($given)*)?);
        $mount!(valkey_9_1 $(, $($given)*)?);
    };
}

/// Mounts cases, each an `async fn(Server)` beside the call, as tests: once for every
/// version of the server, in a module of its name.
#[macro_export]
macro_rules! on_every_server {
    ($($case:ident),+ $(,)?) => {
        $crate::for_every_server!($crate::on_one_server, $($case),+);
    };
}

/// Part of [`on_every_server!`].
#[doc(hidden)]
#[macro_export]
macro_rules! on_one_server {
    ($version:ident, $($case:ident),+) => {
        mod $version {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(server) = $crate::Server::named(stringify!($version)) {
                    super::$case(server).await;
                }
            })+
        }
    };
}

#[cfg(test)]
mod tests {
    use super::{program, read};

    #[test]
    fn a_program_is_what_it_says() {
        let redis = "Redis server v=6.2.5 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64";
        assert_eq!(read(redis), Some((false, (6, 2))));
        assert_eq!(read("Valkey server v=9.1.2 bits=64"), Some((true, (9, 1))));
        assert_eq!(read("Redis server v=unknown"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_listed_program_is_found_by_the_name_of_its_module() {
        let listed = "redis-6.2=/a/redis-server:valkey-9.1=/b=c/valkey-server";
        assert_eq!(program(listed, "redis_6_2"), Some("/a/redis-server"));
        assert_eq!(program(listed, "valkey_9_1"), Some("/b=c/valkey-server"));
        assert_eq!(program(listed, "redis_6"), None);
        assert_eq!(program("", "redis_6_2"), None);
    }
}
