//! `tidegate connections …`, `tidegate session …`, `tidegate retained …`

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    ask,
    table::{Column, Shown, cell, table},
};
use crate::{
    admin::{Listing, Request, Target},
    cli::{Connections, Paging, Retained, Running, Session},
};

/// Rows asked for at once.
const PAGE: usize = 1000;

const CONNECTIONS: [Column; 9] = [
    ("CLIENT", "clientId", Shown::Plain),
    ("ACCOUNT", "accountId", Shown::Plain),
    ("REGION", "region", Shown::Plain),
    ("ADDRESS", "address", Shown::Plain),
    ("MQTT", "version", Shown::Plain),
    ("SINCE", "sinceMillis", Shown::Date),
    ("INFLIGHT", "inflight", Shown::Plain),
    ("QUEUED", "queued", Shown::Plain),
    ("PRINCIPAL", "principal", Shown::Plain),
];

const SESSIONS: [Column; 9] = [
    ("CLIENT", "clientId", Shown::Plain),
    ("ACCOUNT", "accountId", Shown::Plain),
    ("REGION", "region", Shown::Plain),
    ("CONNECTED", "connected", Shown::Plain),
    ("ENDS IN (S)", "endsInSeconds", Shown::Plain),
    ("FILTERS", "subscriptions", Shown::Plain),
    ("INFLIGHT", "inflight", Shown::Plain),
    ("QUEUED", "queued", Shown::Plain),
    ("BYTES", "queuedBytes", Shown::Plain),
];

const RETAINED: [Column; 6] = [
    ("TOPIC", "topic", Shown::Plain),
    ("ACCOUNT", "accountId", Shown::Plain),
    ("REGION", "region", Shown::Plain),
    ("QOS", "qos", Shown::Plain),
    ("BYTES", "payloadBytes", Shown::Plain),
    ("SINCE", "retainedMillis", Shown::Date),
];

/// `tidegate connections …`
pub(crate) async fn connections(command: Connections) -> Result<()> {
    match command {
        Connections::List { paging, running } => {
            list(&paging, &running, "connections", &CONNECTIONS, Request::ListConnections).await
        }
        Connections::Kick { client_id, principal, reason, place, running } => {
            let target = principal.unwrap_or_else(|| Target::ClientId(client_id.unwrap_or_default()));
            let answer = ask(&running, Request::Kick { target, scope: place.scope(), reason }).await?;
            print(&answer, &running, |answer| format!("closed: {}\n", answer["closed"]));
            Ok(())
        }
    }
}

/// `tidegate session …`
pub(crate) async fn session(command: Session) -> Result<()> {
    match command {
        Session::List { paging, running } => {
            list(&paging, &running, "sessions", &SESSIONS, Request::ListSessions).await
        }
        Session::Show { client_id, place, running } => {
            let answer = ask(&running, Request::ShowSession { client_id, scope: place.scope() }).await?;
            print(&answer, &running, shown);
            Ok(())
        }
        Session::Drop { client_id, prevent_will, place, running } => {
            let request = Request::DropSession { client_id, scope: place.scope(), prevent_will };
            let answer = ask(&running, request).await?;
            print(&answer, &running, |answer| {
                let connection = if answer["wasConnected"] == true { " and its connection" } else { "" };
                format!("ended: the session of {}{connection}\n", cell(&answer["clientId"], Shown::Plain))
            });
            Ok(())
        }
    }
}

/// `tidegate retained …`
pub(crate) async fn retained(command: Retained) -> Result<()> {
    let Retained::List { filter, paging, running } = command;
    let request = |listing| Request::ListRetained { filter: filter.clone(), listing };
    list(&paging, &running, "retained", &RETAINED, request).await
}

/// Asks for pages until there are as many rows as wanted, or no more.
async fn list(
    paging: &Paging,
    running: &Running,
    what: &str,
    columns: &[Column],
    request: impl Fn(Listing) -> Request,
) -> Result<()> {
    let limit = paging.limit as usize;
    let (mut rows, mut after) = (Vec::new(), paging.after.clone());
    let next = loop {
        let listing = Listing { scope: paging.place.scope(), after: after.take(), max: PAGE.min(limit - rows.len()) };
        let mut answer = ask(running, request(listing)).await?;
        if let Value::Array(more) = answer[what].take() {
            rows.extend(more);
        }
        after = serde_json::from_value(answer["next"].take())?;
        if after.is_none() || rows.len() >= limit {
            break after;
        }
    };
    let next = next.map(String::from);
    print(&json!({ what: rows, "next": next }), running, |_| {
        let more = next.as_ref().map(|next| format!("more: --after \"{}\"\n", cell(&json!(next), Shown::Plain)));
        table(columns, &rows) + &more.unwrap_or_default()
    });
    Ok(())
}

/// One session: a line for each thing to know.
fn shown(session: &Value) -> String {
    let mut text = String::new();
    let mut lines = |columns: &[Column], of: &Value| {
        for (title, member, shown) in columns {
            text.push_str(&format!("{:<12} {}\n", title.to_lowercase(), cell(&of[*member], *shown)));
        }
    };
    lines(&SESSIONS, session);
    if session["connection"].is_object() {
        let only_there = |column: &&Column| !SESSIONS.iter().any(|other| other.1 == column.1);
        lines(&CONNECTIONS.iter().filter(only_there).copied().collect::<Vec<_>>(), &session["connection"]);
    }
    for filter in session["filters"].as_array().into_iter().flatten() {
        text.push_str(&format!("{:<12} {}\n", "subscribed", cell(filter, Shown::Plain)));
    }
    text
}

/// The answer as JSON, or what `people` makes of it. A reader that has seen enough (`| head`) is no failure.
fn print(answer: &Value, running: &Running, people: impl FnOnce(&Value) -> String) {
    use std::io::Write;
    let text = if running.json { format!("{answer}\n") } else { people(answer) };
    let _ = std::io::stdout().write_all(text.as_bytes());
}
