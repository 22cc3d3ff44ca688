//! The story. Every step checks what it tells.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tidegate_fleet::{Api, Connected, Device, FleetCa, FleetError, Identity, Outcome, Running};

use super::Narrator;
use crate::clock::SystemClock;

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

/// Plays all of it and cleans up.
pub(super) async fn play(narrator: &mut Narrator, running: &Running) -> Result<()> {
    let api = Api::new(running.clone(), Arc::new(SystemClock::start()))?;
    // Names of this run, so that two demonstrations against one broker do not meet.
    let run = format!("demo-{}", api.now().millis());
    let policy = format!("{run}-everything");
    narrator.saw(format!(
        "Broker: API https://{}:{}, devices {}:{}, account {}",
        running.api_host, running.api_port, running.mqtt_host, running.mqtt_port, running.account_id
    ));

    let (watcher_id, mut watcher) = watcher(narrator, running, &api, &run, &policy).await?;
    let ca = FleetCa::new(&format!("{run} fleet CA"))?;
    let ca_id = register_ca(narrator, &api, &ca).await?;
    let thermometer = ca.sign("thermometer-1")?;
    nobody_through_an_inactive_ca(narrator, running, &api, &ca_id, &thermometer).await?;
    switch_on(narrator, &api, &ca_id, &mut watcher).await?;
    let device_id = first_connection(narrator, running, &api, &ca_id, &thermometer, &mut watcher).await?;
    still_pending(narrator, running, &thermometer, &mut watcher).await?;
    let mut device = activate(narrator, running, &api, &device_id, &policy, &thermometer).await?;
    publish(narrator, &mut device, &mut watcher).await?;
    deactivate(narrator, &api, &device_id, device).await?;
    clean_up(narrator, &api, &[&device_id, &watcher_id], &policy, &ca_id).await
}

/// A device that works already: it listens to what happens.
async fn watcher(
    narrator: &mut Narrator,
    running: &Running,
    api: &Api,
    run: &str,
    policy: &str,
) -> Result<(String, Connected)> {
    narrator
        .step("A service that listens: its certificate is made by the broker, with a policy that allows everything");
    narrator.command("aws iot create-keys-and-certificate --set-as-active");
    narrator.command(&format!("aws iot create-policy --policy-name {policy} --policy-document '{EVERYTHING}'"));
    narrator.command(&format!("aws iot attach-policy --policy-name {policy} --target CERTIFICATE_ARN"));
    let made = api.call("POST", "/keys-and-certificate?setAsActive=true", Value::Null).await?;
    let identity = Identity::from_pem(text(&made, "certificatePem")?, text(&made["keyPair"], "PrivateKey")?)?;
    api.call("POST", &format!("/policies/{policy}"), json!({ "policyDocument": EVERYTHING })).await?;
    api.call("PUT", &format!("/target-policies/{policy}"), json!({ "target": text(&made, "certificateArn")? })).await?;
    let mut watcher = match Device::new(running, &identity)?.connect(&format!("{run}-watcher")).await? {
        Outcome::Connected(connected) => connected,
        Outcome::Refused(how) => bail!("the listening service was refused: {how}"),
    };
    watcher.subscribe("$aws/events/certificates/registered/+").await?;
    watcher.subscribe("rooms/#").await?;
    narrator.saw("It subscribed to $aws/events/certificates/registered/+ and rooms/#");
    Ok((text(&made, "certificateId")?.to_owned(), watcher))
}

async fn register_ca(narrator: &mut Narrator, api: &Api, ca: &FleetCa) -> Result<String> {
    narrator.step("The owner of the fleet registers a CA, proving that its key is held: the verification certificate's common name is the registration code");
    narrator.command("aws iot get-registration-code");
    narrator.command(
        "aws iot register-ca-certificate --ca-certificate file://ca.pem --verification-cert file://verify.pem",
    );
    let code = api.call("GET", "/registrationcode", Value::Null).await?;
    let verification = ca.sign(text(&code, "registrationCode")?)?;
    let body = json!({ "caCertificate": ca.pem, "verificationCertificate": verification.pem });
    let made = api.call("POST", "/cacertificate", body).await?;
    let id = text(&made, "certificateId")?.to_owned();
    narrator.saw(format!("caCertificateId {id}"));
    Ok(id)
}

async fn nobody_through_an_inactive_ca(
    narrator: &mut Narrator,
    running: &Running,
    api: &Api,
    ca_id: &str,
    device: &Identity,
) -> Result<()> {
    narrator.step("Without --set-as-active the CA is INACTIVE, and registers nobody");
    narrator.command(&format!("aws iot describe-ca-certificate --certificate-id {ca_id}"));
    let ca = &api.call("GET", &format!("/cacertificate/{ca_id}"), Value::Null).await?["certificateDescription"];
    expect(ca, "status", "INACTIVE")?;
    expect(ca, "autoRegistrationStatus", "DISABLE")?;
    refused(narrator, running, device, "a device with a certificate of that CA").await?;
    ensure!(of_ca(api, ca_id).await?.is_empty(), "something was registered through an inactive CA");
    narrator.saw("list-certificates-by-ca: nothing");
    Ok(())
}

async fn switch_on(narrator: &mut Narrator, api: &Api, ca_id: &str, watcher: &mut Connected) -> Result<()> {
    narrator.step("The CA is activated and auto-registration switched on");
    narrator.command(&format!("aws iot update-ca-certificate --certificate-id {ca_id} --new-status ACTIVE --new-auto-registration-status ENABLE"));
    let path = format!("/cacertificate/{ca_id}?newStatus=ACTIVE&newAutoRegistrationStatus=ENABLE");
    api.call("PUT", &path, json!({})).await?;
    let ca = &api.call("GET", &format!("/cacertificate/{ca_id}"), Value::Null).await?["certificateDescription"];
    expect(ca, "status", "ACTIVE")?;
    expect(ca, "autoRegistrationStatus", "ENABLE")?;
    ensure!(watcher.waiting().is_none(), "a registration was announced although nobody was registered");
    Ok(())
}

async fn first_connection(
    narrator: &mut Narrator,
    running: &Running,
    api: &Api,
    ca_id: &str,
    device: &Identity,
    watcher: &mut Connected,
) -> Result<String> {
    narrator.step("The device connects for the first time: it is registered, announced, and refused");
    refused(narrator, running, device, "the device").await?;
    let event = watcher.message().await.context("waiting for the registration event")?;
    ensure!(event.topic == format!("$aws/events/certificates/registered/{ca_id}"), "the event came on {}", event.topic);
    narrator.saw(format!("event on {}", event.topic));
    narrator.saw(String::from_utf8_lossy(&event.payload));
    let body: Value = serde_json::from_slice(&event.payload)?;
    expect(&body, "certificateStatus", "PENDING_ACTIVATION")?;
    ensure!(body["certificateRegistrationTimestamp"].is_null(), "certificateRegistrationTimestamp is not null");
    narrator.command(&format!("aws iot list-certificates-by-ca --ca-certificate-id {ca_id}"));
    let listed = of_ca(api, ca_id).await?;
    ensure!(listed.len() == 1, "list-certificates-by-ca shows {} certificates", listed.len());
    expect(&listed[0], "status", "PENDING_ACTIVATION")?;
    let id = text(&listed[0], "certificateId")?.to_owned();
    expect(&body, "certificateId", &id)?;
    narrator.saw(format!("certificateId {id}, PENDING_ACTIVATION"));
    Ok(id)
}

async fn still_pending(
    narrator: &mut Narrator,
    running: &Running,
    device: &Identity,
    watcher: &mut Connected,
) -> Result<()> {
    narrator.step("Each time it connects while pending, it is announced again");
    refused(narrator, running, device, "the device").await?;
    let event = watcher.message().await.context("waiting for the second event")?;
    let body: Value = serde_json::from_slice(&event.payload)?;
    ensure!(body["certificateRegistrationTimestamp"].is_string(), "certificateRegistrationTimestamp is not a string");
    narrator.saw(String::from_utf8_lossy(&event.payload));
    Ok(())
}

async fn activate(
    narrator: &mut Narrator,
    running: &Running,
    api: &Api,
    device_id: &str,
    policy: &str,
    device: &Identity,
) -> Result<Connected> {
    narrator.step("The owner activates it; without a policy it is still refused");
    narrator.command(&format!("aws iot update-certificate --certificate-id {device_id} --new-status ACTIVE"));
    api.call("PUT", &format!("/certificates/{device_id}?newStatus=ACTIVE"), Value::Null).await?;
    refused(narrator, running, device, "the active device without a policy").await?;

    narrator.step("With a policy attached, the device works");
    let described = api.call("GET", &format!("/certificates/{device_id}"), Value::Null).await?;
    let arn = text(&described["certificateDescription"], "certificateArn")?;
    narrator.command(&format!("aws iot attach-policy --policy-name {policy} --target {arn}"));
    api.call("PUT", &format!("/target-policies/{policy}"), json!({ "target": arn })).await?;
    match Device::new(running, device)?.connect("thermometer-1").await? {
        Outcome::Connected(connected) => {
            narrator.saw("CONNACK 0: connected");
            Ok(connected)
        }
        Outcome::Refused(how) => bail!("the device was refused: {how}"),
    }
}

async fn publish(narrator: &mut Narrator, device: &mut Connected, watcher: &mut Connected) -> Result<()> {
    narrator.step("It publishes, and the service receives");
    device.publish("rooms/1/temperature", b"21.5").await?;
    let message = watcher.message().await.context("waiting for the device's message")?;
    ensure!(
        message.topic == "rooms/1/temperature" && message.payload == b"21.5",
        "something else arrived on {}",
        message.topic
    );
    narrator.saw("rooms/1/temperature 21.5");
    Ok(())
}

async fn deactivate(narrator: &mut Narrator, api: &Api, device_id: &str, mut device: Connected) -> Result<()> {
    narrator.step("Deactivated, it loses its live connection at once; the API's refusals are AWS's");
    narrator.command(&format!("aws iot delete-certificate --certificate-id {device_id}"));
    let refusal = api.call("DELETE", &format!("/certificates/{device_id}"), Value::Null).await;
    let refusal = refusal.err().context("an ACTIVE certificate was deleted")?;
    let as_aws = matches!(&refusal, FleetError::Refused(refusal) if refusal.name == "CertificateStateException");
    ensure!(as_aws, "deleting an ACTIVE certificate was refused with {refusal}");
    narrator.saw(&refusal);
    narrator.command(&format!("aws iot update-certificate --certificate-id {device_id} --new-status INACTIVE"));
    api.call("PUT", &format!("/certificates/{device_id}?newStatus=INACTIVE"), Value::Null).await?;
    device.closed().await.context("waiting for the connection to be closed")?;
    narrator.saw("the device's connection is closed");
    Ok(())
}

async fn clean_up(narrator: &mut Narrator, api: &Api, certificates: &[&str], policy: &str, ca_id: &str) -> Result<()> {
    narrator.step("Everything of this demonstration is deleted");
    for id in certificates {
        api.call("PUT", &format!("/certificates/{id}?newStatus=INACTIVE"), Value::Null).await?;
        api.call("DELETE", &format!("/certificates/{id}?forceDelete=true"), Value::Null).await?;
    }
    api.call("DELETE", &format!("/policies/{policy}"), Value::Null).await?;
    api.call("PUT", &format!("/cacertificate/{ca_id}?newStatus=INACTIVE"), json!({})).await?;
    api.call("DELETE", &format!("/cacertificate/{ca_id}"), Value::Null).await?;
    Ok(())
}

/// Connects and insists on being refused.
async fn refused(narrator: &Narrator, running: &Running, device: &Identity, who: &str) -> Result<()> {
    match Device::new(running, device)?.connect("thermometer-1").await? {
        Outcome::Refused(how) => {
            narrator.saw(format!("{who}: {how}"));
            Ok(())
        }
        Outcome::Connected(_) => bail!("{who} was let in"),
    }
}

async fn of_ca(api: &Api, ca_id: &str) -> Result<Vec<Value>> {
    let listed = api.call("GET", &format!("/certificates-by-ca/{ca_id}"), Value::Null).await?;
    Ok(listed["certificates"].as_array().cloned().unwrap_or_default())
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value[member].as_str().with_context(|| format!("the answer has no {member}"))
}

fn expect(value: &Value, member: &str, expected: &str) -> Result<()> {
    let found = text(value, member)?;
    ensure!(found == expected, "{member} is {found}, not {expected}");
    Ok(())
}
