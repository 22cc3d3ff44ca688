//! `tidegate serve`: every part of the running broker is built, wired and stopped here.
//!
//! ```text
//! data directory ─▶ store ─▶ registry ─▶ first account, server certificate
//!                                │ changes            │
//!                   broker ◀─────┴─ kicks      names ─┴─▶ gateway (devices), api (operators), admin socket
//! ```

mod admin_requests;
mod announce;
mod chance;
mod faults;
mod first_start;
mod functions;
mod gateway;
mod journal;
mod key_uses;
mod logs;
mod metrics;
mod propagation;
mod registry_events;
mod screen;
mod server_certificate;
mod sessions;
mod shadows;
mod signals;
mod transfers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use tidegate_api::{Api, DataPlane, Listener as ApiListener, Serving, serve as serve_api};
use tidegate_gateway::Gateway;
use tidegate_ids::{Clock, Tenant};
use tidegate_kv::Store;
use tidegate_logs::{LogBook, NotingStore, Trail};
use tidegate_pki::seal::MasterKey;
use tidegate_registry::{Parts, Registry};
use tidegate_standalone::{Options, StandaloneStore};
use tidegate_tls::ServerNames;

use crate::{admin::AdminSocket, cli::Serve, clock::SystemClock, config::Config, data_dir::DataDir, logging};
use announce::announce;
use functions::LocalFunctions;
use metrics::{Metrics, Sources};

/// From the first signal to the end, at most; connections that are slower are cut.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// Within that, how long requests to the API may still take.
const API_GRACE: Duration = Duration::from_secs(2);

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
    let mut complaints = server_certificate::Complaints::default();
    let certificate = server_certificate::ensure(&registry, &host_names, clock.now(), &mut complaints).await?;
    let renewed = server_certificate::renew_domains(&registry, clock.now(), &mut complaints).await;
    let home = Tenant { account: account.id, region: config.first_start.region };
    let mut brought = server_certificate::Brought::new(config.certificate.clone(), options.config.clone(), home)?;
    let kept = (brought.take(&registry, clock.now()).await? && renewed, complaints);
    data.write("ca.pem", registry.server_ca_pem().as_bytes(), 0o644)?;
    let names = Arc::new(ServerNames::new(server_certificate::table(&certificate)?));

    data.remove(&data.env_file()); // of an earlier run: whoever waits for it waits for this one
    let (book, trail, keeper) = logs::open(&config.logs, &store, &registry, &clock).await?;
    let (shadows, workers) = shadows::new(&clock, &book);
    let (broker, gateway, mut journal) =
        gateway::start(&config, &account, &registry, &names, &clock, &store, (&shadows, &book, &functions)).await?;
    workers.start(&registry, &broker, &clock, &book);
    registry_events::publish(&registry, &broker, &clock);
    if config.transfers.events {
        transfers::publish_events(&registry, &broker, &clock);
    }
    transfers::call_webhooks(&registry, webhooks, &clock);
    let profile = Arc::new(gateway::profile(config.mqtt.profile));
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
