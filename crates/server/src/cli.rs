//! The command line.

mod audit;
mod clients;
pub(crate) mod fleet;
mod why;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidegate_ids::{AccessKeyId, AccountId, Arn, Region};

pub(crate) use audit::Audit;
pub(crate) use clients::{Connections, Paging, Retained, Session};
pub(crate) use why::{Refusals, Why};

/// An MQTT broker that you run yourself and that is, at its edges, AWS IoT Core.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tidegate                                     serve, with an embedded store in ./data
  . data/tidegate.env && aws iot list-ca-certificates
  tidegate demo                                watch a device register itself, step by step
  tidegate account create --id 222222222222    a second account, with a key of its own
  tidegate why press-7                         why it was refused, and the command that would mend it
  tidegate explain --principal ARN --client-id press-7 publish rooms/1/t     why it may, or may not"
)]
pub(crate) struct Cli {
    /// What to do; `serve` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`, which is what happens without a command.
    #[command(flatten)]
    pub serve: Serve,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the broker: MQTT for devices, the AWS-shaped API for operators.
    Serve(Serve),
    /// Play the whole story against a running broker, or one started for it: register a CA, connect a new device,
    /// see the event, activate, attach a policy, publish.
    Demo(Demo),
    /// Be a fleet of devices, against any broker: make certificates, run scenarios, verify what arrives.
    #[command(
        subcommand,
        after_help = "\
Examples:
  tidegate fleet make fleet --count 9000
  . data/tidegate.env && tidegate fleet jitr fleet         9000 unknown devices register just in time, and talk
  tidegate fleet run config/fleet/plain.toml --host 127.0.0.1 --port 1883"
    )]
    Fleet(fleet::Fleet),
    /// Make or list accounts of a running broker.
    #[command(
        subcommand,
        after_help = "Examples:\n  tidegate account create --id 222222222222\n  tidegate account list --json"
    )]
    Account(Account),
    /// Make, list or delete access keys of a running broker.
    #[command(
        subcommand,
        after_help = "Examples:\n  tidegate key create --account 222222222222\n  tidegate key list\n  tidegate key delete AKIA…"
    )]
    Key(Key),
    /// Say why a device may or may not do something: which statement of which policy decides, or came near.
    Explain(Explain),
    /// Say why a device was refused, and what would mend it: the last refusals of a client, a certificate, a trace id, or a
    /// server name.
    Why(Why),
    /// List who was refused lately, and follow.
    Refusals(Refusals),
    /// Check the audit trail.
    #[command(
        subcommand,
        after_help = "Examples:\n  tidegate audit verify\n  tidegate audit verify --data ./data --json"
    )]
    Audit(Audit),
    /// Look through a policy document for what is probably not meant; no broker is needed.
    LintPolicy(LintPolicy),
    /// List or close the connections of a running broker.
    #[command(
        subcommand,
        after_help = "Examples:\n  tidegate connections list\n  tidegate connections kick thermometer-1 --reason \"moved\""
    )]
    Connections(Connections),
    /// List, look at or end the sessions of a running broker.
    #[command(
        subcommand,
        after_help = "Examples:\n  tidegate session list\n  tidegate session show thermometer-1\n  tidegate session drop thermometer-1"
    )]
    Session(Session),
    /// List the retained messages of a running broker.
    #[command(subcommand, after_help = "Examples:\n  tidegate retained list --filter 'rooms/#'")]
    Retained(Retained),
    /// Read the configuration, say what is wrong with it or that nothing is, and start nothing.
    CheckConfig(CheckConfig),
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tidegate serve --config config/standalone.toml
  TIDEGATE_MQTT_PORT=0 TIDEGATE_API_PORT=0 tidegate serve --data /tmp/t     any free ports; see /tmp/t/tidegate.env

SIGTERM or SIGINT: stop accepting, tell MQTT 5 clients, flush, exit 0 within 10 s. A second one exits at once.")]
pub(crate) struct Serve {
    /// The configuration file; defaults without one. See config/standalone.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory; wins over the configuration's `data`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Do not write DIR/tidegate.env.
    #[arg(long)]
    pub no_env_file: bool,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate demo                  starts a broker of its own in a temporary directory, plays, stops it
  tidegate demo --data ./data    plays against the broker that runs on ./data

It exits 0 when every step did what it should, else 1.")]
pub(crate) struct Demo {
    /// Play against the broker that runs on this data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Where the running broker is, and how to print.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// The data directory of the running broker.
    #[arg(long, value_name = "DIR", default_value = "./data", env = "TIDEGATE_DATA", hide_env_values = true)]
    pub data: PathBuf,
    /// Print JSON objects.
    #[arg(long)]
    pub json: bool,
}

/// `tidegate account …`
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Make an account and its administrator's access key.
    #[command(after_help = "\
Example:
  tidegate account create --id 222222222222 --json
  {\"accountId\":\"222222222222\",\"accessKeyId\":\"AKIA…\",\"secretAccessKey\":\"…\"}

The secret is shown this once.")]
    Create {
        /// 12 digits; drawn at random when absent.
        #[arg(long)]
        id: Option<AccountId>,
        #[command(flatten)]
        running: Running,
    },
    /// List the accounts.
    #[command(after_help = "Example:\n  tidegate account list")]
    List {
        #[command(flatten)]
        running: Running,
    },
}

/// `tidegate key …`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make another access key for an account's root, which may do all. The secret is shown this once.
    ///
    /// Keys that may do less belong to users: aws iam create-user, put-user-policy, create-access-key.
    #[command(after_help = "Example:\n  tidegate key create --account 222222222222")]
    Create {
        /// Whose key.
        #[arg(long)]
        account: AccountId,
        #[command(flatten)]
        running: Running,
    },
    /// List the access keys of one account, or of all, each with its user; no secrets.
    #[command(after_help = "Example:\n  tidegate key list --account 222222222222")]
    List {
        /// Whose keys.
        #[arg(long)]
        account: Option<AccountId>,
        #[command(flatten)]
        running: Running,
    },
    /// Delete an access key, root's or a user's: the next request signed with it is refused.
    #[command(after_help = "Example:\n  tidegate key delete AKIAIOSFODNN7EXAMPLE")]
    Delete {
        /// Which key.
        access_key_id: AccessKeyId,
        #[command(flatten)]
        running: Running,
    },
}

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  arn=$(aws iot describe-certificate --certificate-id ID --query certificateDescription.certificateArn --output text)
  tidegate explain --principal $arn --client-id press-7 connect
  tidegate explain --principal $arn --client-id press-7 publish rooms/1/temperature
  tidegate explain --principal $arn --client-id press-7 subscribe 'rooms/#' --add-policy rooms-v2 --skip-policy rooms
  tidegate explain --principal $arn --client-id press-7 connect --context aws:SourceIp=10.0.0.1 --context iot:ConnectAttributes=LastWill

It asks the engine that decides live traffic, for the policies in force at this moment. It exits 0 whatever the decision is.")]
pub(crate) struct Explain {
    /// The ARN of the certificate that connects.
    #[arg(long, value_name = "ARN")]
    pub principal: Arn,
    /// The client id it connects with.
    #[arg(long)]
    pub client_id: Option<String>,
    /// connect, publish, retain-publish, subscribe, receive; or an action's whole name, such as iot:GetThingShadow.
    pub action: String,
    /// The client id, topic name or topic filter; or an ARN. For connect, --client-id when absent.
    pub resource: Option<String>,
    /// Decide as if this policy were attached. May be given up to 10 times.
    #[arg(long = "add-policy", value_name = "NAME")]
    pub add_policies: Vec<String>,
    /// Decide as if this policy were not attached. May be given up to 10 times.
    #[arg(long = "skip-policy", value_name = "NAME")]
    pub skip_policies: Vec<String>,
    /// What else is known about the connection, by variable or condition key. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub context: Vec<(String, String)>,
    #[command(flatten)]
    pub running: Running,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as aws:SourceIp=10.0.0.1")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Options of `lint-policy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate lint-policy rooms.json
  aws iot get-policy --policy-name rooms --query policyDocument --output text | tidegate lint-policy - --json

It exits 0 when it finds nothing, else 1. A document without warnings may still be wrong. The rules are in docs/policies.md.")]
pub(crate) struct LintPolicy {
    /// The document; - is standard input.
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
    /// The account whose policy it will be; that of its first whole ARN when absent.
    #[arg(long, requires = "region")]
    pub account: Option<AccountId>,
    /// The region it will be in.
    #[arg(long, requires = "account")]
    pub region: Option<Region>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `check-config`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate check-config --config config/standalone.toml")]
pub(crate) struct CheckConfig {
    /// The configuration file; without one, the defaults and the environment are checked.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
