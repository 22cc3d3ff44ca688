//! Things, from the request's bytes to the answer's.

use serde_json::json;
use tidegate_ids::{Monotonic, Now, Tenant, Timestamp};

use super::{
    client::{Ask, NOW, Server},
    operations::{ACCOUNT, call, done, text},
};

#[tokio::test]
async fn a_thing_lives_and_dies() {
    let server = Server::start().await;
    let body = json!({"attributePayload": {"attributes": {"room": "1", "colour": "red"}}});
    let made = done(&server, "POST", "/things/bulb:1", Some(body.clone())).await;
    let arn = format!("arn:aws:iot:eu-central-1:{ACCOUNT}:thing/bulb:1");
    assert_eq!(made, json!({"thingArn": arn, "thingId": made["thingId"], "thingName": "bulb:1"}));
    assert_eq!(text(&made["thingId"]).len(), 36);
    assert_eq!(done(&server, "POST", "/things/bulb:1", Some(body)).await, made);
    let again = call(&server, "POST", "/things/bulb:1", Some(json!({}))).await;
    assert_eq!(again.error(), (409, "resourcealreadyexistsexception"));
    assert_eq!((&again.json()["resourceId"], &again.json()["resourceArn"]), (&json!("bulb:1"), &json!(arn)));

    let update =
        json!({"attributePayload": {"attributes": {"colour": "", "watt": "5"}, "merge": true}, "expectedVersion": 1});
    assert_eq!(done(&server, "PATCH", "/things/bulb:1", Some(update.clone())).await, json!({}));
    let described = done(&server, "GET", "/things/bulb%3A1", None).await;
    let expected = json!({
        "defaultClientId": "bulb:1", "thingName": "bulb:1", "thingId": made["thingId"], "thingArn": arn,
        "attributes": {"room": "1", "watt": "5"}, "version": 2,
    });
    assert_eq!(described, expected);
    let stale = call(&server, "PATCH", "/things/bulb:1", Some(update)).await;
    assert_eq!(stale.error(), (409, "versionconflictexception"));
    let stale = call(&server, "DELETE", "/things/bulb:1?expectedVersion=1", None).await;
    assert_eq!(stale.error(), (409, "versionconflictexception"));
    assert_eq!(done(&server, "DELETE", "/things/bulb:1?expectedVersion=2", None).await, json!({}));
    assert_eq!(done(&server, "DELETE", "/things/bulb:1", None).await, json!({}));
    assert_eq!(call(&server, "GET", "/things/bulb:1", None).await.error(), (404, "resourcenotfoundexception"));
}

#[tokio::test]
async fn what_no_thing_may_be_is_refused() {
    let server = Server::start().await;
    let attributes = |pairs: serde_json::Value| json!({"attributePayload": {"attributes": pairs}});
    for (target, body, expected) in [
        ("/things/a%20b", json!({}), (400, "invalidrequestexception")),
        ("/things/t", attributes(json!({"a b": "1"})), (400, "invalidrequestexception")),
        ("/things/t", attributes(json!({"a": "1 2"})), (400, "invalidrequestexception")),
        ("/things/t", attributes(json!({"a": null})), (400, "invalidrequestexception")),
        ("/things/t", attributes(json!({"a": 1})), (400, "invalidrequestexception")),
        ("/things/t", attributes(json!({"a": "1", "b": "2", "c": "3", "d": "4"})), (400, "invalidrequestexception")),
        ("/things/t", json!({"thingTypeName": "none"}), (404, "resourcenotfoundexception")),
        ("/things/t", json!({"billingGroupName": "none"}), (404, "resourcenotfoundexception")),
    ] {
        let answer = call(&server, "POST", target, Some(body.clone())).await;
        assert_eq!(answer.error(), expected, "{target} {body}");
    }
    assert_eq!(call(&server, "GET", "/things/t", None).await.status, 404);
}

#[tokio::test]
async fn a_certificate_is_attached_listed_and_detached() {
    let server = Server::start().await;
    let created = done(&server, "POST", "/keys-and-certificate", None).await;
    let principal = text(&created["certificateArn"]);
    let ask = async |method, target| {
        let headers = &[("x-amzn-principal", principal)][..];
        server.ask(Ask { service: "iot", method, target, headers, body: "", at: NOW }).await
    };
    done(&server, "POST", "/things/t", Some(json!({}))).await;
    let attached = ask("PUT", "/things/t/principals?thingPrincipalType=EXCLUSIVE_THING").await;
    assert_eq!((attached.status, attached.json()), (200, json!({})));
    let listed = done(&server, "GET", "/things/t/principals", None).await;
    assert_eq!(listed, json!({"principals": [principal]}));
    let listed = done(&server, "GET", "/things/t/principals-v2", None).await;
    let object = json!({"principal": principal, "thingPrincipalType": "EXCLUSIVE_THING"});
    assert_eq!(listed, json!({"thingPrincipalObjects": [object]}));
    assert_eq!(ask("GET", "/principals/things").await.json(), json!({"things": ["t"]}));
    let object = json!({"thingName": "t", "thingPrincipalType": "EXCLUSIVE_THING"});
    assert_eq!(ask("GET", "/principals/things-v2").await.json(), json!({"principalThingObjects": [object]}));
    let others = ask("GET", "/principals/things-v2?thingPrincipalType=NON_EXCLUSIVE_THING").await;
    assert_eq!(others.json(), json!({"principalThingObjects": []}));
    done(&server, "POST", "/things/u", Some(json!({}))).await;
    assert_eq!(ask("PUT", "/things/u/principals").await.error(), (400, "invalidrequestexception"));
    assert_eq!(ask("PUT", "/things/u/principals?thingPrincipalType=x").await.error(), (400, "invalidrequestexception"));
    assert_eq!(call(&server, "DELETE", "/things/t", None).await.error(), (400, "invalidrequestexception"));
    let certificate = format!("/certificates/{}", text(&created["certificateId"]));
    let held = call(&server, "DELETE", &format!("{certificate}?forceDelete=true"), None).await;
    assert_eq!(held.error(), (409, "deleteconflictexception"));
    let transfer = format!(
        "/transfer-{}?targetAwsAccount=000000000000",
        &certificate[1..].replacen("certificates", "certificate", 1)
    );
    assert_eq!(call(&server, "PATCH", &transfer, Some(json!({}))).await.error(), (409, "transferconflictexception"));
    assert_eq!(ask("DELETE", "/things/t/principals").await.json(), json!({}));
    assert_eq!(call(&server, "DELETE", &certificate, None).await.status, 200);
    assert_eq!(ask("PUT", "/things/t/principals").await.error(), (404, "resourcenotfoundexception"));
    // Without the header there is no principal.
    assert_eq!(call(&server, "PUT", "/things/t/principals", None).await.error(), (400, "invalidrequestexception"));
}

#[tokio::test]
async fn a_thing_type_lives_and_things_are_found_by_it() {
    let server = Server::start().await;
    let body = json!({
        "thingTypeProperties": {
            "thingTypeDescription": "gives light", "searchableAttributes": ["watt"],
            "mqtt5Configuration": {"propagatingAttributes": [{"userPropertyKey": "w", "thingAttribute": "watt"}]},
        },
        "tags": [{"Key": "k", "Value": "v"}],
    });
    let made = done(&server, "POST", "/thing-types/bulb", Some(body.clone())).await;
    let arn = format!("arn:aws:iot:eu-central-1:{ACCOUNT}:thingtype/bulb");
    assert_eq!(made, json!({"thingTypeName": "bulb", "thingTypeArn": arn, "thingTypeId": made["thingTypeId"]}));
    assert_eq!(done(&server, "POST", "/thing-types/bulb", Some(body.clone())).await, made);
    let again = call(&server, "POST", "/thing-types/bulb", Some(json!({}))).await;
    assert_eq!(again.error(), (409, "resourcealreadyexistsexception"));
    assert_eq!(again.json()["resourceArn"], arn);
    let now = NOW.seconds_f64();
    let described = done(&server, "GET", "/thing-types/bulb", None).await;
    let expected = json!({
        "thingTypeName": "bulb", "thingTypeArn": arn, "thingTypeId": made["thingTypeId"],
        "thingTypeProperties": body["thingTypeProperties"],
        "thingTypeMetadata": {"deprecated": false, "creationDate": now},
    });
    assert_eq!(described, expected);
    let thing = json!({"thingTypeName": "bulb", "attributePayload": {"attributes": {"watt": "5", "other": "x"}}});
    done(&server, "POST", "/things/t", Some(thing)).await;
    let listed = done(&server, "GET", "/things?attributeName=watt&attributeValue=5&thingTypeName=bulb", None).await;
    let item = json!({
        "thingName": "t", "thingTypeName": "bulb", "thingArn": format!("arn:aws:iot:eu-central-1:{ACCOUNT}:thing/t"),
        "attributes": {"watt": "5", "other": "x"}, "version": 1,
    });
    assert_eq!(listed, json!({"things": [item]}));
    assert_eq!(done(&server, "GET", "/things?attributeName=other", None).await, json!({"things": []}));
    assert_eq!(call(&server, "GET", "/things?attributeValue=5", None).await.error(), (400, "invalidrequestexception"));
    assert_eq!(call(&server, "GET", "/things?maxResults=251", None).await.error(), (400, "invalidrequestexception"));
    assert_eq!(call(&server, "GET", "/things?nextToken=x", None).await.error(), (400, "invalidrequestexception"));
    done(&server, "POST", "/thing-types/bulb/deprecate", Some(json!({}))).await;
    let listed = done(&server, "GET", "/thing-types?thingTypeName=bulb", None).await;
    let metadata = json!({"deprecated": true, "creationDate": now, "deprecationDate": now});
    assert_eq!(listed["thingTypes"][0]["thingTypeMetadata"], metadata);
    assert_eq!(done(&server, "GET", "/thing-types?thingTypeName=bul", None).await, json!({"thingTypes": []}));
    let early = call(&server, "DELETE", "/thing-types/bulb", None).await;
    assert_eq!(early.error(), (400, "invalidrequestexception"));
    done(&server, "POST", "/thing-types/bulb/deprecate", Some(json!({"undoDeprecate": true}))).await;
    let update = json!({"thingTypeProperties": {"searchableAttributes": ["watt"]}});
    assert_eq!(
        call(&server, "PATCH", "/thing-types/bulb", Some(update)).await.error(),
        (400, "invalidrequestexception")
    );
    assert_eq!(call(&server, "GET", "/thing-types/none", None).await.error(), (404, "resourcenotfoundexception"));
}

#[tokio::test]
async fn a_thing_type_deprecated_five_minutes_ago_is_deleted() {
    let server = Server::start().await;
    done(&server, "POST", "/thing-types/old", Some(json!({}))).await;
    let tenant = Tenant { account: ACCOUNT.parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let ago = Now { wall: Timestamp::from_seconds(NOW.seconds() - 300), monotonic: Monotonic::default() };
    server.api.registry.deprecate_thing_type(tenant, &"old".parse().unwrap(), false, ago).await.unwrap();
    assert_eq!(done(&server, "DELETE", "/thing-types/old", None).await, json!({}));
    assert_eq!(call(&server, "DELETE", "/thing-types/old", None).await.error(), (404, "resourcenotfoundexception"));
}
