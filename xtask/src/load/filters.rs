//! Many filters, three quarters of them with a wildcard, and messages through them.

use anyhow::Result;

use super::{
    clients::Clients,
    flow::{self, Flow, Flowed, Pattern},
    window::Measured,
};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Filtered {
    /// Of the subscribing.
    pub(crate) subscribed: Measured,
    pub(crate) flowed: Flowed,
}

/// Subscribers who share the filters.
const SUBSCRIBERS: usize = 200;
const PUBLISHERS: usize = 20;
/// Topics that each publisher takes in turn: more than a cache keeps.
const TOPICS: usize = 200;
/// Different topics of all publishers, when no two have one in common.
pub(crate) const TOPICS_OF_ALL: usize = PUBLISHERS * TOPICS;

/// Subscribes `count` filters, publishes for `seconds` to `topics` different topics, or as many as there are filters: some publishers
/// share theirs when these are fewer than [`TOPICS_OF_ALL`].
pub(crate) fn run(clients: &mut Clients, count: usize, topics: usize, seconds: f64) -> Result<Filtered> {
    clients.connect(0, SUBSCRIBERS + PUBLISHERS, false)?;
    let base = clients.prefix.clone();
    let mut lists: Vec<_> = (0..SUBSCRIBERS).map(|subscriber| (subscriber, Vec::new())).collect();
    for number in 0..count {
        lists[number % SUBSCRIBERS].1.push(filter(&base, number));
    }
    let subscribed = clients.subscribe(lists, 0)?;
    // An odd stride visits filters of all four kinds.
    let stride = (count / topics).max(1) | 1;
    let topics = |publisher: usize| {
        let numbers = (0..TOPICS).map(|topic| (publisher * TOPICS + topic) % topics * stride % count);
        numbers.map(|number| format!("{base}/{}/d{number}/data", number % 100)).collect()
    };
    let flow = Flow {
        // Each message has one receiver, whoever that is.
        pattern: Pattern::Shared,
        publishers: PUBLISHERS,
        subscribers: SUBSCRIBERS,
        qos: 0,
        unfinished: 50,
        rate: None,
        seconds,
    };
    let flowed = flow::publish(clients, flow, topics)?;
    clients.disconnect();
    Ok(Filtered { subscribed, flowed })
}

/// A quarter exact, a quarter with `+` at the end, a quarter with `+` inside, a quarter with `#`: filter `number` matches topic `number`
/// alone.
fn filter(base: &str, number: usize) -> String {
    let group = number % 100;
    match number % 4 {
        0 => format!("{base}/{group}/d{number}/data"),
        1 => format!("{base}/{group}/d{number}/+"),
        2 => format!("{base}/+/d{number}/data"),
        _ => format!("{base}/{group}/d{number}/#"),
    }
}
