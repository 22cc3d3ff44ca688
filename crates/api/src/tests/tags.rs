//! TagResource, UntagResource, ListTagsForResource.

use serde_json::{Value, json};

use super::client::{Answer, Ask, NOW, Server};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
const ARN: &str = "arn:aws:iot:eu-central-1:123456789012:policy/p";

async fn call(server: &Server, method: &str, target: &str, body: Option<Value>) -> Answer {
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    let headers = if body.is_empty() { &[] } else { JSON };
    server.ask(Ask { service: "iot", method, target, headers, body: &body, at: NOW }).await
}

async fn listed(server: &Server) -> Value {
    let answer =
        call(server, "GET", "/tags?resourceArn=arn%3Aaws%3Aiot%3Aeu-central-1%3A123456789012%3Apolicy%2Fp", None);
    answer.await.json()
}

#[tokio::test]
async fn tags_are_given_listed_and_taken() {
    let server = Server::start().await;
    let body = json!({"policyDocument": ALLOW, "tags": [{"Key": "a", "Value": "1"}, {"Key": "no value"}]});
    assert_eq!(call(&server, "POST", "/policies/p", Some(body)).await.status, 200);
    let body = json!({"resourceArn": ARN, "tags": [{"Key": "b/ü", "Value": "2"}, {"Key": "a", "Value": "3"}]});
    let answer = call(&server, "POST", "/tags", Some(body)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let all =
        json!({"tags": [{"Key": "a", "Value": "3"}, {"Key": "no value", "Value": ""}, {"Key": "b/ü", "Value": "2"}]});
    assert_eq!(listed(&server).await, all);
    let body = json!({"resourceArn": ARN, "tagKeys": ["a", "b/ü"]});
    let answer = call(&server, "POST", "/untag", Some(body)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(listed(&server).await, json!({"tags": [{"Key": "no value", "Value": ""}]}));
}

#[tokio::test]
async fn wrong_requests_about_tags_are_refused() {
    let server = Server::start().await;
    assert_eq!(call(&server, "POST", "/policies/p", Some(json!({"policyDocument": ALLOW}))).await.status, 200);
    let many: Vec<Value> = (0..50).map(|n| json!({"Key": n.to_string()})).collect();
    assert_eq!(call(&server, "POST", "/tags", Some(json!({"resourceArn": ARN, "tags": many}))).await.status, 200);
    let invalid = (400, "invalidrequestexception");
    let certificate = format!("arn:aws:iot:eu-central-1:123456789012:cert/{}", "ab".repeat(32));
    for (target, body, expected) in [
        ("/tags", json!({"resourceArn": ARN, "tags": [{"Key": "one more"}]}), (410, "limitexceededexception")),
        ("/tags", json!({"resourceArn": ARN, "tags": [{"Key": "a"}, {"Key": "a"}]}), invalid),
        ("/tags", json!({"resourceArn": ARN, "tags": [{"Key": "a!"}]}), invalid),
        ("/tags", json!({"resourceArn": ARN, "tags": [{"Value": "a"}]}), invalid),
        ("/tags", json!({"resourceArn": ARN, "tags": [{"Key": "AWS:a"}]}), invalid),
        ("/tags", json!({"resourceArn": ARN, "tags": "a"}), invalid),
        ("/tags", json!({"resourceArn": ARN}), invalid),
        ("/tags", json!({"tags": []}), invalid),
        ("/tags", json!({"resourceArn": certificate, "tags": []}), invalid),
        ("/tags", json!({"resourceArn": "policy/p", "tags": []}), invalid),
        ("/tags", json!({"resourceArn": format!("{ARN}2"), "tags": []}), (404, "resourcenotfoundexception")),
        ("/untag", json!({"resourceArn": ARN, "tagKeys": [""]}), invalid),
        ("/untag", json!({"resourceArn": ARN}), invalid),
        ("/untag", json!({"resourceArn": format!("{ARN}2"), "tagKeys": ["a"]}), (404, "resourcenotfoundexception")),
    ] {
        let answer = call(&server, "POST", target, Some(body.clone())).await;
        assert_eq!(answer.error(), expected, "{target} {body}");
    }
    for query in ["", "?resourceArn=x", "?resourceArn=arn:aws:iot:eu-central-1:123456789012:policy/p&nextToken=x"] {
        assert_eq!(call(&server, "GET", &format!("/tags{query}"), None).await.error(), invalid, "{query}");
    }
    assert_eq!(listed(&server).await["tags"].as_array().unwrap().len(), 50);
}
