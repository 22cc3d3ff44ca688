//! `tidegate serve`: every part of the running broker is built, wired and stopped here.
//!
//! ```text
//! data directory ─▶ store ─▶ registry ─▶ first account, server certificate
//!                                │ changes            │
//!                   broker ◀─────┴─ kicks      names ─┴─▶ gateway (devices), api (operators), admin socket
//! ```

mod admin_requests;
mod chance;
mod faults;
mod first_start;
mod functions;
mod journal;
mod key_uses;
mod logs;
mod metrics;
mod propagation;
mod registry_events;
mod screen;
mod server_certificate;
mod shadows;
mod signals;
mod transfers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use tidegate_api::{Api, DataPlane, Listener as ApiListener, Serving, serve as serve_api};
use tidegate_broker::{Alone, Broker, CloseReason, Effects, Principal, Selector};
use tidegate_gateway::{
    Cores, CustomAuthentication, Gateway, GatewayConfig, GatewayParts, Journal, ListenerConfig, Refusals, SignedIn,
    SysTopics, TlsSettings, Transport,
};
use tidegate_ids::{Clock, Tenant, Timestamp};
use tidegate_kv::Store;
use tidegate_logs::{LogBook, NotingStore, Trail};
use tidegate_pki::seal::MasterKey;
use tidegate_policy::{AttachedPolicy, Document, PolicySet};
use tidegate_registry::{Parts, Registry, RegistryChange};
use tidegate_standalone::{Options, StandaloneStore};
use tidegate_tls::ServerNames;

use crate::{
    admin::AdminSocket,
    cli::Serve,
    clock::SystemClock,
    config::{self, Config},
    data_dir::DataDir,
    env_file::EnvFile,
    logging, memory,
};
use first_start::FirstAccount;
use functions::LocalFunctions;
use metrics::{Metrics, Sources};
use screen::Endpoint;

/// From the first signal to the end, at most; connections that are slower are cut.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// Within that, how long requests to the API may still take.
const API_GRACE: Duration = Duration::from_secs(2);
/// Between two looks at what was signed with temporary credentials, at least and at most.
const EXPIRY_PAUSE_MIN: Duration = Duration::from_millis(20);
const EXPIRY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// Descriptors kept for the store, the API and peers; the rest are for devices. Decision 0003.
const DESCRIPTORS_KEPT: u64 = 256;

/// The schema of the store that this program reads and writes; a change needs a migration in `open_registry`.
const SCHEMA: u32 = 1;

/// Runs until a signal; an error says what to do about it.
pub(crate) async fn run(options: Serve) -> Result<()> {
    let mut config = Config::load(options.config.as_deref(), std::env::vars())?;
    if let Some(data) = &options.data {
        config.data.clone_from(data);
    }
    logging::install(&config.log).map_err(anyhow::Error::msg)?;
    let webhooks = config.transfers.open(options.config.as_deref(), transfers::LIMITS)?;
    let data = DataDir::open(&config.data)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let functions = functions::open(&config, options.config.as_deref(), &clock)?;
    let mut signals = signals::Signals::listen()?;

    let metrics = config.metrics.port.map(|port| SocketAddr::new(config.metrics.address, port));
    let metrics = Metrics::listen(metrics).await.context("cannot listen on metrics.address and metrics.port")?;
    let (store, registry) = open_registry(&data, &config, &clock).await?;
    let random = u64::from_le_bytes(chance::random());
    let account = first_start::ensure(&registry, &config.first_start, data.initialized()?, random, clock.now()).await?;
    data.mark_initialized(account.id)?;
    let host_names = host_names(&config);
    let certificate = server_certificate::ensure(&registry, &host_names, clock.now()).await?;
    let renewed = server_certificate::renew_domains(&registry, clock.now()).await;
    let home = Tenant { account: account.id, region: config.first_start.region };
    let brought = server_certificate::Brought::new(config.certificate.clone(), options.config.clone(), home)?;
    let kept = brought.take(&registry, clock.now()).await? && renewed;
    data.write("ca.pem", registry.server_ca_pem().as_bytes(), 0o644)?;
    let names = Arc::new(ServerNames::new(server_certificate::table(&certificate)?));

    data.remove(&data.env_file()); // of an earlier run: whoever waits for it waits for this one
    let (book, trail, keeper) = logs::open(&config.logs, &store, &registry, &clock).await?;
    let (shadows, workers) = shadows::new(&clock, &book);
    let (broker, gateway, mut journal) =
        start_gateway(&config, &account, &registry, &names, &clock, &store, (&shadows, &book, &functions)).await?;
    workers.start(&registry, &broker, &clock, &book);
    registry_events::publish(&registry, &broker, &clock);
    if config.transfers.events {
        transfers::publish_events(&registry, &broker, &clock);
    }
    transfers::call_webhooks(&registry, webhooks, &clock);
    let profile = Arc::new(profile(config.mqtt.profile));
    let plane = DataPlane { broker: Arc::clone(&broker), profile, shadows: Arc::clone(&shadows) as _ };
    let shared = (plane, &book, Arc::clone(&trail), functions);
    let api = start_api(&config, &host_names, &registry, &names, &clock, &store, shared).await?;
    let admin = AdminSocket::bind(&data.admin_socket())
        .with_context(|| format!("cannot listen on {}", data.admin_socket().display()))?;
    metrics.ready(Sources {
        broker: Arc::clone(&broker),
        registry: registry.clone(),
        book: Arc::clone(&book),
        store: Arc::clone(&store),
        shadows,
    });
    let answerer = admin_requests::Answerer {
        registry: registry.clone(),
        broker,
        clock: clock.clone(),
        book,
        trail,
        store: Arc::clone(&store),
        home,
    };
    tokio::spawn(admin.serve(move |request, peer| answerer.clone().answer(request, peer)));
    tokio::spawn(server_certificate::keep(registry.clone(), host_names.clone(), names, brought, clock.clone(), kept));
    tokio::spawn(key_uses::keep(registry.clone()));
    let follow = registry.clone();
    let followed = tokio::spawn(async move { follow.run_directory().await });
    let carried = propagation::carry(registry.clone(), Arc::clone(&clock));

    announce(&config, &options, &data, &account, &host_names, &gateway, (&api, &metrics))?;
    let outcome = tokio::select! {
        () = signals.first() => Ok(()),
        error = journal::failed(&mut journal) => Err(anyhow::Error::new(error).context("messages cannot be made durable")),
        error = carried => Err(anyhow::Error::new(error).context("the store's changes cannot be followed")),
        ended = followed => Err(match ended {
            Ok(Ok(())) => anyhow::anyhow!("the store closed by itself"),
            Ok(Err(error)) => anyhow::Error::new(error).context("the store's changes cannot be followed"),
            Err(panic) => anyhow::Error::new(panic).context("following the store's changes ended"),
        }),
    };
    metrics.stopping();
    signals.exit_at_the_second();
    stop(gateway, api).await;
    journal::stop(journal).await;
    keeper.stop().await;
    key_uses::keep_once(&registry).await;
    data.remove(&data.admin_socket());
    drop(store);
    outcome
}

/// The store, and the registry over it.
async fn open_registry(
    data: &DataDir,
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<StandaloneStore>, Registry)> {
    let path = data.store();
    let store_is_new = !path.exists();
    let master_key = data.master_key(store_is_new, chance::random)?;
    let opened = tokio::task::spawn_blocking(move || StandaloneStore::open(faults::disk(Options::new(path)))).await?;
    let store = Arc::new(opened.with_context(|| format!("cannot open the store in {}", data.path().display()))?);
    tidegate_kv::schema::open(&*store, SCHEMA, &[]).await.context("cannot use the store")?;
    let registry = Registry::open(
        Parts {
            store: NotingStore::over(faults::store(Arc::clone(&store) as Arc<dyn Store>)),
            master_key: MasterKey::from_bytes(&master_key),
            chance: Box::new(chance::SystemChance),
            settings: tidegate_registry::Settings {
                endpoint_domain: endpoint_domain(config),
                host_names: host_names(config),
                transfer_notices_for: config.transfers.webhook.iter().map(|webhook| webhook.account_id).collect(),
                propagation_delay: config.propagation_delay(),
            },
            faults: faults::points(),
        },
        clock.now(),
    )
    .await
    .context("cannot read what is stored")?;
    Ok((store, registry))
}

fn endpoint_domain(config: &Config) -> Option<String> {
    Some(config.mqtt.endpoint_domain.clone()).filter(|domain| !domain.is_empty())
}

/// The names of the server certificate, the one that clients are told first. With an endpoint domain, all accounts'
/// endpoints in the first region are among them.
fn host_names(config: &Config) -> Vec<String> {
    let configured = &config.server.host_names;
    let mut names = if configured.is_empty() { server_certificate::default_host_names() } else { configured.clone() };
    names.extend(endpoint_domain(config).map(|domain| format!("*.iot.{}.{domain}", config.first_start.region)));
    names
}

/// Cores, broker, listeners; and live effects of the registry's changes on sessions.
async fn start_gateway(
    config: &Config,
    account: &FirstAccount,
    registry: &Registry,
    names: &Arc<ServerNames>,
    clock: &Arc<dyn Clock>,
    store: &Arc<StandaloneStore>,
    (shadows, book, functions): (&Arc<shadows::ShadowService>, &Arc<LogBook>, &Arc<LocalFunctions>),
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
    end_sessions_on_change(registry, &broker, &signed_in, clock);
    tokio::spawn(end_expired_sessions(
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

fn profile(profile: config::Profile) -> tidegate_broker::Profile {
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

/// A certificate that may no longer connect loses the sessions it has, and so does an access key.
fn end_sessions_on_change(
    registry: &Registry,
    broker: &Arc<Broker>,
    signed_in: &Arc<SignedIn>,
    clock: &Arc<dyn Clock>,
) {
    let (broker, clock, signed_in) = (Arc::clone(broker), Arc::clone(clock), Arc::clone(signed_in));
    let directory = Arc::clone(registry.propagated());
    registry.on_propagated(move |change| {
        if let RegistryChange::Credentials { account } = change {
            signed_in.end(Some(*account), &directory, &broker, clock.now());
        }
        let Some((tenant, certificate_id)) = change.ends_sessions_of() else { return };
        let principal = Principal::Certificate { tenant, certificate_id };
        let mut effects = Effects::outside();
        broker.kick(
            &Selector::Principal { tenant, principal },
            CloseReason::PrincipalRefused,
            clock.now(),
            &mut effects,
        );
        broker.hand_over(&mut effects);
    });
}

/// Connections that were signed with temporary credentials end with them.
async fn end_expired_sessions(
    registry: Registry,
    broker: Arc<Broker>,
    signed_in: Arc<SignedIn>,
    clock: Arc<dyn Clock>,
) {
    loop {
        let now = clock.now();
        signed_in.end(None, registry.propagated(), &broker, now);
        // Looked at again now and then, for a clock that was set.
        let until = |end: Timestamp| Duration::from_millis(end.millis().saturating_sub(now.wall.millis()));
        let wait = signed_in.next_expiry().map_or(EXPIRY_PAUSE_MAX, until).clamp(EXPIRY_PAUSE_MIN, EXPIRY_PAUSE_MAX);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = signed_in.changed() => {}
        }
    }
}

/// Raises the limit of open files as far as the system lets us; what is left for devices.
fn descriptors_for_devices() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        1024
    });
    limit.saturating_sub(DESCRIPTORS_KEPT).max(64).try_into().unwrap_or(usize::MAX)
}

async fn start_api(
    config: &Config,
    host_names: &[String],
    registry: &Registry,
    names: &Arc<ServerNames>,
    clock: &Arc<dyn Clock>,
    store: &Arc<StandaloneStore>,
    (data, book, trail, functions): (DataPlane, &Arc<LogBook>, Arc<Trail>, Arc<LocalFunctions>),
) -> Result<Serving> {
    let tls = rustls::ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(names) as _);
    let mut listeners =
        vec![ApiListener::Https { address: SocketAddr::new(config.api.address, config.api.port), tls: Arc::new(tls) }];
    if let Some(port) = config.api.plain_port {
        listeners.push(ApiListener::Http { address: (Ipv4Addr::LOCALHOST, port).into() });
    }
    let settings = tidegate_api::Settings { host_name: host_names[0].clone() };
    let store = Arc::clone(store);
    let api = Api::new(registry.clone(), Arc::clone(clock), settings).with_data_plane(data).with_book(Arc::clone(book));
    let api = api.with_functions(functions, config.authorizers.bounds());
    let api = api.with_trail(trail).with_readiness(move || {
        let stuck = store.committing_for();
        if stuck < metrics::COMMIT_MAX { Ok(()) } else { Err(format!("a commit has taken {} s", stuck.as_secs())) }
    });
    Ok(serve_api(Arc::new(api), listeners).await?)
}

/// Says that it listens: to people, to shells, to systemd.
fn announce(
    config: &Config,
    options: &Serve,
    data: &DataDir,
    account: &FirstAccount,
    host_names: &[String],
    gateway: &Gateway,
    (api, metrics): (&Serving, &Metrics),
) -> Result<()> {
    let host = host_names[0].as_str();
    let api_url = format!("https://{}:{}", bracketed(host), api.addresses()[0].port());
    let devices = gateway.local_addresses();
    let api_plain_port = api.addresses().get(1).map(SocketAddr::port);
    let metrics_url = metrics.address.map(|address| format!("http://{address}"));
    if !options.no_env_file {
        if account.key.is_none() {
            tracing::warn!(
                "the first account's key was deleted: tidegate.env has none; `tidegate key create` makes one"
            );
        }
        EnvFile {
            pid: std::process::id(),
            account_id: account.id.to_string(),
            api_url: api_url.clone(),
            mqtt_host: host.to_owned(),
            mqtt_port: devices[0].address.port(),
            ca_file: path_text(&data.ca_file()),
            key: account.key.as_ref().map(|(id, secret)| (id.to_string(), secret.clone())),
            region: config.first_start.region.to_string(),
            listeners: devices[1..].iter().map(|l| (l.listener.to_string(), l.address.port())).collect(),
            api_plain_port,
            metrics_url: metrics_url.clone(),
        }
        .write(data)?;
    }
    let mut endpoints = vec![Endpoint { what: "API (HTTPS)".into(), at: api_url }];
    endpoints.extend(
        api_plain_port.map(|port| Endpoint { what: "API (HTTP)".into(), at: format!("http://127.0.0.1:{port}") }),
    );
    endpoints
        .extend(devices.iter().map(|l| Endpoint { what: format!("MQTT ({})", l.listener), at: l.address.to_string() }));
    endpoints.extend(metrics_url.map(|url| Endpoint { what: "metrics (HTTP)".into(), at: format!("{url}/metrics") }));
    println!("{}", screen::text(account.id.as_str(), &endpoints, data, !options.no_env_file));
    sd_notify::notify(&[sd_notify::NotifyState::Ready])?;
    Ok(())
}

/// A host as it stands in a URL.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Devices first, told and flushed, while the API finishes what it has.
async fn stop(gateway: Gateway, api: Serving) {
    tracing::info!("stopping: no new connections");
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Stopping]) {
        tracing::debug!(%error, "systemd was not told");
    }
    let devices = tokio::task::spawn_blocking(move || gateway.shutdown(STOP_LIMIT));
    let (devices, ()) = tokio::join!(devices, api.shutdown(API_GRACE));
    if let Err(error) = devices {
        tracing::error!(%error, "the gateway did not stop in order");
    }
    tracing::info!("stopped");
}
