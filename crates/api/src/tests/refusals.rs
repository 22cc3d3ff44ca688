//! Requests that are wrong, each with the error it gets, in the form of its protocol.

use std::time::Duration;

use super::client::{Answer, Ask, NOW, Server};

const CODE: Ask<'static> =
    Ask { service: "iot", method: "GET", target: "/registrationcode", headers: &[], body: "", at: NOW };

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

const IDENTITY: Ask<'static> = Ask {
    service: "sts",
    method: "POST",
    target: "/",
    headers: FORM,
    body: "Action=GetCallerIdentity&Version=2011-06-15",
    at: NOW,
};

fn message(answer: &Answer) -> String {
    answer.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_without_signature_is_refused() {
    let server = Server::start().await;
    let answer = server.send(&CODE, &[]).await;
    assert_eq!(answer.error(), (403, "missingauthenticationtokenexception"));
    assert_eq!(message(&answer), "Missing Authentication Token");
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));

    let answer = server.send(&IDENTITY, &[]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<Code>MissingAuthenticationToken</Code>"), "{answer:?}");
    assert!(
        answer.body.starts_with("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
        "{answer:?}"
    );

    let target =
        &[("x-amz-target", "CertificateManager.ListCertificates"), ("content-type", "application/x-amz-json-1.1")];
    let answer = server.send(&Ask { method: "POST", target: "/", headers: target, body: "{}", ..CODE }, &[]).await;
    assert_eq!((answer.status, answer.json()["__type"].as_str()), (403, Some("MissingAuthenticationTokenException")));
}

#[tokio::test]
async fn wrong_signatures_are_refused_by_name() {
    let mut server = Server::start().await;
    for (alter, expected) in [
        ("Signature=", "invalidsignatureexception"),
        ("AWS4-HMAC-SHA256 ", "incompletesignatureexception"),
        ("SignedHeaders=", "incompletesignatureexception"),
    ] {
        let mut headers = server.sign(&CODE);
        let authorization = &mut headers.iter_mut().find(|(name, _)| *name == "authorization").unwrap().1;
        *authorization = match alter {
            "Signature=" => authorization.replace("Signature=", "Signature=0"),
            other => authorization.replace(other, "x"),
        };
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(server.send(&CODE, &headers).await.error(), (403, expected), "{alter}");
    }

    // Another request than the one that was signed.
    let headers = server.sign(&CODE);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = server.send(&Ask { method: "DELETE", ..CODE }, &headers).await;
    assert_eq!(answer.error(), (403, "invalidsignatureexception"));
    assert!(message(&answer).starts_with("The request signature we calculated does not match"));

    *server.key.secret = "wrong".into();
    assert_eq!(server.ask(CODE).await.error(), (403, "invalidsignatureexception"));
    assert!(server.ask(IDENTITY).await.body.contains("<Code>SignatureDoesNotMatch</Code>"));

    server.key.id = "AKIAUNKNOWNUNKNOWN00".parse().unwrap();
    let answer = server.ask(CODE).await;
    assert_eq!(answer.error(), (403, "unrecognizedclientexception"));
    assert_eq!(message(&answer), "The security token included in the request is invalid.");
    assert!(server.ask(IDENTITY).await.body.contains("<Code>InvalidClientTokenId</Code>"));
}

#[tokio::test]
async fn old_and_future_signatures_are_refused() {
    let server = Server::start().await;
    let minutes = |m: u64| Duration::from_secs(60 * m);
    for (at, text) in [(NOW - minutes(6), "Signature expired: "), (NOW + minutes(6), "Signature not yet current: ")] {
        let answer = server.ask(Ask { at, ..CODE }).await;
        assert_eq!(answer.error(), (403, "invalidsignatureexception"));
        assert!(message(&answer).starts_with(text), "{answer:?}");
        assert!(message(&answer).ends_with("5 min.)"), "{answer:?}");
        assert_eq!(server.ask(Ask { at, ..IDENTITY }).await.status, 200, "sts allows 15 minutes");
    }
    assert_eq!(server.ask(Ask { at: NOW - minutes(4), ..CODE }).await.status, 200);
    assert_eq!(server.ask(Ask { service: "execute-api", ..CODE }).await.status, 200, "older clients sign so");
    let answer = server.ask(Ask { at: NOW - minutes(16), ..IDENTITY }).await;
    assert!(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{answer:?}");
    assert!(answer.body.contains("15 min.)"), "{answer:?}");
}

#[tokio::test]
async fn a_foreign_scope_is_refused() {
    let server = Server::start().await;
    let answer = server.ask(Ask { service: "s3", ..CODE }).await;
    assert_eq!(answer.error(), (403, "invalidsignatureexception"));
    assert!(message(&answer).contains("correct service: 'iot'"), "{answer:?}");
    // Signed for sts, and sent to a path of iot: it is a form without Action there.
    let answer = server.ask(Ask { service: "sts", ..CODE }).await;
    assert!(answer.body.contains("<Code>InvalidAction</Code>"), "{answer:?}");
}

#[tokio::test]
async fn unknown_and_unserved_operations_are_told_apart() {
    let server = Server::start().await;
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    for (service, method, target, expected) in [
        ("iot", "GET", "/nope", (404, "unknownoperationexception")),
        ("iot", "PATCH", "/registrationcode", (404, "unknownoperationexception")),
        ("iot", "GET", "/jobs", (400, "invalidrequestexception")),
        ("iot", "PUT", "/packages/p", (400, "validationexception")),
        ("iotdata", "POST", "/topics/a%2Fb", (400, "invalidrequestexception")),
        ("iotdevicegateway", "POST", "/topics/a%2Fb", (400, "invalidrequestexception")),
        ("iot-jobs-data", "GET", "/things/t/jobs", (400, "invalidrequestexception")),
    ] {
        let answer = server.ask(Ask { service, method, target, headers: json, ..CODE }).await;
        assert_eq!(answer.error(), expected, "{method} {target}");
    }
    let answer = server.ask(Ask { target: "/jobs", ..CODE }).await;
    assert_eq!(message(&answer), "Tidegate does not serve ListJobs of iot");

    for (service, target, expected) in [
        ("acm", "CertificateManager.ListCertificates", "ValidationException"),
        ("acm", "CertificateManager.Nope", "UnknownOperationException"),
        ("acm", "ACMPrivateCA.ListTags", "UnknownOperationException"),
        ("acm", "", "UnknownOperationException"),
        ("logs", "Logs_20140328.DeleteLogGroup", "ValidationException"),
    ] {
        let headers: &[(&str, &str)] = &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let answer = server.ask(Ask { service, method: "POST", target: "/", headers, body: "{}", at: NOW }).await;
        assert_eq!((answer.status, answer.json()["__type"].as_str()), (400, Some(expected)), "{target}");
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    }

    for (service, body, expected) in [
        ("sts", "Action=Nope", "InvalidAction"),
        ("sts", "", "InvalidAction"),
        ("sts", "Action=%zz", "MalformedQueryString"),
        ("sts", "Action=GetFederationToken", "NotImplementedException"),
        ("iam", "Action=ListGroups", "NotImplementedException"),
        ("iam", "Action=TagUser", "InvalidInput"),
    ] {
        let answer = server.ask(Ask { service, body, ..IDENTITY }).await;
        assert!(answer.body.contains(&format!("<Code>{expected}</Code>")), "{body}: {answer:?}");
        assert!(answer.body.contains("<RequestId>"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_call_in_cbor_is_answered_in_cbor() {
    let server = Server::start().await;
    let headers: &[(&str, &str)] = &[("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    let target = "/service/ACMPrivateCA/operation/ListTags";
    let answer = server.ask(Ask { service: "acm-pca", method: "POST", target, headers, body: "", at: NOW }).await;
    assert_eq!(answer.header("smithy-protocol"), Some("rpc-v2-cbor"));
    assert!(answer.body.contains("Tidegate does not serve ListTags of acm-pca"), "{answer:?}");
}

#[tokio::test]
async fn unreadable_bodies_are_refused() {
    let server = Server::start().await;
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let xml: &[(&str, &str)] = &[("content-type", "text/xml")];
    let create = Ask { method: "POST", target: "/policies/p", headers: json, ..CODE };
    for (headers, body, expected) in [
        (json, "{", (400, "invalidrequestexception")),
        (json, "[]", (400, "invalidrequestexception")),
        (json, "{\"policyDocument\":1}", (400, "invalidrequestexception")),
        (json, "{}", (400, "invalidrequestexception")),
        (xml, "<a/>", (415, "unsupportedmediatypeexception")),
    ] {
        let answer = server.ask(Ask { headers, body, ..create }).await;
        assert_eq!(answer.error(), expected, "{body}");
    }
    let answer = server.ask(Ask { body: "{}", ..create }).await;
    let expected = "1 validation error detected: Value null at 'policyDocument' failed to satisfy constraint: Member must not be null";
    assert_eq!(message(&answer), expected);
}

#[tokio::test]
async fn large_requests_are_refused() {
    let server = Server::start().await;
    let body = "x".repeat(crate::dispatch::BODY_BYTES_MAX + 1);
    let answer = server.ask(Ask { method: "POST", target: "/policies/p", body: &body, ..CODE }).await;
    assert_eq!(answer.error(), (413, "requestentitytoolargeexception"));

    // Chunked, so that no length announces it.
    let ask = Ask { method: "POST", target: "/policies/p", ..CODE };
    let headers = server.sign(&ask);
    let mut request =
        format!("POST /policies/p HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n", server.address);
    for (name, value) in &headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    for _ in 0..17 {
        request += &format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    }
    request += "0\r\n\r\n";
    assert_eq!(server.raw(request.as_bytes()).await.error(), (413, "requestentitytoolargeexception"));

    let long = format!("/certificates?marker={}", "a".repeat(70_000));
    assert_eq!(server.raw(format!("GET {long} HTTP/1.1\r\n\r\n").as_bytes()).await.status / 100, 4);
    let many = "a: b\r\n".repeat(1000);
    assert_eq!(server.raw(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).await.status, 431);
}

#[tokio::test]
async fn health_needs_no_signature() {
    let server = Server::start_with(|api| api.with_readiness(|| Err("a commit is stuck".into()))).await;
    let answer = server.send(&Ask { target: "/healthz", ..CODE }, &[]).await;
    assert_eq!((answer.status, &*answer.body), (200, "ok\n"));
    let answer = server.send(&Ask { target: "/readyz", ..CODE }, &[]).await;
    assert_eq!((answer.status, &*answer.body), (503, "not ready\n"));
}

#[tokio::test]
async fn a_shutdown_lets_idle_connections_go() {
    let server = Server::start().await;
    let idle = tokio::net::TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.ask(CODE).await.status, 200);
    server.serving.shutdown(Duration::from_secs(5)).await;
    let mut byte = [0];
    idle.readable().await.unwrap();
    assert_eq!(idle.try_read(&mut byte).unwrap_or(0), 0);
}
