//! Connections that ask for nothing, or take nothing, and those that would like to be served meanwhile.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::client::{Ask, Server};
use crate::{Listener, seats::Limits, serve::Bounds};

const CODE: Ask<'static> =
    Ask { service: "iot", method: "GET", target: "/registrationcode", headers: &[], body: "", at: super::client::NOW };
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);
const FEW: Limits = Limits { total: 8, per_address: 8 };

async fn server(connections: Limits, first_head: Duration, stalled: Duration) -> Server {
    let listeners = vec![Listener::Http { address: "127.0.0.1:0".parse().unwrap() }];
    Server::start_within(|api| api, listeners, Bounds { connections, first_head, stalled }).await
}

/// What comes, if it comes before anybody would call it a wait.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(5), what).await.expect("nobody waits behind others")
}

/// Whether the server has closed, after whatever else it sent.
async fn closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is an end, too.
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.is_ok()
}

/// A signed request on a connection that stays open.
async fn signed(server: &Server, stream: &mut TcpStream) -> bool {
    let mut request = format!("GET {} HTTP/1.1\r\nhost: {}\r\n", CODE.target, server.address);
    for (name, value) in server.sign(&CODE) {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    answer[..read].starts_with(b"HTTP/1.1 200 ")
}

#[tokio::test]
async fn silent_connections_make_room_for_a_request() {
    let server = server(FEW, LONG, LONG).await;
    let mut silent = Vec::new();
    for _ in 0..2 * FEW.total {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(soon(server.ask(CODE)).await.status, 200);
    assert!(closed(&mut silent[0]).await, "the oldest went");
}

#[tokio::test]
async fn health_keeps_nobodys_place_and_a_signature_does() {
    let server = server(FEW, LONG, LONG).await;
    let mut known = TcpStream::connect(server.address).await.unwrap();
    assert!(signed(&server, &mut known).await);
    let mut healthy = Vec::new();
    for _ in 0..2 * FEW.total {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(HEALTH).await.unwrap();
        healthy.push(stream);
    }
    assert_eq!(soon(server.ask(CODE)).await.status, 200);
    assert!(signed(&server, &mut known).await);
    assert!(closed(&mut healthy[0]).await);
}

#[tokio::test]
async fn who_asks_for_nothing_is_let_go_early() {
    let server = server(FEW, Duration::from_millis(500), LONG).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut halved = TcpStream::connect(server.address).await.unwrap();
    halved.write_all(&HEALTH[..20]).await.unwrap();
    let mut known = TcpStream::connect(server.address).await.unwrap();
    assert!(signed(&server, &mut known).await);
    assert!(closed(&mut silent).await && closed(&mut halved).await);
    assert!(signed(&server, &mut known).await, "the first request is not the last");
}

#[tokio::test]
async fn who_takes_no_answers_is_let_go() {
    let server = server(FEW, LONG, Duration::from_millis(200)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let since = Instant::now();
    // Until the server stops to read, for it cannot write, and then closes.
    while stream.write_all(&HEALTH.repeat(1000)).await.is_ok() {
        assert!(since.elapsed() < Duration::from_secs(60), "it goes on for ever");
    }
}
