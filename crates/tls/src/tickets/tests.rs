use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_ids::{Now, Timestamp};

use super::*;

#[derive(Debug, Default)]
struct Hours(AtomicU64);

impl Clock for Hours {
    fn now(&self) -> Now {
        let millis = self.0.load(Ordering::Relaxed) * 3_600_000;
        Now { wall: Timestamp::from_millis(0), monotonic: Monotonic::from_millis(millis) }
    }
}

#[test]
fn a_ticket_is_read_for_three_hours_at_least_and_six_at_most() {
    for (made, read, readable) in [
        (0, 0, true),
        (0, 2, true),
        (0, 5, true),
        (0, 6, false),
        (2, 5, true), // made at the end of a key's time
        (2, 6, false),
        (3, 8, true),
        (0, 24, false),
    ] {
        let clock = Arc::new(Hours::default());
        let ticketer = Ticketer::new(clock.clone());
        clock.0.store(made, Ordering::Relaxed);
        let ticket = ticketer.encrypt(b"a session").unwrap();
        clock.0.store(read, Ordering::Relaxed);
        assert_eq!(ticketer.decrypt(&ticket).is_some(), readable, "made at {made} h, read at {read} h");
    }
}

#[test]
fn an_altered_ticket_is_no_ticket() {
    let ticketer = Ticketer::new(Arc::new(Hours::default()));
    let ticket = ticketer.encrypt(b"a session").unwrap();
    assert_eq!(ticketer.decrypt(&ticket).unwrap(), b"a session");
    for at in 0..ticket.len() {
        let mut altered = ticket.clone();
        altered[at] ^= 1;
        assert!(ticketer.decrypt(&altered).is_none(), "byte {at}");
        assert!(ticketer.decrypt(&ticket[..at]).is_none(), "cut at {at}");
    }
}

#[test]
fn the_ticket_of_another_set_is_no_ticket() {
    let clock = Arc::new(Hours::default());
    let ticket = Ticketer::new(clock.clone()).encrypt(b"a session").unwrap();
    assert!(Ticketer::new(clock).decrypt(&ticket).is_none());
}
