//! Operations on an account's logging options.

use tidegate_ids::Tenant;
use tidegate_kv::{Transaction, commit_with};

use crate::{
    EventConfiguration, LogBook, LogLevel, LoggingOptions, LogsError, Target, TargetType, V1Options, V2Options,
    options::OPTIONS,
};

/// Targets with levels of their own in an account and region.
const TARGETS_MAX: usize = 1000;
/// Longest name of one, in bytes.
const TARGET_NAME_BYTES_MAX: usize = 512;
/// Types of events with levels of their own.
const EVENTS_MAX: usize = 100;
/// Longest role, in bytes.
const ROLE_BYTES_MAX: usize = 2048;

impl LogBook {
    /// AWS: API_SetLoggingOptions.
    ///
    /// # Errors
    /// When the role is too long to be one, or the store fails.
    pub async fn set_logging_options(&self, tenant: Tenant, v1: V1Options) -> Result<(), LogsError> {
        check_role(Some(&v1.role_arn))?;
        let v1 = &v1;
        self.change(tenant, |options| {
            options.v1 = Some(v1.clone());
            Ok(())
        })
        .await
    }

    /// AWS: API_GetLoggingOptions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logging_options(&self, tenant: Tenant) -> Result<Option<V1Options>, LogsError> {
        Ok(self.options(tenant).await?.v1)
    }

    /// AWS: API_SetV2LoggingOptions. What is `None` stays as it was; at first nothing is logged. Unverified: both.
    ///
    /// # Errors
    /// When something is too long or there is too much of it, or the store fails.
    pub async fn set_v2_logging_options(
        &self,
        tenant: Tenant,
        role_arn: Option<String>,
        default_level: Option<LogLevel>,
        disabled: Option<bool>,
        events: Option<Vec<EventConfiguration>>,
    ) -> Result<(), LogsError> {
        check_role(role_arn.as_deref())?;
        if events.as_ref().is_some_and(|events| events.len() > EVENTS_MAX) {
            return Err(LogsError::Invalid(format!("There are at most {EVENTS_MAX} event configurations")));
        }
        let (role_arn, events) = (&role_arn, &events);
        self.change(tenant, |options| {
            let v2 = options.v2.get_or_insert(V2Options {
                role_arn: None,
                default_level: LogLevel::Disabled,
                disabled: false,
                events: Vec::new(),
            });
            v2.role_arn = role_arn.clone().or(v2.role_arn.take());
            v2.default_level = default_level.unwrap_or(v2.default_level);
            v2.disabled = disabled.unwrap_or(v2.disabled);
            if let Some(events) = events {
                v2.events.clone_from(events);
            }
            Ok(())
        })
        .await
    }

    /// AWS: API_GetV2LoggingOptions.
    ///
    /// # Errors
    /// [`LogsError::NotConfigured`] before they were set, or when the store fails.
    pub async fn v2_logging_options(&self, tenant: Tenant) -> Result<V2Options, LogsError> {
        self.options(tenant).await?.v2.ok_or(LogsError::NotConfigured)
    }

    /// AWS: API_SetV2LoggingLevel.
    ///
    /// # Errors
    /// [`LogsError::NotConfigured`] before the options were set, when the target's name is missing, too much or too long, when there
    /// are too many targets, or the store fails.
    pub async fn set_v2_logging_level(&self, tenant: Tenant, target: Target) -> Result<(), LogsError> {
        let Target { kind, name, level } = &target;
        let named = name.as_deref().filter(|name| !name.is_empty());
        match (kind, named) {
            (TargetType::Default, Some(_)) => {
                return Err(LogsError::Invalid("A target of type DEFAULT has no name".into()));
            }
            (TargetType::Default, None) => {
                return self
                    .change(tenant, |options| {
                        options.v2.as_mut().ok_or(LogsError::NotConfigured)?.default_level = *level;
                        Ok(())
                    })
                    .await;
            }
            (_, None) => return Err(LogsError::Invalid("A target of this type needs a name".into())),
            (_, Some(name)) if name.len() > TARGET_NAME_BYTES_MAX => {
                return Err(LogsError::Invalid(format!("A target's name has at most {TARGET_NAME_BYTES_MAX} bytes")));
            }
            (_, Some(_)) => {}
        }
        self.change(tenant, |options| {
            options.v2.as_ref().ok_or(LogsError::NotConfigured)?;
            let count: usize = options.targets.values().map(|names| names.len()).sum();
            let names = options.targets.entry(*kind).or_default();
            let name = named.unwrap_or_default();
            if !names.contains_key(name) && count >= TARGETS_MAX {
                return Err(LogsError::LimitExceeded(format!("There are at most {TARGETS_MAX} targets")));
            }
            names.insert(name.to_owned(), *level);
            Ok(())
        })
        .await
    }

    /// AWS: API_DeleteV2LoggingLevel. Deleting what is not there is no error. Unverified.
    ///
    /// # Errors
    /// For DEFAULT, which always has a level, and when the store fails.
    pub async fn delete_v2_logging_level(&self, tenant: Tenant, kind: TargetType, name: &str) -> Result<(), LogsError> {
        if kind == TargetType::Default {
            return Err(LogsError::Invalid("The default level cannot be deleted: set it to DISABLED".into()));
        }
        self.change(tenant, |options| {
            if let Some(names) = options.targets.get_mut(&kind) {
                names.remove(name);
                if names.is_empty() {
                    options.targets.remove(&kind);
                }
            }
            Ok(())
        })
        .await
    }

    /// AWS: API_ListV2LoggingLevels: the default first, then by type and name.
    ///
    /// # Errors
    /// [`LogsError::NotConfigured`] before the options were set, and when the store fails.
    pub async fn v2_logging_levels(&self, tenant: Tenant, kind: Option<TargetType>) -> Result<Vec<Target>, LogsError> {
        let options = self.options(tenant).await?;
        let v2 = options.v2.ok_or(LogsError::NotConfigured)?;
        let default = Target { kind: TargetType::Default, name: None, level: v2.default_level };
        let named = options.targets.into_iter().flat_map(|(kind, names)| {
            names.into_iter().map(move |(name, level)| Target { kind, name: Some(name), level })
        });
        Ok(std::iter::once(default).chain(named).filter(|target| kind.is_none_or(|kind| kind == target.kind)).collect())
    }

    async fn options(&self, tenant: Tenant) -> Result<LoggingOptions, LogsError> {
        let row = OPTIONS.get(&self.store.snapshot().await?, &tenant).await?;
        Ok(row.map(|row| row.value).unwrap_or_default())
    }

    /// Changes an account's options, and shows them before it returns.
    async fn change(
        &self,
        tenant: Tenant,
        change: impl Fn(&mut LoggingOptions) -> Result<(), LogsError>,
    ) -> Result<(), LogsError> {
        let change = &change;
        commit_with(&*self.store, |snapshot| async move {
            let read = OPTIONS.get(&snapshot, &tenant).await?;
            let mut options = read.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            change(&mut options)?;
            let mut transaction = Transaction::new();
            OPTIONS.require_as_read(&mut transaction, &tenant, read.as_ref());
            OPTIONS.put(&mut transaction, &tenant, &options);
            Ok::<_, LogsError>((transaction, ()))
        })
        .await?;
        Ok(self.show(tenant).await?)
    }
}

fn check_role(role_arn: Option<&str>) -> Result<(), LogsError> {
    match role_arn {
        Some(role) if role.len() > ROLE_BYTES_MAX => {
            Err(LogsError::Invalid(format!("roleArn has at most {ROLE_BYTES_MAX} bytes")))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_kv::memory::MemoryStore;

    use super::*;
    use crate::Parts;

    #[tokio::test]
    async fn targets_are_set_listed_and_deleted() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let parts = Parts { store: Arc::new(MemoryStore::new()), groups: Box::new(()) };
        let (book, _batch) = LogBook::open(parts).await.unwrap();
        let target = |kind, name: Option<&str>, level| Target { kind, name: name.map(str::to_owned), level };
        let client = target(TargetType::ClientId, Some("c"), LogLevel::Debug);
        let not_configured = book.set_v2_logging_level(tenant, client.clone()).await;
        assert!(matches!(not_configured, Err(LogsError::NotConfigured)));
        assert!(matches!(book.v2_logging_levels(tenant, None).await, Err(LogsError::NotConfigured)));
        book.set_v2_logging_options(tenant, None, Some(LogLevel::Warn), None, None).await.unwrap();
        book.set_v2_logging_level(tenant, client.clone()).await.unwrap();
        book.set_v2_logging_level(tenant, target(TargetType::Default, None, LogLevel::Error)).await.unwrap();
        let default = target(TargetType::Default, None, LogLevel::Error);
        assert_eq!(book.v2_logging_levels(tenant, None).await.unwrap(), [default, client.clone()]);
        assert_eq!(book.v2_logging_levels(tenant, Some(TargetType::ClientId)).await.unwrap(), [client]);
        for wrong in [
            target(TargetType::Default, Some("x"), LogLevel::Info),
            target(TargetType::SourceIp, None, LogLevel::Info),
            target(TargetType::ThingGroup, Some(&"x".repeat(513)), LogLevel::Info),
        ] {
            assert!(matches!(book.set_v2_logging_level(tenant, wrong).await, Err(LogsError::Invalid(_))));
        }
        book.delete_v2_logging_level(tenant, TargetType::ClientId, "c").await.unwrap();
        assert_eq!(book.v2_logging_levels(tenant, None).await.unwrap().len(), 1);
        assert!(!book.wants(LogLevel::Debug));
    }
}
