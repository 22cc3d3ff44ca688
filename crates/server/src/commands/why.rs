//! `tidegate why …`, `tidegate refusals`

use std::{collections::HashSet, io::Write, time::Duration};

use anyhow::{Result, bail};
use serde_json::Value;
use tidegate_ids::Timestamp;

use super::{ask, date, table::printable};
use crate::{
    admin::Request,
    cli::{Refusals, Running, Why},
};

/// Between two looks for new refusals.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// Refusals asked for at once while following.
const FOLLOW_MAX: u32 = 1000;
/// How far back a follower looks each time: entries come to disk a moment after they happened.
const FOLLOW_BACK_MS: u64 = 10_000;

/// `tidegate why …`
pub(crate) async fn why(options: Why) -> Result<()> {
    let Why { whom, limit, running } = options;
    let found = ask(&running, Request::Why { whom: whom.clone(), max: limit }).await?;
    if running.json {
        println!("{found}");
    } else {
        let told: Vec<String> = list(&found).iter().map(told).collect();
        let _ = std::io::stdout().write_all(told.join("\n").as_bytes());
    }
    if list(&found).is_empty() {
        bail!("no refusal of {whom:?} is known: it may be that nothing of it has reached the broker");
    }
    Ok(())
}

/// `tidegate refusals`
pub(crate) async fn refusals(options: Refusals) -> Result<()> {
    let Refusals { follow, limit, running } = options;
    let mut seen: HashSet<String> = HashSet::new();
    let mut since = 0;
    if limit > 0 {
        let found = newest(&running, since, limit).await?;
        show(&found, &running, &mut seen, &mut since);
    } else {
        // Only those to come.
        let found = newest(&running, since, FOLLOW_MAX).await?;
        seen.extend(found.iter().map(id));
        since = found.iter().map(at).max().unwrap_or(0);
    }
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let found = newest(&running, since.saturating_sub(FOLLOW_BACK_MS), FOLLOW_MAX).await?;
        let still: HashSet<String> = found.iter().map(id).collect();
        show(&found, &running, &mut seen, &mut since);
        seen = still;
    }
}

/// The newest refusals, the oldest of them first.
async fn newest(running: &Running, since_millis: u64, max: u32) -> Result<Vec<Value>> {
    let found = ask(running, Request::ListRefusals { since_millis, max }).await?;
    Ok(list(&found).iter().rev().cloned().collect())
}

fn show(found: &[Value], running: &Running, seen: &mut HashSet<String>, since: &mut u64) {
    let mut out = String::new();
    for refusal in found {
        *since = (*since).max(at(refusal));
        if seen.insert(id(refusal)) {
            out += &if running.json { format!("{refusal}\n") } else { line(refusal) };
        }
    }
    let _ = std::io::stdout().write_all(out.as_bytes());
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn id(refusal: &Value) -> String {
    text(&refusal["id"])
}

fn at(refusal: &Value) -> u64 {
    refusal["atMillis"].as_u64().unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

/// One refusal on one line.
fn line(refusal: &Value) -> String {
    let (entry, case) = (&refusal["entry"], &refusal["case"]);
    let who = [&entry["clientId"], &entry["principalId"], &case["leaf"]["certificateId"]];
    let who = who.into_iter().find(|who| who.is_string()).map_or("-".to_owned(), text);
    let reason = [&entry["reason"], &entry["disconnectReason"]].into_iter().find(|reason| reason.is_string());
    format!(
        "{}  {:<22} {:<36} {who}  {}\n",
        date(Timestamp::from_millis(at(refusal))),
        text(&entry["eventType"]),
        reason.map_or("-".to_owned(), text),
        text(&entry["sourceIp"]),
    )
}

/// One refusal with all that is known about it.
fn told(refusal: &Value) -> String {
    let (entry, case, leaf, ca) =
        (&refusal["entry"], &refusal["case"], &refusal["case"]["leaf"], &refusal["case"]["ca"]);
    let mut out = line(refusal);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            out += &format!("  {name:<13} {value}\n");
        }
    };
    row("client", text(&entry["clientId"]));
    let (ip, port) = (text(&entry["sourceIp"]), text(&entry["sourcePort"]));
    row("from", if port.is_empty() { ip } else { format!("{ip}, port {port}") });
    row("server name", text(&entry["serverNameIndication"]));
    let (account, region) = (text(&entry["accountId"]), text(&refusal["region"]));
    row("account", if region.is_empty() { account } else { format!("{account} in {region}") });
    row("topic", text(&entry["topicName"]));
    let certificate = [&leaf["certificateId"], &entry["principalId"]].into_iter().find(|id| id.is_string());
    row("certificate", certificate.map_or(String::new(), text));
    if leaf.is_object() {
        let moment = |value: &Value| date(Timestamp::from_millis(value.as_u64().unwrap_or_default()));
        row("subject", text(&leaf["subject"]));
        row("issuer", text(&leaf["issuer"]));
        row("valid", format!("from {} to {}", moment(&leaf["notBeforeMillis"]), moment(&leaf["notAfterMillis"])));
    }
    row("status", text(&case["certificateStatus"]));
    row(
        "CA",
        match ca["found"].as_str() {
            Some("SIGNED_BY") => format!(
                "signed by {}, which is {}, auto-registration {}",
                text(&ca["caCertificateId"]),
                text(&ca["status"]),
                text(&ca["autoRegistration"])
            ),
            Some("OTHER_KEY") => "a CA of that name is registered, and did not sign it".to_owned(),
            Some("UNKNOWN_NAME") => "no registered CA has the issuer's name".to_owned(),
            _ => String::new(),
        },
    );
    row("policy", text(&case["policy"]));
    row("why", text(&entry["details"]));
    row("trace id", text(&entry["traceId"]));
    row("to mend it", text(&case["advice"]));
    for command in list(&case["remedy"]) {
        // A certificate in it has lines; each is shown as it is.
        let command = command.as_str().unwrap_or_default();
        out += &command.split('\n').map(|line| format!("{}\n", printable(line))).collect::<String>();
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_is_told_line_by_line() {
        let refusal = json!({
            "id": "1", "atMillis": 0, "region": "us-east-1",
            "entry": {"eventType": "Connection.AuthNError", "reason": "DEVICE_CERTIFICATE_INACTIVE", "traceId": "t",
                "clientId": "a\u{1b}b", "sourceIp": "10.0.0.1", "sourcePort": 7, "accountId": "123456789012",
                "details": "it is INACTIVE"},
            "case": {"leaf": {"certificateId": "ab", "subject": "CN=d", "issuer": "CN=ca", "notBeforeMillis": 0,
                "notAfterMillis": 1000},
                "ca": {"found": "SIGNED_BY", "caCertificateId": "cd", "status": "ACTIVE", "autoRegistration": "ENABLE"},
                "certificateStatus": "INACTIVE", "advice": "activate it", "remedy": ["aws iot x 'one\ntwo'"]},
        });
        let expected = "\
1970-01-01T00:00:00Z  Connection.AuthNError  DEVICE_CERTIFICATE_INACTIVE          a\\u{1b}b  10.0.0.1
  client        a\\u{1b}b
  from          10.0.0.1, port 7
  account       123456789012 in us-east-1
  certificate   ab
  subject       CN=d
  issuer        CN=ca
  valid         from 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z
  status        INACTIVE
  CA            signed by cd, which is ACTIVE, auto-registration ENABLE
  why           it is INACTIVE
  trace id      t
  to mend it    activate it
aws iot x 'one
two'
";
        assert_eq!(told(&refusal), expected);
    }
}
