use super::*;

const NOTHING: [u32; 0] = [];
const ROUND: u64 = BUCKETS as u64 * TICK_MILLIS;

fn at(millis: u64) -> Monotonic {
    Monotonic::from_millis(millis)
}

fn due(wheel: &mut Wheel<u32>, now: u64) -> Vec<u32> {
    let mut due = Vec::new();
    wheel.advance(at(now), &mut due);
    due
}

#[test]
fn a_timer_fires_once_not_before_its_deadline_and_at_most_a_tick_late() {
    for deadline in [0, 1, 31, 32, 33, 999, 1000, ROUND - 1, ROUND, ROUND + 1, 10 * ROUND + 17] {
        let mut wheel = Wheel::new(at(0));
        wheel.arm(at(deadline), 7);
        if deadline > 0 {
            assert_eq!(due(&mut wheel, deadline - 1), NOTHING, "{deadline}: too early");
        }
        assert_eq!(due(&mut wheel, deadline + TICK_MILLIS), [7], "{deadline}");
        assert_eq!(due(&mut wheel, deadline + 20 * ROUND), NOTHING, "{deadline}: twice");
        assert_eq!(wheel.next(), None);
    }
}

#[test]
fn what_is_past_fires_at_the_next_tick() {
    let mut wheel = Wheel::new(at(0));
    assert_eq!(due(&mut wheel, 5000), NOTHING);
    wheel.arm(at(10), 1);
    assert_eq!(due(&mut wheel, 5000 + TICK_MILLIS), [1]);
}

#[test]
fn timers_fire_in_the_order_of_their_ticks_over_rounds_and_leaps() {
    let mut wheel = Wheel::new(at(0));
    for millis in [3 * ROUND, 64, 2 * ROUND + 640, 6400, ROUND + 64] {
        wheel.arm(at(millis), millis as u32);
    }
    let expected = [64, 6400, ROUND as u32 + 64, 2 * ROUND as u32 + 640, 3 * ROUND as u32];
    assert_eq!(due(&mut wheel, 50 * ROUND), expected);
}

#[test]
fn a_cancelled_timer_leaves_nothing_and_its_neighbours_stay() {
    let mut wheel = Wheel::new(at(0));
    let ids: Vec<_> = (0..5).map(|n| wheel.arm(at(1000), n)).collect();
    for n in [2, 0, 4] {
        assert_eq!(wheel.cancel(ids[n as usize]), Some(n));
        assert_eq!(wheel.cancel(ids[n as usize]), None);
    }
    assert_eq!(wheel.len(), 2);
    let mut rest = due(&mut wheel, 2000);
    rest.sort();
    assert_eq!(rest, [1, 3]);
    let id = wheel.arm(at(9000), 9);
    assert_eq!(wheel.cancel(ids[1]), None, "its place is another timer's now");
    assert_eq!(wheel.cancel(id), Some(9));
    assert_eq!((wheel.len(), wheel.next()), (0, None));
}

#[test]
fn next_is_never_later_than_the_earliest_deadline_and_always_makes_progress() {
    let mut seed = 42_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) % below
    };
    let mut wheel = Wheel::new(at(0));
    let (mut now, mut armed) = (0, std::collections::BTreeMap::new());
    for n in 0..3000_u32 {
        let deadline = now + random(3 * ROUND);
        armed.insert(n, deadline);
        wheel.arm(at(deadline), n);
        if n % 3 == 0 {
            let next = wheel.next().expect("something is armed").millis();
            let earliest = *armed.values().min().unwrap();
            assert!(next <= earliest + TICK_MILLIS, "{next} {earliest}");
            now = now.max(next) + random(2000);
            for fired in due(&mut wheel, now) {
                assert!(armed.remove(&fired).unwrap() <= now);
            }
            assert!(armed.values().all(|deadline| deadline + TICK_MILLIS > now));
        }
    }
}
