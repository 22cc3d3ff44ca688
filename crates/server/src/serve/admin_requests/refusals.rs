//! Refusals, as the log book has them.

use serde_json::{Value, json};
use tidegate_ids::Timestamp;
use tidegate_logs::{Event, LogBook};

/// Most refusals of one answer.
const MAX: usize = 1000;

/// The newest refusals of a client, a certificate, a trace id or a server name, the newest first.
pub(super) async fn why(book: &LogBook, whom: &str, max: u32) -> Result<Value, String> {
    // A certificate is known by its id, or the end of its ARN.
    let whom = match whom.rsplit_once(":cert/") {
        Some((arn, id)) if arn.starts_with("arn:") => id,
        _ => whom,
    };
    let lower = whom.to_ascii_lowercase();
    let wanted = |message: &str| {
        let Ok(refusal) = serde_json::from_str::<Value>(message) else { return false };
        let (entry, leaf) = (&refusal["entry"], &refusal["case"]["leaf"]);
        let name = &entry["serverNameIndication"];
        let by_id = [&entry["principalId"], &entry["certificateId"], &leaf["certificateId"], &entry["traceId"], name];
        entry["clientId"] == whom || by_id.into_iter().any(|id| id.as_str() == Some(&lower))
    };
    newest(book, Timestamp::from_millis(0), max, wanted).await
}

/// The newest refusals since a moment, the newest first.
pub(super) async fn list(book: &LogBook, since_millis: u64, max: u32) -> Result<Value, String> {
    newest(book, Timestamp::from_millis(since_millis), max, |_| true).await
}

async fn newest(book: &LogBook, since: Timestamp, max: u32, wanted: impl FnMut(&str) -> bool) -> Result<Value, String> {
    let max = usize::try_from(max).unwrap_or(MAX).clamp(1, MAX);
    let found = book.refusals(since, max, wanted).await.map_err(|error| error.to_string())?;
    Ok(found.into_iter().filter_map(row).collect())
}

/// A refusal with its id and moment beside it.
fn row(event: Event) -> Option<Value> {
    let mut refusal: Value = serde_json::from_str(&event.message).ok()?;
    let trace = refusal["entry"]["traceId"].as_str().unwrap_or_default().to_owned();
    refusal["id"] = json!(format!("{}-{trace}", event.position.id()));
    refusal["atMillis"] = json!(event.at.millis());
    Some(refusal)
}
