//! Calls to servers of this machine, which are private addresses: what is allowed says so.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use crate::{Answer, CallError, Client, Limits, Roots, Target};

const LIMITS: Limits = Limits { time: Duration::from_secs(20), answer_bytes: 1000 };

fn client(private_addresses: bool, limits: Limits) -> Client {
    Client::new(Roots::System, private_addresses, limits).unwrap()
}

fn target(address: SocketAddr) -> Target {
    format!("http://{address}/hook?x=1").parse().unwrap()
}

/// A server that reads one request and says `answer`; what it read.
async fn server(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.ends_with(b"}") {
            let count = socket.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..count]);
        }
        let _ = socket.write_all(&answer).await; // the other side may have heard enough
        String::from_utf8(request).unwrap()
    });
    (address, served)
}

#[tokio::test]
async fn a_call_is_a_post_of_json_with_the_given_headers() {
    let (address, served) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let answer = client(true, LIMITS).post(&target(address), &[("x-mine", "1")], r#"{"a":1}"#.into()).await.unwrap();
    assert_eq!(answer, Answer { status: 200, body: b"ok".to_vec() });
    let request = served.await.unwrap();
    assert!(request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{request}");
    for line in [&format!("host: {address}"), "content-type: application/json", "x-mine: 1", "content-length: 7"] {
        assert!(request.contains(&format!("{line}\r\n")), "{line} in {request}");
    }
    assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
}

#[tokio::test]
async fn addresses_of_this_machine_are_called_only_if_that_is_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let target: Target = format!("http://{host}:{port}/").parse().unwrap();
        let refused = client(false, LIMITS).post(&target, &[], "{}".into()).await.unwrap_err();
        assert!(matches!(refused, CallError::PrivateAddress { .. }), "{host}: {refused}");
    }
    let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(nobody.is_err(), "somebody called");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let (elsewhere, mut called) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let redirect = format!("HTTP/1.1 307 Away\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
    let (address, _) = server(redirect).await;
    let answer = client(true, LIMITS).post(&target(address), &[], "{}".into()).await.unwrap();
    assert_eq!(answer.status, 307);
    assert!(tokio::time::timeout(Duration::ZERO, &mut called).await.is_err(), "it was followed");
    called.abort();
}

#[tokio::test]
async fn an_answer_has_a_longest_length_and_time_whatever_it_announces() {
    let long = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{}\r\n", "x".repeat(0x400));
    let (address, _) = server(long).await;
    let error = client(true, LIMITS).post(&target(address), &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::TooLong { bytes_max: 1000, .. }), "{error}");
    // The server accepts and is silent: the listener's queue does that by itself.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = Limits { time: Duration::from_millis(50), ..LIMITS };
    let error = client(true, limits).post(&target(silent.local_addr().unwrap()), &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::Late { .. }), "{error}");
}

#[tokio::test]
async fn who_does_not_speak_http_or_tls_or_is_not_there_is_an_error_of_its_own() {
    let (address, _) = server("SSH-2.0-none\r\n").await;
    let error = client(true, LIMITS).post(&target(address), &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::Http { .. }), "{error}");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client(true, LIMITS).post(&target(gone), &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let https: Target = format!("https://{}/", plain.local_addr().unwrap()).parse().unwrap();
    let speaks_no_tls = tokio::spawn(async move {
        let (mut socket, _) = plain.accept().await.unwrap();
        socket.write_all(b"220 hello\r\n").await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let error = client(true, LIMITS).post(&https, &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::Tls { .. }), "{error}");
    speaks_no_tls.await.unwrap();
    let never: Target = "https://no-such-host.invalid/".parse().unwrap();
    let error = client(true, LIMITS).post(&never, &[], "{}".into()).await.unwrap_err();
    assert!(matches!(error, CallError::Unresolved { .. }), "{error}");
}

#[tokio::test]
async fn an_error_says_nothing_of_path_and_body() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let target: Target = format!("http://{gone}/T0KEN").parse().unwrap();
    let error = client(true, LIMITS).post(&target, &[("x-secret", "S3CRET")], "{B0DY}".into()).await.unwrap_err();
    let text = format!("{} {error:?}", error.with_causes());
    assert!(!text.contains("T0KEN") && !text.contains("S3CRET") && !text.contains("B0DY"), "{text}");
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    for text in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Client::new(Roots::Pem(text), false, LIMITS).is_err(), "{text:?}");
    }
}
