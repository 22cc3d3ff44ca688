//! All accounts' levels, in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use tidegate_ids::Tenant;

use crate::{LogLevel, LoggingOptions, TargetType};

/// Whom an entry is about, as far as levels go by it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The client.
    pub client_id: Option<&'a str>,
    /// Its address.
    pub source_ip: Option<&'a str>,
    /// Its certificate.
    pub principal_id: Option<&'a str>,
}

/// Levels of all accounts that have any. Reading takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    accounts: ArcSwap<HashMap<Tenant, Arc<LoggingOptions>>>,
    /// The most that anybody wants.
    most: AtomicU8,
}

impl Levels {
    /// The most that any account wants to have of anything: one load.
    pub(crate) fn most(&self) -> LogLevel {
        LogLevel::from_number(self.most.load(Relaxed))
    }

    pub(crate) fn of(&self, tenant: Tenant) -> Option<Arc<LoggingOptions>> {
        self.accounts.load().get(&tenant).cloned()
    }

    pub(crate) fn has(&self, tenant: Tenant) -> bool {
        self.accounts.load().contains_key(&tenant)
    }

    /// Takes note of an account's options. One caller at a time.
    pub(crate) fn set(&self, tenant: Tenant, options: Option<LoggingOptions>) {
        let mut accounts = HashMap::clone(&self.accounts.load());
        match options {
            Some(options) => accounts.insert(tenant, Arc::new(options)),
            None => accounts.remove(&tenant),
        };
        self.replace(accounts);
    }

    pub(crate) fn replace(&self, accounts: HashMap<Tenant, Arc<LoggingOptions>>) {
        let most = accounts.values().map(|options| options.most()).min().unwrap_or_default();
        self.accounts.store(Arc::new(accounts));
        self.most.store(most as u8, Relaxed);
    }
}

impl LoggingOptions {
    /// The most that is wanted of anybody.
    fn most(&self) -> LogLevel {
        let v1 = self.v1.as_ref().map(|v1| v1.level);
        let v2 = self.v2.as_ref().filter(|v2| !v2.disabled);
        let events = v2.into_iter().flat_map(|v2| v2.events.iter().filter_map(|event| event.level));
        let targets = v2.into_iter().flat_map(|_| self.targets.values().flat_map(BTreeMap::values).copied());
        let all = v1.into_iter().chain(v2.map(|v2| v2.default_level)).chain(events).chain(targets);
        all.min().unwrap_or_default()
    }

    /// How much the group `AWSIotLogs` wants.
    pub(crate) fn v1_level(&self) -> LogLevel {
        self.v1.as_ref().map_or(LogLevel::Disabled, |v1| v1.level)
    }

    /// How much the group `AWSIotLogsV2` wants of `event_type` for `subject`: what is said for that type of event; else
    /// the most of what is said for the targets that name the client; else the default. `is_in` says whether the
    /// client's thing is in a group.
    ///
    /// AWS: developer guide, "Configure AWS IoT logging". Unverified: which of several levels wins.
    pub(crate) fn v2_level(&self, event_type: &str, subject: &Subject<'_>, is_in: impl Fn(&str) -> bool) -> LogLevel {
        let Some(v2) = self.v2.as_ref().filter(|v2| !v2.disabled) else { return LogLevel::Disabled };
        if let Some(level) = v2.events.iter().find(|event| event.event_type == event_type).and_then(|event| event.level)
        {
            return level;
        }
        let named = |kind, name: Option<&str>| self.targets.get(&kind)?.get(name?).copied();
        let mut found: Vec<LogLevel> = [
            named(TargetType::ClientId, subject.client_id),
            named(TargetType::SourceIp, subject.source_ip),
            named(TargetType::PrincipalId, subject.principal_id),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some(targets) = self.targets.get(&TargetType::ThingGroup) {
            found.extend(targets.iter().filter(|(group, _)| is_in(group)).map(|(_, level)| *level));
        }
        found.into_iter().min().unwrap_or(v2.default_level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventConfiguration, V1Options, V2Options, options};

    fn options(disabled: bool) -> LoggingOptions {
        let event = |event_type: &str, level| EventConfiguration {
            event_type: event_type.into(),
            level: Some(level),
            destination: None,
        };
        let one = |kind, name: &str, level| (kind, BTreeMap::from([(name.to_owned(), level)]));
        options::LoggingOptions {
            v1: None,
            v2: Some(V2Options {
                role_arn: None,
                default_level: LogLevel::Error,
                disabled,
                events: vec![event("Ping", LogLevel::Debug)],
            }),
            targets: BTreeMap::from([
                one(TargetType::ClientId, "c", LogLevel::Info),
                one(TargetType::SourceIp, "10.0.0.1", LogLevel::Disabled),
                one(TargetType::PrincipalId, "p", LogLevel::Debug),
                one(TargetType::ThingGroup, "g", LogLevel::Warn),
            ]),
        }
    }

    #[test]
    fn the_event_decides_then_the_targets_then_the_default() {
        let who = |client_id, source_ip, principal_id| Subject { client_id, source_ip, principal_id };
        for (event, subject, groups, expected) in [
            ("Connect", who(Some("x"), Some("10.0.0.2"), Some("q")), vec![], LogLevel::Error),
            ("Connect", who(Some("c"), None, None), vec![], LogLevel::Info),
            ("Connect", who(None, Some("10.0.0.1"), None), vec![], LogLevel::Disabled),
            ("Connect", who(Some("c"), Some("10.0.0.1"), Some("p")), vec![], LogLevel::Debug),
            ("Connect", who(Some("x"), None, None), vec!["f", "g"], LogLevel::Warn),
            ("Ping", who(Some("c"), None, None), vec![], LogLevel::Debug),
        ] {
            let is_in = |group: &str| groups.contains(&group);
            let found = options(false).v2_level(event, &subject, is_in);
            assert_eq!(found, expected, "{event} {subject:?} {groups:?}");
            assert_eq!(options(true).v2_level(event, &subject, is_in), LogLevel::Disabled);
        }
    }

    #[test]
    fn the_most_that_anybody_wants_is_known() {
        let tenant = |account: &str| Tenant { account: account.parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let levels = Levels::default();
        assert_eq!(levels.most(), LogLevel::Disabled);
        levels.set(tenant("111111111111"), Some(options(false)));
        assert_eq!(levels.most(), LogLevel::Debug);
        levels.set(tenant("111111111111"), Some(options(true)));
        assert_eq!(levels.most(), LogLevel::Disabled);
        let v1 = V1Options { role_arn: String::new(), level: LogLevel::Warn };
        levels.set(tenant("222222222222"), Some(LoggingOptions { v1: Some(v1), ..Default::default() }));
        assert_eq!(levels.most(), LogLevel::Warn);
        levels.set(tenant("222222222222"), None);
        assert_eq!(levels.most(), LogLevel::Disabled);
    }
}
