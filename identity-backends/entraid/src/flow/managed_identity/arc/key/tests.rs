use std::fs;

use redis_authx::ErrorKind::{self, InvalidResponse, Unavailable};

use super::*;

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("authx-arc-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("tokens/below.key")).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a file");
        path
    }

    fn read(&self, path: impl AsRef<Path>) -> Result<String, ErrorKind> {
        match read(path.as_ref(), &self.0.join("tokens")) {
            Ok(key) => Ok(key.to_string()),
            Err(error) => Err(error.kind()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_realm_is_the_path_however_it_is_set() {
    let path = Some(PathBuf::from("/a/b=c.key"));
    for header in [
        "Basic realm=/a/b=c.key",
        "basic  Realm = /a/b=c.key ",
        "Basic realm=\"/a/b=c.key\"",
    ] {
        assert_eq!(realm(header), path, "{header}");
    }
    for header in [
        "",
        "Basic",
        "Basic realm",
        "Basic realm=",
        "Bearer realm=/a",
        "Basic x=/a",
    ] {
        assert_eq!(realm(header), None, "{header}");
    }
}

#[test]
fn a_key_in_the_directory_is_read_up_to_its_limit() {
    let folder = Folder::new("good");
    let key = folder.write("tokens/a.key", "se cret=\r\n");
    assert_eq!(folder.read(&key).as_deref(), Ok("se cret="));

    let longest = folder.write("tokens/b.key", "x".repeat(4096));
    assert_eq!(folder.read(longest).map(|key| key.len()), Ok(4096));
    let too_long = folder.write("tokens/c.key", "x".repeat(4097));
    assert_eq!(folder.read(too_long), Err(InvalidResponse));
    for content in [&b""[..], b" \n", b"a\nb", b"\xff", b"a\0"] {
        let odd = folder.write("tokens/d.key", content);
        assert_eq!(folder.read(odd), Err(InvalidResponse), "{content:?}");
    }
}

#[test]
fn what_is_no_key_of_the_agent_is_not_read() {
    let folder = Folder::new("bad");
    let outside = folder.write("a.key", "hunter2");
    folder.write("tokens/a.txt", "hunter2");
    folder.write("tokens/real.key", "key");
    folder.write("tokens/below.key/a.key", "hunter2");
    for path in [
        outside,
        folder.0.join("tokens/../a.key"),
        // The right file, by a way that the agent does not go.
        folder.0.join("tokens/../tokens/real.key"),
        folder.0.join("tokens/a.txt"),
        folder.0.join("tokens/below.key"),
        folder.0.join("tokens/below.key/a.key"),
        "a.key".into(),
        "tokens/a.key".into(),
        "/etc/passwd".into(),
        "".into(),
        // Not even looked for: it would be `Unavailable` then.
        "/nowhere/a.key".into(),
        folder.0.join("nowhere/a.key"),
        folder.0.join("tokens/nowhere/a.key"),
        r"\\nowhere\share\a.key".into(),
    ] {
        assert_eq!(folder.read(&path), Err(InvalidResponse), "{path:?}");
    }
    let missing = folder.0.join("tokens/missing.key");
    assert_eq!(folder.read(missing), Err(Unavailable));
    let nowhere = folder.0.join("nowhere");
    let no_directory = read(&nowhere.join("a.key"), &nowhere);
    assert_eq!(no_directory.expect_err("no directory").kind(), Unavailable);
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_directory() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links");
    let outside = folder.write("secret.key", "hunter2");
    folder.write("tokens/real.key", "key");
    let inside = folder.0.join("tokens");
    symlink(&outside, inside.join("out.key")).expect("a link");
    symlink("real.key", inside.join("in.key")).expect("a link");
    folder.write("tokens/plain.txt", "hunter2");
    symlink("plain.txt", inside.join("named.key")).expect("a link");
    symlink("/dev/zero", inside.join("device.key")).expect("a link");
    symlink(&inside, folder.0.join("elsewhere")).expect("a link");

    assert_eq!(folder.read(inside.join("out.key")), Err(InvalidResponse));
    assert_eq!(folder.read(inside.join("named.key")), Err(InvalidResponse));
    assert_eq!(folder.read(inside.join("device.key")), Err(InvalidResponse));
    assert_eq!(folder.read(inside.join("in.key")).as_deref(), Ok("key"));
    let around = folder.0.join("elsewhere");
    let by_link = around.join("real.key");
    assert_eq!(folder.read(&by_link), Err(InvalidResponse));
    // The directory may be a link itself.
    let key = read(&by_link, &around).expect("a key");
    assert_eq!(*key, "key");
}
