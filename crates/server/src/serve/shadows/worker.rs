//! Carries out requests, and tells whoever is to hear of it.

use std::sync::Arc;

use tidegate_broker::{Broker, Effects, SystemPublish};
use tidegate_ids::{Clock, Tenant};
use tidegate_logs::LogBook;
use tidegate_mqtt::{MessageProperties, QoS};
use tidegate_registry::{Registry, RegistryError};
use tidegate_shadow::{Demand, Operation, Place, Rejection, Request, Update, wire};
use tokio::sync::mpsc;
use tracing::error;

use super::{
    Counting,
    entry::{Told, log},
    lane::Job,
};

/// What carries them out, before it does.
pub(crate) struct Workers(pub(super) Vec<mpsc::Receiver<Job>>, pub(super) Arc<Counting>);

impl Workers {
    /// Carries out what comes, until nobody can leave any more.
    pub(crate) fn start(self, registry: &Registry, broker: &Arc<Broker>, clock: &Arc<dyn Clock>, book: &Arc<LogBook>) {
        for mut lane in self.0 {
            let (broker, clock, book) = (Arc::clone(broker), Arc::clone(clock), Arc::clone(book));
            let worker = Worker { registry: registry.clone(), broker, clock, book, counting: Arc::clone(&self.1) };
            tokio::spawn(async move {
                while let Some(job) = lane.recv().await {
                    worker.carry_out(job).await;
                }
            });
        }
    }
}

/// Carries out the requests of one lane.
struct Worker {
    registry: Registry,
    broker: Arc<Broker>,
    clock: Arc<dyn Clock>,
    book: Arc<LogBook>,
    counting: Arc<Counting>,
}

/// What follows from a request that was carried out.
struct Served {
    accepted: Vec<u8>,
    /// Topics below the shadow's, and payloads.
    more: Vec<(&'static str, Vec<u8>)>,
}

impl Worker {
    async fn carry_out(&self, job: Job) {
        let Job { request, caller, _room, _turn } = job;
        let Request { tenant, place, operation, payload, .. } = request;
        let (client_token, outcome) = match operation {
            Operation::Get => self.get(tenant, &place, &payload).await,
            Operation::Update => self.update(tenant, &place, &payload).await,
            Operation::Delete => self.delete(tenant, &place, &payload).await,
        };
        let told = Told { tenant, place: &place, operation, http: caller.is_some() };
        log(&self.book, &told, outcome.as_ref().err(), self.clock.now().wall);
        let word = operation.word();
        let mut effects = Effects::outside();
        match &outcome {
            Ok(served) => {
                self.counting.note(operation);
                if caller.is_none() || operation != Operation::Get {
                    self.publish(tenant, &place.topic(&format!("{word}/accepted")), &served.accepted, &mut effects);
                }
                for (below, payload) in &served.more {
                    self.publish(tenant, &place.topic(below), payload, &mut effects);
                }
            }
            Err(rejection) if caller.is_none() => {
                let payload = wire::rejected(rejection, self.clock.now().wall, client_token.as_deref());
                self.publish(tenant, &place.topic(&format!("{word}/rejected")), &payload, &mut effects);
            }
            Err(_) => {}
        }
        self.broker.hand_over(&mut effects);
        if let Some(caller) = caller {
            // Whoever asked may have gone.
            let _ = caller.send(outcome.map(|served| served.accepted));
        }
    }

    async fn get(&self, tenant: Tenant, place: &Place, payload: &[u8]) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, demand) = Demand::read(payload);
        let outcome = async {
            demand?;
            let found = self.registry.get_thing_shadow(tenant, place).await.map_err(failed)?;
            let shadow = found.ok_or_else(|| Rejection::not_found(place))?;
            let accepted = wire::document(&shadow, self.clock.now().wall, client_token.as_deref());
            Ok(Served { accepted, more: Vec::new() })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    async fn update(
        &self,
        tenant: Tenant,
        place: &Place,
        payload: &[u8],
    ) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, update) = Update::read(payload);
        let token = client_token.as_deref();
        let outcome = async {
            let update = update?;
            let now = self.clock.now();
            let updated = self.registry.update_thing_shadow(tenant, place, &update, now).await.map_err(failed)??;
            let mut more = vec![("update/documents", wire::documents(updated.before.as_ref(), &updated.after, token))];
            more.extend(wire::delta(&updated.after, token).map(|delta| ("update/delta", delta)));
            Ok(Served { accepted: wire::accepted(&updated.after, &update, token), more })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    async fn delete(
        &self,
        tenant: Tenant,
        place: &Place,
        payload: &[u8],
    ) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, demand) = Demand::read(payload);
        let outcome = async {
            let version = demand?.version;
            let now = self.clock.now();
            let deleted = self.registry.delete_thing_shadow(tenant, place, version, now).await.map_err(failed)??;
            Ok(Served { accepted: wire::deleted(&deleted, client_token.as_deref()), more: Vec::new() })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    fn publish(&self, tenant: Tenant, topic_name: &str, payload: &[u8], effects: &mut Effects) {
        let publish = SystemPublish {
            tenant,
            topic_name,
            properties: MessageProperties::default(),
            payload,
            qos: QoS::AtLeastOnce,
            retain: false,
        };
        self.broker.publish(&publish, self.clock.now(), effects);
    }
}

/// The registry could not: the cause is logged, never sent.
fn failed(error: RegistryError) -> Rejection {
    if error.is_full() {
        // The store logs it, once a minute.
        return Rejection::new(503, "The server's disk is nearly full: nothing can be changed until it has room");
    }
    error!(event_type = "Shadow", error = &error as &dyn std::error::Error, "a shadow could not be served");
    Rejection::internal()
}
