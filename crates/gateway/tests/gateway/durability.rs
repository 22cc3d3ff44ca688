//! While the disk is slow: who fills the journal waits, the others do not.

use std::{
    io::{ErrorKind, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use tidegate_kv::{
    BoxFuture, Changes, CommitError, Revision, Snapshot, Store, StoreError, Transaction, memory::MemoryStore,
};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, Version};
use tokio::sync::watch;

use crate::{
    people::{Client, id, until},
    world::World,
};

/// A store whose commits wait while its gate is closed.
struct Gated {
    store: MemoryStore,
    open: watch::Receiver<bool>,
}

impl Store for Gated {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        self.store.snapshot()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let mut open = self.open.clone();
        Box::pin(async move {
            // Its end opens it too.
            let _ = open.wait_for(|open| *open).await;
            self.store.commit(transaction).await
        })
    }

    fn changes(&self, from: Revision) -> Changes {
        self.store.changes(from)
    }
}

#[test]
fn who_fills_the_journal_is_not_read_from_until_it_has_caught_up_and_others_are_served() {
    /// More than the journal's bound, and what sockets hold besides.
    const MESSAGES: u16 = 80;
    let payload = vec![7; 900 * 1024];
    let (gate, open) = watch::channel(true);
    let world = World::durable(Arc::new(Gated { store: MemoryStore::new(), open }));
    let mut bystander = Client::plain(&world).enter(Version::V5, "bystander");
    bystander.subscribe("live", QoS::AtMostOnce);
    let mut filler = Client::plain(&world);
    filler.connect(Connect { keep_alive_seconds: 10, ..Connect::new(Version::V5, "filler") });
    gate.send_replace(false);

    let mut sending = filler.socket().try_clone().unwrap();
    let sender = thread::spawn(move || {
        for number in 1..=MESSAGES {
            let topic_name = format!("kept/{number}");
            let publish = Publish {
                qos: QoS::AtLeastOnce,
                packet_id: Some(id(number)),
                retain: true,
                ..Publish::new(&topic_name, &payload)
            };
            let mut bytes = Vec::new();
            Packet::Publish(publish).encode(Version::V5, &mut bytes).unwrap();
            sending.write_all(&bytes).unwrap();
        }
    });
    until("the journal is behind", || world.broker.is_behind());
    for _ in 0..20 {
        bystander.ping();
    }
    let taken = world.broker.retained_count(world.tenant);
    bystander.publish("live", b"still served", QoS::AtMostOnce);
    assert_eq!(bystander.message().1, b"still served");
    // A client that nobody listens to is not silent.
    world.move_clock(Duration::from_secs(60));
    bystander.ping();
    assert_eq!(world.broker.retained_count(world.tenant), taken, "nothing more was read");
    assert!(taken < usize::from(MESSAGES), "{taken}");
    assert_eq!(world.gateway().connections(), 2);
    filler.socket().set_nonblocking(true).unwrap();
    let early = filler.socket().peek(&mut [0]);
    assert_eq!(early.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock), "acknowledged before it was durable");
    filler.socket().set_nonblocking(false).unwrap();

    gate.send_replace(true);
    for number in 1..=MESSAGES {
        assert_eq!(filler.acknowledged(), number);
    }
    sender.join().unwrap();
    until("the journal has caught up", || !world.broker.is_behind());
    assert_eq!(world.broker.retained_count(world.tenant), usize::from(MESSAGES));
}
