//! A message becomes its topic's retained one, or takes it away.

use std::sync::Arc;

use tidegate_ids::{Monotonic, Now, Tenant};

use crate::{
    Broker, Effects, Record, RetainedRecord,
    message::Stamped,
    retained::Told,
    session::{Session, expires_at},
    tenant::TenantState,
};

impl Broker {
    /// Retain `message`, or delete what is retained when its payload is empty; whether a record of it is logged.
    ///
    /// Spec: 3.3.1.3, [MQTT-3.3.1-5] to [MQTT-3.3.1-7] (5.0).
    pub(super) fn retain(
        &self,
        tenant: &TenantState,
        message: &Stamped,
        from: Option<&Arc<Session>>,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let publisher = from.map(|from| from.client_id().clone());
        let topic_name = message.message.topic_name();
        // What a broker says of itself is true while it runs, and said again and again.
        let records = self.records().filter(|_| !topic_name.starts_with("$SYS/"));
        // Told while nothing else can change, so that the log has the order of the changes.
        let told = |told: Told<'_>| match told {
            Told::Deleted(topic_name) => self.log_retained_deleted(tenant.tenant, topic_name),
            Told::Set => {
                if let Some(records) = records {
                    let retained = RetainedRecord {
                        qos: message.qos,
                        expires_at: expires_at(message, now),
                        publisher: publisher.clone(),
                        retained_at: Some(now.wall),
                        message: message.message.clone(),
                    };
                    records.push(Record::Retained { tenant: tenant.tenant, retained });
                }
            }
        };
        if message.message.payload().is_empty() {
            tenant.retained.delete(topic_name, told);
        } else {
            tenant.retained.set(message.clone(), publisher.clone(), now, told);
        }
        effects.token.logged |= records.is_some();
        records.is_some()
    }

    fn log_retained_deleted(&self, tenant: Tenant, topic_name: &str) {
        if let Some(records) = self.records() {
            records.push(Record::RetainedDeleted { tenant, topic_name: topic_name.into() });
        }
    }

    /// Forget some of the retained messages that have expired; whether there are more. O(tenants).
    pub(crate) fn sweep_retained(&self, now: Monotonic) -> bool {
        let mut more = false;
        for tenant in self.all_tenants() {
            more |= tenant.retained.sweep(now, |told| match told {
                Told::Deleted(topic_name) => self.log_retained_deleted(tenant.tenant, topic_name),
                Told::Set => unreachable!("a sweep retains nothing"),
            });
        }
        more
    }
}
