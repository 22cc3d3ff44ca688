use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn table(total: usize, per_address: usize) -> Arc<HalfOpen> {
    HalfOpen::new(HalfOpenLimits { total, per_address, bytes: 1000 })
}

#[test]
fn the_oldest_goes_when_the_table_is_full() {
    let half_open = table(2, 10);
    let (_first, mut first_told) = half_open.enter(address("10.0.0.1"));
    let (_second, mut second_told) = half_open.enter(address("10.0.0.2"));
    let (_third, mut third_told) = half_open.enter(address("10.0.0.3"));
    assert_eq!(first_told.try_recv(), Ok(GivenUp::Displaced));
    assert!(second_told.try_recv().is_err() && third_told.try_recv().is_err());
    assert_eq!(half_open.len(), 2);
}

#[test]
fn a_crowded_address_displaces_its_own_oldest_only() {
    let half_open = table(10, 2);
    let (_other, mut other_told) = half_open.enter(address("10.0.0.9"));
    let mut told: Vec<_> = (0..3).map(|_| half_open.enter(address("10.0.0.1"))).collect();
    assert_eq!(told[0].1.try_recv(), Ok(GivenUp::Displaced));
    assert!(told[1].1.try_recv().is_err() && other_told.try_recv().is_err());
}

#[test]
fn an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_ipv4() {
    for (one, other, same) in [
        ("2001:db8::1", "2001:db8::ffff:1", true),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false),
    ] {
        assert_eq!(network_of(address(one)) == network_of(address(other)), same, "{one} {other}");
    }
}

#[test]
fn a_dropped_place_is_free_again_and_a_late_word_finds_nobody() {
    let half_open = table(1, 1);
    let (place, _told) = half_open.enter(address("10.0.0.1"));
    let arrival = place.arrival();
    drop(place);
    assert_eq!(half_open.len(), 0);
    Place::give_up(&half_open, arrival, GivenUp::TooSlow);
    let (place, mut told) = half_open.enter(address("10.0.0.1"));
    Place::give_up(&half_open, place.arrival(), GivenUp::TooSlow);
    assert_eq!(told.try_recv(), Ok(GivenUp::TooSlow));
    assert!(!half_open.displace_oldest());
}

#[test]
fn over_the_limit_of_bytes_the_largest_goes_and_small_ones_stay() {
    let half_open = table(10, 10);
    let mut entered: Vec<_> = (0..4).map(|_| half_open.enter(address("10.0.0.1"))).collect();
    let hold = |entered: &[(Place, oneshot::Receiver<GivenUp>)], bytes: [usize; 4]| {
        for ((place, _), bytes) in entered.iter().zip(bytes) {
            place.hold(bytes);
        }
    };
    hold(&entered, [10, 400, 300, 290]);
    assert!(entered.iter_mut().all(|(_, told)| told.try_recv().is_err()));
    entered[2].0.hold(301);
    assert_eq!(entered[1].1.try_recv(), Ok(GivenUp::Displaced));
    // What it says afterwards counts no more, and what is given back makes room.
    entered[1].0.hold(5000);
    entered[2].0.hold(0);
    entered[3].0.hold(990);
    assert!([0, 2, 3].into_iter().all(|n: usize| entered[n].1.try_recv().is_err()));
    entered[3].0.hold(991);
    assert_eq!(entered[3].1.try_recv(), Ok(GivenUp::Displaced));
    assert!(entered[0].1.try_recv().is_err());
    drop(entered);
    let table = half_open.table.lock();
    assert!(table.bytes == 0 && table.by_bytes.is_empty() && table.entries.is_empty());
}
