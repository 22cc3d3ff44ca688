//! `tidegate connections …`, `tidegate session …`, `tidegate retained …`

use clap::{Args, Subcommand};
use tidegate_ids::{AccountId, CertificateId, Region};

use super::Running;
use crate::admin::{Place, Scope, Target};

/// In which accounts and regions.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// Only in this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Only in this region.
    #[arg(long)]
    region: Option<Region>,
}

impl Where {
    /// As the broker is asked.
    pub(crate) fn scope(&self) -> Scope {
        Scope { account: self.account, region: self.region }
    }
}

/// Which rows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paging {
    #[command(flatten)]
    pub place: Where,
    /// At most so many rows.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
    /// Go on where an earlier list ended: its `next`.
    #[arg(long, value_name = "NEXT")]
    pub after: Option<Place>,
}

/// `tidegate connections …`
#[derive(Debug, Subcommand)]
pub(crate) enum Connections {
    /// List who is connected: since when, from where, with how many messages on their way and waiting.
    #[command(after_help = "\
Examples:
  tidegate connections list
  tidegate connections list --account 222222222222 --limit 1000 --json
  tidegate connections list --after 222222222222/us-east-1/thermometer-1

In an order of the broker's own, which does not change. JSON: {\"connections\":[…],\"next\":\"…\" or null}.")]
    List {
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        running: Running,
    },
    /// Close connections: MQTT 5 clients are told (0x98), Wills are published, sessions stay as their clients wanted.
    #[command(after_help = "\
Examples:
  tidegate connections kick thermometer-1 --reason \"it reads nonsense\"
  tidegate connections kick --principal 1b2c…64 digits…
  tidegate connections kick --principal anonymous --account 222222222222

A client comes back as soon as it likes: to keep it out, deactivate its certificate or detach its policy.")]
    Kick {
        /// The client id.
        #[arg(required_unless_present = "principal", conflicts_with = "principal")]
        client_id: Option<String>,
        /// All connections of a certificate (its id or ARN), or of clients without one (`anonymous`).
        #[arg(long, value_parser = principal)]
        principal: Option<Target>,
        /// Why; it goes into the broker's log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        running: Running,
    },
}

/// `tidegate session …`
#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List the sessions, connected or not, and what waits in them.
    #[command(after_help = "\
Examples:
  tidegate session list
  tidegate session list --limit 100000 --json

JSON: {\"sessions\":[…],\"next\":\"…\" or null}.")]
    List {
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        running: Running,
    },
    /// Show one session and what it has subscribed to, 1000 filters at most.
    #[command(after_help = "Example:\n  tidegate session show thermometer-1 --json")]
    Show {
        /// The client id.
        client_id: String,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        running: Running,
    },
    /// End a session, whatever its expiry: its connection closes, its subscriptions and the messages in it are gone.
    #[command(after_help = "Example:\n  tidegate session drop thermometer-1 --prevent-will")]
    Drop {
        /// The client id.
        client_id: String,
        /// Do not publish its Will.
        #[arg(long)]
        prevent_will: bool,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        running: Running,
    },
}

/// `tidegate retained …`
#[derive(Debug, Subcommand)]
pub(crate) enum Retained {
    /// List the retained messages, without their payloads.
    #[command(after_help = "\
Examples:
  tidegate retained list
  tidegate retained list --filter 'rooms/+/temperature' --account 222222222222 --json

In no particular order. JSON: {\"retained\":[…],\"next\":\"…\" or null}.")]
    List {
        /// Only topics that this topic filter matches.
        #[arg(long, value_name = "TOPIC_FILTER")]
        filter: Option<String>,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        running: Running,
    },
}

/// A certificate by its id or ARN, or nobody in particular.
fn principal(text: &str) -> Result<Target, String> {
    if text == "anonymous" {
        return Ok(Target::Anonymous);
    }
    let id = match text.rsplit_once(":cert/") {
        Some((arn, id)) if arn.starts_with("arn:") => id,
        _ => text,
    };
    let id: CertificateId = id
        .parse()
        .map_err(|_| "a principal is a certificate's id (64 hexadecimal digits), its ARN, or `anonymous`".to_owned())?;
    Ok(Target::Certificate(id))
}
