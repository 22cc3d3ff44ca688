//! One run of one group at one server: its figures, in the order of the group's rows.

use anyhow::{Result, ensure};

use super::{
    Options,
    brokers::{Brokers, Who},
    calls,
    rows::What,
};
use crate::load::{
    Clients, Offer, Server, filters,
    flow::{self, Flow, Pattern},
    idle, retained,
};

/// What the ids of the generator's clients, and its topics, begin with.
const PREFIX: &str = "bench";
const IDLE_CONNECTIONS: usize = 9900;
const FILTERS: usize = 200_000;
const RETAINED: usize = 100_000;
/// Connects of one run.
const CONNECTS: usize = 1500;
/// Share of its core from which on the generator is the limit.
const GENERATOR_BUSY_MAX: f64 = 0.95;
const FULL: Flow =
    Flow { pattern: Pattern::Pairs, publishers: 20, subscribers: 20, qos: 1, unfinished: 50, rate: None, seconds: 0.0 };

pub(super) fn run(what: What, who: Who, brokers: &Brokers, options: &Options) -> Result<Vec<f64>> {
    let seconds = options.seconds;
    let plain = brokers.plain(who)?;
    match what {
        What::Messages { pattern, publishers, subscribers, qos, unfinished, tls } => {
            let server = if tls { brokers.tls(who, false, Offer::One)? } else { plain };
            // The null broker knows no groups: what it costs to relay to one subscriber is the floor of both.
            let floor_of_shared = pattern == Pattern::Shared && who == Who::Floor;
            let (pattern, subscribers) = if floor_of_shared { (Pattern::FanIn, 1) } else { (pattern, subscribers) };
            let flow = Flow { pattern, publishers, subscribers, qos, unfinished, rate: None, seconds };
            Ok(vec![cpu_us(&mut clients(server)?, flow)?])
        }
        What::Calls => [0, 1].map(|qos| calls::per_message(&plain, qos)).into_iter().collect(),
        What::Connects { resumed, offer } => connects(brokers.tls(who, resumed, offer)?, resumed),
        What::Idle { tls } => {
            let server = if tls { brokers.tls(who, false, Offer::One)? } else { plain };
            let count = IDLE_CONNECTIONS / options.divide;
            let idle = idle::run(&mut clients(server)?, count, 5.0)?;
            let grown = idle.connected.growth_bytes + idle.held.growth_bytes;
            Ok(vec![grown / 1024.0 / count as f64, idle.held.cpu.as_secs_f64() * 1e3 / idle.held.took.as_secs_f64()])
        }
        What::Filters => {
            let count = FILTERS / options.divide;
            let filtered = filters::run(&mut clients(plain)?, count, filters::TOPICS_OF_ALL, seconds)?;
            let flowed = &filtered.flowed;
            Ok(vec![
                flowed.measured.cpu_us_per(flowed.deliveries),
                filtered.subscribed.growth_bytes / count as f64,
                filtered.subscribed.cpu_us_per(count as u64),
            ])
        }
        What::Cliff => {
            let cost = |count, topics| -> Result<f64> {
                let flowed = filters::run(&mut clients(plain.clone())?, count, topics, seconds)?.flowed;
                Ok(flowed.measured.cpu_us_per(flowed.deliveries))
            };
            // The same traffic through both: what more topics cost is another matter, and told beside it.
            let (thousand, million) = (1000, 5 * FILTERS / options.divide);
            let (few, many) = (cost(thousand, thousand)?, cost(million, thousand)?);
            Ok(vec![few, many, many / few, cost(million, filters::TOPICS_OF_ALL)?])
        }
        What::Retained { kept } => {
            let server = match (&brokers.in_memory, who) {
                (Some(in_memory), Who::Tidegate) if !kept => in_memory.plain()?,
                _ => plain,
            };
            let count = RETAINED / options.divide;
            let retained = retained::run(&mut clients(server)?, count)?;
            Ok(vec![
                retained.set.cpu_us_per(count as u64),
                retained.fetched.cpu_us_per(count as u64),
                retained.set.growth_bytes / count as f64,
            ])
        }
        What::Kept => {
            let in_memory = brokers.in_memory.as_ref().map_or(Ok(plain.clone()), |broker| broker.plain())?;
            let cost = |server| cpu_us(&mut clients(server)?.persistent(), Flow { seconds, ..FULL });
            let (off, on) = (cost(in_memory)?, cost(plain)?);
            Ok(vec![off, on, on / off])
        }
        What::Cores => {
            let both = brokers.two_cores.as_ref().map_or(Ok(plain.clone()), |broker| broker.plain())?;
            let cost = |server| cpu_us(&mut clients(server)?, Flow { seconds, ..FULL });
            let (one, two) = (cost(plain)?, cost(both)?);
            Ok(vec![one, two, two / one])
        }
        What::Latency => {
            let mut flowed = flow::run(&mut clients(plain)?, Flow { rate: Some(5000), seconds, ..FULL })?;
            let latencies = &mut flowed.latencies_us;
            latencies.sort_unstable();
            ensure!(!latencies.is_empty(), "no message arrived");
            let percentile = |percent: usize| f64::from(latencies[(latencies.len() - 1) * percent / 100]);
            Ok(vec![percentile(50), percentile(99)])
        }
    }
}

fn clients(server: Server) -> Result<Clients> {
    Clients::new(server, PREFIX)
}

/// CPU time of the server for each delivery.
fn cpu_us(clients: &mut Clients, flow: Flow) -> Result<f64> {
    let flowed = flow::run(clients, flow)?;
    ensure!(flowed.deliveries > 0, "no message arrived");
    if flowed.measured.generator_busy > GENERATOR_BUSY_MAX {
        eprintln!("the generator was the limit: the server had less to do than it could");
    }
    Ok(flowed.measured.cpu_us_per(flowed.deliveries))
}

fn connects(server: Server, resumed: bool) -> Result<Vec<f64>> {
    let mut clients = clients(server)?;
    if resumed {
        // For the tickets: one of each certificate, at most as many as are used afterwards.
        clients.connect(0, CONNECTS, true)?;
    }
    let connected = clients.connect(0, CONNECTS, true)?;
    let expected = if resumed { connected.count } else { 0 };
    ensure!(connected.resumed == expected, "{} of {expected} handshakes were resumed", connected.resumed);
    Ok(vec![connected.measured.cpu_us_per(connected.count as u64)])
}
