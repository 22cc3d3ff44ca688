//! TestAuthorization, GetEffectivePolicies, and the extensions that explain and lint.

use serde_json::{Value, json};

use super::{
    client::Server,
    operations::{ACCOUNT, call, done, text},
};

fn arn(resource: &str) -> String {
    format!("arn:aws:iot:eu-central-1:{ACCOUNT}:{resource}")
}

fn statement(effect: &str, action: &str, resource: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": arn(resource)})
}

async fn policy(server: &Server, name: &str, statements: Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    done(server, "POST", &format!("/policies/{name}"), Some(json!({"policyDocument": document}))).await;
}

/// A certificate with two policies: its ARN.
async fn device(server: &Server) -> String {
    policy(
        server,
        "own",
        json!([
            statement("Allow", "iot:Connect", "client/${iot:ClientId}"),
            statement("Allow", "iot:Publish", "topic/${iot:ClientId}/*"),
            {"Sid": "Floor", "Effect": "Allow", "Action": "iot:Publish", "Resource": arn("topic/floor"),
             "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        ]),
    )
    .await;
    policy(server, "secrets", json!([statement("Deny", "iot:*", "topic/d1/secret")])).await;
    policy(server, "more", json!([statement("Allow", "iot:*", "topic/more")])).await;
    let certificate = done(server, "POST", "/keys-and-certificate", None).await;
    let principal = text(&certificate["certificateArn"]).to_owned();
    for name in ["own", "secrets"] {
        done(server, "PUT", &format!("/target-policies/{name}"), Some(json!({"target": principal}))).await;
    }
    principal
}

fn names(value: &Value) -> Vec<&str> {
    value["policies"].as_array().unwrap().iter().map(|policy| text(&policy["policyName"])).collect()
}

#[tokio::test]
async fn test_authorization_decides_and_names_the_policies() {
    let server = Server::start().await;
    let principal = device(&server).await;
    let info = |action: &str, topics: &[&str]| json!({"actionType": action, "resources": topics.iter().map(|t| arn(t)).collect::<Vec<_>>()});
    let table = [
        (info("CONNECT", &["client/d1"]), "ALLOWED", vec!["own"], vec!["secrets"], vec![], vec![]),
        (info("CONNECT", &["client/d2"]), "IMPLICIT_DENY", vec![], vec!["own", "secrets"], vec![], vec![]),
        (info("PUBLISH", &["topic/d1/a"]), "ALLOWED", vec!["own"], vec!["secrets"], vec![], vec!["aws:SourceIp"]),
        (
            info("PUBLISH", &["topic/d1/secret"]),
            "EXPLICIT_DENY",
            vec!["own"],
            vec![],
            vec!["secrets"],
            vec!["aws:SourceIp"],
        ),
        (
            info("PUBLISH", &["topic/d1/a", "topic/x"]),
            "IMPLICIT_DENY",
            vec!["own"],
            vec!["own", "secrets"],
            vec![],
            vec!["aws:SourceIp"],
        ),
        (info("SUBSCRIBE", &["topicfilter/#"]), "IMPLICIT_DENY", vec![], vec!["own", "secrets"], vec![], vec![]),
        (info("RECEIVE", &["topic/d1/secret"]), "EXPLICIT_DENY", vec![], vec!["own"], vec!["secrets"], vec![]),
    ];
    let infos: Vec<&Value> = table.iter().map(|row| &row.0).collect();
    let body = json!({"principal": principal, "authInfos": infos});
    let answer = done(&server, "POST", "/test-authorization?clientId=d1", Some(body)).await;
    for ((info, decision, allowed, implicit, explicit, missing), result) in
        table.iter().zip(answer["authResults"].as_array().unwrap())
    {
        assert_eq!((&result["authInfo"], text(&result["authDecision"])), (info, *decision), "{result}");
        assert_eq!(names(&result["allowed"]), *allowed, "{result}");
        assert_eq!(names(&result["denied"]["implicitDeny"]), *implicit, "{result}");
        assert_eq!(names(&result["denied"]["explicitDeny"]), *explicit, "{result}");
        assert_eq!(result["missingContextValues"], json!(missing), "{result}");
    }

    // The thing that the client id names.
    policy(
        &server,
        "thing",
        json!([statement("Allow", "iot:Publish", "topic/${iot:Connection.Thing.Attributes[floor]}/*")]),
    )
    .await;
    let attributes = json!({"attributePayload": {"attributes": {"floor": "second"}}});
    done(&server, "POST", "/things/lamp", Some(attributes)).await;
    for (client_id, expected, missing) in [
        ("lamp", "ALLOWED", json!(["aws:SourceIp"])),
        ("other", "IMPLICIT_DENY", json!(["aws:SourceIp", "iot:Connection.Thing.Attributes[floor]"])),
    ] {
        let body = json!({"principal": principal, "policyNamesToAdd": ["thing"], "authInfos": [info("PUBLISH", &["topic/second/a"])]});
        let answer = done(&server, "POST", &format!("/test-authorization?clientId={client_id}"), Some(body)).await;
        assert_eq!(answer["authResults"][0]["authDecision"], expected, "{answer}");
        assert_eq!(answer["authResults"][0]["missingContextValues"], missing, "{answer}");
    }

    // Policies added and skipped, and no principal at all.
    for (more, topic, expected) in [
        (json!({"policyNamesToAdd": ["more"]}), "topic/more", "ALLOWED"),
        (json!({"policyNamesToSkip": ["secrets"]}), "topic/d1/secret", "ALLOWED"),
        (json!({"policyNamesToSkip": ["nobody", "own"]}), "topic/d1/a", "IMPLICIT_DENY"),
        (json!({"policyNamesToAdd": ["more"], "principal": null}), "topic/more", "ALLOWED"),
        (json!({"principal": null}), "topic/more", "IMPLICIT_DENY"),
    ] {
        let mut body = json!({"principal": principal, "authInfos": [info("PUBLISH", &[topic])]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let answer = done(&server, "POST", "/test-authorization?clientId=d1", Some(body)).await;
        assert_eq!(answer["authResults"][0]["authDecision"], expected, "{more} {answer}");
    }
}

#[tokio::test]
async fn test_authorization_refuses_what_it_cannot_answer() {
    let server = Server::start().await;
    let principal = device(&server).await;
    let one = json!({"actionType": "PUBLISH", "resources": [arn("topic/a")]});
    let invalid = (400, "invalidrequestexception");
    for (body, expected) in [
        (json!({"authInfos": []}), invalid),
        (json!({"authInfos": vec![one.clone(); 11]}), invalid),
        (json!({}), invalid),
        (json!({"authInfos": [{"actionType": "PUBLISH"}]}), invalid),
        (json!({"authInfos": [{"actionType": "PUBLISH", "resources": []}]}), invalid),
        (json!({"authInfos": [{"resources": [arn("topic/a")]}]}), invalid),
        (json!({"authInfos": [{"actionType": "DANCE", "resources": [arn("topic/a")]}]}), invalid),
        (json!({"authInfos": [one], "cognitoIdentityPoolId": "eu-central-1:pool"}), invalid),
        (json!({"authInfos": [one], "principal": "eu-central-1:1b9c2a3d-0000-4000-8000-000000000000"}), invalid),
        (json!({"authInfos": [one], "principal": "nobody"}), invalid),
        (json!({"authInfos": [one], "principal": principal.replace(ACCOUNT, "999999999999")}), invalid),
        (
            json!({"authInfos": [one], "principal": arn(&format!("cert/{}", "ab".repeat(32)))}),
            (404, "resourcenotfoundexception"),
        ),
        (json!({"authInfos": [one], "policyNamesToAdd": ["nobody"]}), (404, "resourcenotfoundexception")),
        (json!({"authInfos": [one], "policyNamesToAdd": ["a/b"]}), invalid),
        (json!({"authInfos": [one], "policyNamesToAdd": vec!["more"; 11]}), (410, "limitexceededexception")),
        (
            json!({"authInfos": [{"actionType": "PUBLISH", "resources": vec![arn("topic/a"); 101]}]}),
            (410, "limitexceededexception"),
        ),
    ] {
        let answer = call(&server, "POST", "/test-authorization", Some(body.clone())).await;
        assert_eq!(answer.error(), expected, "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn effective_policies_are_those_in_force() {
    let server = Server::start().await;
    let principal = device(&server).await;
    let second = json!({"Version": "2012-10-17", "Statement": [statement("Deny", "iot:*", "*")]}).to_string();
    done(&server, "POST", "/policies/secrets/version?setAsDefault=true", Some(json!({"policyDocument": second}))).await;
    let answer = done(&server, "POST", "/effective-policies", Some(json!({"principal": principal}))).await;
    let policies = answer["effectivePolicies"].as_array().unwrap();
    assert_eq!(policies.iter().map(|p| text(&p["policyName"])).collect::<Vec<_>>(), ["own", "secrets"]);
    assert_eq!(
        (text(&policies[1]["policyDocument"]), &policies[1]["policyArn"]),
        (&*second, &json!(arn("policy/secrets")))
    );
    done(&server, "POST", "/things/lamp", Some(json!({}))).await;
    let both = done(&server, "POST", "/effective-policies?thingName=lamp", Some(json!({"principal": principal}))).await;
    assert_eq!(both, answer);
    let thing = done(&server, "POST", "/effective-policies?thingName=lamp", Some(json!({}))).await;
    assert_eq!(thing, json!({"effectivePolicies": []}));
    let invalid = (400, "invalidrequestexception");
    for (target, body, expected) in [
        ("/effective-policies", json!({}), invalid),
        ("/effective-policies", json!({"principal": "x"}), invalid),
        ("/effective-policies", json!({"principal": principal, "cognitoIdentityPoolId": "p"}), invalid),
        ("/effective-policies?thingName=nobody", json!({}), (404, "resourcenotfoundexception")),
        ("/effective-policies?thingName=a%2Fb", json!({}), invalid),
    ] {
        assert_eq!(call(&server, "POST", target, Some(body.clone())).await.error(), expected, "{target} {body}");
    }
}

#[tokio::test]
async fn an_explanation_has_the_statement_and_the_values_of_its_variables() {
    let server = Server::start().await;
    let principal = device(&server).await;
    let ask = async |body: Value| {
        let mut whole = json!({"principal": principal, "clientId": "d1"});
        body.as_object().unwrap().iter().for_each(|(name, value)| whole[name] = value.clone());
        done(&server, "POST", "/tidegate/explain", Some(whole)).await
    };
    let allowed = ask(json!({"action": "publish", "resource": "d1/a"})).await;
    assert_eq!((&allowed["decision"], &allowed["certificateStatus"]), (&json!("ALLOWED"), &json!("INACTIVE")));
    let deciding = &allowed["decidedBy"][0];
    assert_eq!(
        (&deciding["policyName"], &deciding["policyVersionId"], &deciding["statement"]),
        (&json!("own"), &json!("1"), &json!(1))
    );
    assert_eq!(deciding["resource"], json!([{"text": arn("topic/d1/*"), "unresolved": []}]));

    let near = ask(json!({"action": "iot:Publish", "resource": arn("topic/floor")})).await;
    assert_eq!((&near["decision"], near["cameNear"].as_array().unwrap().len()), (&json!("IMPLICIT_DENY"), 2));
    assert_eq!(near["cameNear"][0]["outcome"], "RESOURCE_DIFFERS");
    assert_eq!(
        (&near["cameNear"][1]["outcome"], &near["cameNear"][1]["sid"]),
        (&json!("CONDITION_FAILS"), &json!("Floor"))
    );
    assert_eq!(near["missingContextValues"], json!(["aws:SourceIp"]));
    let known = ask(json!({"action": "publish", "resource": "floor", "context": {"aws:SourceIp": ["10.1.1.1"]}})).await;
    assert_eq!(
        (&known["decision"], &known["decidedBy"][0]["condition"][0]["holds"]),
        (&json!("ALLOWED"), &json!(true))
    );

    let denied = ask(json!({"action": "retain-publish", "resource": "d1/secret"})).await;
    assert_eq!((&denied["decision"], &denied["action"]), (&json!("EXPLICIT_DENY"), &json!("iot:RetainPublish")));
    assert_eq!(denied["policies"][1]["verdict"], "DENIES");
    assert_eq!(ask(json!({"action": "connect"})).await["decision"], "ALLOWED");

    for body in [
        json!({"action": "publish"}),
        json!({"resource": "x"}),
        json!({"action": "iot:GetThingShadow", "resource": "x"}),
        json!({"action": "connect", "principal": "x"}),
        json!({"action": "connect"}),
    ] {
        let answer = call(&server, "POST", "/tidegate/explain", Some(body.clone())).await;
        assert_eq!(answer.error(), (400, "invalidrequestexception"), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn a_document_is_linted_without_being_stored() {
    let server = Server::start().await;
    let document =
        json!({"Version": "2012-10-17", "Statement": [statement("Allow", "iot:Subscribe", "topicfilter/a/*")]});
    let lint = async |document: String| {
        call(&server, "POST", "/tidegate/lint-policy", Some(json!({"policyDocument": document}))).await
    };
    let warnings = lint(document.to_string()).await.json();
    assert_eq!(warnings["warnings"][0]["rule"], "wildcard-filter");
    assert_eq!(lint("{".into()).await.error(), (400, "malformedpolicyexception"));
    assert_eq!(done(&server, "GET", "/policies", None).await["policies"], json!([]));
}
