//! Connections, sessions and retained messages, as the broker has them now.
//!
//! Every answer is bounded in rows, bytes and what is looked at for it, and is written after all locks are given back.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_broker::{Broker, CloseReason, Effects, Ending, Principal, RetainedState, Selector, SessionState};
use tidegate_ids::{Now, Tenant};
use tidegate_mqtt::{Version, topic};
use tracing::info;

use super::Done;
use crate::admin::{Listing, Place, Scope, Target};

/// Most rows of one answer.
const ROWS_MAX: usize = 1000;
/// Bytes of names in one answer after which no row is added: a client id has up to 65 535.
const NAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most sessions or retained messages looked at for one answer.
const LOOKED_AT_MAX: usize = 10_000;
/// Asked of the broker at once.
const CHUNK: usize = 256;
/// Most filters shown of one session.
const FILTERS_MAX: usize = 1000;

/// A page of the sessions that are connected.
pub(super) fn connections(broker: &Broker, listing: &Listing, now: Now) -> Value {
    let (rows, next) = session_rows(broker, listing, now, connection_row);
    json!({ "connections": rows, "next": next })
}

/// A page of all sessions.
pub(super) fn sessions(broker: &Broker, listing: &Listing, now: Now) -> Value {
    let (rows, next) = session_rows(broker, listing, now, |tenant, session| Some(session_row(tenant, session)));
    json!({ "sessions": rows, "next": next })
}

/// The tenants of a listing, the one where it goes on first, with the place in that one.
fn tenants<'a>(broker: &Broker, listing: &'a Listing) -> impl Iterator<Item = (Tenant, Option<&'a str>)> {
    let after = listing.after.as_ref();
    let begun = move |tenant: &Tenant| after.is_none_or(|after| *tenant >= after.tenant);
    let tenants = broker.tenants().into_iter().filter(|tenant| listing.scope.has(*tenant)).filter(begun);
    tenants.map(move |tenant| (tenant, after.filter(|after| after.tenant == tenant).map(|after| after.within.as_str())))
}

fn session_rows(
    broker: &Broker,
    listing: &Listing,
    now: Now,
    row: impl Fn(Tenant, &SessionState) -> Option<Value>,
) -> (Vec<Value>, Option<Place>) {
    let (mut rows, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
    let max = listing.max.clamp(1, ROWS_MAX);
    for (tenant, within) in tenants(broker, listing) {
        let mut after: Option<Arc<str>> = within.map(Into::into);
        loop {
            let page = broker.sessions(tenant, after.as_deref(), CHUNK, now);
            for session in &page.sessions {
                rows.extend(row(tenant, session));
                bytes += session.client_id.len();
                looked_at += 1;
                if rows.len() == max || bytes > NAME_BYTES_MAX || looked_at == LOOKED_AT_MAX {
                    return (rows, Some(Place { tenant, within: session.client_id.to_string() }));
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    (rows, None)
}

fn connection_row(tenant: Tenant, session: &SessionState) -> Option<Value> {
    let connection = session.connection.as_ref()?;
    Some(json!({
        "clientId": &*session.client_id,
        "accountId": tenant.account,
        "region": tenant.region,
        "principal": connection.principal.to_string(),
        "address": connection.peer_address,
        "version": version(connection.version),
        "sinceMillis": connection.since.millis(),
        "inflight": session.inflight,
        "queued": session.queued,
    }))
}

fn session_row(tenant: Tenant, session: &SessionState) -> Value {
    json!({
        "clientId": &*session.client_id,
        "accountId": tenant.account,
        "region": tenant.region,
        "connected": session.connection.is_some(),
        "endsInSeconds": session.ends_in.map(|left| left.as_secs()),
        "subscriptions": session.subscriptions,
        "inflight": session.inflight,
        "queued": session.queued,
        "queuedBytes": session.queued_bytes,
    })
}

fn version(version: Version) -> &'static str {
    match version {
        Version::V4 => "3.1.1",
        Version::V5 => "5",
    }
}

/// One session, with its filters.
pub(super) fn show(broker: &Broker, client_id: &str, scope: Scope, now: Now) -> Result<Value, String> {
    let (tenant, session) = only_session(broker, client_id, scope, now)?;
    let mut shown = session_row(tenant, &session);
    let filters = broker.subscriptions(tenant, client_id, None, FILTERS_MAX).unwrap_or_default();
    shown["sessionIdentifier"] = format!("{:032x}", session.session_identifier).into();
    shown["connection"] = connection_row(tenant, &session).unwrap_or_default();
    shown["filters"] = filters.iter().map(|(filter, _)| &**filter).collect();
    Ok(shown)
}

/// The session of that name; an error when there is none, or one in each of several tenants.
fn only_session(broker: &Broker, client_id: &str, scope: Scope, now: Now) -> Result<(Tenant, SessionState), String> {
    let tenants = broker.tenants().into_iter().filter(|tenant| scope.has(*tenant));
    let mut found = tenants.filter_map(|tenant| Some((tenant, broker.session(tenant, client_id, now)?)));
    match (found.next(), found.next()) {
        (None, _) => Err(format!("no client {client_id:?} has a session here: see `tidegate session list`")),
        (Some(only), None) => Ok(only),
        (Some((one, _)), Some((other, _))) => {
            Err(format!("both {one} and {other} have a client {client_id:?}: say which with --account and --region"))
        }
    }
}

/// Closes connections.
pub(super) fn kick(
    broker: &Broker,
    target: &Target,
    scope: Scope,
    reason: Option<&str>,
    now: Now,
) -> Result<Done, String> {
    let selectors: Vec<(Tenant, Selector)> = match target {
        Target::ClientId(client_id) => {
            let (tenant, _) = only_session(broker, client_id, scope, now)?;
            vec![(tenant, Selector::ClientId { tenant, client_id: client_id.as_str().into() })]
        }
        Target::Certificate(certificate_id) => {
            let of = |tenant| Principal::Certificate { tenant, certificate_id: *certificate_id };
            let tenants = broker.tenants().into_iter().filter(|tenant| scope.has(*tenant));
            tenants.map(|tenant| (tenant, Selector::Principal { tenant, principal: of(tenant) })).collect()
        }
        Target::Anonymous => {
            let tenants = broker.tenants().into_iter().filter(|tenant| scope.has(*tenant));
            let of = |tenant| Selector::Principal { tenant, principal: Principal::Anonymous };
            tenants.map(|tenant| (tenant, of(tenant))).collect()
        }
    };
    let mut effects = Effects::outside();
    let (mut closed, mut touched) = (0, Vec::new());
    for (tenant, selector) in &selectors {
        let here = broker.kick(selector, CloseReason::AdministrativeAction, now, &mut effects);
        closed += here;
        touched.extend((here > 0).then_some(*tenant));
    }
    broker.hand_over(&mut effects);
    if closed == 0 {
        return Err(match target {
            Target::ClientId(client_id) => format!("the client {client_id:?} is not connected"),
            Target::Certificate(id) => format!("no connection acts for the certificate {id}"),
            Target::Anonymous => "no connection is anonymous".to_owned(),
        });
    }
    info!(event_type = "Admin", command = "kick", ?target, closed, reason, "connections were closed");
    Ok(Done { answer: json!({ "closed": closed }), touched })
}

/// Ends a session, whatever its expiry.
pub(super) fn drop_session(
    broker: &Broker,
    client_id: &str,
    scope: Scope,
    prevent_will: bool,
    now: Now,
) -> Result<Done, String> {
    let (tenant, session) = only_session(broker, client_id, scope, now)?;
    let ending = Ending { reason: CloseReason::AdministrativeAction, drop_session: true, prevent_will };
    let mut effects = Effects::outside();
    let ended = broker.delete_connection(tenant, client_id, ending, now, &mut effects);
    broker.hand_over(&mut effects);
    if !ended {
        return Err(format!("the session of {client_id:?} has just ended by itself"));
    }
    let was_connected = session.connection.is_some();
    info!(event_type = "Admin", command = "drop session", %tenant, client_id, was_connected, "a session was ended");
    let answer = json!({
        "clientId": client_id, "accountId": tenant.account, "region": tenant.region, "wasConnected": was_connected,
    });
    Ok(Done { answer, touched: vec![tenant] })
}

/// A page of the retained messages that `filter` matches.
pub(super) fn retained(broker: &Broker, filter: Option<&str>, listing: &Listing, now: Now) -> Result<Value, String> {
    if let Some(filter) = filter.filter(|filter| !topic::valid_filter(filter)) {
        return Err(format!("{filter:?} is no topic filter"));
    }
    let wanted = |topic_name: &str| filter.is_none_or(|filter| topic::matches(filter, topic_name));
    let (mut rows, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
    let max = listing.max.clamp(1, ROWS_MAX);
    for (tenant, within) in tenants(broker, listing) {
        let mut place: u32 = match within {
            None => 0,
            Some(within) => within.parse().map_err(|_| format!("{within:?} is no place among retained messages"))?,
        };
        loop {
            let page = broker.retained_page(tenant, place, (max - rows.len()).min(CHUNK), now);
            looked_at += CHUNK;
            for message in page.messages.iter().filter(|retained| wanted(retained.message.topic_name())) {
                bytes += message.message.topic_name().len();
                rows.push(retained_row(tenant, message));
            }
            let Some(next) = page.next else { break };
            place = next;
            if rows.len() >= max || bytes > NAME_BYTES_MAX || looked_at >= LOOKED_AT_MAX {
                return Ok(json!({ "retained": rows, "next": Place { tenant, within: place.to_string() } }));
            }
        }
        if rows.len() >= max {
            // The end of this tenant: what others have is behind it.
            return Ok(json!({ "retained": rows, "next": Place { tenant, within: u32::MAX.to_string() } }));
        }
    }
    Ok(json!({ "retained": rows, "next": Value::Null }))
}

fn retained_row(tenant: Tenant, retained: &RetainedState) -> Value {
    json!({
        "topic": retained.message.topic_name(),
        "accountId": tenant.account,
        "region": tenant.region,
        "qos": retained.qos as u8,
        "payloadBytes": retained.message.payload().len(),
        "retainedMillis": retained.retained_at.millis(),
    })
}
