//! What stands in each row.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use tidegate_broker::{
    Presence, Principal, QueuedRecord, RetainedRecord, SessionRecord, SubscriptionRecord, WillRecord,
};
use tidegate_ids::{CertificateId, Tenant, Timestamp};
use tidegate_mqtt::{Message, QoS, SessionExpiry};

use super::wire::{Reader, RowError, Writer};

/// One reference of a chunk: a message of a session, and where its body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) sequence: u64,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) identifiers: Option<Box<[NonZeroU32]>>,
    /// Number of the shared group it came by.
    pub(super) group: Option<u64>,
    pub(super) segment: u64,
    pub(super) index: u32,
}

/// One body of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) message: Message,
}

/// How far a session is with its queue, and the client's packet ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// All before this is finished.
    pub(super) cursor: u64,
    /// Runs of finished messages behind the cursor: first → one behind the last.
    pub(super) done: BTreeMap<u64, u64>,
    /// QoS 2 messages whose PUBREL is owed.
    pub(super) released: BTreeSet<u64>,
    /// The client's packet ids whose PUBREL has not come.
    pub(super) received: BTreeSet<u16>,
}

pub(super) fn write_session(session: &SessionRecord) -> Vec<u8> {
    let mut row = Writer::new();
    row.text(&session.client_id).fixed(&session.identifier.to_be_bytes()).number(session.version_number);
    row.text(&session.profile);
    write_principal(&session.principal, &mut row);
    row.number(session.expiry.seconds().into());
    match session.presence {
        Presence::Connected => {
            row.byte(0);
        }
        Presence::Absent { ends_at, will_at, unsent_from } => {
            row.byte(1).option(ends_at.map(Timestamp::millis)).option(will_at.map(Timestamp::millis));
            row.number(unsent_from);
        }
    }
    row.flag(session.will.is_some());
    if let Some(will) = &session.will {
        row.byte(will.qos as u8).flag(will.retain).number(millis(will.delay)).option(will.expiry.map(millis));
        write_message(&will.message, &mut row);
    }
    row.finish()
}

pub(super) fn read_session(tenant: Tenant, session: u64, row: &[u8]) -> Result<SessionRecord, RowError> {
    let mut row = Reader::new(row)?;
    let record = SessionRecord {
        tenant,
        session,
        client_id: row.shared_text()?,
        identifier: u128::from_be_bytes(row.fixed()?),
        version_number: row.number()?,
        profile: row.text()?.into(),
        principal: Arc::new(read_principal(&mut row)?),
        expiry: SessionExpiry::from_seconds(row.small()?),
        presence: match row.byte()? {
            0 => Presence::Connected,
            1 => Presence::Absent {
                ends_at: row.option()?.map(Timestamp::from_millis),
                will_at: row.option()?.map(Timestamp::from_millis),
                unsent_from: row.number()?,
            },
            _ => return Err(RowError::Corrupt("a presence")),
        },
        will: match row.flag()? {
            false => None,
            true => Some(WillRecord {
                qos: read_qos(&mut row)?,
                retain: row.flag()?,
                delay: Duration::from_millis(row.number()?),
                expiry: row.option()?.map(Duration::from_millis),
                message: read_message(&mut row)?,
            }),
        },
    };
    row.end()?;
    Ok(record)
}

fn write_principal(principal: &Principal, row: &mut Writer) {
    match principal {
        Principal::Certificate { tenant, certificate_id } => {
            row.byte(1).text(tenant.account.as_str()).text(tenant.region.as_str()).fixed(certificate_id.as_bytes());
        }
        Principal::Iam { account, arn, access_key_id } => {
            row.byte(2).text(account.as_str()).text(arn).text(access_key_id);
        }
        Principal::Anonymous => {
            row.byte(3);
        }
        Principal::System => {
            row.byte(4);
        }
        Principal::Custom { tenant, authorizer, principal_id } => {
            row.byte(5).text(tenant.account.as_str()).text(tenant.region.as_str()).text(authorizer).text(principal_id);
        }
    }
}

fn read_principal(row: &mut Reader<'_>) -> Result<Principal, RowError> {
    const CORRUPT: RowError = RowError::Corrupt("a principal");
    Ok(match row.byte()? {
        1 => Principal::Certificate {
            tenant: Tenant {
                account: row.text()?.parse().map_err(|_| CORRUPT)?,
                region: row.text()?.parse().map_err(|_| CORRUPT)?,
            },
            certificate_id: CertificateId::from_bytes(row.fixed()?),
        },
        2 => Principal::Iam {
            account: row.text()?.parse().map_err(|_| CORRUPT)?,
            arn: row.text()?.into(),
            access_key_id: row.text()?.into(),
        },
        3 => Principal::Anonymous,
        4 => Principal::System,
        5 => Principal::Custom {
            tenant: Tenant {
                account: row.text()?.parse().map_err(|_| CORRUPT)?,
                region: row.text()?.parse().map_err(|_| CORRUPT)?,
            },
            authorizer: row.text()?.into(),
            principal_id: row.text()?.into(),
        },
        _ => return Err(CORRUPT),
    })
}

/// The filter stands in the key.
pub(super) fn write_subscription(subscription: &SubscriptionRecord) -> Vec<u8> {
    let SubscriptionRecord { topic_filter: _, qos, no_local, retain_as_published, parent_level, identifier } =
        subscription;
    let mut row = Writer::new();
    row.byte(*qos as u8).flag(*no_local).flag(*retain_as_published).flag(*parent_level);
    row.option(identifier.map(|identifier| identifier.get().into()));
    row.finish()
}

pub(super) fn read_subscription(topic_filter: Arc<str>, row: &[u8]) -> Result<SubscriptionRecord, RowError> {
    let mut row = Reader::new(row)?;
    if topic_filter.is_empty() {
        return Err(RowError::Corrupt("a topic filter"));
    }
    let subscription = SubscriptionRecord {
        topic_filter,
        qos: read_qos(&mut row)?,
        no_local: row.flag()?,
        retain_as_published: row.flag()?,
        parent_level: row.flag()?,
        identifier: row.option()?.map(read_identifier).transpose()?,
    };
    row.end()?;
    Ok(subscription)
}

/// Beside the QoS of a retained message: when it was published follows. Since schema 3.
const AT_A_TIME: u8 = 4;

/// The topic name stands in the message, and in the key.
pub(super) fn write_retained(retained: &RetainedRecord) -> Vec<u8> {
    let RetainedRecord { qos, expires_at, publisher, retained_at, message } = retained;
    let mut row = Writer::new();
    row.byte(*qos as u8 | if retained_at.is_some() { AT_A_TIME } else { 0 });
    if let Some(at) = retained_at {
        row.number(at.millis());
    }
    row.option(expires_at.map(Timestamp::millis));
    row.flag(publisher.is_some()).text(publisher.as_deref().unwrap_or_default());
    write_message(message, &mut row);
    row.finish()
}

pub(super) fn read_retained(row: &[u8]) -> Result<RetainedRecord, RowError> {
    let mut row = Reader::new(row)?;
    let first = row.byte()?;
    let retained = RetainedRecord {
        qos: QoS::from_bits(first & !AT_A_TIME).ok_or(RowError::Corrupt("a QoS"))?,
        retained_at: if first & AT_A_TIME == 0 { None } else { Some(Timestamp::from_millis(row.number()?)) },
        expires_at: row.option()?.map(Timestamp::from_millis),
        publisher: {
            let (known, publisher) = (row.flag()?, row.shared_text()?);
            known.then_some(publisher)
        },
        message: read_message(&mut row)?,
    };
    row.end()?;
    Ok(retained)
}

/// Beside the flag of a retained message: the number of a group follows. Since schema 2.
const BY_A_GROUP: u8 = 2;

/// Writes a chunk reference by reference.
pub(super) fn write_reference(reference: &Reference, row: &mut Writer) {
    let Reference { sequence, qos, retain, identifiers, group, segment, index } = reference;
    row.number(*sequence).byte(*qos as u8).byte(u8::from(*retain) | if group.is_some() { BY_A_GROUP } else { 0 });
    if let Some(group) = group {
        row.fixed(&group.to_be_bytes());
    }
    row.number(identifiers.as_ref().map_or(0, |identifiers| identifiers.len() as u64));
    for identifier in identifiers.iter().flatten() {
        row.number(identifier.get().into());
    }
    row.number(*segment).number((*index).into());
}

pub(super) fn read_chunk(row: &[u8]) -> Result<Vec<Reference>, RowError> {
    let mut row = Reader::new(row)?;
    let mut chunk: Vec<Reference> = Vec::new();
    while row.end().is_err() {
        let (sequence, qos, flags) = (row.number()?, read_qos(&mut row)?, row.byte()?);
        if flags > BY_A_GROUP + 1 {
            return Err(RowError::Corrupt("flags of a message"));
        }
        let reference = Reference {
            sequence,
            qos,
            retain: flags & 1 == 1,
            group: match flags & BY_A_GROUP {
                0 => None,
                _ => Some(u64::from_be_bytes(row.fixed()?)),
            },
            identifiers: {
                let identifiers = row.list(|row| read_identifier(row.number()?))?;
                (!identifiers.is_empty()).then(|| identifiers.into())
            },
            segment: row.number()?,
            index: row.small()?,
        };
        let ascending = chunk.last().is_none_or(|last| last.sequence < reference.sequence);
        if !ascending || reference.qos == QoS::AtMostOnce || reference.sequence == 0 {
            return Err(RowError::Corrupt("an ascending sequence number"));
        }
        chunk.push(reference);
    }
    Ok(chunk)
}

/// One body of a segment; `None` stands for one that nobody refers to any more.
pub(super) fn write_body(body: Option<&Body>, row: &mut Writer) {
    match body {
        None => {
            row.bytes(&[]);
        }
        Some(Body { expires_at, message }) => {
            let mut bytes = Writer::new();
            bytes.option(expires_at.map(Timestamp::millis));
            write_message(message, &mut bytes);
            row.bytes(&bytes.finish());
        }
    }
}

/// The bodies of a segment, each as it stands there.
pub(super) fn split_segment(row: &[u8]) -> Result<Vec<&[u8]>, RowError> {
    let mut row = Reader::new(row)?;
    let mut bodies = Vec::new();
    while row.end().is_err() {
        bodies.push(row.bytes()?);
    }
    Ok(bodies)
}

pub(super) fn read_body(body: &[u8]) -> Result<Body, RowError> {
    let mut body = Reader::new(body)?;
    let expires_at = body.option()?.map(Timestamp::from_millis);
    let message = read_message(&mut body)?;
    body.end()?;
    Ok(Body { expires_at, message })
}

pub(super) fn write_progress(progress: &Progress) -> Vec<u8> {
    let Progress { cursor, done, released, received } = progress;
    let mut row = Writer::new();
    row.number(*cursor).number(done.len() as u64);
    for (first, behind) in done {
        row.number(*first).number(behind - first);
    }
    row.number(released.len() as u64);
    released.iter().for_each(|sequence| {
        row.number(*sequence);
    });
    row.number(received.len() as u64);
    received.iter().for_each(|packet_id| {
        row.number((*packet_id).into());
    });
    row.finish()
}

pub(super) fn read_progress(row: &[u8]) -> Result<Progress, RowError> {
    let mut row = Reader::new(row)?;
    let cursor = row.number()?;
    let run = |row: &mut Reader<'_>| {
        let first = row.number()?;
        let behind = first.checked_add(row.number()?).ok_or(RowError::Corrupt("a run"))?;
        Ok((first, behind))
    };
    let progress = Progress {
        cursor,
        done: row.list(run)?.into_iter().collect(),
        released: row.list(Reader::number)?.into_iter().collect(),
        received: row.list(|row| row.small::<NonZeroU16Number>())?.into_iter().map(|id| id.0).collect(),
    };
    row.end()?;
    Ok(progress)
}

/// A packet id, which is not zero.
struct NonZeroU16Number(u16);

impl TryFrom<u64> for NonZeroU16Number {
    type Error = std::num::TryFromIntError;
    fn try_from(number: u64) -> Result<Self, Self::Error> {
        NonZeroU16::try_from(u16::try_from(number)?).map(|id| Self(id.get()))
    }
}

/// What of a queued message stands in its reference.
pub(super) fn reference(queued: &QueuedRecord, segment: u64, index: u32) -> Reference {
    Reference {
        sequence: queued.sequence,
        qos: queued.qos,
        retain: queued.retain,
        identifiers: queued.identifiers.clone(),
        group: queued.group,
        segment,
        index,
    }
}

fn write_message(message: &Message, row: &mut Writer) {
    let mut stored = Vec::with_capacity(message.held_bytes() + 16);
    message.store(&mut stored);
    row.bytes(&stored);
}

fn read_message(row: &mut Reader<'_>) -> Result<Message, RowError> {
    Message::from_stored(row.bytes()?).ok_or(RowError::Corrupt("a message"))
}

fn read_qos(row: &mut Reader<'_>) -> Result<QoS, RowError> {
    QoS::from_bits(row.byte()?).ok_or(RowError::Corrupt("a QoS"))
}

fn read_identifier(number: u64) -> Result<NonZeroU32, RowError> {
    let small = u32::try_from(number).ok().and_then(NonZeroU32::new);
    small.ok_or(RowError::Corrupt("a subscription identifier"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
