//! Served operations, from the request's bytes to the answer's.

use serde_json::{Value, json};
use tidegate_ids::Timestamp;
use tidegate_pki::{
    PrivateKey,
    issue::{IssuingCa, Validity},
};

use super::client::{Answer, Ask, NOW, Server};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
pub(super) const ACCOUNT: &str = "123456789012";
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

pub(super) async fn call(server: &Server, method: &str, target: &str, body: Option<Value>) -> Answer {
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    let headers = if body.is_empty() { &[] } else { JSON };
    server.ask(Ask { service: "iot", method, target, headers, body: &body, at: NOW }).await
}

pub(super) async fn done(server: &Server, method: &str, target: &str, body: Option<Value>) -> Value {
    let answer = call(server, method, target, body).await;
    assert_eq!(answer.status, 200, "{method} {target}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn ca() -> IssuingCa {
    let validity = Validity { not_before: NOW, not_after: Timestamp::from_seconds(NOW.seconds() + 86_400) };
    IssuingCa::self_signed("Test CA", "Tests", PrivateKey::generate_p256().unwrap(), validity).unwrap()
}

#[tokio::test]
async fn get_caller_identity_answers_xml_or_json() {
    let server = Server::start().await;
    let form: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let ask = Ask { service: "sts", method: "POST", target: "/", headers: form, body, at: NOW };
    let answer = server.ask(ask).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml")));
    let expected = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                    <Account>123456789012</Account><Arn>arn:aws:iam::123456789012:root</Arn><UserId>123456789012</UserId>\
                    </GetCallerIdentityResult><ResponseMetadata><RequestId>";
    assert!(answer.body.starts_with(expected), "{answer:?}");

    let headers: &[(&str, &str)] = &[form[0], ("accept", "application/json")];
    let answer = server.ask(Ask { headers, ..ask }).await.json();
    let result = &answer["GetCallerIdentityResponse"]["GetCallerIdentityResult"];
    assert_eq!(result["Account"], ACCOUNT);

    let get =
        Ask { method: "GET", target: "/?Action=GetCallerIdentity&Version=2011-06-15", headers: &[], body: "", ..ask };
    assert_eq!(server.ask(get).await.status, 200);
}

#[tokio::test]
async fn the_registration_code_stays_until_it_is_deleted() {
    let server = Server::start().await;
    assert_eq!(call(&server, "DELETE", "/registrationcode", None).await.error(), (404, "resourcenotfoundexception"));
    let first = done(&server, "GET", "/registrationcode", None).await;
    assert_eq!(text(&first["registrationCode"]).len(), 64);
    assert_eq!(done(&server, "GET", "/registrationcode", None).await, first);
    assert_eq!(done(&server, "DELETE", "/registrationcode", None).await, json!({}));
    assert_ne!(done(&server, "GET", "/registrationcode", None).await, first);
}

#[tokio::test]
async fn a_ca_certificate_lives_and_dies() {
    let server = Server::start().await;
    let pem = ca().certificate().pem();
    let body = json!({"caCertificate": pem, "certificateMode": "SNI_ONLY", "tags": [{"Key": "k", "Value": "v"}]});
    let target = "/cacertificate?setAsActive=true&allowAutoRegistration=true";
    let registered = done(&server, "POST", target, Some(body.clone())).await;
    let id = text(&registered["certificateId"]);
    assert_eq!(registered["certificateArn"], format!("arn:aws:iot:eu-central-1:{ACCOUNT}:cacert/{id}"));

    let again = call(&server, "POST", target, Some(body)).await;
    assert_eq!(again.error(), (409, "resourcealreadyexistsexception"));
    assert_eq!(again.json()["resourceId"], id);
    assert_eq!(again.json()["resourceArn"], registered["certificateArn"]);

    let one = format!("/cacertificate/{id}");
    let described = done(&server, "GET", &one, None).await;
    let now = NOW.seconds_f64();
    let day = now + 86_400.0;
    let expected = json!({"certificateDescription": {
        "certificateArn": registered["certificateArn"], "certificateId": id, "status": "ACTIVE", "certificatePem": pem,
        "ownedBy": ACCOUNT, "creationDate": now, "autoRegistrationStatus": "ENABLE", "lastModifiedDate": now,
        "customerVersion": 1, "generationId": described["certificateDescription"]["generationId"],
        "validity": {"notBefore": now, "notAfter": day}, "certificateMode": "SNI_ONLY",
    }});
    assert_eq!(described, expected);

    assert_eq!(call(&server, "DELETE", &one, None).await.error(), (406, "certificatestateexception"));
    let target = format!("{one}?newStatus=INACTIVE&newAutoRegistrationStatus=DISABLE");
    let updated = call(&server, "PUT", &target, Some(json!({}))).await;
    assert_eq!((updated.status, &*updated.body), (200, ""));
    let listed = done(&server, "GET", "/cacertificates?pageSize=1", None).await;
    assert_eq!(listed["certificates"][0]["status"], "INACTIVE");
    assert_eq!(listed.get("nextMarker"), None);
    assert_eq!(done(&server, "DELETE", &one, None).await, json!({}));
    assert_eq!(call(&server, "GET", &one, None).await.error(), (404, "resourcenotfoundexception"));
}

#[tokio::test]
async fn a_certificate_is_created_activated_and_deleted() {
    let server = Server::start().await;
    let created = done(&server, "POST", "/keys-and-certificate?setAsActive=false", None).await;
    assert!(text(&created["keyPair"]["PrivateKey"]).starts_with("-----BEGIN RSA PRIVATE KEY-----"), "no key");
    assert!(text(&created["keyPair"]["PublicKey"]).starts_with("-----BEGIN PUBLIC KEY-----"));
    let id = text(&created["certificateId"]);
    let one = format!("/certificates/{id}");

    done(&server, "PUT", &format!("{one}?newStatus=ACTIVE"), None).await;
    let described = done(&server, "GET", &one, None).await;
    let description = &described["certificateDescription"];
    assert_eq!(description["status"], "ACTIVE");
    assert_eq!(description["certificateArn"], created["certificateArn"]);
    assert_eq!(description["certificatePem"], created["certificatePem"]);
    assert_eq!(description["validity"]["notAfter"], 2_524_607_999.0);
    assert_eq!(description.get("previousOwnedBy"), None);

    // Upper case and other spellings are the same certificate.
    assert_eq!(call(&server, "GET", &format!("/certificates/{}", id.to_uppercase()), None).await.status, 200);
    assert_eq!(call(&server, "DELETE", &one, None).await.error(), (406, "certificatestateexception"));
    let refused = call(&server, "PUT", &format!("{one}?newStatus=PENDING_TRANSFER"), None).await;
    assert_eq!(refused.error(), (406, "certificatestateexception"));
    done(&server, "PUT", &format!("{one}?newStatus=INACTIVE"), None).await;
    assert_eq!(call(&server, "DELETE", &format!("{one}?forceDelete=true"), None).await.body, "");
    assert_eq!(call(&server, "GET", &one, None).await.error(), (404, "resourcenotfoundexception"));
}

#[tokio::test]
async fn certificates_are_registered_with_and_without_their_ca() {
    let server = Server::start().await;
    let ca = ca();
    let body = json!({"caCertificate": ca.certificate().pem(), "certificateMode": "SNI_ONLY"});
    let registered = done(&server, "POST", "/cacertificate?setAsActive=true", Some(body)).await;
    let leaf = || ca.device_certificate(PrivateKey::generate_p256().unwrap().public_key(), NOW).unwrap().pem();

    let with = json!({"certificatePem": leaf(), "status": "ACTIVE"});
    let first = done(&server, "POST", "/certificate/register", Some(with.clone())).await;
    let again = call(&server, "POST", "/certificate/register", Some(with)).await;
    assert_eq!(again.error(), (409, "resourcealreadyexistsexception"));
    let pending = json!({"certificatePem": leaf(), "status": "PENDING_ACTIVATION"});
    let refused = call(&server, "POST", "/certificate/register", Some(pending)).await;
    assert_eq!(refused.error(), (406, "certificatestateexception"));
    let without = done(&server, "POST", "/certificate/register-no-ca", Some(json!({"certificatePem": leaf()}))).await;

    let target = format!("/certificates-by-ca/{}", text(&registered["certificateId"]));
    let by_ca = done(&server, "GET", &target, None).await;
    assert_eq!(by_ca["certificates"].as_array().unwrap().len(), 1);
    assert_eq!(by_ca["certificates"][0]["certificateId"], first["certificateId"]);
    let all = done(&server, "GET", "/certificates?isAscendingOrder=true", None).await;
    assert_eq!(all["certificates"].as_array().unwrap().len(), 2);
    let statuses: Vec<_> = all["certificates"].as_array().unwrap().iter().map(|c| &c["status"]).collect();
    assert!(statuses.contains(&&json!("ACTIVE")) && statuses.contains(&&json!("INACTIVE")), "{statuses:?}");
    assert_ne!(first["certificateId"], without["certificateId"]);

    let garbage = json!({"certificatePem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"});
    let refused = call(&server, "POST", "/certificate/register", Some(garbage)).await;
    assert_eq!(refused.error(), (400, "certificatevalidationexception"));
    let csr = call(&server, "POST", "/certificates", Some(json!({"certificateSigningRequest": "x"}))).await;
    assert_eq!(csr.error(), (400, "invalidrequestexception"));
}

#[tokio::test]
async fn listings_come_in_pages() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        done(&server, "POST", &format!("/policies/{name}"), Some(json!({"policyDocument": ALLOW}))).await;
    }
    let mut names = Vec::new();
    let mut target = "/policies?pageSize=1&isAscendingOrder=true".to_owned();
    for _ in 0..3 {
        let page = done(&server, "GET", &target, None).await;
        names.push(text(&page["policies"][0]["policyName"]).to_owned());
        let Some(marker) = page.get("nextMarker") else { break };
        let marker = text(marker).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        target = format!("/policies?pageSize=1&isAscendingOrder=true&marker={marker}");
    }
    assert_eq!(names, ["a", "b", "c"]);
    for (query, expected) in [
        (
            "pageSize=0",
            "Value '0' at 'pageSize' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "pageSize=251",
            "Value '251' at 'pageSize' failed to satisfy constraint: Member must have value less than or equal to 250",
        ),
        ("pageSize=x", "The value at 'pageSize' must be an integer"),
        (
            "marker=%21",
            "Value '!' at 'marker' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9+/]+={0,2}",
        ),
        ("marker=AAAA", "The marker is not one that this listing answered"),
    ] {
        let answer = call(&server, "GET", &format!("/policies?{query}"), None).await;
        assert_eq!(answer.error(), (400, "invalidrequestexception"), "{query}");
        assert!(text(&answer.json()["message"]).contains(expected), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_policy_is_versioned_attached_and_deleted() {
    let server = Server::start().await;
    let created = done(&server, "POST", "/policies/p%2B1", Some(json!({"policyDocument": ALLOW}))).await;
    let arn = format!("arn:aws:iot:eu-central-1:{ACCOUNT}:policy/p+1");
    let expected = json!({"policyName": "p+1", "policyArn": arn, "policyDocument": ALLOW, "policyVersionId": "1"});
    assert_eq!(created, expected);
    let taken = call(&server, "POST", "/policies/p+1", Some(json!({"policyDocument": ALLOW}))).await;
    assert_eq!(taken.error(), (409, "resourcealreadyexistsexception"));
    let malformed = call(&server, "POST", "/policies/q", Some(json!({"policyDocument": "{"}))).await;
    assert_eq!(malformed.error(), (400, "malformedpolicyexception"));
    let slash = call(&server, "POST", "/policies/a%2Fb", Some(json!({"policyDocument": ALLOW}))).await;
    assert_eq!(slash.error(), (400, "invalidrequestexception"));

    let version = "/policies/p%2B1/version";
    let second =
        done(&server, "POST", &format!("{version}?setAsDefault=false"), Some(json!({"policyDocument": ALLOW}))).await;
    assert_eq!((&second["policyVersionId"], &second["isDefaultVersion"]), (&json!("2"), &json!(false)));
    done(&server, "PATCH", &format!("{version}/2"), None).await;
    assert_eq!(done(&server, "GET", "/policies/p%2B1", None).await["defaultVersionId"], "2");
    assert_eq!(done(&server, "GET", &format!("{version}/2"), None).await["isDefaultVersion"], true);
    assert_eq!(done(&server, "GET", version, None).await["policyVersions"].as_array().unwrap().len(), 2);
    for (target, expected) in [
        (format!("{version}/9"), (404, "resourcenotfoundexception")),
        (format!("{version}/0"), (400, "invalidrequestexception")),
        (format!("{version}/x"), (400, "invalidrequestexception")),
        (format!("{version}/99999999999999999999"), (400, "invalidrequestexception")),
    ] {
        assert_eq!(call(&server, "GET", &target, None).await.error(), expected, "{target}");
    }
    done(&server, "DELETE", &format!("{version}/1"), None).await;

    let certificate = done(&server, "POST", "/keys-and-certificate", None).await;
    let principal = text(&certificate["certificateArn"]);
    done(&server, "PUT", "/target-policies/p%2B1", Some(json!({"target": principal}))).await;
    let encoded = principal.replace(':', "%3A").replace('/', "%2F");
    let attached = done(&server, "POST", &format!("/attached-policies/{encoded}?recursive=true"), None).await;
    assert_eq!(attached, json!({"policies": [{"policyName": "p+1", "policyArn": arn}]}));
    assert_eq!(done(&server, "POST", "/policy-targets/p%2B1", None).await, json!({"targets": [principal]}));
    assert_eq!(call(&server, "DELETE", "/policies/p%2B1", None).await.error(), (409, "deleteconflictexception"));

    // The older names of the same things.
    let by_header = async |method: &str, target: &str, name: &str, value: &str| {
        let headers = &[(name, value)];
        let answer = server.ask(Ask { service: "iot", method, target, headers, body: "", at: NOW }).await;
        assert_eq!(answer.status, 200, "{method} {target}: {answer:?}");
        answer
    };
    by_header("DELETE", "/principal-policies/p%2B1", "x-amzn-iot-principal", principal).await;
    by_header("PUT", "/principal-policies/p%2B1", "x-amzn-iot-principal", principal).await;
    let policies = by_header("GET", "/principal-policies", "x-amzn-iot-principal", principal).await.json();
    assert_eq!(policies["policies"][0]["policyName"], "p+1");
    let principals = by_header("GET", "/policy-principals", "x-amzn-iot-policy", "p+1").await.json();
    assert_eq!(principals, json!({"principals": [principal]}));
    done(&server, "POST", "/target-policies/p%2B1", Some(json!({"target": principal}))).await;
    assert_eq!(call(&server, "DELETE", "/policies/p%2B1", None).await.body, "");
}

#[tokio::test]
async fn the_endpoint_is_the_host_name_without_a_domain() {
    let server = Server::start().await;
    for query in ["", "?endpointType=iot:Data-ATS", "?endpointType=iot%3AData"] {
        let answer = done(&server, "GET", &format!("/endpoint{query}"), None).await;
        assert_eq!(answer, json!({"endpointAddress": "broker.example"}));
    }
    for other in ["iot:CredentialProvider", "iot:Jobs", "x"] {
        let answer = call(&server, "GET", &format!("/endpoint?endpointType={other}"), None).await;
        assert_eq!(answer.error(), (400, "invalidrequestexception"), "{other}");
    }
}
