//! What is printed once the broker listens: where, and what to paste next. No secret.

use std::fmt::Write;

use crate::data_dir::DataDir;

/// One address and what is there.
pub(super) struct Endpoint {
    /// Such as `MQTT over TLS (default)`.
    pub what: String,
    /// Such as `0.0.0.0:8883` or a URL.
    pub at: String,
}

/// The screen as text.
pub(super) fn text(account: &str, endpoints: &[Endpoint], data: &DataDir, env_file: bool) -> String {
    let mut screen = format!("\nTidegate {} is listening.\n\n", env!("CARGO_PKG_VERSION"));
    let mut line =
        |what: &str, at: &str| writeln!(screen, "  {what:<24} {at}").expect("a string takes all that is written");
    for endpoint in endpoints {
        line(&endpoint.what, &endpoint.at);
    }
    line("account", account);
    line("clients trust", &data.ca_file().display().to_string());
    let env = data.env_file();
    if env_file {
        line("keys", &env.display().to_string());
        let env = env.display();
        write!(
            screen,
            "\nIn another shell:\n\n  . '{env}'\n  aws iot list-ca-certificates --endpoint-url \"$AWS_ENDPOINT_URL\"\n  \
             tidegate demo --data '{}'        # or: cargo run --release -- demo\n",
            data.path().display()
        )
    } else {
        line("keys", "`tidegate key create` makes one");
        write!(
            screen,
            "\nIn another shell:\n\n  tidegate key create --account {account} --data '{}'\n  export AWS_CA_BUNDLE='{}'\n  \
             aws iot list-ca-certificates --endpoint-url https://…\n",
            data.path().display(),
            data.ca_file().display()
        )
    }
    .expect("a string takes all that is written");
    screen
}
