//! What the log says of a request to a shadow.

use tidegate_ids::{Tenant, Timestamp};
use tidegate_logs::{Entry, LogBook, LogLevel, Status};
use tidegate_shadow::{Operation, Place, Rejection};

/// What an entry is about.
pub(super) struct Told<'a> {
    pub(super) tenant: Tenant,
    pub(super) place: &'a Place,
    pub(super) operation: Operation,
    pub(super) http: bool,
}

impl Told<'_> {
    /// AWS: entries `GetThingShadow`, `UpdateThingShadow`, `DeleteThingShadow`.
    pub(super) fn entry(&self, rejection: Option<&Rejection>, at: Timestamp) -> Entry {
        let event_type = match self.operation {
            Operation::Get => "GetThingShadow",
            Operation::Update => "UpdateThingShadow",
            Operation::Delete => "DeleteThingShadow",
        };
        let status = if rejection.is_none() { Status::Success } else { Status::Failure };
        let mut entry = Entry::new(event_type, status, 0, at).of(Some(self.tenant));
        entry.protocol = Some(if self.http { "HTTP" } else { "MQTT" });
        entry
            .with("deviceShadowName", self.place.shadow.as_ref().map(ToString::to_string))
            .with("topicName", Some(self.place.topic(self.operation.word())))
            .with("code", rejection.map(|rejection| rejection.code))
            .with("details", rejection.map(|rejection| rejection.message.clone()))
    }
}

/// Writes the entry of a request that was carried out.
pub(super) fn log(book: &LogBook, told: &Told<'_>, rejection: Option<&Rejection>, at: Timestamp) {
    if rejection.is_none() && !book.wants(LogLevel::Info) {
        return;
    }
    let entry = told.entry(rejection, at);
    book.write(&entry, None);
    if rejection.is_some() {
        line(&entry);
    }
}

/// The entry of a rejection as a line of the process's own log.
pub(super) fn line(entry: &Entry) {
    tracing::info!(
        target: "tidegate::connections",
        eventType = entry.event_type,
        status = entry.status_text(),
        accountId = entry.tenant.as_ref().map(|tenant| tenant.account.as_str()),
        protocol = entry.protocol,
        deviceShadowName = entry.text("deviceShadowName"),
        topicName = entry.text("topicName"),
        code = entry.number("code"),
        reason = entry.text("reason"),
        quota = entry.text("quota"),
        times = entry.number("times"),
        details = entry.text("details"),
        "a request to a shadow was rejected"
    );
}
