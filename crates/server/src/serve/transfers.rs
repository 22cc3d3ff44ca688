//! The receiver of a certificate hears of it: by an event over MQTT, and by its webhook. An extension; AWS tells nobody.
//!
//! The event is sent once, to who is subscribed then. What a webhook is to say is a row that is written with the transfer itself and
//! deleted when the webhook has taken it: at least once, over restarts, until it is [`GIVEN_UP_AFTER`].

use std::{sync::Arc, time::Duration};

use tidegate_broker::{Broker, Effects, SystemPublish};
use tidegate_ids::{AccountId, Clock, Now};
use tidegate_mqtt::{MessageProperties, QoS};
use tidegate_outbound::{Limits, backoff::Backoff, signature};
use tidegate_registry::{
    Registry, RegistryChange, RegistryError, TransferNotice,
    events::transfer::{TransferEvent, json, topic},
};
use tokio::sync::Notify;

use super::chance;
use crate::config::Outgoing;

/// What one call may cost.
pub(crate) const LIMITS: Limits = Limits { time: Duration::from_secs(10), answer_bytes: 64 * 1024 };
/// A notice as old as this is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Between attempts while the other side fails.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
/// Notices that are read at once.
const PAGE: usize = 32;

/// Publishes each step to the receiver's clients.
pub(super) fn publish_events(registry: &Registry, broker: &Arc<Broker>, clock: &Arc<dyn Clock>) {
    let (broker, clock) = (Arc::clone(broker), Arc::clone(clock));
    registry.on_change(move |change| {
        let RegistryChange::Transfer { receiver, certificate_id, step, from, message } = change else { return };
        let Now { wall, .. } = clock.now();
        let (certificate_id, step) = (*certificate_id, *step);
        let message = message.as_deref();
        let event = TransferEvent { receiver: *receiver, certificate_id, step, from: *from, message, at: wall };
        let (topic_name, payload) = (topic(step, certificate_id), json(&event));
        let publish = SystemPublish {
            tenant: *receiver,
            topic_name: &topic_name,
            properties: MessageProperties::default(),
            payload: payload.as_bytes(),
            qos: QoS::AtLeastOnce,
            retain: false,
        };
        let mut effects = Effects::outside();
        broker.publish(&publish, clock.now(), &mut effects);
        broker.hand_over(&mut effects);
    });
}

/// Starts one task for each account with a webhook. They end with the process: what is not told yet is told by the next one.
pub(super) fn call_webhooks(registry: &Registry, webhooks: Vec<(AccountId, Outgoing)>, clock: &Arc<dyn Clock>) {
    for (account, outgoing) in webhooks {
        let news = Arc::new(Notify::new());
        let rings = Arc::clone(&news);
        registry.on_change(move |change| {
            if matches!(change, RegistryChange::Transfer { receiver, .. } if receiver.account == account) {
                rings.notify_one();
            }
        });
        let teller = Teller { account, outgoing, registry: registry.clone(), clock: Arc::clone(clock) };
        tokio::spawn(teller.run(news));
    }
}

/// Tells one account.
struct Teller {
    account: AccountId,
    outgoing: Outgoing,
    registry: Registry,
    clock: Arc<dyn Clock>,
}

/// What became of one attempt.
enum Outcome {
    /// It was told, or never will be.
    Done,
    /// Try again, after the others.
    Failed,
}

impl Teller {
    async fn run(self, news: Arc<Notify>) {
        let mut failures = 0;
        loop {
            match self.round(&mut failures).await {
                Ok(true) => {} // some failed, and waited for
                Ok(false) => news.notified().await,
                Err(error) => {
                    tracing::error!(%error, "transfer notices cannot be read or deleted; trying again in a minute");
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            }
        }
    }

    /// Tries each notice once; whether one is left. A notice that fails does not stop the others, but slows them down.
    async fn round(&self, failures: &mut u32) -> Result<bool, RegistryError> {
        let (mut left, mut after) = (false, None);
        loop {
            let page = self.registry.transfer_notices(self.account, after, PAGE).await?;
            for notice in &page {
                match self.tell(notice).await {
                    Outcome::Done => {
                        self.registry.forget_transfer_notice(notice).await?;
                        *failures = 0;
                    }
                    Outcome::Failed => {
                        left = true;
                        *failures = failures.saturating_add(1);
                        tokio::time::sleep(BACKOFF.wait(*failures, u32::from_le_bytes(chance::random()))).await;
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.place()),
                _ => return Ok(left),
            }
        }
    }

    async fn tell(&self, notice: &TransferNotice) -> Outcome {
        let TransferNotice { receiver, certificate_id, record, .. } = notice;
        let now = self.clock.now().wall;
        if now > record.at + GIVEN_UP_AFTER {
            self.log(notice, "given up after a day", false);
            return Outcome::Done;
        }
        let event = TransferEvent {
            receiver: *receiver,
            certificate_id: *certificate_id,
            step: record.step,
            from: record.from,
            message: record.message.as_deref(),
            at: record.at,
        };
        let body = json(&event);
        let signed = self.outgoing.secret.as_ref().map(|secret| signature::sign(secret, now, body.as_bytes()));
        let event_type = format!("certificates/{}", record.step.as_str());
        let mut headers = vec![("tidegate-event", &*event_type), ("tidegate-delivery", record.delivery_id.as_str())];
        headers.extend(signed.as_deref().map(|signed| (signature::HEADER, signed)));
        match self.outgoing.client.post(&self.outgoing.target, &headers, body).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                self.log(notice, "told", true);
                Outcome::Done
            }
            // The other side will not say anything else another time.
            Ok(answer) if (400..500).contains(&answer.status) && ![408, 425, 429].contains(&answer.status) => {
                self.log(notice, &format!("given up: the webhook answers {}", answer.status), false);
                Outcome::Done
            }
            Ok(answer) => {
                self.log(notice, &format!("to be tried again: the webhook answers {}", answer.status), false);
                Outcome::Failed
            }
            Err(error) => {
                self.log(notice, &format!("to be tried again: {}", error.with_causes()), false);
                Outcome::Failed
            }
        }
    }

    fn log(&self, notice: &TransferNotice, outcome: &str, good: bool) {
        let (account_id, certificate_id) = (self.account, notice.certificate_id);
        let delivery_id = notice.record.delivery_id.as_str();
        if good {
            tracing::info!(event_type = "TransferNotice", %account_id, %certificate_id, delivery_id, outcome);
        } else {
            tracing::warn!(event_type = "TransferNotice", %account_id, %certificate_id, delivery_id, outcome);
        }
    }
}
