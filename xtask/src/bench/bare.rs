//! The floor of a mutual TLS connect: a rustls server that knows nothing about certificates.
//!
//! It speaks as the broker does (aws-lc, TLS 1.3 or 1.2, a P-256 certificate, one ticket a connection; the cipher suite is the one that
//! callers offer) and wants a client certificate, any: it checks that the client holds its key, reads until it has bytes of CONNECT, and closes.

use std::{
    io::{BufRead, BufReader, Read, stdin},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::available_parallelism,
};

use anyhow::{Context, Result};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tidegate_fleet::FleetCa;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};
use tokio_rustls::TlsAcceptor;

/// The server as a process of its own; it ends with this value.
pub(super) struct BareServer {
    child: Child,
    pub(super) address: SocketAddr,
}

impl BareServer {
    /// Starts it on this core.
    pub(super) fn start(cpu: Option<usize>) -> Result<Self> {
        let own = std::env::current_exe()?;
        let mut command = match cpu {
            None => Command::new(own),
            Some(cpu) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &cpu.to_string()]).arg(own);
                command
            }
        };
        // It ends when its standard input does, even if this program is killed.
        let mut child = command.args(["bench", "bare-server"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server does not say where it listens")?;
        Ok(Self { child, address })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}

/// Serves until standard input ends; the first line of output says where.
pub(super) fn serve() -> Result<()> {
    std::thread::spawn(|| {
        let _ = stdin().read_to_end(&mut Vec::new()); // an error is an end, too
        std::process::exit(0);
    });
    let acceptor = TlsAcceptor::from(Arc::new(config()?));
    // As many threads as the broker has cores: one, where the server is kept on one core.
    let mut runtime = match available_parallelism()?.get() {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (tcp, _) = listener.accept().await?;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let _ = one(acceptor, tcp).await; // the generator counts what fails
            });
        }
    })
}

async fn one(acceptor: TlsAcceptor, tcp: TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut stream = acceptor.accept(tcp).await?;
    match stream.read(&mut [0; 512]).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _some_of_connect => stream.shutdown().await,
    }
}

fn config() -> Result<ServerConfig> {
    let shown = FleetCa::new("bare CA")?.sign_server("localhost")?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(AnyClient(provider)))
        .with_single_cert(vec![shown.certificate.clone()], shown.key())?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(config)
}

/// Wants a certificate and the possession of its key, and asks for nothing else.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
