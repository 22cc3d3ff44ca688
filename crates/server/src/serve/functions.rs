//! The functions behind custom authorizers, called: webhooks and local processes, each within 5 seconds.
//!
//! Calls run in the process's own runtime, not on the cores that carry connections. So many of one function run at a time, so many
//! more wait, within the same 5 seconds; what comes on top is refused.

use std::{convert::Infallible, io, path::Path, process::Stdio, sync::Arc, time::Duration};

use tidegate_authorizer::{ANSWER_BYTES_MAX, Answer, FunctionError, Functions};
use tidegate_ids::{Arn, Clock, Tenant};
use tidegate_outbound::{CallError, Limits, signature};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    runtime::Handle,
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

use crate::config::{Config, ConfigError, OpenFunction, Outgoing, Target};

/// From the question to the answer. AWS: "The Lambda function timeout limit for custom authorizer is 5 seconds".
const TIME_MAX: Duration = Duration::from_secs(5);
/// What one call of a webhook may cost.
const LIMITS: Limits = Limits { time: TIME_MAX, answer_bytes: ANSWER_BYTES_MAX };
/// Calls that wait for each that may run.
const WAITING_PER_SEAT: usize = 8;
/// Characters of an ARN that an error repeats.
const ARN_CHARS_MAX: usize = 256;

/// All configured functions.
#[derive(Debug)]
pub(super) struct LocalFunctions {
    functions: Vec<Arc<LocalFunction>>,
    runtime: Handle,
}

#[derive(Debug)]
struct LocalFunction {
    function: OpenFunction,
    seats: Semaphore,
    /// Those that wait, too.
    places: Semaphore,
    clock: Arc<dyn Clock>,
}

/// The functions that the configuration names; they run in the runtime that this is called in.
pub(super) fn open(
    config: &Config,
    file: Option<&Path>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<LocalFunctions>, ConfigError> {
    let open = |function: &crate::config::Function| {
        let function = function.open(file, LIMITS)?;
        let seats = usize::from(function.concurrency);
        Ok(Arc::new(LocalFunction {
            function,
            seats: Semaphore::new(seats),
            places: Semaphore::new(seats * (1 + WAITING_PER_SEAT)),
            clock: Arc::clone(clock),
        }))
    };
    let functions = config.function.iter().map(open).collect::<Result<_, ConfigError>>()?;
    Ok(Arc::new(LocalFunctions { functions, runtime: Handle::current() }))
}

impl LocalFunctions {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The function that an authorizer of `tenant` names: one of its account alone first.
    fn find(&self, tenant: Tenant, function_arn: &str) -> Option<&Arc<LocalFunction>> {
        let name = name_in(tenant, function_arn)?;
        let named = || self.functions.iter().filter(|known| known.function.name == name);
        let of = |account| named().find(|known| known.function.account_id == account);
        of(Some(tenant.account)).or_else(|| of(None))
    }
}

/// The name of a Lambda function of this account: `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, with or without a version or
/// alias; or the bare name.
///
/// AWS: a function of another account must allow it; here nobody can, so there is none.
fn name_in(tenant: Tenant, function_arn: &str) -> Option<String> {
    if !function_arn.contains(':') {
        return Some(function_arn.to_owned());
    }
    let arn: Arn = function_arn.parse().ok()?;
    if &*arn.service != "lambda" || arn.account != Some(tenant.account) {
        return None;
    }
    let rest = arn.resource.strip_prefix("function:")?;
    rest.split(':').next().map(str::to_owned)
}

impl Functions for LocalFunctions {
    fn invoke<'a>(&'a self, tenant: Tenant, function_arn: &'a str, event: String) -> Answer<'a> {
        let Some(function) = self.find(tenant, function_arn) else {
            let shown = function_arn.chars().take(ARN_CHARS_MAX).collect();
            return Box::pin(async move { Err(FunctionError::NotConfigured(shown)) });
        };
        let function = Arc::clone(function);
        let arn = function_arn.to_owned();
        let call = async move { function.call(&arn, event).await };
        let mut call = Call(self.runtime.spawn(call));
        Box::pin(async move {
            (&mut call.0).await.unwrap_or_else(|_| Err(FunctionError::Failed("the call broke off".into())))
        })
    }
}

/// A call that ends when nobody waits for it any more.
struct Call(JoinHandle<Result<Vec<u8>, FunctionError>>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl LocalFunction {
    /// One call, in its turn and in time.
    async fn call(&self, arn: &str, event: String) -> Result<Vec<u8>, FunctionError> {
        let Ok(_place) = self.places.try_acquire() else { return Err(FunctionError::Busy) };
        let work = async {
            let _seat = self.seats.acquire().await.map_err(|_| FunctionError::Busy)?;
            match &self.function.target {
                Target::Webhook(outgoing) => self.post(outgoing, arn, event).await,
                Target::Process { program, arguments, folder } => run(program, arguments, folder, event).await,
            }
        };
        timeout(TIME_MAX, work).await.unwrap_or(Err(FunctionError::TimedOut(TIME_MAX)))
    }

    async fn post(&self, outgoing: &Outgoing, arn: &str, event: String) -> Result<Vec<u8>, FunctionError> {
        let now = self.clock.now().wall;
        let signed = outgoing.secret.as_ref().map(|secret| signature::sign(secret, now, event.as_bytes()));
        // An ARN that is no header's value is no function's.
        let mut headers = vec![("tidegate-event", "authorizer"), ("tidegate-function-arn", arn)];
        headers.extend(signed.as_deref().map(|signed| (signature::HEADER, signed)));
        match outgoing.client.post(&outgoing.target, &headers, event).await {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => Err(FunctionError::Failed(format!("it answers with status {}", answer.status))),
            Err(CallError::Late { limit, .. }) => Err(FunctionError::TimedOut(limit)),
            Err(CallError::TooLong { bytes_max, .. }) => Err(FunctionError::TooLong(bytes_max)),
            Err(error) => Err(FunctionError::Failed(error.with_causes())),
        }
    }
}

/// Runs a program: the event on its standard input, its answer on its standard output, nothing else. It is killed when nobody
/// waits for it any more; what it has started by itself is not.
///
/// Its environment is `PATH` alone: that of the broker may hold secrets.
async fn run(program: &str, arguments: &[String], folder: &Path, event: String) -> Result<Vec<u8>, FunctionError> {
    let failed = |what: &str, error: &io::Error| FunctionError::Failed(format!("{what}: {error}"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).kill_on_drop(true).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let mut child = command.spawn().map_err(|error| failed("it cannot be started", &error))?;
    let (mut stdin, stdout) = match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => (stdin, stdout),
        _ => return Err(FunctionError::Failed("it has no standard input or output".into())),
    };
    let mut answer = Vec::new();
    let mut stdout = stdout.take(ANSWER_BYTES_MAX as u64 + 1);
    let read = stdout.read_to_end(&mut answer);
    let write = async move {
        // One that does not read its event to the end may know already.
        let _ = stdin.write_all(event.as_bytes()).await;
        drop(stdin);
        std::future::pending::<Infallible>().await
    };
    let read = tokio::select! {
        read = read => read,
        never = write => match never {},
    };
    read.map_err(|error| failed("its answer cannot be read", &error))?;
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(FunctionError::TooLong(ANSWER_BYTES_MAX));
    }
    let status = child.wait().await.map_err(|error| failed("its end cannot be seen", &error))?;
    match status.code() {
        Some(0) => Ok(answer),
        Some(code) => Err(FunctionError::Failed(format!("it ended with status {code}"))),
        None => Err(FunctionError::Failed("a signal ended it".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_an_arn_of_the_account_or_by_its_name() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        for (arn, expected) in [
            ("f", Some("f")),
            ("arn:aws:lambda:us-east-1:123456789012:function:f", Some("f")),
            ("arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST", Some("f")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f:7", Some("f")),
            ("arn:aws:lambda:us-east-1:000000000000:function:f", None),
            ("arn:aws:sns:us-east-1:123456789012:f", None),
            ("arn:aws:lambda:us-east-1:123456789012:layer:f", None),
            ("a:b", None),
        ] {
            assert_eq!(name_in(tenant, arn).as_deref(), expected, "{arn}");
        }
    }

    async fn sh(script: &str) -> Result<Vec<u8>, FunctionError> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let run = run("sh", &arguments, Path::new("."), "an event".into());
        timeout(Duration::from_secs(20), run).await.expect("it ends")
    }

    #[tokio::test]
    async fn a_program_answers_or_fails_in_words() {
        assert_eq!(sh("cat").await, Ok(b"an event".to_vec()));
        assert_eq!(sh("printf x").await, Ok(b"x".to_vec()));
        assert_eq!(sh("env | grep -v -e PATH -e PWD -e SHLVL -e '^_='; true").await, Ok(Vec::new()));
        assert_eq!(sh("exit 3").await, Err(FunctionError::Failed("it ended with status 3".into())));
        assert_eq!(sh("kill -9 $$").await, Err(FunctionError::Failed("a signal ended it".into())));
        assert_eq!(sh("cat /dev/zero").await, Err(FunctionError::TooLong(ANSWER_BYTES_MAX)));
        let missing = run("./no-such-program", &[], Path::new("."), String::new()).await;
        assert!(matches!(missing, Err(FunctionError::Failed(why)) if why.starts_with("it cannot be started")));
    }

    #[tokio::test]
    async fn a_large_event_that_nobody_reads_keeps_nobody_waiting() {
        let arguments = ["-c".to_owned(), "printf ok".to_owned()];
        let run = run("sh", &arguments, Path::new("."), "x".repeat(1 << 20));
        assert_eq!(timeout(Duration::from_secs(20), run).await.expect("it ends"), Ok(b"ok".to_vec()));
    }
}
