//! Just-in-time registration of a whole fleet: the CA is registered, devices come, are activated one by one, and work.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc, watch},
    task::JoinSet,
};

use crate::{Api, FleetCa, FleetError, Identities, api::text, identities::ca_of};

/// The policy that is made when no other is named: a device may be itself, and use its own topics.
pub const POLICY: &str = "tidegate-fleet";
/// Devices that are activated at a time.
const PARALLEL: usize = 16;
/// How long a script may take for one device.
const SCRIPT_PATIENCE: Duration = Duration::from_secs(60);
/// Most certificates in one answer of ListCertificatesByCA. AWS: `PageSize`.
const PAGE: usize = 250;
/// Pages that are asked for at most.
const PAGES_MAX: usize = 100_000;

/// The operator's part before devices come.
pub struct Enrolment<'a> {
    /// The operator.
    pub api: &'a Api,
    /// Where CA and devices are.
    pub directory: &'a Path,
    /// The policy that devices get; [`POLICY`] is made when it is missing, others are not.
    pub policy: &'a str,
}

/// What is ready when devices come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The id of the CA.
    pub ca_id: String,
    /// Whether it had to be registered.
    pub registered_now: bool,
    /// Whether the policy had to be made.
    pub policy_made: bool,
}

impl Enrolment<'_> {
    /// Sees to it that the CA is registered, ACTIVE and registers devices, and that the policy exists.
    pub async fn run(&self) -> Result<Enrolled, FleetError> {
        let (ca_id, registered_now) = self.certificate_authority().await?;
        let policy_made = self.policy().await?;
        Ok(Enrolled { ca_id, registered_now, policy_made })
    }

    async fn certificate_authority(&self) -> Result<(String, bool), FleetError> {
        let (pem, key) = ca_of(self.directory)?;
        let id = tidegate_pki::CaCertificate::from_pem(&pem)?.ca_certificate_id().to_string();
        let known = match self.api.call("GET", &format!("/cacertificate/{id}"), Value::Null).await {
            Ok(known) => known,
            Err(FleetError::Refused(refusal)) if refusal.name == "ResourceNotFoundException" => {
                let Some(key) = key else { return Err(FleetError::NoCaKey { directory: self.directory.to_owned() }) };
                return Ok((self.api.register_ca(&FleetCa::from_pem(&pem, &key)?).await?, true));
            }
            Err(error) => return Err(error),
        };
        let description = &known["certificateDescription"];
        if description["status"] != "ACTIVE" || description["autoRegistrationStatus"] != "ENABLE" {
            let path = format!("/cacertificate/{id}?newStatus=ACTIVE&newAutoRegistrationStatus=ENABLE");
            self.api.call("PUT", &path, json!({})).await?;
        }
        Ok((id, false))
    }

    async fn policy(&self) -> Result<bool, FleetError> {
        match self.api.call("GET", &format!("/policies/{}", self.policy), Value::Null).await {
            Ok(_) => return Ok(false),
            Err(FleetError::Refused(refusal))
                if refusal.name == "ResourceNotFoundException" && self.policy == POLICY => {}
            Err(error) => return Err(error),
        }
        let document = own_topics(self.api.region(), self.api.account_id()).to_string();
        self.api.call("POST", &format!("/policies/{POLICY}"), json!({ "policyDocument": document })).await?;
        Ok(true)
    }

    /// How many certificates of the CA the registry has.
    pub async fn registered(&self, ca_id: &str) -> Result<usize, FleetError> {
        let (mut count, mut marker) = (0, String::new());
        for _ in 0..PAGES_MAX {
            let path = format!("/certificates-by-ca/{ca_id}?pageSize={PAGE}{marker}");
            let page = self.api.call("GET", &path, Value::Null).await?;
            count += page["certificates"].as_array().map_or(0, Vec::len);
            match page["nextMarker"].as_str() {
                Some(next) => marker = format!("&marker={}", percent_encoded(next)),
                None => break,
            }
        }
        Ok(count)
    }
}

/// A device may connect under its certificate's common name, and use the topics `fleet/NAME/…`.
fn own_topics(region: &str, account_id: &str) -> Value {
    let name = "${iot:Certificate.Subject.CommonName}";
    let arn = |resource: &str| format!("arn:aws:iot:{region}:{account_id}:{resource}");
    let allow =
        |actions: &[&str], resource: String| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    let statements = [
        allow(&["iot:Connect"], arn(&format!("client/{name}"))),
        allow(&["iot:Publish", "iot:Receive", "iot:RetainPublish"], arn(&format!("topic/fleet/{name}/*"))),
        allow(&["iot:Subscribe"], arn(&format!("topicfilter/fleet/{name}/*"))),
    ];
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Who activates devices.
pub enum Activation {
    /// We, through the API: attach the policy, then make the certificate ACTIVE.
    Api(Box<Api>, String),
    /// A program that gets the certificate id as its argument, and the device's name as a second one.
    Script(PathBuf),
    /// Somebody else.
    Nobody,
}

/// Activates each device that was refused for the first time.
pub struct Activator {
    how: Activation,
    identities: Arc<Identities>,
    /// Devices that are activated, or being activated.
    known: Mutex<HashSet<u32>>,
    activated: AtomicU64,
    failed: AtomicU64,
    problem: Mutex<Option<String>>,
    winding_up: watch::Sender<bool>,
}

impl Activator {
    /// Nothing is activated yet.
    pub fn new(how: Activation, identities: Arc<Identities>) -> Arc<Self> {
        Arc::new(Self {
            how,
            identities,
            known: Mutex::default(),
            activated: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            problem: Mutex::default(),
            winding_up: watch::Sender::new(false),
        })
    }

    /// How many devices are activated, and how many attempts have failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.activated.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Why the first attempt that failed did.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }

    /// Begins no further activation; [`run`](Self::run) ends with the last that has begun. A device works as soon as it is active,
    /// which is before whoever activates it has said so.
    pub fn wind_up(&self) {
        self.winding_up.send_replace(true);
    }

    /// Activates the devices whose numbers (in the directory) come out of `refused`, until its other end is gone or
    /// [`wind_up`](Self::wind_up).
    ///
    /// A device comes again each time it is refused: one that could not be activated gets another chance so.
    pub async fn run(self: Arc<Self>, refused: mpsc::UnboundedReceiver<u32>) {
        let refused = Arc::new(AsyncMutex::new(refused));
        let mut tasks = JoinSet::new();
        for _ in 0..PARALLEL {
            let (activator, refused) = (Arc::clone(&self), Arc::clone(&refused));
            tasks.spawn(async move {
                let mut winding_up = activator.winding_up.subscribe();
                loop {
                    let next = async { refused.lock().await.recv().await };
                    let next = tokio::select! {
                        biased;
                        _ = winding_up.wait_for(|it_is| *it_is) => None,
                        next = next => next,
                    };
                    let Some(index) = next else { return };
                    if !activator.known.lock().insert(index) {
                        continue;
                    }
                    match activator.activate(index).await {
                        Ok(()) => _ = activator.activated.fetch_add(1, Ordering::Relaxed),
                        Err(error) => {
                            activator.failed.fetch_add(1, Ordering::Relaxed);
                            activator.problem.lock().get_or_insert_with(|| error.to_string());
                            activator.known.lock().remove(&index);
                        }
                    }
                }
            });
        }
        tasks.join_all().await;
    }

    async fn activate(&self, index: u32) -> Result<(), FleetError> {
        let id = self.identities.certificate_id(index as usize)?.to_string();
        match &self.how {
            Activation::Nobody => Ok(()),
            Activation::Api(api, policy) => {
                let arn = format!("arn:aws:iot:{}:{}:cert/{id}", api.region(), api.account_id());
                // The policy first: an ACTIVE device without one would be refused once more.
                api.attach_policy(policy, &arn).await?;
                api.call("PUT", &format!("/certificates/{id}?newStatus=ACTIVE"), Value::Null).await.map(drop)
            }
            Activation::Script(path) => {
                let (path, name) = (path.clone(), self.identities.name(index as usize).to_owned());
                tokio::task::spawn_blocking(move || run_script(&path, &id, &name))
                    .await
                    .map_err(|error| FleetError::Names(error.to_string()))?
            }
        }
    }
}

/// Runs a script for one device. A blocking call: scripts are few at a time, and slow by nature.
fn run_script(path: &Path, certificate_id: &str, name: &str) -> Result<(), FleetError> {
    let file_error = |source| FleetError::File { what: "cannot run", path: path.to_owned(), source };
    let mut child = Command::new(path)
        .args([certificate_id, name])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(file_error)?;
    let since = Instant::now();
    let status = loop {
        match child.try_wait().map_err(file_error)? {
            Some(status) => break status,
            None if since.elapsed() > SCRIPT_PATIENCE => {
                let _ = child.kill(); // it may have ended this moment
                let _ = child.wait();
                return Err(FleetError::Late("end of the script"));
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(FleetError::Names(format!("{} ended with {status} for certificate {certificate_id}", path.display())))
}

impl Api {
    /// What the answer of DescribeEndpoint says: whether the keys are good at all.
    pub async fn check(&self) -> Result<String, FleetError> {
        let answer = self.call("GET", "/endpoint?endpointType=iot%3AData-ATS", Value::Null).await?;
        text(&answer, "endpointAddress").map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_a_device_its_own_topics_alone() {
        let policy = own_topics("us-east-1", "123456789012").to_string();
        for part in [
            r#""arn:aws:iot:us-east-1:123456789012:client/${iot:Certificate.Subject.CommonName}""#,
            r#""arn:aws:iot:us-east-1:123456789012:topicfilter/fleet/${iot:Certificate.Subject.CommonName}/*""#,
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains(r#""*""#), "{policy}");
    }

    #[test]
    fn markers_survive_a_query() {
        assert_eq!(percent_encoded("aZ9-_.~+/= ä"), "aZ9-_.~%2B%2F%3D%20%C3%A4");
    }
}
