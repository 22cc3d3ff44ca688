//! Answers, as they travel. Members in AWS's order do not matter; their names do.
//!
//! AWS: developer guide, "Device Shadow service documents".

use serde_json::{Map, Value, json};
use tidegate_ids::Timestamp;

use crate::{Rejection, Shadow, Update, section::stamp};

/// `…/update/accepted`: the part of the state that was sent, and when.
pub fn accepted(after: &Shadow, update: &Update, client_token: Option<&str>) -> Vec<u8> {
    let seconds = after.modified.seconds();
    let answer = json!({ "state": update.state, "metadata": stamp(&update.state, seconds), "version": after.version });
    finish(answer, after.modified, client_token)
}

/// `…/update/documents`: the whole document before and after. Unverified: what stands for a document that was not there.
pub fn documents(before: Option<&Shadow>, after: &Shadow, client_token: Option<&str>) -> Vec<u8> {
    let document =
        |shadow: &Shadow| json!({ "state": shadow.state, "metadata": shadow.metadata, "version": shadow.version });
    let none = || json!({ "state": {}, "metadata": {}, "version": 0 });
    let answer = json!({ "previous": before.map_or_else(none, document), "current": document(after) });
    finish(answer, after.modified, client_token)
}

/// `…/update/delta`; `None` when what is desired is reported.
pub fn delta(after: &Shadow, client_token: Option<&str>) -> Option<Vec<u8>> {
    let (delta, stamps) = after.delta()?;
    let answer = json!({ "state": delta, "metadata": stamps, "version": after.version });
    Some(finish(answer, after.modified, client_token))
}

/// `…/get/accepted`: the document, with the difference if there is one.
pub fn document(shadow: &Shadow, now: Timestamp, client_token: Option<&str>) -> Vec<u8> {
    let mut answer = json!({ "state": shadow.state, "metadata": shadow.metadata, "version": shadow.version });
    if let Some((delta, _)) = shadow.delta() {
        answer["state"]["delta"] = Value::Object(delta);
    }
    finish(answer, now, client_token)
}

/// `…/delete/accepted`.
pub fn deleted(shadow: &Shadow, client_token: Option<&str>) -> Vec<u8> {
    finish(json!({ "version": shadow.version }), shadow.modified, client_token)
}

/// `…/rejected`.
pub fn rejected(rejection: &Rejection, now: Timestamp, client_token: Option<&str>) -> Vec<u8> {
    finish(json!({ "code": rejection.code, "message": rejection.message }), now, client_token)
}

fn finish(mut answer: Value, at: Timestamp, client_token: Option<&str>) -> Vec<u8> {
    let members: &mut Map<String, Value> = answer.as_object_mut().expect("every answer is made as an object");
    members.insert("timestamp".into(), at.seconds().into());
    if let Some(token) = client_token {
        members.insert("clientToken".into(), token.into());
    }
    answer.to_string().into_bytes()
}
