use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tidegate_ids::Timestamp;

use super::*;

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const AT: &str = "20150830T123600Z";

/// A request that owns what [`RequestParts`] borrows.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
            body: body.into(),
        }
    }

    fn with<T>(&self, then: impl FnOnce(&RequestParts<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let (method, raw_path, raw_query) = (&*self.method, &*self.path, &*self.query);
        then(&RequestParts { method, raw_path, raw_query, headers: &headers })
    }

    fn credentials(&self) -> Result<Credentials, SigV4Error> {
        self.with(Credentials::parse)
    }

    fn check(&self, secret: &[u8], now: Timestamp) -> Result<(), SigV4Error> {
        let credentials = self.credentials()?;
        let key = credentials.signing_key(secret);
        self.with(|parts| credentials.check(parts, PayloadHash::of(&self.body), &key, now, Credentials::SKEW))
    }

    fn signed(mut self, signer: &Signer<'_>, at: Timestamp) -> Self {
        let added = self.with(|parts| sign(parts, PayloadHash::of(&self.body), signer, at));
        self.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        self
    }

    fn header_mut(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).expect("the header is there").1
    }

    fn authorization(&self) -> &str {
        let value = &self.headers.iter().find(|(n, _)| n == "authorization").expect("it is signed").1;
        std::str::from_utf8(value).unwrap()
    }
}

fn at(text: &str) -> Timestamp {
    AmzDate::parse(text).unwrap().timestamp()
}

fn signer(service: &'static str) -> Signer<'static> {
    Signer {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET,
        session_token: None,
        region: "us-east-1",
        service,
    }
}

fn signed() -> Request {
    Request::new("POST", "/policies/a%2Bb", "x=1&b", &[("Host", "localhost:8443"), ("X-Amz-Target", "T")], "{}")
        .signed(&signer("iot"), at(AT))
}

/// AWS: general reference, "Examples of the complete Signature Version 4 signing process" (ListUsers).
#[test]
fn the_published_list_users_example_verifies() {
    let request = Request::new(
        "GET",
        "/",
        "Action=ListUsers&Version=2010-05-08",
        &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", AT),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ],
        "",
    );
    assert_eq!(request.check(SECRET, at(AT)), Ok(()));
    let credentials = request.credentials().unwrap();
    assert_eq!((&*credentials.access_key_id, &*credentials.region), ("AKIDEXAMPLE", "us-east-1"));
    assert_eq!((&*credentials.service, &*credentials.day), ("iam", "20150830"));
}

/// AWS: the Signature Version 4 test suite (`aws4_testsuite`).
#[test]
fn aws_test_suite_signatures_verify() {
    let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    for (method, path, query, signature) in [
        ("GET", "/", "", vanilla),
        ("GET", "/example/..", "", vanilla),
        ("GET", "/./", "", vanilla),
        ("GET", "//", "", vanilla),
        ("GET", "/example1/example2/../..", "", vanilla),
        ("GET", "//example//", "", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("GET", "/\u{1234}", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("GET", "/example space/", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("GET", "/", "Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ] {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers = [("Host", "example.amazonaws.com"), ("X-Amz-Date", AT), ("Authorization", &*authorization)];
        let request = Request::new(method, path, query, &headers, "");
        assert_eq!(request.check(SECRET, at(AT)), Ok(()), "{method} {path}?{query}");
    }
}

fn golden() -> (Value, Vec<(String, Request)>) {
    let text = include_str!("../../../tests/data/sigv4/botocore.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let vectors = file["vectors"].as_array().unwrap().iter().map(|vector| {
        let headers = vector["headers"].as_array().unwrap();
        let hex = text(&vector["body_hex"]);
        let request = Request {
            method: text(&vector["method"]),
            path: text(&vector["path"]),
            query: text(&vector["query"]),
            headers: headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]).into_bytes())).collect(),
            body: (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect(),
        };
        (text(&vector["name"]), request)
    });
    let vectors = vectors.collect();
    (file, vectors)
}

#[test]
fn what_botocore_signs_verifies() {
    let (file, vectors) = golden();
    let secret = file["secret_access_key"].as_str().unwrap().as_bytes();
    let now = Timestamp::from_seconds(file["now"].as_u64().unwrap());
    assert!(vectors.len() >= 25);
    for (name, request) in vectors {
        assert_eq!(request.check(secret, now), Ok(()), "{name}");
        assert_eq!(&*request.credentials().unwrap().region, "eu-central-1", "{name}");
        assert_eq!(request.check(b"another", now), Err(SigV4Error::Mismatch), "{name}");
        let mut other = request.clone();
        other.body.push(b' ');
        assert!(other.check(secret, now).is_err(), "{name}: another body");
        let mut other = request.clone();
        other.path.push_str("/x");
        assert!(other.check(secret, now).is_err(), "{name}: another path");
        let mut other = request.clone();
        other.query.push_str("&x=");
        assert!(other.check(secret, now).is_err(), "{name}: another query");
    }
}

#[test]
fn a_token_appended_after_presigning_is_left_out_of_the_signature() {
    let (file, vectors) = golden();
    let secret = file["secret_access_key"].as_str().unwrap().as_bytes();
    let now = Timestamp::from_seconds(file["now"].as_u64().unwrap());
    let (_, mut request) = vectors.into_iter().find(|(name, _)| name == "presigned for MQTT").unwrap();
    request.query.push_str("&X-Amz-Security-Token=a%2Fb%3D");
    assert_eq!(request.check(secret, now), Ok(()));
    assert_eq!(request.credentials().unwrap().session_token.as_deref(), Some("a/b="));
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    let (file, vectors) = golden();
    let secret = file["secret_access_key"].as_str().unwrap().as_bytes();
    let made = Timestamp::from_seconds(file["now"].as_u64().unwrap());
    let (_, request) = vectors.into_iter().find(|(name, _)| name == "presigned, the token signed").unwrap();
    assert_eq!(request.credentials().unwrap().form, Form::Query { expires: Duration::from_secs(60) });
    assert_eq!(request.check(secret, made + Duration::from_secs(60)), Ok(()));
    assert!(matches!(request.check(secret, made + Duration::from_secs(61)), Err(SigV4Error::Expired { .. })));
    assert!(matches!(request.check(secret, made - Duration::from_secs(301)), Err(SigV4Error::NotYetCurrent { .. })));
    let mut longer = request.clone();
    longer.query = longer.query.replace("X-Amz-Expires=60", "X-Amz-Expires=86401");
    let expected = Err(SigV4Error::Incomplete(vec![Problem::Malformed("X-Amz-Expires")]));
    assert_eq!(longer.check(secret, made), expected);
    longer.query = longer.query.replace("X-Amz-Expires=86401", "X-Amz-Expires=600");
    assert_eq!(longer.check(secret, made), Err(SigV4Error::Mismatch));
}

#[test]
fn the_clock_may_be_off_by_five_minutes() {
    let request = signed();
    let made = at(AT);
    for (now, fits) in [
        (made, true),
        (made + Credentials::SKEW, true),
        (made - Credentials::SKEW, true),
        (made + Credentials::SKEW + Duration::from_secs(1), false),
        (made - Credentials::SKEW - Duration::from_secs(1), false),
    ] {
        assert_eq!(request.check(SECRET, now).is_ok(), fits, "{now}");
    }
    let late = request.check(b"whatever", at("20150830T130000Z")).unwrap_err();
    assert_eq!(
        late.aws_message(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T125500Z (20150830T130000Z - 5 min.)"
    );
    let early = request.check(SECRET, at("20150830T120000Z")).unwrap_err();
    assert_eq!(
        early.aws_message(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T120500Z (20150830T120000Z + 5 min.)"
    );
}

#[test]
fn an_authorization_header_is_whole_or_refused() {
    use Problem::*;
    let whole = signed().authorization().to_owned();
    let incomplete = |problem| SigV4Error::Incomplete(vec![problem]);
    let credential = "AKIDEXAMPLE/20150830/us-east-1/iot/aws4_request";
    let signature = whole.rsplit_once("Signature=").unwrap().1;
    for (from, to, expected) in [
        (whole.as_str(), "", incomplete(Algorithm("".into()))),
        ("AWS4-HMAC-SHA256", "Bearer", incomplete(Algorithm("Bearer".into()))),
        (
            &*whole,
            "AWS4-HMAC-SHA256",
            SigV4Error::Incomplete(vec![Missing("Credential"), Missing("Signature"), Missing("SignedHeaders")]),
        ),
        ("Signature=", "Sig=", incomplete(Missing("Signature"))),
        ("Credential=", "Credential", incomplete(NotKeyValue(format!("Credential{credential}")))),
        ("/iot/", "/", incomplete(Credential("AKIDEXAMPLE/20150830/us-east-1/aws4_request".into()))),
        ("/iot/", "/i/o/", incomplete(Credential("AKIDEXAMPLE/20150830/us-east-1/i/o/aws4_request".into()))),
        ("aws4_request", "aws5_request", SigV4Error::ScopeTerminator("aws5_request".into())),
        (
            "20150830/",
            "20150831/",
            SigV4Error::ScopeDate { scope: "20150831".into(), request: AmzDate::parse(AT).unwrap() },
        ),
        ("host;", "", SigV4Error::HeaderNotSigned("host".into())),
        (";x-amz-target", "", SigV4Error::HeaderNotSigned("x-amz-target".into())),
        (";x-amz-date", "", SigV4Error::HeaderNotSigned("x-amz-date".into())),
        ("host;x-amz-date", "x-amz-date;host", incomplete(Malformed("SignedHeaders"))),
        ("host;", "host;host;", incomplete(Malformed("SignedHeaders"))),
        ("host;", "Host;", incomplete(Malformed("SignedHeaders"))),
        ("host;", ";host;", incomplete(Malformed("SignedHeaders"))),
        ("AKIDEXAMPLE", "AKIDEXAMPLF", SigV4Error::MissingToken), // replaced below: the key id is not signed
        (signature, "0", SigV4Error::Mismatch),
        (signature, &signature.to_uppercase(), SigV4Error::Mismatch),
    ] {
        let mut request = signed();
        *request.header_mut("authorization") = whole.replace(from, to).into_bytes();
        match request.check(SECRET, at(AT)) {
            Err(error) => assert_eq!(error, expected, "{from} -> {to}"),
            Ok(()) => assert_eq!(to, "AKIDEXAMPLF", "{from} -> {to}"),
        }
    }
}

#[test]
fn without_a_signature_or_a_date_nothing_is_claimed() {
    let mut request = signed();
    request.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(request.credentials(), Err(SigV4Error::MissingToken));
    let mut request = signed();
    request.headers.retain(|(name, _)| name != "x-amz-date");
    assert_eq!(request.credentials(), Err(SigV4Error::Incomplete(vec![Problem::NoDate])));
    for date in
        ["20150830T123600", "2015-08-30T12:36:00Z", "20150230T123600Z", "20150830T246000Z", "", "é0150830T12360"]
    {
        let mut request = signed();
        *request.header_mut("x-amz-date") = date.into();
        assert_eq!(request.credentials(), Err(SigV4Error::Incomplete(vec![Problem::Date(date.into())])), "{date}");
    }
}

#[test]
fn a_content_hash_header_must_be_the_bodys() {
    for (claimed, fits) in [
        (PayloadHash::of(b"{}").to_hex(), true),
        (EMPTY_PAYLOAD.to_hex(), false),
        ("UNSIGNED-PAYLOAD".into(), false),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER".into(), false),
        (String::new(), false),
    ] {
        let headers = [("host", "h"), ("x-amz-content-sha256", claimed.as_str())];
        let request = Request::new("POST", "/", "", &headers, "{}").signed(&signer("iot"), at(AT));
        let expected = if fits { Ok(()) } else { Err(SigV4Error::Payload) };
        assert_eq!(request.check(SECRET, at(AT)), expected, "{claimed}");
    }
    assert_eq!(PayloadHash::of(b""), EMPTY_PAYLOAD);
}

#[test]
fn a_query_encoded_otherwise_than_it_was_signed_verifies() {
    let mut request = Request::new("GET", "/x", "arn=arn%3Aaws&t=a%2Fb", &[("host", "h")], "");
    request = request.signed(&signer("iot"), at(AT));
    for (query, fits) in [
        ("arn=arn:aws&t=a/b", true),
        ("t=a%2fb&arn=arn%3aaws", true),
        ("arn=arn:aws&t=a/c", false),
        ("arn=arn%253Aaws&t=a%2Fb", false),
    ] {
        request.query = query.into();
        assert_eq!(request.check(SECRET, at(AT)).is_ok(), fits, "{query}");
    }
}

#[test]
fn a_foreign_scope_is_told_by_service() {
    let credentials = signed().credentials().unwrap();
    assert_eq!(credentials.require_service(&["iotdata", "iot"]), Ok(()));
    let refused = credentials.require_service(&["acm"]).unwrap_err();
    assert_eq!(refused.aws_message(), "Credential should be scoped to correct service: 'acm'. ");
}

#[test]
fn what_is_too_large_is_refused_before_any_work() {
    let headers: Vec<(String, Vec<u8>)> = (0..200).map(|i| (format!("h{i}"), vec![])).collect();
    for change in [
        (|r: &mut Request, _: &[_]| r.query = "a&".repeat(RequestParts::QUERY_PAIRS_MAX))
            as fn(&mut Request, &[(String, Vec<u8>)]),
        |r, _| r.query = "a".repeat(RequestParts::QUERY_BYTES_MAX + 1),
        |r, _| r.path = "a".repeat(RequestParts::PATH_BYTES_MAX + 1),
        |r, headers| r.headers.extend_from_slice(headers),
        |r, _| r.headers.push(("big".into(), vec![b'a'; RequestParts::HEADER_BYTES_MAX])),
    ] {
        let mut request = signed();
        change(&mut request, &headers);
        assert_eq!(request.credentials(), Err(SigV4Error::TooLarge));
    }
}

#[test]
fn dates_of_headers_are_read() {
    let expected = AmzDate::parse(AT);
    for (text, valid) in [
        (AT, true),
        ("Sun, 30 Aug 2015 12:36:00 GMT", true),
        ("Sun, 30 Aug 2015 12:36:00 -0000", true),
        ("Sun, 30 Aug 2015 12:36:00 CET", false),
        ("Sun, 30 Foo 2015 12:36:00 GMT", false),
        ("Sunday, 30-Aug-15 12:36:00 GMT", false),
        ("\u{e9}un, 30 Aug 2015 12:36:00 GM", false),
    ] {
        assert_eq!(AmzDate::parse_http(text), expected.filter(|_| valid), "{text}");
    }
    assert_eq!(AmzDate::of(Timestamp::from_millis(u64::MAX)).to_string(), "99991231T235959Z");
    assert_eq!(AmzDate::of(Timestamp::default()).to_string(), "19700101T000000Z");
}

#[test]
fn a_signing_key_says_nothing_of_itself() {
    assert_eq!(format!("{:?}", SigningKey::derive(SECRET, "20150830", "us-east-1", "iam")), "SigningKey(..)");
}

fn requests() -> impl Strategy<Value = Request> {
    let headers = proptest::collection::vec(("[a-z][a-z-]{0,8}", "[ -~]{0,12}"), 0..4);
    let query = proptest::collection::vec("[A-Za-z0-9%=._-]{0,8}", 0..4);
    ("GET|PUT|POST", "(/[ -~&&[^?#]]{0,6}){0,4}", query, headers, proptest::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(method, path, query, headers, body)| {
            let mut headers: Vec<(String, Vec<u8>)> = headers.into_iter().map(|(n, v)| (n, v.into_bytes())).collect();
            headers.retain(|(name, _)| name != "host" && name != "date");
            headers.push(("host".into(), b"localhost".to_vec()));
            Request { method, path, query: query.join("&"), headers, body }
        })
}

proptest! {
    #[test]
    fn what_is_signed_verifies(request in requests()) {
        prop_assert_eq!(request.signed(&signer("iot"), at(AT)).check(SECRET, at(AT)), Ok(()));
    }

    /// One changed byte: in the body, the secret, the method, a header's value or the signature.
    #[test]
    fn one_changed_byte_fails(request in requests(), position: prop::sample::Index, flip in 1u8..128) {
        let request = request.signed(&signer("iot"), at(AT));
        let mut secret = SECRET.to_vec();
        *position.get_mut(&mut secret) ^= flip;
        prop_assert!(request.check(&secret, at(AT)).is_err());
        if !request.body.is_empty() {
            let mut other = request.clone();
            *position.get_mut(&mut other.body) ^= flip;
            prop_assert!(other.check(SECRET, at(AT)).is_err());
        }
        let mut other = request.clone();
        let start = other.authorization().find("Signature=").unwrap() + 10;
        let signature = &mut other.header_mut("authorization")[start..];
        *position.get_mut(signature) ^= flip;
        prop_assert!(other.check(SECRET, at(AT)).is_err());
        let mut other = request.clone();
        other.method = "DELETE".into();
        prop_assert!(other.check(SECRET, at(AT)).is_err());
        let mut other = request.clone();
        other.header_mut("host").push(b'x');
        prop_assert!(other.check(SECRET, at(AT)).is_err());
    }

    #[test]
    fn no_header_or_query_makes_it_panic(authorization in "\\PC{0,60}", query in "\\PC{0,60}", value in any::<Vec<u8>>()) {
        let headers: [(&str, &[u8]); 4] = [
            ("authorization", authorization.as_bytes()), ("x-amz-date", &value), ("host", &value), ("\u{e9}", &value)];
        let request = RequestParts { method: "GET", raw_path: &query, raw_query: &query, headers: &headers };
        if let Ok(credentials) = Credentials::parse(&request) {
            let key = credentials.signing_key(SECRET);
            let _ = credentials.check(&request, EMPTY_PAYLOAD, &key, at(AT), Credentials::SKEW);
        }
    }
}
