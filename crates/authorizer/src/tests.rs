//! Questions from outside: signatures, functions that answer, and those that do not.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

const KEY: &str = include_str!("../testdata/key.pub.pem");
const OTHER: &str = include_str!("../testdata/other.pub.pem");
/// Of `a token`, by the first key's owner.
const SIGNATURE: &str = include_str!("../testdata/signature.txt");

/// Answers the same to everybody, and remembers what it was asked.
#[derive(Debug)]
struct Fixed(Result<&'static str, FunctionError>, Mutex<Vec<String>>);

impl Functions for Fixed {
    fn invoke<'a>(&'a self, _: tidegate_ids::Tenant, _: &'a str, event: String) -> Answer<'a> {
        self.1.lock().unwrap().push(event);
        let answer = self.0.clone().map(|text| text.as_bytes().to_vec());
        Box::pin(async move { answer })
    }
}

const YES: &str = r#"{"isAuthenticated": true, "principalId": "p", "disconnectAfterInSeconds": 300,
    "refreshAfterInSeconds": 300, "policyDocuments": []}"#;

fn questioned<'a>(public_keys: &'a [&'a str], signing_disabled: bool) -> Questioned<'a> {
    let tenant =
        tidegate_ids::Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f";
    Questioned { tenant, function_arn, token_key_name: Some("token"), public_keys, signing_disabled }
}

fn says(user_name: &str) -> Presented {
    let mqtt = Mqtt { user_name: Some(user_name.into()), ..Mqtt::default() };
    Presented { mqtt: Some(mqtt), ..Presented::default() }
}

#[tokio::test]
async fn no_function_is_asked_about_a_token_that_nobody_signed() {
    let signed = format!("?token=a%20token&{SIGNATURE_KEY}={}", SIGNATURE.replace('+', "%2B"));
    for (keys, user_name, expected) in [
        (&[KEY][..], signed.clone(), None),
        (&[OTHER, KEY], signed.clone(), None),
        (&[OTHER], signed.clone(), Some("SECURITY_TOKEN_SIGNATURE_MISMATCH")),
        (&["no key"], signed.clone(), Some("SECURITY_TOKEN_SIGNATURE_MISMATCH")),
        (&[], signed.clone(), Some("SECURITY_TOKEN_SIGNATURE_MISMATCH")),
        (&[KEY], signed.replace("a%20token", "a%20Token"), Some("SECURITY_TOKEN_SIGNATURE_MISMATCH")),
        (&[KEY], "?token=a%20token".into(), Some("CUSTOM_AUTHORIZER_PARAMETER_INVALID")),
        (&[KEY], format!("?token=a&{SIGNATURE_KEY}=!"), Some("CUSTOM_AUTHORIZER_PARAMETER_INVALID")),
        (&[KEY], format!("?token=&{SIGNATURE_KEY}=YQ=="), Some("CUSTOM_AUTHORIZER_PARAMETER_INVALID")),
        (&[KEY], "user".into(), Some("CUSTOM_AUTHORIZER_PARAMETER_INVALID")),
    ] {
        let functions = Fixed(Ok(YES), Mutex::default());
        let presented = says(&user_name);
        let question = questioned(keys, false);
        let answer = consult(&functions, question, &presented, (None, None), "id", Bounds::AWS).await;
        assert_eq!(answer.as_ref().err().map(Refusal::authn_error), expected, "{user_name}");
        assert_eq!(functions.1.lock().unwrap().len(), usize::from(expected.is_none()), "{user_name}");
    }
}

#[tokio::test]
async fn what_a_function_does_decides() {
    let failed = || Err(FunctionError::Failed("it ended with status 1".into()));
    for (answer, expected) in [
        (Ok(YES), None),
        (Ok(r#"{"isAuthenticated": false}"#), Some("NOT_AUTHENTICATED")),
        (Ok("garbage"), Some("CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR")),
        (failed(), Some("CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR")),
        (Err(FunctionError::Busy), Some("CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR")),
    ] {
        let functions = Fixed(answer.clone(), Mutex::default());
        let presented = says("user?token=t");
        let found = consult(&functions, questioned(&[], true), &presented, (None, None), "id", Bounds::AWS).await;
        assert_eq!(found.as_ref().err().map(Refusal::authn_error), expected, "{answer:?}");
        let event = &functions.1.lock().unwrap()[0];
        assert!(event.contains(r#""token":"t""#) && event.contains(r#""signatureVerified":false"#), "{event}");
    }
}

#[test]
fn nothing_presented_is_shown() {
    let presented = says("user?token=secret");
    assert!(!format!("{presented:?} {:?}", presented.mqtt).contains("secret"));
}

proptest! {
    #[test]
    fn whatever_is_answered_or_presented_is_understood_or_refused(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        text in "(u?[?]?(x-amz-customauthorizer-name|token)=[a%&=2]{0,8}\n?){0,4}.{0,20}",
        seconds in any::<i64>(), id in ".{0,5}", document in "([{}\"]|Statement|[]]){0,8}",
    ) {
        fuzz::answer(&noise);
        fuzz::presented(&noise);
        fuzz::presented(text.as_bytes());
        let answer = serde_json::json!({"isAuthenticated": true, "principalId": id, "disconnectAfterInSeconds": seconds,
            "refreshAfterInSeconds": 300, "policyDocuments": [document]});
        fuzz::answer(answer.to_string().as_bytes());
    }
}
