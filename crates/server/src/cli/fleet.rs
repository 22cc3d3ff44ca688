//! `tidegate fleet …`: many devices, against any broker.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tidegate_fleet::{
    Template,
    scenario::{ConnectRate, Period},
};

/// `tidegate fleet …`
#[derive(Debug, Subcommand)]
pub(crate) enum Fleet {
    /// Make device certificates of one CA, in a directory. Goes on where it was interrupted; changes nothing that exists.
    Make(Make),
    /// Print the certificate and the key of one device, for other tools.
    Show(Show),
    /// Read a scenario, say what is wrong with it or that nothing is, and connect nobody.
    Check(Check),
    /// Run a scenario: devices connect, publish, subscribe, come and go; what arrives is verified.
    Run(Run),
    /// Let unknown devices register just in time: their CA is registered, they come, are activated, work.
    Jitr(Jitr),
}

/// Options of `fleet make`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate fleet make fleet --count 9000                        a new CA, devices device-00000 to device-08999
  tidegate fleet make fleet --count 100 --name 'press-{{index 3}}'
  tidegate fleet make fleet --count 9000 --ca-cert ca.pem --ca-key ca.key      of a CA that exists

DIR gets mode 0700 and holds ca.pem, ca.key (of a CA made here) and devices.pem, which has the certificates and keys of all
devices: one file, since 100 000 devices in files of their own would be 200 000 files.")]
pub(crate) struct Make {
    /// The directory.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// How many devices there are to be at the end.
    #[arg(long, short = 'n', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Names of devices, which are the common names of their certificates; {{index}} and {{index DIGITS}} are filled in.
    #[arg(long, default_value = "device-{{index 5}}", value_parser = template)]
    pub name: Template,
    /// What keys they get; RSA takes some hundred times as long to make.
    #[arg(long, value_enum, default_value_t = Key::P256)]
    pub key: Key,
    /// The certificate of a CA that exists.
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    pub ca_cert: Option<PathBuf>,
    /// Its key. It is not copied into DIR.
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    pub ca_key: Option<PathBuf>,
    /// The common name of a CA that is made.
    #[arg(long, default_value = "Tidegate fleet CA")]
    pub ca_name: String,
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Key {
    /// ECDSA on P-256.
    P256,
    /// RSA with 2048 bits.
    Rsa2048,
}

fn template(text: &str) -> Result<Template, String> {
    Template::of_device(text).map_err(|error| error.to_string())
}

/// Options of `fleet show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  (umask 077; tidegate fleet show fleet device-00007 > device.pem)
  mosquitto_pub -h localhost -p 8883 --cafile data/ca.pem --cert device.pem --key device.pem -i device-00007 -t t -m m")]
pub(crate) struct Show {
    /// The directory of `fleet make`.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The device's name.
    pub name: String,
}

/// Options of `fleet check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate fleet check config/fleet/rooms.toml")]
pub(crate) struct Check {
    /// The scenario. See docs/fleet.md.
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
}

/// Options of `fleet run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  . data/tidegate.env && tidegate fleet run config/fleet/rooms.toml --identities fleet
  tidegate fleet run config/fleet/plain.toml --host 127.0.0.1 --port 1883 --json result.json --histograms results
  tidegate fleet run rooms.toml --host a1b2c3-ats.iot.eu-central-1.amazonaws.com --port 8883 --ca AmazonRootCA1.pem

It exits 0 when every device was let in and everything arrived as it has to, else 1. Ctrl-C ends it early, with the table;
a second one at once.")]
pub(crate) struct Run {
    /// The scenario. See docs/fleet.md.
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

/// Options of `fleet jitr`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate serve &                                  in another terminal
  tidegate fleet make fleet --count 9000
  . data/tidegate.env && tidegate fleet jitr fleet
  tidegate fleet jitr fleet --activate-with ./activate.sh       it gets the certificate id, and the device's name
  tidegate fleet jitr fleet --no-activate                       somebody else does

Without --activate-with and --no-activate it uses the operator's key in the environment: the CA is registered with
auto-registration, a policy made (a device may connect under its own name and use fleet/NAME/...), and each device that was
refused gets the policy and is made ACTIVE. Devices come back by themselves, later and later.")]
pub(crate) struct Jitr {
    /// The directory of `fleet make`.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// A scenario with one group, whose identities and number are DIR's; without one, each device publishes every 10 s to
    /// a topic that it subscribes to. See config/fleet/jitr.toml.
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: Option<PathBuf>,
    /// The policy that devices get.
    #[arg(long, value_name = "NAME", default_value = tidegate_fleet::POLICY)]
    pub policy: String,
    /// Activate each device with this program, which gets the certificate id and the device's name.
    #[arg(long, value_name = "PROGRAM", conflicts_with = "no_activate")]
    pub activate_with: Option<PathBuf>,
    /// Somebody else activates.
    #[arg(long)]
    pub no_activate: bool,
    #[command(flatten)]
    pub common: Common,
}

/// What the command line says about a run. It wins over the scenario.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The broker's host name or address; else the scenario's, else TIDEGATE_MQTT_HOST.
    #[arg(long)]
    pub host: Option<String>,
    /// Its port; else the scenario's, else TIDEGATE_MQTT_PORT.
    #[arg(long)]
    pub port: Option<u16>,
    /// The certificates to trust; else the scenario's, else TIDEGATE_CA_FILE.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name in SNI and in the broker's certificate, when it is not the host.
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// The directory with the devices' certificates, for every group that has identities.
    #[arg(long, value_name = "DIR")]
    pub identities: Option<PathBuf>,
    /// How many devices; for scenarios with one group.
    #[arg(long, short = 'n')]
    pub count: Option<u32>,
    /// How fast they connect: "100/s" or "at once".
    #[arg(long, value_name = "RATE")]
    pub connect: Option<ConnectRate>,
    /// How long to go on once all devices have been in, such as 30s.
    #[arg(long, value_name = "TIME")]
    pub duration: Option<Period>,
    /// Another seed: other phases, pauses and payloads.
    #[arg(long)]
    pub seed: Option<u32>,
    /// Write everything as JSON; - writes it to standard output, instead of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write histograms for HdrHistogram's plotter: connect.hgrm, working.hgrm, ack.hgrm, delivery.hgrm.
    #[arg(long, value_name = "DIR")]
    pub histograms: Option<PathBuf>,
    /// How often to tell how it goes; 1s on a terminal, 5s elsewhere.
    #[arg(long, value_name = "TIME")]
    pub every: Option<Period>,
}
