//! `tidegate explain`, `tidegate lint-policy`: what they ask, and how they print.

use std::{fs, io::Read, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use tidegate_api::Question;
use tidegate_ids::Tenant;
use tidegate_policy::{Document, LintWarning};

use crate::{
    admin::Request,
    cli::{Explain, LintPolicy},
    commands::ask,
};

/// `tidegate explain …`
pub(crate) async fn explain(options: Explain) -> Result<()> {
    let Explain { principal, client_id, action, resource, add_policies, skip_policies, context, running } = options;
    let Some(Tenant { account, region }) = principal.tenant() else {
        bail!("--principal: {principal} names no account and region; write arn:aws:iot:REGION:ACCOUNT:cert/ID");
    };
    let mut known = Map::new();
    for (key, value) in context {
        let values = known.entry(key).or_insert_with(|| json!([]));
        values.as_array_mut().expect("it was made a list").push(value.into());
    }
    let question = Question {
        principal: Some(principal.to_string()),
        client_id,
        action,
        resource,
        policy_names_to_add: Some(add_policies),
        policy_names_to_skip: Some(skip_policies),
        context: Some(known),
    };
    let answer = ask(&running, Request::Explain { account, region, question }).await?;
    if running.json {
        println!("{answer}");
    } else {
        print!("{}", told(&answer));
    }
    Ok(())
}

/// `tidegate lint-policy …`
pub(crate) fn lint_policy(options: &LintPolicy) -> Result<()> {
    let text = read(&options.document)?;
    let document = Document::parse(&text)?;
    let tenant = options.account.zip(options.region).map(|(account, region)| Tenant { account, region });
    let warnings = document.lint(tenant);
    if options.json {
        println!("{}", warnings.iter().map(row).collect::<Value>());
    } else {
        warnings.iter().for_each(|warning| println!("{}", line(warning)));
    }
    match warnings.len() {
        0 => Ok(()),
        1 => bail!("one thing is probably not meant"),
        count => bail!("{count} things are probably not meant"),
    }
}

/// A policy document of more bytes is refused unread.
const DOCUMENT_BYTES_MAX: u64 = Document::TEXT_BYTES_MAX as u64 + 1;

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?),
    };
    let read = source.take(DOCUMENT_BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text)
}

fn row(warning: &LintWarning) -> Value {
    json!({
        "statement": warning.statement, "sid": warning.sid, "rule": warning.rule.name(), "text": warning.text,
    })
}

fn line(warning: &LintWarning) -> String {
    let sid = warning.sid.as_deref().map_or(String::new(), |sid| format!(" ({sid})"));
    format!("statement {}{sid}: {}: {}", warning.statement, warning.rule.name(), warning.text)
}

/// The answer of the API's `/tidegate/explain`, for a person.
fn told(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (action, resource) = (text(&answer["action"]), text(&answer["resource"]));
    let sentence = match answer["decision"].as_str() {
        Some("ALLOWED") => format!("ALLOWED: {action} on {resource}"),
        Some("EXPLICIT_DENY") => format!("EXPLICIT_DENY: {action} on {resource}"),
        _ => format!("IMPLICIT_DENY: no statement allows {action} on {resource}"),
    };
    let mut out = sentence + "\n";
    for (heading, member) in [("decided by", "decidedBy"), ("came near", "cameNear")] {
        let statements = list(&answer[member]);
        if !statements.is_empty() {
            out += &format!("{heading}:\n");
        }
        statements.iter().for_each(|statement| out += &statement_told(statement));
    }
    if let Some(status) = answer["certificateStatus"].as_str().filter(|status| *status != "ACTIVE") {
        out += &format!("the certificate is {status}: it cannot connect, whatever its policies say\n");
    }
    let missing: Vec<String> = list(&answer["missingContextValues"]).iter().map(text).collect();
    if !missing.is_empty() {
        out += &format!("not known here (add --context KEY=VALUE): {}\n", missing.join(", "));
    }
    if list(&answer["policies"]).is_empty() {
        out += "no policy is attached\n";
    }
    for policy in list(&answer["policies"]) {
        for warning in list(&policy["warnings"]) {
            let (name, statement) = (text(&policy["policyName"]), &warning["statement"]);
            out += &format!("warning: policy {name}, statement {statement}: {}\n", text(&warning["text"]));
        }
    }
    out
}

fn statement_told(statement: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sid = statement["sid"].as_str().map_or(String::new(), |sid| format!(" ({sid})"));
    let outcome = match statement["outcome"].as_str() {
        Some("RESOURCE_DIFFERS") => ", but the resource differs",
        Some("CONDITION_FAILS") => ", but a condition does not hold",
        _ => "",
    };
    let mut out = format!(
        "  policy {}, version {}, statement {}{sid}: {}{outcome}\n",
        text(&statement["policyName"]),
        text(&statement["policyVersionId"]),
        statement["statement"],
        text(&statement["effect"]),
    );
    for (name, member) in [("resource", "resource"), ("not resource", "notResource")] {
        for resource in statement[member].as_array().into_iter().flatten() {
            out += &format!("    {name}  {}\n", rendered(resource));
        }
    }
    for condition in statement["condition"].as_array().into_iter().flatten() {
        let values: Vec<String> = condition["values"].as_array().into_iter().flatten().map(rendered).collect();
        let found = match condition["found"].as_array() {
            Some(found) => found.iter().map(text).collect::<Vec<_>>().join(", "),
            None => "nothing".into(),
        };
        let holds = if condition["holds"] == true { "holds" } else { "does not hold" };
        let (operator, key) = (text(&condition["operator"]), text(&condition["key"]));
        out += &format!("    condition {operator} {key}: {} (it is {found}): {holds}\n", values.join(", "));
    }
    out
}

/// A text of a policy, and which of its variables have no value.
fn rendered(value: &Value) -> String {
    let mut out = value["text"].as_str().unwrap_or_default().to_owned();
    for one in value["unresolved"].as_array().into_iter().flatten() {
        let why = match one["why"].as_str() {
            Some("WITHHELD") => "has one of * $ + ? # in its value, or is too long: it is not replaced",
            _ => "has no value",
        };
        out += &format!("  [{} {why}]", one["variable"].as_str().unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_line_by_line() {
        let resource = |text: &str, unresolved: Value| json!({ "text": text, "unresolved": unresolved });
        let condition = json!({"operator": "IpAddress", "key": "aws:SourceIp", "holds": false, "found": null,
            "values": [resource("10.0.0.0/8", json!([]))]});
        let near = |outcome: &str, sid: Value, resource: Value, condition: Value| {
            json!({"policyName": "rooms", "policyVersionId": "2", "statement": 1, "sid": sid, "effect": "Allow",
                "outcome": outcome, "resource": [resource], "condition": condition})
        };
        let unresolved = json!([{"variable": "iot:ClientId", "why": "WITHHELD"}, {"variable": "x", "why": "MISSING"}]);
        let answer = json!({
            "decision": "IMPLICIT_DENY", "action": "iot:Publish", "resource": "arn:a", "certificateStatus": "INACTIVE",
            "decidedBy": [], "missingContextValues": ["aws:SourceIp"],
            "cameNear": [
                near("RESOURCE_DIFFERS", json!("Own"), resource("arn:b", unresolved), json!([])),
                near("CONDITION_FAILS", json!(null), resource("*", json!([])), json!([condition])),
            ],
            "policies": [{"policyName": "rooms", "warnings": [{"statement": 0, "text": "too wide"}]}],
        });
        let expected = "\
IMPLICIT_DENY: no statement allows iot:Publish on arn:a
came near:
  policy rooms, version 2, statement 1 (Own): Allow, but the resource differs
    resource  arn:b  [iot:ClientId has one of * $ + ? # in its value, or is too long: it is not replaced]  [x has no value]
  policy rooms, version 2, statement 1: Allow, but a condition does not hold
    resource  *
    condition IpAddress aws:SourceIp: 10.0.0.0/8 (it is nothing): does not hold
the certificate is INACTIVE: it cannot connect, whatever its policies say
not known here (add --context KEY=VALUE): aws:SourceIp
warning: policy rooms, statement 0: too wide
";
        assert_eq!(told(&answer), expected);
        let nothing = json!({"decision": "ALLOWED", "action": "a", "resource": "r", "policies": []});
        assert_eq!(told(&nothing), "ALLOWED: a on r\nno policy is attached\n");
    }
}
