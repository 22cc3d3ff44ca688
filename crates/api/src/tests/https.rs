//! The same API behind TLS.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tidegate_ids::Timestamp;
use tidegate_pki::{
    PrivateKey,
    issue::{IssuingCa, Validity},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::client::Server;
use crate::Listener;

/// A CA's certificate and a server configuration for `localhost` under it.
fn authority() -> (Vec<u8>, Arc<ServerConfig>) {
    // webpki looks at the real clock.
    let validity = Validity { not_before: Timestamp::default(), not_after: Timestamp::from_seconds(4_000_000_000) };
    let ca = IssuingCa::self_signed("Test CA", "Tests", PrivateKey::generate_p256().unwrap(), validity).unwrap();
    let key = PrivateKey::generate_p256().unwrap();
    let certificate = ca.server_certificate(&["localhost"], key.public_key(), validity).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(key.pkcs8_der().to_vec().into());
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    (ca.certificate().der().to_vec(), Arc::new(config))
}

async fn health(address: SocketAddr, ca: &[u8]) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.to_vec())).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn https_is_served_beside_http() {
    let (ca, tls) = authority();
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_at(|api| api, vec![Listener::Http { address }, Listener::Https { address, tls }]).await;
    let https = server.serving.addresses()[1];
    assert_ne!(server.address, https);
    // One that speaks no TLS does not disturb the others.
    let mut stranger = TcpStream::connect(https).await.unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut alert = Vec::new();
    let _ = stranger.read_to_end(&mut alert).await;
    assert!(!alert.starts_with(b"HTTP"));
    let answer = health(https, &ca).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let server = Server::start().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = crate::serve(server.api.clone(), vec![Listener::Http { address }]).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
