//! The devices' edge: cores, broker, journal and listeners.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use tidegate_broker::{Alone, Broker};
use tidegate_gateway::{
    Cores, CustomAuthentication, Gateway, GatewayConfig, GatewayParts, Journal, ListenerConfig, Refusals, SignedIn,
    SysTopics, TlsSettings, Transport,
};
use tidegate_ids::{Clock, Tenant};
use tidegate_logs::LogBook;
use tidegate_policy::{AttachedPolicy, Document, PolicySet};
use tidegate_registry::Registry;
use tidegate_standalone::StandaloneStore;
use tidegate_tls::ServerNames;

use super::{first_start::FirstAccount, functions::LocalFunctions, journal, sessions, shadows::ShadowService};
use crate::{
    config::{self, Config},
    memory,
};

/// Descriptors kept for the store, the API and peers; the rest are for devices. Decision 0003.
const DESCRIPTORS_KEPT: u64 = 256;

/// Cores, broker, listeners; and live effects of the registry's changes on sessions.
pub(super) async fn start(
    config: &Config,
    account: &FirstAccount,
    registry: &Registry,
    names: &Arc<ServerNames>,
    clock: &Arc<dyn Clock>,
    store: &Arc<StandaloneStore>,
    (shadows, book, functions): (&Arc<ShadowService>, &Arc<LogBook>, &Arc<LocalFunctions>),
) -> Result<(Arc<Broker>, Gateway, Option<Journal>)> {
    let machine = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u16);
    let cores = Cores::new(if config.mqtt.cores == 0 { machine } else { config.mqtt.cores })?;
    let settings = tidegate_broker::Settings {
        cores: cores.count(),
        persist: config.mqtt.persistence,
        memory_bytes_max: memory::limit().map_or(usize::MAX, |limit| limit / 2),
        ..Default::default()
    };
    let broker = Broker::new(settings, cores.wake(), Arc::new(Alone)).with_services(Arc::clone(shadows) as _);
    let broker = Arc::new(broker);
    let signed_in = Arc::new(SignedIn::default());
    sessions::end_on_change(registry, &broker, &signed_in, clock);
    tokio::spawn(sessions::end_expired(
        registry.clone(),
        Arc::clone(&broker),
        Arc::clone(&signed_in),
        Arc::clone(clock),
    ));
    let journal = journal::open(config, store, &broker, clock).await?;
    let tenant = Tenant { account: account.id, region: config.first_start.region };
    let first = config::Listener {
        name: "devices".into(),
        address: config.mqtt.address,
        port: config.mqtt.port,
        transport: config::Transport::Tls,
        profile: config.mqtt.profile,
        websocket: config.mqtt.websocket,
        https: config.mqtt.https,
        anonymous_policy: None,
        policy: None,
        insecure: false,
    };
    let listeners = std::iter::once(&first).chain(&config.mqtt.listener).map(|l| listener(l, tenant)).collect();
    let interval = Duration::from_secs(config.mqtt.sys_interval_s.into());
    let gateway_config = GatewayConfig {
        listeners,
        connections_max: descriptors_for_devices(),
        sys: (!interval.is_zero()).then_some(SysTopics { tenant, interval }),
        ..GatewayConfig::default()
    };
    let parts = GatewayParts {
        broker: broker.clone(),
        registry: registry.clone(),
        clock: Arc::clone(clock),
        book: Arc::clone(book),
        signed_in: Arc::clone(&signed_in),
        server_names: Arc::clone(names),
        journal: journal.as_ref().map(Journal::tray),
        shadows: Some(Arc::clone(shadows) as _),
        custom_authentication: (!functions.is_empty()).then(|| CustomAuthentication {
            functions: Arc::clone(functions) as _,
            bounds: config.authorizers.bounds(),
            tenant,
        }),
    };
    Ok((broker, Gateway::start(gateway_config, cores, parts)?, journal))
}

fn listener(listener: &config::Listener, tenant: Tenant) -> ListenerConfig {
    use config::{Profile, Transport as Below};
    let (tls, refusals) = match listener.profile {
        Profile::Standard => (TlsSettings::standard(), Refusals::Explained),
        Profile::Aws => (TlsSettings::aws(), Refusals::Silent),
    };
    ListenerConfig {
        name: listener.name.as_str().into(),
        address: SocketAddr::new(listener.address, listener.port),
        transport: match listener.transport {
            Below::Tls => Transport::Tls(tls),
            Below::Plain => Transport::Plain {
                tenant,
                policies: listener.policy.clone().map(|document| anonymous(tenant, document)),
            },
        },
        websocket: listener.websocket,
        https: listener.https,
        profile: Arc::new(profile(listener.profile)),
        refusals,
    }
}

/// What a profile lets clients do.
pub(super) fn profile(profile: config::Profile) -> tidegate_broker::Profile {
    match profile {
        config::Profile::Standard => tidegate_broker::Profile::standard(),
        config::Profile::Aws => tidegate_broker::Profile::aws(),
    }
}

/// The policy of a listener's anonymous clients, compiled.
fn anonymous(tenant: Tenant, document: Arc<Document>) -> PolicySet {
    let name = "anonymous_policy".parse().expect("a policy name");
    PolicySet::compile(tenant, [AttachedPolicy { name, version: 1, document }])
}

/// Raises the limit of open files as far as the system lets us; what is left for devices.
fn descriptors_for_devices() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        1024
    });
    limit.saturating_sub(DESCRIPTORS_KEPT).max(64).try_into().unwrap_or(usize::MAX)
}
