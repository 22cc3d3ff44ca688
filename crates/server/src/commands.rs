//! `tidegate account …`, `tidegate key …`, `tidegate check-config`: what they ask, and how they print. `clients` has the
//! commands about connections, sessions and retained messages.

pub(crate) mod audit;
pub(crate) mod clients;
mod table;
pub(crate) mod why;

use anyhow::Result;
use serde_json::Value;
use tidegate_ids::Timestamp;

use crate::{
    admin::{self, Request},
    cli::{Account, CheckConfig, Key, Running},
    config::Config,
};

/// `tidegate account …`
pub(crate) async fn account(command: Account) -> Result<()> {
    match command {
        Account::Create { id, running } => print_created(ask(&running, Request::CreateAccount { id }).await?, &running),
        Account::List { running } => {
            let accounts = ask(&running, Request::ListAccounts).await?;
            print_rows(&accounts, &["accountId", "createdMillis"], &running);
        }
    }
    Ok(())
}

/// `tidegate key …`
pub(crate) async fn key(command: Key) -> Result<()> {
    match command {
        Key::Create { account, running } => {
            print_created(ask(&running, Request::CreateKey { account }).await?, &running)
        }
        Key::List { account, running } => {
            let keys = ask(&running, Request::ListKeys { account }).await?;
            print_rows(&keys, &["accountId", "accessKeyId", "user", "status", "createdMillis"], &running);
        }
        Key::Delete { access_key_id, running } => {
            let deleted = ask(&running, Request::DeleteKey { access_key_id }).await?;
            if running.json {
                println!("{deleted}");
            } else {
                println!("deleted {}; requests signed with it are refused from now on", text(&deleted["accessKeyId"]));
            }
        }
    }
    Ok(())
}

/// `tidegate check-config`
pub(crate) fn check_config(options: &CheckConfig) -> Result<()> {
    Config::load(options.config.as_deref(), std::env::vars())?;
    match &options.config {
        Some(path) => println!("{}: the configuration is good", path.display()),
        None => println!("the defaults and the environment are good"),
    }
    Ok(())
}

pub(crate) async fn ask(running: &Running, request: Request) -> Result<Value> {
    Ok(admin::ask(&running.data, &running.data.join("admin.sock"), &request).await?)
}

fn print_created(key: Value, running: &Running) {
    if running.json {
        println!("{key}");
        return;
    }
    println!("account            {}", text(&key["accountId"]));
    println!("access key id      {}", text(&key["accessKeyId"]));
    println!("secret access key  {}   (shown this once)", text(&key["secretAccessKey"]));
}

/// One line a row, the members in order; JSON: the rows as they came.
fn print_rows(rows: &Value, members: &[&str], running: &Running) {
    if running.json {
        println!("{rows}");
        return;
    }
    for row in rows.as_array().into_iter().flatten() {
        let cells: Vec<String> = members.iter().map(|member| text(&row[*member])).collect();
        println!("{}", cells.join("  "));
    }
}

/// A value as a person reads it; numbers are milliseconds since the epoch.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(millis) => date(Timestamp::from_millis(millis.as_u64().unwrap_or_default())),
        other => other.to_string(),
    }
}

/// Such as `2026-11-25T02:40:23Z`.
fn date(at: Timestamp) -> String {
    let seconds = at.seconds().try_into().unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|error| error.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_utc() {
        for (seconds, expected) in [(0, "1970-01-01T00:00:00Z"), (1_795_574_423, "2026-11-25T02:40:23Z")] {
            assert_eq!(date(Timestamp::from_seconds(seconds)), expected);
        }
    }
}
