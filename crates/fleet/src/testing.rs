//! A server for tests that answers as it is told: TLS with a client certificate, one packet at a time.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use rustls::{RootCertStore, ServerConfig, pki_types::pem::PemObject, server::WebPkiClientVerifier};
use tidegate_mqtt::{Packet, Peer, Version, decode, frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{FleetCa, Running};

/// What a fake broker does with a packet.
pub(crate) enum Reply {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Closes.
    Close,
}

/// A fake broker at `address`; it trusts the certificates of `ca` and shows one of it, for `localhost`.
pub(crate) struct FakeBroker {
    pub(crate) ca: FleetCa,
    pub(crate) address: SocketAddr,
    directory: tempfile::TempDir,
}

impl FakeBroker {
    /// Answers every packet of every connection with `reply`.
    pub(crate) async fn start(reply: fn(&Packet<'_>) -> Reply) -> Self {
        let ca = FleetCa::new("fake CA").unwrap();
        let shown = ca.sign_server("localhost").unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(PemObject::from_pem_slice(ca.pem.as_bytes()).unwrap()).unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
            .with_single_cert(vec![shown.certificate.clone()], shown.key())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        serve(stream, reply).await;
                    }
                });
            }
        });
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), &ca.pem).unwrap();
        Self { ca, address, directory }
    }

    /// As a device finds it.
    pub(crate) fn running(&self) -> Running {
        let ca_file: PathBuf = self.directory.path().join("ca.pem");
        let lines = [
            ("TIDEGATE_PID", "1"),
            ("TIDEGATE_ACCOUNT_ID", "123456789012"),
            ("TIDEGATE_API_URL", "https://localhost:1"),
            ("TIDEGATE_MQTT_HOST", "localhost"),
            ("TIDEGATE_MQTT_PORT", &self.address.port().to_string()),
            ("TIDEGATE_CA_FILE", ca_file.to_str().unwrap()),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ];
        let text: String = lines.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
        Running::parse(&text).unwrap()
    }
}

/// One packet of the broker, as bytes.
pub(crate) fn sends(packet: &Packet<'_>) -> Reply {
    let mut bytes = Vec::new();
    packet.encode(Version::V5, &mut bytes).unwrap();
    Reply::Bytes(bytes)
}

async fn serve(mut stream: TlsStream<TcpStream>, reply: fn(&Packet<'_>) -> Reply) {
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = frame(&buffer, 65_536).unwrap().filter(|l| l.packet_bytes <= buffer.len()) {
            let bytes: Vec<u8> = buffer.drain(..length.packet_bytes).collect();
            match reply(&decode(&bytes, Version::V5, Peer::Client).unwrap()) {
                Reply::Bytes(answer) => stream.write_all(&answer).await.unwrap(),
                Reply::Close => {
                    let _ = stream.shutdown().await; // the other side may be gone
                    return;
                }
            }
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
