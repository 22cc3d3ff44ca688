//! What fuzzing runs; the same body is a property test.

use crate::{Bounds, Http, Mqtt, NAME_KEY, POLICIES_MAX, Presented, SIGNATURE_KEY, answer, event::event};

/// Reads bytes as a function's answer: what is accepted keeps the bounds.
///
/// # Panics
/// When it does not.
pub fn answer(bytes: &[u8]) {
    let Ok(Some(permit)) = answer::read(bytes, Bounds::AWS) else { return };
    let within = |length| (Bounds::AWS.shortest..=Bounds::AWS.longest).contains(&length);
    assert!(within(permit.disconnect_after) && within(permit.refresh_after));
    assert!((1..=128).contains(&permit.principal_id.len()));
    assert!(permit.policies.len() <= POLICIES_MAX);
}

/// Looks for parameters in a user name, a header and a query, split out of the bytes, and makes an event of them, which is JSON.
///
/// # Panics
/// When it is not.
pub fn presented(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.splitn(4, '\n').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (user_name, name, value, query) = (part(), part(), part(), part());
    let presented = Presented {
        server_name: None,
        certificate: None,
        http: Some(Http { headers: vec![(name.clone(), value.clone()), (name.clone(), value)], query }),
        mqtt: Some(Mqtt { user_name: Some(user_name), password: Some(bytes.to_vec()), client_id: None }),
    };
    for key in [NAME_KEY, SIGNATURE_KEY, "token", &name] {
        let _ = presented.parameter(key);
    }
    let event = event(&presented, presented.parameter("token").as_deref(), true, "id");
    serde_json::from_str::<serde_json::Value>(&event).expect("an event is JSON");
}
