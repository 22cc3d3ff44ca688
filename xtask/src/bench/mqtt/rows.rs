//! The rows of the table: what is measured for them, and what is asked of them.

use super::brokers::{Needs, Who};
use crate::load::{Offer, flow::Pattern};

/// What is measured together, in one run of each server.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) what: What,
    /// The servers, in the order of their turns; the floor comes twice.
    pub(super) turns: &'static [Who],
    pub(super) needs: Needs,
    /// Each round needs new processes, because memory is measured.
    pub(super) fresh: bool,
    pub(super) rows: &'static [Row],
}

/// One figure of a group.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) target: Target,
}

/// What is asked of Tidegate's figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// At most so many times the floor.
    TimesFloor(f64),
    AtMost(f64),
    /// No worse than Mosquitto.
    AsMosquitto,
    /// Nothing: it is told.
    Told,
}

/// What a run does.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Messages {
        pattern: Pattern,
        publishers: usize,
        subscribers: usize,
        qos: u8,
        unfinished: usize,
        tls: bool,
    },
    /// System calls per message, of sparse messages.
    Calls,
    Connects {
        resumed: bool,
        offer: Offer,
    },
    Idle {
        tls: bool,
    },
    Filters,
    Retained {
        kept: bool,
    },
    Cliff,
    Kept,
    Cores,
    Latency,
}

use Target::{AsMosquitto, AtMost, TimesFloor, Told};
use Who::{Floor, Mosquitto, Tidegate};

const ALL: &[Who] = &[Floor, Tidegate, Mosquitto, Floor];
const PLAIN: Needs = Needs { tls: false, in_memory: false, two_cores: false };
const WITH_TLS: Needs = Needs { tls: true, ..PLAIN };

const fn messages(
    name: &'static str,
    rows: &'static [Row],
    pattern: Pattern,
    (publishers, subscribers): (usize, usize),
    qos: u8,
    unfinished: usize,
    tls: bool,
) -> Group {
    let what = What::Messages { pattern, publishers, subscribers, qos, unfinished, tls };
    Group { name, what, turns: ALL, needs: if tls { WITH_TLS } else { PLAIN }, fresh: false, rows }
}

const fn connects(name: &'static str, resumed: bool, offer: Offer, rows: &'static [Row]) -> Group {
    Group { name, what: What::Connects { resumed, offer }, turns: ALL, needs: WITH_TLS, fresh: false, rows }
}

const fn micros(title: &'static str, target: Target) -> Row {
    Row { title, unit: "µs", target }
}

/// All groups, in the order of the table.
pub(super) static GROUPS: &[Group] = &[
    messages("full-q0", &[micros("full pipes, QoS 0", TimesFloor(2.5))], Pattern::Pairs, (20, 20), 0, 50, false),
    messages("full-q1", &[micros("full pipes, QoS 1", TimesFloor(2.2))], Pattern::Pairs, (20, 20), 1, 50, false),
    messages("full-q2", &[micros("full pipes, QoS 2", TimesFloor(2.1))], Pattern::Pairs, (20, 20), 2, 50, false),
    messages("sparse-q0", &[micros("sparse, QoS 0", TimesFloor(1.2))], Pattern::Pairs, (500, 500), 0, 1, false),
    messages("sparse-q1", &[micros("sparse, QoS 1", TimesFloor(1.1))], Pattern::Pairs, (500, 500), 1, 1, false),
    Group {
        name: "calls",
        what: What::Calls,
        turns: &[Floor, Tidegate, Mosquitto],
        needs: PLAIN,
        fresh: true,
        rows: &[
            Row { title: "sparse, QoS 0: system calls per message", unit: "", target: AtMost(2.05) },
            Row { title: "sparse, QoS 1: system calls per message", unit: "", target: AtMost(4.1) },
        ],
    },
    messages("fan-in", &[micros("fan-in 200 to 1, QoS 1", TimesFloor(1.4))], Pattern::FanIn, (200, 1), 1, 5, false),
    messages(
        "shared",
        &[micros("shared group, 200 to 5, QoS 1 (floor: fan-in)", TimesFloor(1.4))],
        Pattern::Shared,
        (200, 5),
        1,
        5,
        false,
    ),
    messages(
        "fan-out-200",
        &[micros("fan-out 1 to 200, QoS 0", TimesFloor(1.22))],
        Pattern::FanOut,
        (1, 200),
        0,
        5,
        false,
    ),
    messages(
        "fan-out-1000",
        &[micros("fan-out 1 to 1 000, QoS 0", TimesFloor(1.14))],
        Pattern::FanOut,
        (1, 1000),
        0,
        3,
        false,
    ),
    messages("mtls-full", &[micros("mTLS, full pipes, QoS 1", TimesFloor(2.5))], Pattern::Pairs, (20, 20), 1, 50, true),
    messages("mtls-sparse", &[micros("mTLS, sparse, QoS 1", TimesFloor(1.2))], Pattern::Pairs, (500, 500), 1, 1, true),
    connects(
        "mtls-connect",
        false,
        Offer::All,
        &[micros("mTLS connect, full, servers choose the suite", TimesFloor(1.22))],
    ),
    connects(
        "mtls-resume",
        true,
        Offer::All,
        &[micros("mTLS connect, resumed, servers choose the suite", TimesFloor(1.4))],
    ),
    connects("mtls-connect-128", false, Offer::One, &[micros("mTLS connect, full, AES-128 for all", TimesFloor(1.22))]),
    connects("mtls-resume-128", true, Offer::One, &[micros("mTLS connect, resumed, AES-128 for all", TimesFloor(1.4))]),
    Group {
        name: "idle-mtls",
        what: What::Idle { tls: true },
        turns: &[Floor, Tidegate, Mosquitto],
        needs: WITH_TLS,
        fresh: true,
        rows: &[
            Row { title: "idle mTLS connection, 9 900 of them", unit: "KiB", target: AtMost(12.0) },
            Row { title: "9 900 idle mTLS connections: CPU per second", unit: "ms", target: AtMost(0.5) },
        ],
    },
    Group {
        name: "idle-tcp",
        what: What::Idle { tls: false },
        turns: &[Floor, Tidegate, Mosquitto],
        needs: PLAIN,
        fresh: true,
        rows: &[
            Row { title: "idle TCP connection, 9 900 of them", unit: "KiB", target: AtMost(2.0) },
            Row { title: "9 900 idle TCP connections: CPU per second", unit: "ms", target: AtMost(0.5) },
        ],
    },
    Group {
        name: "filters",
        what: What::Filters,
        turns: &[Tidegate, Mosquitto],
        needs: PLAIN,
        fresh: true,
        rows: &[
            micros("publish through 200 000 filters, 3/4 with a wildcard", AtMost(2.5)),
            Row { title: "one of 200 000 filters", unit: "B", target: AtMost(400.0) },
            micros("subscribe one of 200 000 filters", Told),
        ],
    },
    Group {
        name: "cliff",
        what: What::Cliff,
        turns: &[Tidegate],
        needs: PLAIN,
        fresh: true,
        rows: &[
            micros("publish to 1 000 topics through 1 000 filters", Told),
            micros("publish to 1 000 topics through 1 000 000 filters", Told),
            Row { title: "1 000 000 filters by 1 000, with 1 000 topics each", unit: "x", target: AtMost(1.5) },
            micros("publish to 4 000 topics through 1 000 000 filters", Told),
        ],
    },
    Group {
        name: "retained",
        what: What::Retained { kept: false },
        turns: &[Tidegate, Mosquitto],
        needs: Needs { in_memory: true, ..PLAIN },
        fresh: true,
        rows: &[
            micros("set one of 100 000 retained messages, in memory", AtMost(3.4)),
            micros("fetch one of 100 000 retained messages", AtMost(1.5)),
            Row { title: "one of 100 000 retained messages", unit: "B", target: AtMost(400.0) },
        ],
    },
    Group {
        name: "retained-kept",
        what: What::Retained { kept: true },
        turns: &[Tidegate],
        needs: PLAIN,
        fresh: true,
        rows: &[
            micros("set one of 100 000 retained messages, on disk", Told),
            micros("fetch one of 100 000 retained messages that are on disk", Told),
            Row { title: "one of 100 000 retained messages that are on disk", unit: "B", target: Told },
        ],
    },
    Group {
        name: "kept",
        what: What::Kept,
        turns: &[Tidegate],
        needs: Needs { in_memory: true, ..PLAIN },
        fresh: false,
        rows: &[
            micros("full pipes, QoS 1, kept sessions, in memory", Told),
            micros("full pipes, QoS 1, kept sessions, on disk", Told),
            Row { title: "on disk by in memory", unit: "x", target: AtMost(2.0) },
        ],
    },
    Group {
        name: "cores",
        what: What::Cores,
        turns: &[Tidegate],
        needs: Needs { two_cores: true, ..PLAIN },
        fresh: false,
        rows: &[
            micros("full pipes, QoS 1, one core", Told),
            micros("full pipes, QoS 1, two cores", Told),
            Row { title: "two cores by one", unit: "x", target: Told },
        ],
    },
    Group {
        name: "latency",
        what: What::Latency,
        turns: ALL,
        needs: PLAIN,
        fresh: false,
        rows: &[
            micros("5 000 messages a second, QoS 1: 50th percentile of latency", Told),
            micros("5 000 messages a second, QoS 1: 99th percentile of latency", AsMosquitto),
        ],
    },
];
