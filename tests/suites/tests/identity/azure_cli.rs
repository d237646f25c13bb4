use std::error::Error;
use std::fs;
use std::io::ErrorKind as Io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_authx::{ErrorKind, IdentityProvider, ProviderError, Token, async_trait};
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{AzureCli, EntraIdentity, ToolError, ToolErrorKind};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::contract::{Flow, mount};
use crate::support::{error, signed_up, token};

/// A developer who is signed in to an `az` that gets its tokens here.
struct Developer;

/// `az`: a script that prints what this process says. The rest of the tool, its
/// own request included, is on the other end of its connection.
#[derive(Debug)]
struct FakeAz {
    identity: EntraIdentity,
    folder: PathBuf,
    serve: JoinHandle<()>,
}

#[async_trait]
impl IdentityProvider for FakeAz {
    async fn request_token(&self) -> Result<Token, ProviderError> {
        self.identity.request_token().await
    }
}

impl Drop for FakeAz {
    fn drop(&mut self) {
        self.serve.abort();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Flow for Developer {
    type Identity = FakeAz;

    async fn identity(emulator: &Emulator) -> FakeAz {
        let backend = emulator.client_secret_identity().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = install(port);
        let serve = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let _ = connection
                    .write_all(answer(&backend).await.as_bytes())
                    .await;
            }
        });
        let identity = AzureCli::new().program(folder.join("az")).build();
        FakeAz {
            identity: identity.unwrap(),
            folder,
            serve,
        }
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        vec![
            emulator.client_secret().to_owned(),
            "hunter2-hunter2".to_owned(),
        ]
    }
}

mount! { Developer:
    a_token_is_the_object_id_and_a_jwt_that_redis_takes,
    each_request_asks_anew,
    the_same_token_again_is_passed_on,
    a_hanging_request_can_be_dropped,
    no_error_or_debug_shows_a_secret,
    a_connection_lives_through_rotations,
    a_connection_lives_through_faults,
}

/// The exit code, then what is printed.
async fn answer(backend: &EntraIdentity) -> String {
    match backend.request_token().await {
        Ok(token) => format!("0\n{{\"accessToken\": \"{}\"}}\n", token.password()),
        Err(error) if error.kind() == ErrorKind::Rejected => {
            "1\nERROR: hunter2-hunter2. Please run: az login\n".to_owned()
        }
        Err(_) => "1\nERROR: hunter2-hunter2\n".to_owned(),
    }
}

fn install(port: u16) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("authx-az-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let az = folder.join("az");
    let script = format!(
        "#!/usr/bin/env bash\n\
         [ \"$1\" = --probe ] && exit 0\n\
         exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1\n\
         read -r code <&3\n\
         if [ \"$code\" = 0 ]; then cat <&3; else cat <&3 >&2; fi\n\
         exit \"$code\"\n"
    );
    fs::write(&az, script).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    // Another thread that starts a process just now has the script open for
    // writing until its `exec`, which bars ours.
    while Command::new(&az)
        .arg("--probe")
        .status()
        .is_err_and(|error| error.kind() == Io::ExecutableFileBusy)
    {
        std::thread::yield_now();
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_has_ended_waits_for_the_developer() {
    let (emulator, identity) = signed_up::<Developer>().await;
    token(&identity).await;
    for (fault, kind, tool) in [
        (
            Fault::InvalidClient,
            ErrorKind::Rejected,
            ToolErrorKind::NotSignedIn,
        ),
        (
            Fault::ServerError(503),
            ErrorKind::Other,
            ToolErrorKind::Failed,
        ),
    ] {
        emulator.identity().set_fault(Some(fault));
        let error = error(&identity).await;
        assert_eq!(error.kind(), kind);
        let source = error.source().unwrap().downcast_ref::<ToolError>();
        assert_eq!(source.unwrap().kind(), tool);
    }
    emulator.identity().set_fault(None);
    token(&identity).await;
}
