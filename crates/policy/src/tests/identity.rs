use crate::{Document, RequestContext, Trust, TrustPolicy, Trustee, Variables};

fn statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#)
}

#[test]
fn identity_policies_name_services_and_arns() {
    for (members, valid) in [
        (r#""Effect":"Allow","Action":"*","Resource":"*""#, true),
        (r#""Effect":"Allow","Action":"iot:*","Resource":"arn:aws:iot:*:*:thing/*""#, true),
        (r#""Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:iam::*:user/*""#, true),
        (r#""Sid":"A1","Effect":"Allow","Action":"*","Resource":"*""#, true),
        (r#""Sid":"a b","Effect":"Allow","Action":"*","Resource":"*""#, false),
        (r#""Effect":"Allow","Action":"Publish","Resource":"*""#, false),
        (r#""Effect":"Allow","Action":":x","Resource":"*""#, false),
        (r#""Effect":"Allow","Action":"iot:","Resource":"*""#, false),
        (r#""Effect":"Allow","Action":"iot:*","Resource":"thing/a""#, false),
        (r#""Effect":"Allow","Action":"iot:*","Resource":"**""#, false),
        (r#""Effect":"Allow","Principal":"*","Action":"iot:*","Resource":"*""#, false),
        (r#""Effect":"Allow","Action":"iot:*""#, false),
    ] {
        assert_eq!(Document::parse_identity(&statement(members), 2048).is_ok(), valid, "{members}");
    }
    assert!(Document::parse_identity(&statement(r#""Effect":"Allow","Action":"*","Resource":"*""#), 20).is_err());
}

#[test]
fn trust_policies_name_principals_and_no_resource() {
    const USER: &str = "arn:aws:iam::111111111111:user/u";
    for (principal, valid) in [
        (r#""*""#, true),
        (r#"{"AWS":"*"}"#, true),
        (r#"{"AWS":"111111111111"}"#, true),
        (r#"{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::111111111111:role/a/b"]}"#, true),
        (r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/r/s","Service":"iot.amazonaws.com"}"#, true),
        (r#"{"AWS":"arn:aws:iam::111111111111:user/*"}"#, false),
        (r#"{"AWS":"arn:aws:iam::11:user/a"}"#, false),
        (r#"{"AWS":[]}"#, false),
        (r#"{"AWS":7}"#, false),
        (r#"{"Nobody":"x"}"#, false),
        (r#"{}"#, false),
        (r#""somebody""#, false),
    ] {
        let text = statement(&format!(r#""Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole""#));
        assert_eq!(TrustPolicy::parse(&text).is_ok(), valid, "{principal}");
    }
    for members in [
        r#""Effect":"Allow","Action":"sts:AssumeRole""#,
        r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#,
        r#""Effect":"Allow","Principal":"*","NotPrincipal":"*","Action":"sts:AssumeRole""#,
    ] {
        assert!(TrustPolicy::parse(&statement(members)).is_err(), "{members}");
    }
    assert!(
        TrustPolicy::parse(&statement(&format!(r#""Effect":"Allow","Principal":{{"AWS":"{USER}"}},"Action":"x""#)))
            .is_err()
    );
}

#[test]
fn a_trust_policy_tells_whom_it_names_from_whose_account_it_trusts() {
    use Trust::*;
    const ASK: &str = r#""Action":"sts:AssumeRole""#;
    let rows = [
        (r#"{"AWS":"111111111111"}"#, "Allow", "", Account),
        (r#"{"AWS":"arn:aws:iam::111111111111:root"}"#, "Allow", "", Account),
        (r#"{"AWS":["222222222222","arn:aws:iam::111111111111:user/u"]}"#, "Allow", "", Named),
        (r#"{"AWS":["111111111111","arn:aws:iam::111111111111:user/u"]}"#, "Allow", "", Named),
        (r#""*""#, "Allow", "", Named),
        (r#"{"AWS":"arn:aws:iam::111111111111:user/other"}"#, "Allow", "", Nobody),
        (r#"{"Service":"iot.amazonaws.com"}"#, "Allow", "", Nobody),
        (r#"{"AWS":"111111111111"}"#, "Deny", "", Denied),
        (r#""*""#, "Allow", r#","Condition":{"StringEquals":{"sts:ExternalId":"e"}}"#, Named),
        (r#""*""#, "Allow", r#","Condition":{"StringEquals":{"sts:ExternalId":"f"}}"#, Nobody),
    ];
    let arns = ["arn:aws:iam::111111111111:user/u"];
    let trustee = Trustee { account: "111111111111", arns: &arns };
    let values: &[(&str, &[&str])] = &[("sts:ExternalId", &["e"])];
    let context = RequestContext { values, ..RequestContext::default() };
    for (principal, effect, condition, expected) in rows {
        let text = statement(&format!(r#""Effect":"{effect}","Principal":{principal},{ASK}{condition}"#));
        let policy = TrustPolicy::parse(&text).unwrap();
        assert_eq!(policy.decide("sts:AssumeRole", trustee, &Variables::new(), &context), expected, "{text}");
        assert_eq!(policy.decide("sts:TagSession", trustee, &Variables::new(), &context), Nobody, "{text}");
    }
    let but = statement(&format!(r#""Effect":"Allow","NotPrincipal":{{"AWS":"222222222222"}},{ASK}"#));
    let but = TrustPolicy::parse(&but).unwrap();
    assert_eq!(but.decide("sts:AssumeRole", trustee, &Variables::new(), &context), Named);
}
