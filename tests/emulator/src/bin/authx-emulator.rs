//! The emulator as a program, for applications in any language.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use redis_authx_emulator::{Emulator, EmulatorBuilder, EmulatorError, Store, TokenVersion};
use redis_authx_entraid::ManagedIdentitySource;
use tokio::signal;

const SECRET_VARIABLE: &str = "AUTHX_EMULATOR_CLIENT_SECRET";

/// A local Microsoft Entra ID and a local Azure Managed Redis, to test token
/// log-in with. Listens on 127.0.0.1 only and runs until Ctrl-C.
#[derive(Parser)]
#[command(name = "authx-emulator", version)]
struct Arguments {
    /// Where the data is: embedded, redis-server (a child process), cluster (six
    /// of them, a replica to each primary), sentinel (a master, two replicas,
    /// three sentinels), or redis://user:password@host:port
    #[arg(long, default_value = "embedded", value_parser = store)]
    store: Store,
    /// How long tokens live, in seconds; fractions are allowed
    #[arg(long, default_value = "3600", value_parser = seconds)]
    token_lifetime: Duration,
    /// Let tokens end within a second, which Entra's never do
    #[arg(long)]
    fractional_expiry: bool,
    /// Tokens in the shape of version 1.0 instead of 2.0
    #[arg(long)]
    v1_tokens: bool,
    /// The tenant that is served
    #[arg(long)]
    tenant_id: Option<String>,
    /// The client that may ask for tokens
    #[arg(long)]
    client_id: Option<String>,
    /// The client's secret; without it the one in the environment variable
    /// AUTHX_EMULATOR_CLIENT_SECRET, and without that a random one
    #[arg(long)]
    client_secret: Option<String>,
    /// The Redis user name, the "oid" in the tokens
    #[arg(long)]
    object_id: Option<String>,
    /// A redirect URI of a public client, beside http://localhost with any
    /// port; may be given several times
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// A redirect URI of a web application, which must send the client secret;
    /// may be given several times
    #[arg(long)]
    web_redirect_uri: Vec<String>,
    /// The plain Redis port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    redis_port: u16,
    /// The TLS Redis port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    redis_tls_port: u16,
    /// The port of the identity service; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    identity_port: u16,
    /// Serve the identity service by plain HTTP too
    #[arg(long)]
    plain_identity: bool,
    /// The port for that; 0 takes a free one
    #[arg(long, default_value_t = 0, requires = "plain_identity")]
    plain_identity_port: u16,
    /// The port of managed identities' endpoints; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    managed_identity_port: u16,
    /// The program for --store redis-server, cluster and sentinel
    #[arg(long, default_value = "redis-server")]
    redis_server: String,
    /// Where to write the CA's certificate; without it a file in the folder
    /// for temporary files, removed at the end
    #[arg(long)]
    ca_file: Option<PathBuf>,
}

impl Arguments {
    fn builder(&self) -> EmulatorBuilder {
        let mut builder = Emulator::builder()
            .store(self.store.clone())
            .token_lifetime(self.token_lifetime)
            .fractional_expiry(self.fractional_expiry)
            .redis_port(self.redis_port)
            .redis_tls_port(self.redis_tls_port)
            .identity_port(self.identity_port)
            .plain_identity(self.plain_identity)
            .plain_identity_port(self.plain_identity_port)
            .managed_identity_port(self.managed_identity_port)
            .redis_server_program(&self.redis_server);
        if self.v1_tokens {
            builder = builder.token_version(TokenVersion::V1);
        }
        if let Some(id) = &self.tenant_id {
            builder = builder.tenant_id(id);
        }
        if let Some(id) = &self.client_id {
            builder = builder.client_id(id);
        }
        // A list of processes shows arguments, but not the environment.
        let given = self.client_secret.clone();
        if let Some(secret) = given.or_else(|| std::env::var(SECRET_VARIABLE).ok()) {
            builder = builder.client_secret(secret);
        }
        if let Some(id) = &self.object_id {
            builder = builder.object_id(id);
        }
        for uri in &self.redirect_uri {
            builder = builder.redirect_uri(uri);
        }
        for uri in &self.web_redirect_uri {
            builder = builder.web_redirect_uri(uri);
        }
        builder
    }
}

fn store(text: &str) -> Result<Store, String> {
    match text {
        "embedded" => Ok(Store::Embedded),
        "redis-server" => Ok(Store::RedisServer),
        "cluster" => Ok(Store::cluster(3, 1)),
        "sentinel" => Ok(Store::sentinel(2, 3)),
        url if url.starts_with("redis://") => Ok(Store::Url(url.to_owned())),
        _ => Err(
            "must be embedded, redis-server, cluster, sentinel or redis://user:password@host:port"
                .to_owned(),
        ),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("authx-emulator: {}", with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let emulator = arguments.builder().start().await?;
    let ca = CaFile::write(&emulator, arguments.ca_file.as_deref())?;
    let end = end_signal()?;
    announce(&emulator, &ca.path)?;
    end.await;
    println!("Stopped.");
    Ok(())
}

/// A future that ends at Ctrl-C, or when a process manager asks. Both are heeded
/// from the call on, not only once it is polled.
#[cfg(unix)]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A future that ends at Ctrl-C.
#[cfg(windows)]
fn end_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn announce(emulator: &Emulator, ca: &Path) -> Result<(), EmulatorError> {
    let ca = ca.display();
    println!("Redis            {}", emulator.redis_tls_url());
    println!("Redis, no TLS    {}", emulator.redis_url());
    if let Some(cluster) = emulator.cluster() {
        println!("Cluster's nodes  {}", cluster.tls_urls().join(" "));
        println!("        , no TLS {}", cluster.urls().join(" "));
    }
    if let Some(sentinel) = emulator.sentinel() {
        println!(
            "Sentinels        {}",
            sentinel.sentinel_tls_urls().join(" ")
        );
        println!("        , no TLS {}", sentinel.sentinel_urls().join(" "));
        println!("Master's name    {}", sentinel.master_name());
    }
    println!("Identity service {}", emulator.identity_url());
    if let Some(url) = emulator.identity_plain_url() {
        println!("        , no TLS {url}");
    }
    println!("Managed identity {}", emulator.managed_identity_url());
    println!(
        "Redis user       {}   (the object id)",
        emulator.object_id()
    );
    println!();
    println!("# What clients need to know:");
    for (name, value) in [
        ("AZURE_AUTHORITY_HOST", emulator.identity_url()),
        ("AZURE_TENANT_ID", emulator.tenant_id()),
        ("AZURE_CLIENT_ID", emulator.client_id()),
        ("AZURE_CLIENT_SECRET", emulator.client_secret()),
        ("REDIS_URL", emulator.redis_tls_url()),
        ("REDIS_PLAIN_URL", emulator.redis_url()),
    ] {
        println!("export {name}={}", quoted(value));
    }
    println!("# As a managed identity, where a client can be one, as in App Service:");
    for (name, value) in emulator.managed_identity_variables(ManagedIdentitySource::AppService) {
        println!("export {name}={}", quoted(&value));
    }
    println!("# The client's certificate, with its key, and a token it federates with:");
    let certificate = emulator.app_certificate();
    for (name, value) in [
        (
            "AZURE_CLIENT_CERTIFICATE_PATH",
            emulator.app_certificate_file()?,
        ),
        (
            "AZURE_FEDERATED_TOKEN_FILE",
            emulator.federated_token_file()?,
        ),
    ] {
        println!("export {name}={}", quoted(&value.display().to_string()));
    }
    println!("# SHA-256 thumbprint: {}", certificate.thumbprint_sha256());
    println!("# SHA-1 thumbprint:   {}", certificate.thumbprint_sha1());
    println!("# Its CA is not one of the system's. Rust and OpenSSL, Node, Python:");
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"] {
        println!("export {name}={}", quoted(&ca.to_string()));
    }
    println!();
    println!("Running until Ctrl-C.");
    Ok(())
}

/// For a shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The CA's certificate where clients can read it.
struct CaFile {
    path: PathBuf,
    temporary: bool,
}

impl CaFile {
    fn write(emulator: &Emulator, path: Option<&Path>) -> Result<Self, String> {
        let failed =
            |path: &Path, error| format!("can't write --ca-file {}: {error}", path.display());
        if let Some(path) = path {
            fs::write(path, emulator.ca_pem()).map_err(|error| failed(path, error))?;
            return Ok(Self {
                path: path.to_path_buf(),
                temporary: false,
            });
        }
        // A new file: what already has the name may be another user's.
        let path = std::env::temp_dir().join(format!(
            "authx-emulator-{}-{:08x}-ca.pem",
            std::process::id(),
            fastrand::u32(..)
        ));
        fs::File::create_new(&path)
            .and_then(|mut file| file.write_all(emulator.ca_pem().as_bytes()))
            .map_err(|error| failed(&path, error))?;
        Ok(Self {
            path,
            temporary: true,
        })
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.temporary {
            // Nothing is lost but disk space if this fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
