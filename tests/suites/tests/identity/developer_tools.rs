use std::error::Error;
use std::fs;
use std::io::ErrorKind as Io;
use std::marker::PhantomData;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_authx::{ErrorKind, IdentityProvider, ProviderError, Token, TokenRequest, async_trait};
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{
    AzureCli, AzureDeveloperCli, AzurePowerShell, EntraIdentity, ToolError, ToolErrorKind,
};
use redis_authx_tokio::Tokio;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::contract::{Flow, mount};
use crate::support::{PATIENCE, error, signed_up, token};

/// One of the tools that a developer is signed in with.
trait Tool: Send + Sync + 'static {
    fn identity(program: PathBuf) -> EntraIdentity;

    /// What it prints of a token.
    fn printed(token: &str) -> String;

    /// What it prints when nobody is signed in.
    const SIGN_IN: &'static str;
}

struct Az;

impl Tool for Az {
    fn identity(program: PathBuf) -> EntraIdentity {
        AzureCli::new().program(program).build().unwrap()
    }

    fn printed(token: &str) -> String {
        format!(r#"{{"accessToken": "{token}", "tokenType": "Bearer"}}"#)
    }

    const SIGN_IN: &'static str = "ERROR: hunter2-hunter2. Please run: az login";
}

struct Azd;

impl Tool for Azd {
    fn identity(program: PathBuf) -> EntraIdentity {
        AzureDeveloperCli::new().program(program).build().unwrap()
    }

    fn printed(token: &str) -> String {
        format!(r#"{{"token": "{token}", "expiresOn": "2025-10-09T08:53:20Z"}}"#)
    }

    const SIGN_IN: &'static str =
        r#"{"type":"consoleMessage","data":{"message":"hunter2-hunter2: run `azd auth login`"}}"#;
}

struct PowerShell;

impl Tool for PowerShell {
    fn identity(program: PathBuf) -> EntraIdentity {
        AzurePowerShell::new().program(program).build().unwrap()
    }

    fn printed(token: &str) -> String {
        format!("redis-authx%{token}%")
    }

    const SIGN_IN: &'static str = "hunter2-hunter2. Run Connect-AzAccount to login.";
}

/// A developer who is signed in to a tool that gets its tokens here.
struct Developer<T>(PhantomData<T>);

/// The tool: a script that prints what this process says. The rest of the tool, its
/// own request included, is on the other end of its connection.
#[derive(Debug)]
struct Fake {
    identity: EntraIdentity,
    folder: PathBuf,
    serve: JoinHandle<()>,
}

#[async_trait]
impl IdentityProvider for Fake {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        self.identity.request_token(request).await
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serve.abort();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl<T: Tool> Flow for Developer<T> {
    type Identity = Fake;

    async fn identity(emulator: &Emulator) -> Fake {
        let backend = emulator.client_secret_identity().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = install(port);
        let serve = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let _ = connection
                    .write_all(answer::<T>(&backend).await.as_bytes())
                    .await;
            }
        });
        Fake {
            identity: T::identity(folder.join(PROGRAM)),
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

macro_rules! tools {
    ($($name:ident: $tool:ty;)+) => {$(
        mod $name {
            use super::*;

            type Signed = Developer<$tool>;

            // A tool keeps to itself how its service failed.
            mount! { Signed:
                a_token_is_the_object_id_and_a_jwt_that_redis_takes,
                each_request_asks_anew,
                the_same_token_again_is_passed_on,
                a_hanging_request_can_be_dropped,
                no_error_or_debug_shows_a_secret,
                a_connection_lives_through_rotations,
                a_connection_lives_through_faults,
                a_connection_lives_through_a_hang,
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_sign_in_that_has_ended_waits_for_the_developer() {
                super::a_sign_in_that_has_ended_waits_for_the_developer::<$tool>().await;
            }
        }
    )+};
}

tools! {
    az: Az;
    azd: Azd;
    pwsh: PowerShell;
}

/// The exit code, then what is printed.
async fn answer<T: Tool>(backend: &EntraIdentity) -> String {
    let request = TokenRequest::new(&Tokio, PATIENCE);
    match backend.request_token(&request).await {
        Ok(token) => format!("0\n{}\n", T::printed(token.password())),
        Err(error) if error.kind() == ErrorKind::Rejected => {
            format!("1\n{}\n", T::SIGN_IN)
        }
        Err(_) => "1\nERROR: hunter2-hunter2\n".to_owned(),
    }
}

const PROGRAM: &str = "tool";

fn install(port: u16) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("authx-tool-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let tool = folder.join(PROGRAM);
    let script = format!(
        "#!/usr/bin/env bash\n\
         [ \"$1\" = --probe ] && exit 0\n\
         exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1\n\
         read -r code <&3\n\
         if [ \"$code\" = 0 ]; then cat <&3; else cat <&3 >&2; fi\n\
         exit \"$code\"\n"
    );
    fs::write(&tool, script).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    // Another thread that starts a process just now has the script open for
    // writing until its `exec`, which bars ours.
    while Command::new(&tool)
        .arg("--probe")
        .status()
        .is_err_and(|error| error.kind() == Io::ExecutableFileBusy)
    {
        std::thread::yield_now();
    }
    folder
}

async fn a_sign_in_that_has_ended_waits_for_the_developer<T: Tool>() {
    let (emulator, identity) = signed_up::<Developer<T>>().await;
    token(&identity).await;
    for (fault, kind, tool) in [
        (
            Fault::InvalidClient,
            ErrorKind::NotConfigured,
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
