use std::sync::Arc;

use tidegate_ids::{Tenant, Timestamp};

use super::*;

mod conditions;
mod equivalence;
mod explain;
mod identity;
mod naive;

const NOTHING: RequestContext<'static> = RequestContext::at(Timestamp::from_seconds(1_764_040_000));

fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn set(documents: &[&str]) -> PolicySet {
    let attached = documents.iter().enumerate().map(|(i, text)| AttachedPolicy {
        name: format!("p{i}").parse().unwrap(),
        version: i as u32 + 1,
        document: Arc::new(Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))),
    });
    PolicySet::compile(tenant(), attached)
}

/// A document of statements written in short: `Effect|Actions|Resources`, lists separated by blanks; the ARN's
/// beginning is put before resources that start with no `arn:` and no `*`. `!` before a list negates it.
pub(crate) fn policy(statements: &[&str]) -> String {
    let list = |text: &str| {
        let items: Vec<String> = text.split_whitespace().map(|item| format!("{item:?}")).collect();
        format!("[{}]", items.join(","))
    };
    let named = |name: &str, text: &str, complete: &dyn Fn(&str) -> String| match text.strip_prefix('!') {
        Some(text) => format!("\"Not{name}\":{}", list(&complete(text))),
        None => format!("\"{name}\":{}", list(&complete(text))),
    };
    let arns = |text: &str| {
        let complete = |r: &str| match r.starts_with("arn:") || r.starts_with('*') {
            true => r.to_owned(),
            false => format!("arn:aws:iot:eu-central-1:123456789012:{r}"),
        };
        text.split_whitespace().map(complete).collect::<Vec<_>>().join(" ")
    };
    let statements: Vec<String> = statements
        .iter()
        .map(|statement| {
            let mut parts = statement.splitn(4, '|').map(str::trim);
            let (effect, actions, resources) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            let condition = parts.next().map_or(String::new(), |condition| format!(",\"Condition\":{condition}"));
            let actions = named("Action", actions, &str::to_owned);
            let resources = named("Resource", resources, &arns);
            format!("{{\"Effect\":\"{effect}\",{actions},{resources}{condition}}}")
        })
        .collect();
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}

fn device() -> Variables {
    let mut variables = Variables::new();
    variables
        .client_id("d1")
        .certificate_id(&"ab".repeat(32).parse().unwrap())
        .source_ip("203.0.113.9".parse().unwrap())
        .serial_number("928512")
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::CommonName, ["lamp", "second"])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::Organization, ["O=x, \"y\""])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::Country, ["a", "b", "c", "d", "e", "f"])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::Title, ["evil/*"])
        .certificate_attribute(CertificateName::Issuer, CertificateAttribute::CommonName, ["ca/one"])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::DnsName, ["lamp.example"])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::Pseudonym, ["p".repeat(1024)])
        .certificate_attribute(CertificateName::Subject, CertificateAttribute::Initials, ["p".repeat(1025)]);
    variables
}

/// `A`llowed, `E`xplicitly denied, `-` implicitly denied; the same from the bound policy and from the whole ARN.
fn decide(statements: &[&str], access: Access, text: &str) -> char {
    let set = set(&[&policy(statements)]);
    let bound = set.bind(&device()).decide(access, text, &NOTHING);
    let arn = format!("arn:aws:iot:eu-central-1:123456789012:{}/{text}", access.resource_type());
    assert_eq!(set.decide_arn(access.action(), &arn, &device(), &NOTHING), bound, "{statements:?} {access:?} {text}");
    match bound {
        Decision::Allowed(_) => 'A',
        Decision::ExplicitDeny(_) => 'E',
        Decision::ImplicitDeny => '-',
    }
}

#[test]
fn thing_variables_are_those_of_the_thing_and_missing_without_one() {
    let statements = [
        r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"ARN:topic/${iot:Connection.Thing.ThingTypeName}/${iot:Connection.Thing.ThingName}/${iot:Connection.Thing.Attributes[room.no]}"}"#,
        r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"ARN:topic/old/${iot:Thing.ThingName}"}"#,
        r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"ARN:topic/attached","Condition":{"Bool":{"iot:Connection.Thing.IsAttached":"true"}}}"#,
    ];
    let arn = "arn:aws:iot:eu-central-1:123456789012";
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(",").replace("ARN", arn));
    let set = set(&[&text]);
    let allowed = |variables: &Variables| {
        let bound = set.bind(variables);
        let topics = ["bulb/t:1/7", "old/t:1", "attached"];
        topics.map(|topic| bound.decide(Access::Publish, topic, &NOTHING).is_allowed())
    };
    let mut variables = Variables::new();
    assert_eq!(allowed(&variables), [false; 3]);
    variables.thing("t:1", Some("bulb"), [("room.no", "7"), ("other", "x")], true);
    assert_eq!(allowed(&variables), [true; 3]);
    variables.thing("t:1", None, [("room.no", "7")], false);
    assert_eq!(allowed(&variables), [false, true, false], "without a type, not attached");
    let mut variables = Variables::new();
    variables.thing("t:1", Some("bulb"), [("room.no", "#")], true);
    assert_eq!(allowed(&variables), [false, true, true], "a value that could act as a wildcard");
}

#[test]
fn statements_decide_about_actions_and_resources() {
    use Access::*;
    for (statements, access, text, expected) in [
        (&["Allow|iot:*|*"] as &[&str], Publish, "a/b", 'A'),
        (&["Allow|*|*"], Connect, "d1", 'A'),
        (&["Allow|iot:Connect|client/d1"], Connect, "d1", 'A'),
        (&["Allow|iot:Connect|client/d1"], Connect, "d2", '-'),
        (&["Allow|iot:Connect|client/d1"], Connect, "D1", '-'),
        (&["Allow|iot:Connect|client/d1"], Publish, "d1", '-'),
        (&["Allow|IOT:connect|client/d1"], Connect, "d1", 'A'),
        (&["Allow|iot:Conn*|client/*"], Connect, "x", 'A'),
        (&["Allow|iot:?ublish|topic/a"], Publish, "a", 'A'),
        (&["Allow|iot:?ublish|topic/a"], RetainPublish, "a", '-'),
        (&["Allow|iot:*ublish|topic/a"], RetainPublish, "a", 'A'),
        (&["Allow|iot:Frobnicate|*"], Publish, "a", '-'),
        (&["Allow|iot:Publish iot:Receive|topic/a topic/b"], Receive, "b", 'A'),
        (&["Allow|iot:Publish|topic/a"], Receive, "a", '-'),
        // Resource types are part of the text.
        (&["Allow|iot:Subscribe|topic/a"], Subscribe, "a", '-'),
        (&["Allow|iot:Subscribe|topicfilter/a"], Subscribe, "a", 'A'),
        (&["Allow|iot:*|topic*/a"], Subscribe, "a", 'A'),
        (&["Allow|iot:*|topic*/a"], Publish, "a", 'A'),
        (&["Allow|iot:*|topic*/a"], Publish, "b/a", 'A'),
        // MQTT's wildcards are characters; `*` crosses levels, `?` is one character.
        (&["Allow|iot:Subscribe|topicfilter/a/+/b"], Subscribe, "a/+/b", 'A'),
        (&["Allow|iot:Subscribe|topicfilter/a/+/b"], Subscribe, "a/x/b", '-'),
        (&["Allow|iot:Subscribe|topicfilter/a/#"], Subscribe, "a/#", 'A'),
        (&["Allow|iot:Subscribe|topicfilter/a/#"], Subscribe, "a/b", '-'),
        (&["Allow|iot:Publish|topic/a/+"], Publish, "a/b", '-'),
        (&["Allow|iot:Subscribe|topicfilter/a/*"], Subscribe, "a/#", 'A'),
        (&["Allow|iot:Subscribe|topicfilter/$share/g/a/*"], Subscribe, "$share/g/a/+", 'A'),
        (&["Allow|iot:Subscribe|topicfilter/$share/g/a/*"], Subscribe, "a/+", '-'),
        (&["Allow|iot:Publish|topic/a*c"], Publish, "a/b/c", 'A'),
        (&["Allow|iot:Publish|topic/a*"], Publish, "a", 'A'),
        (&["Allow|iot:Publish|topic/a?"], Publish, "a", '-'),
        (&["Allow|iot:Publish|topic/a?"], Publish, "aé", 'A'),
        (&["Allow|iot:Publish|topic/a:b"], Publish, "a:b", 'A'),
        (&["Allow|iot:Publish|topic/${*}${?}${$}"], Publish, "*?$", 'A'),
        (&["Allow|iot:Publish|topic/${*}"], Publish, "x", '-'),
        // Region and account are compared, with wildcards.
        (&["Allow|iot:Publish|arn:aws:iot:us-east-1:123456789012:topic/a"], Publish, "a", '-'),
        (&["Allow|iot:Publish|arn:aws:iot:eu-central-1:123456789013:topic/a"], Publish, "a", '-'),
        (&["Allow|iot:Publish|arn:aws:iot:*:*:topic/a*"], Publish, "ab", 'A'),
        (&["Allow|iot:Publish|arn:aws:iot:eu-*-1:12345678901?:topic/a"], Publish, "a", 'A'),
        (&["Allow|iot:Publish|arn:*/a"], Publish, "b/a", 'A'),
        (&["Allow|iot:Publish|*a"], Publish, "b/a", 'A'),
        (&["Allow|iot:Publish|*a"], Publish, "b", '-'),
        (&["Allow|iot:Publish|arn:aws:iot:eu-central-1:123456789012"], Publish, "a", '-'),
        // Explicit deny wins wherever it stands; nothing said is a deny.
        (&["Allow|iot:*|*", "Deny|iot:Publish|topic/a"], Publish, "a", 'E'),
        (&["Deny|iot:Publish|topic/a", "Allow|iot:*|*"], Publish, "a", 'E'),
        (&["Deny|iot:Publish|topic/a", "Allow|iot:*|*"], Publish, "b", 'A'),
        (&["Deny|iot:Publish|topic/a"], Publish, "b", '-'),
        (&["Allow|iot:*|*", "Deny|iot:RetainPublish|*"], Publish, "a", 'A'),
        (&["Allow|iot:*|*", "Deny|iot:RetainPublish|*"], RetainPublish, "a", 'E'),
        // Not…
        (&["Allow|!iot:Publish|*"], Publish, "a", '-'),
        (&["Allow|!iot:Publish|*"], Subscribe, "a", 'A'),
        (&["Allow|iot:Publish|!topic/a topic/b"], Publish, "a", '-'),
        (&["Allow|iot:Publish|!topic/a topic/b"], Publish, "b", '-'),
        (&["Allow|iot:Publish|!topic/a topic/b"], Publish, "c", 'A'),
        (&["Deny|iot:Connect|!client/d1", "Allow|*|*"], Connect, "d1", 'A'),
        (&["Deny|iot:Connect|!client/d1", "Allow|*|*"], Connect, "d2", 'E'),
    ] {
        assert_eq!(decide(statements, access, text), expected, "{statements:?} {access:?} {text}");
    }
}

/// AWS: developer guide, "AWS IoT Core policy variables" and its limitations on certificate attributes.
#[test]
fn variables_are_replaced_or_match_nothing() {
    let certificate_id = "ab".repeat(32);
    let (fits, too_long) = ("p".repeat(1024), "p".repeat(1025));
    for (resource, text, expected) in [
        ("topic/${iot:ClientId}/x", "d1/x", 'A'),
        ("topic/${iot:ClientId}/x", "d2/x", '-'),
        ("topic/${iot:clientid}/x", "d1/x", 'A'),
        ("topic/${iot:CertificateId}", certificate_id.as_str(), 'A'),
        ("topic/${aws:SourceIp}", "203.0.113.9", 'A'),
        ("topic/${iot:Certificate.SerialNumber}", "928512", 'A'),
        ("topic/${iot:Certificate.Subject.CommonName}", "lamp", 'A'),
        ("topic/${iot:Certificate.Subject.CommonName}", "second", '-'),
        ("topic/${iot:Certificate.Subject.CommonName.0}", "lamp", 'A'),
        ("topic/${iot:Certificate.Subject.CommonName.1}", "second", 'A'),
        ("topic/${iot:Certificate.Subject.CommonName.2}", "second", '-'),
        ("topic/${iot:Certificate.Subject.Country.4}", "e", 'A'),
        ("topic/${iot:Certificate.Subject.Country.5}", "f", '-'),
        ("topic/${iot:Certificate.Subject.Country.}", "a", '-'),
        ("topic/${iot:Certificate.Subject.AlternativeName.DNSName}", "lamp.example", 'A'),
        // `/` is allowed in a value and reaches other levels; other special characters gain a backslash.
        ("topic/${iot:Certificate.Issuer.CommonName}", "ca/one", 'A'),
        ("topic/${iot:Certificate.Subject.Organization}", "O\\=x\\, \\\"y\\\"", 'A'),
        ("topic/${iot:Certificate.Subject.Organization}", "O=x, \"y\"", '-'),
        // A value with a wildcard in it is not put in: nothing matches, not even the variable's own text.
        ("topic/${iot:Certificate.Subject.Title}", "evil/*", '-'),
        ("topic/${iot:Certificate.Subject.Title}", "evil/x", '-'),
        ("topic/${iot:Certificate.Subject.Title}", "${iot:Certificate.Subject.Title}", '-'),
        ("topic/${iot:Certificate.Subject.Pseudonym}", fits.as_str(), 'A'),
        ("topic/${iot:Certificate.Subject.Initials}", too_long.as_str(), '-'),
        // Missing.
        ("topic/${iot:Connection.Thing.ThingName}", "d1", '-'),
        ("topic/${iot:Connection.Thing.ThingName}", "${iot:Connection.Thing.ThingName}", '-'),
        ("topic/${iot:Connection.Thing.Attributes[room]}", "x", '-'),
        ("topic/${no:such}", "x", '-'),
        ("topic/${}", "", '-'),
        ("topic/${iot:ClientId", "${iot:ClientId", 'A'),
    ] {
        let statement = format!("Allow|iot:Publish|{resource}");
        assert_eq!(decide(&[&statement], Access::Publish, text), expected, "{resource} {text}");
    }
}

#[test]
fn an_unreplaced_variable_never_opens_and_never_hides_a_deny() {
    for (statements, expected) in [
        (&["Allow|iot:*|topic/${no:such} topic/a"] as &[&str], 'A'),
        (&["Allow|iot:*|topic/${no:such}"], '-'),
        (&["Allow|iot:*|!topic/${no:such}"], '-'),
        (&["Allow|iot:*|!topic/${no:such} topic/b"], '-'),
        (&["Allow|iot:*|*", "Deny|iot:*|topic/${no:such}"], 'A'),
        (&["Allow|iot:*|*", "Deny|iot:*|!topic/${no:such}"], 'E'),
    ] {
        assert_eq!(decide(statements, Access::Publish, "a"), expected, "{statements:?}");
    }
}

#[test]
fn a_client_id_cannot_widen_a_policy() {
    let set = set(&[&policy(&["Allow|iot:*|topic/${iot:ClientId}/*"])]);
    for client_id in ["*", "a*", "?", "+", "#", "$aws", "${iot:ClientId}"] {
        let mut variables = Variables::new();
        variables.client_id(client_id);
        let bound = set.bind(&variables);
        for topic in ["x/y", "*/y", &format!("{client_id}/y")] {
            assert_eq!(bound.decide(Access::Publish, topic, &NOTHING), Decision::ImplicitDeny, "{client_id} {topic}");
        }
    }
}

#[test]
fn version_2008_knows_no_variables() {
    let text = policy(&["Allow|iot:Publish|topic/${iot:ClientId} topic/b*"]);
    for version in [r#""Version":"2008-10-17","#, ""] {
        let old = text.replace(r#""Version":"2012-10-17","#, version);
        let set = set(&[&old]);
        assert!(!set.uses_variables());
        let bound = set.bind(&device());
        for (topic, allowed) in [("${iot:ClientId}", true), ("d1", false), ("bx", true)] {
            assert_eq!(bound.decide(Access::Publish, topic, &NOTHING).is_allowed(), allowed, "{topic}");
        }
    }
}

#[test]
fn what_a_certificate_says_is_asked_for_by_policies_that_name_it() {
    for (statements, asks) in [
        (&["Allow|iot:*|topic/${iot:ClientId}/${iot:CertificateId}"][..], false),
        (&["Allow|iot:*|topic/${iot:Connection.Thing.Attributes[iot:Certificate.SerialNumber]}"], false),
        (&["Allow|iot:*|topic/a", "Allow|iot:*|topic/b/${iot:Certificate.Subject.CommonName}"], true),
        (&["Deny|iot:*|!topic/${iot:certificate.subject.country.list}"], true),
        (&["Allow|iot:*|topic/${iot:Certificate.Subject.Country.2,'none'}"], true),
        (&["Allow|iot:*|*|{\"Null\":{\"iot:Certificate.AvailableKeys\":\"true\"}}"], true),
        (&["Allow|iot:*|*|{\"StringEquals\":{\"iot:ClientId\":\"x${IOT:CERTIFICATE.SERIALNUMBER}\"}}"], true),
        (&["Allow|iot:*|*|{\"StringEquals\":{\"iot:ClientId\":\"iot:Certificate.SerialNumber\"}}"], false),
    ] {
        assert_eq!(set(&[&policy(statements)]).uses_certificate(), asks, "{statements:?}");
    }
}

#[test]
fn a_decision_names_its_statement() {
    let text = policy(&["Allow|iot:Connect|*", "Deny|iot:Publish|topic/x", "Allow|iot:Publish|topic/${iot:ClientId}"]);
    let named = text.replacen("{\"Effect\":\"Deny\"", "{\"Sid\":\"NoX\",\"Effect\":\"Deny\"", 1);
    let set = set(&[&policy(&["Allow|iot:Publish|topic/a"]), &named]);
    let bound = set.bind(&device());
    let origin = |policy, statement| Origin { policy, statement };
    for (topic, expected) in [
        ("a", Decision::Allowed(origin(0, 0))),
        ("x", Decision::ExplicitDeny(origin(1, 1))),
        ("d1", Decision::Allowed(origin(1, 2))),
        ("other", Decision::ImplicitDeny),
    ] {
        assert_eq!(bound.decide(Access::Publish, topic, &NOTHING), expected, "{topic}");
    }
    assert_eq!((set.policy(origin(1, 1)).name.as_str(), set.policy(origin(1, 1)).version), ("p1", 2));
    assert_eq!(set.sid(origin(1, 1)), Some("NoX"));
    assert_eq!(set.sid(origin(0, 0)), None);
    assert_eq!(bound.decide(Access::Connect, "z", &NOTHING), Decision::Allowed(origin(1, 0)));
}

#[test]
fn no_policy_allows_nothing() {
    let set = set(&[]);
    assert_eq!(set.bind(&device()).decide(Access::Connect, "d1", &NOTHING), Decision::ImplicitDeny);
    assert_eq!(set.decide_arn("iot:CreatePolicy", "*", &device(), &NOTHING), Decision::ImplicitDeny);
}

#[test]
fn identity_policies_decide_about_any_service() {
    let set = set(&[&policy(&[
        "Allow|iot:Create* acm:List*|*",
        "Allow|iot:DeletePolicy|arn:aws:iot:*:123456789012:policy/${aws:username}-*",
        "Deny|iot:CreatePolicy|arn:aws:iot:us-east-1:*",
    ])]);
    let mut variables = Variables::new();
    variables.set("aws:username", ["ann"]);
    for (action, arn, allowed) in [
        ("iot:CreatePolicy", "arn:aws:iot:eu-central-1:123456789012:policy/p", true),
        ("iot:CreatePolicy", "arn:aws:iot:us-east-1:123456789012:policy/p", false),
        ("ACM:ListCertificates", "*", true),
        ("acm:DeleteCertificate", "*", false),
        ("iot:DeletePolicy", "arn:aws:iot:eu-central-1:123456789012:policy/ann-1", true),
        ("iot:DeletePolicy", "arn:aws:iot:eu-central-1:123456789012:policy/bob-1", false),
    ] {
        assert_eq!(set.decide_arn(action, arn, &variables, &NOTHING).is_allowed(), allowed, "{action} {arn}");
    }
}

#[test]
fn a_default_stands_in_for_a_missing_value() {
    for (resource, text, expected) in [
        ("topic/${no:such,'x'}", "x", 'A'),
        ("topic/${iot:ClientId,'x'}", "d1", 'A'),
        ("topic/${iot:Certificate.Subject.Title,'x'}", "x", '-'),
    ] {
        let statement = format!("Allow|iot:Publish|{resource}");
        assert_eq!(decide(&[&statement], Access::Publish, text), expected, "{resource} {text}");
    }
}

#[test]
fn documents_of_the_grammar_are_read() {
    let statement = r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#;
    for text in [
        format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#),
        format!(r#"{{"Version":"2012-10-17","Id":"x","Statement":[{statement},{statement}]}}"#),
        format!(r#"{{"Statement":{statement}}}"#),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"a b","Effect":"Deny","NotAction":["iot: *"],"NotResource":["x"]}]}"#
            .to_owned(),
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a","Resource":"*","Condition":{}}}"#.to_owned(),
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a","Resource":"*","Condition":
            {"ForAllValues:StringLikeIfExists":{"k":["v",1,true]},"Null":{"k":true},"NumericLessThan":{"n":-2.5}}}}"#
            .to_owned(),
    ] {
        assert!(Document::parse(&text).is_ok(), "{text}: {:?}", Document::parse(&text));
    }
}

#[test]
fn other_documents_are_refused_with_the_place() {
    let with = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let but = |from: &str, to: &str| {
        with(r#"{"Effect":"Allow","Action":"iot:*","Resource":"*","Condition":{"Bool":{"k":"true"}}}"#)
            .replace(from, to)
    };
    for (text, place) in [
        ("".to_owned(), "not valid JSON"),
        ("{".to_owned(), "not valid JSON"),
        ("{} x".to_owned(), "not valid JSON"),
        ("[".repeat(1000), "recursion"),
        ("[]".to_owned(), "document:"),
        ("{}".to_owned(), "document: Statement"),
        (with(""), "Statement: it is empty"),
        (with("1"), "Statement[0]: "),
        (r#"{"Statement":"x"}"#.to_owned(), "Statement: "),
        (but("2012-10-17", "2012-10-18"), "Version: "),
        (but("\"2012-10-17\"", "1"), "Version: "),
        (but("\"Version\"", "\"version\""), "version: "),
        (but("\"Version\"", "\"Statement\""), "repeated"),
        (but("\"Effect\"", "\"Resource\""), "repeated"),
        (but("\"Effect\"", "\"\\u0052esource\""), "repeated"),
        (but("\"k\"", "\"k\":1,\"k\""), "repeated"),
        (but("{\"Effect\"", "{\"Sid\":1,\"Effect\""), "Statement[0].Sid: "),
        (but("{\"Effect\"", "{\"Foo\":1,\"Effect\""), "Statement[0].Foo: "),
        (but("{\"Effect\"", "{\"Principal\":\"*\",\"Effect\""), "Statement[0].Principal: "),
        (but("\"Allow\"", "\"allow\""), "Statement[0].Effect: "),
        (but("\"Effect\":\"Allow\",", ""), "Statement[0]: Effect"),
        (but("\"Action\":\"iot:*\",", ""), "Statement[0]: Action"),
        (but("\"Action\":", "\"NotAction\":\"x\",\"Action\":"), "Statement[0]: it has both"),
        (but("\"Resource\":\"*\",", ""), "Statement[0]: Resource"),
        (but("\"Resource\":", "\"NotResource\":\"x\",\"Resource\":"), "Statement[0]: it has both"),
        (but("\"iot:*\"", "[]"), "Statement[0].Action: "),
        (but("\"iot:*\"", "[\"a\",1]"), "Statement[0].Action: "),
        (but("\"iot:*\"", "\"\""), "Statement[0].Action: "),
        (but("\"Resource\":\"*\"", "\"Resource\":{}"), "Statement[0].Resource: "),
        (but("\"Resource\":\"*\"", "\"Resource\":[[\"*\"]]"), "Statement[0].Resource: "),
        (but("{\"Bool\":{\"k\":\"true\"}}", "[]"), "Statement[0].Condition: "),
        (but("\"Bool\"", "\"bool\""), "Statement[0].Condition.bool: "),
        (but("\"Bool\"", "\"ForSome:Bool\""), "Statement[0].Condition.ForSome:Bool: "),
        (but("\"Bool\"", "\"NullIfExists\""), "Statement[0].Condition.NullIfExists: "),
        (but("{\"k\":\"true\"}", "1"), "Statement[0].Condition.Bool: "),
        (but("\"k\":\"true\"", "\"k\":[]"), "Statement[0].Condition.Bool.k: "),
        (but("\"k\":\"true\"", "\"k\":null"), "Statement[0].Condition.Bool.k: "),
        (but("\"k\":\"true\"", "\"k\":[[1]]"), "Statement[0].Condition.Bool.k: "),
        (but("\"k\":\"true\"", "\"\":1"), "Statement[0].Condition.Bool.: "),
    ] {
        let error = Document::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(place), "{text}: {error}");
    }
}

#[test]
fn a_document_has_2048_characters_without_white_space() {
    let frame = policy(&["Allow|iot:Publish|*"]);
    let sized = |characters: usize| {
        let filler = "é".repeat(characters - frame.chars().filter(|c| !c.is_whitespace()).count());
        frame.replace("\"*\"", &format!("\"*{filler}\"")).replace(',', " \n\t ,")
    };
    assert!(Document::parse(&sized(2048)).is_ok());
    let refused = Document::parse(&sized(2049)).unwrap_err();
    assert_eq!(refused, MalformedPolicy::TooLarge { characters: 2049, characters_max: 2048 });
    assert!(Document::parse_within(&sized(6144), 6144).is_ok());
    let spaces = format!("{}{frame}", " ".repeat(Document::TEXT_BYTES_MAX));
    assert!(matches!(Document::parse(&spaces), Err(MalformedPolicy::TooLarge { .. })));
}
