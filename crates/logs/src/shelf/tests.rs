use tidegate_kv::memory::MemoryStore;

use super::*;

fn shelf() -> Shelf {
    Shelf(Arc::new(MemoryStore::new()))
}

fn scope() -> Scope {
    Scope::refusals(None)
}

fn all(direction: Direction) -> Query {
    Query { from: 0, to: u64::MAX, beyond: None, direction, events_max: 10_000, bytes_max: 1 << 20 }
}

async fn append(shelf: &Shelf, moments: &[u64]) {
    let events = moments.iter().map(|at| (*at, format!("e{at}"))).collect();
    shelf.append([(scope(), events)], Timestamp::from_millis(1)).await.unwrap();
}

async fn moments(shelf: &Shelf, query: Query) -> (Vec<u64>, Option<Position>) {
    let found = shelf.read(&scope(), query, |_| true).await.unwrap();
    (found.events.iter().map(|event| event.at.millis()).collect(), found.more)
}

#[tokio::test]
async fn events_come_back_in_the_order_of_their_commits_and_by_time() {
    let shelf = shelf();
    append(&shelf, &[1000, 900, 20_000]).await;
    // Late by little: it is put behind what was read already.
    append(&shelf, &[19_500, 30_000]).await;
    assert_eq!(moments(&shelf, all(Direction::Ascending)).await, (vec![900, 1000, 20_000, 20_000, 30_000], None));
    assert_eq!(moments(&shelf, all(Direction::Descending)).await.0, [900, 1000, 20_000, 20_000, 30_000]);
    let some = Query { from: 1000, to: 20_001, ..all(Direction::Ascending) };
    assert_eq!(moments(&shelf, some).await.0, [1000, 20_000, 20_000]);
    // The clock went back: the truth is told.
    append(&shelf, &[5000]).await;
    assert_eq!(moments(&shelf, all(Direction::Ascending)).await.0, [900, 1000, 5000, 20_000, 20_000, 30_000]);
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap_both_ways() {
    let shelf = shelf();
    let expected: Vec<u64> = (0..200).map(|number| number * 700).collect();
    for part in expected.chunks(7) {
        append(&shelf, part).await;
    }
    for direction in [Direction::Ascending, Direction::Descending] {
        let (mut found, mut beyond) = (Vec::new(), None);
        loop {
            let query = Query { beyond, events_max: 9, ..all(direction) };
            let (mut page, more) = moments(&shelf, query).await;
            if direction == Direction::Descending {
                page.reverse();
            }
            found.append(&mut page);
            beyond = more;
            if more.is_none() {
                break;
            }
        }
        found.sort_unstable();
        assert_eq!(found, expected, "{direction:?}");
    }
}

#[tokio::test]
async fn a_search_that_finds_nothing_ends_and_says_where() {
    let shelf = shelf();
    for number in 0..LOOKED_AT_MAX as u64 + 5 {
        append(&shelf, &[number * 20_000]).await;
    }
    let query = all(Direction::Ascending);
    let found = shelf.read(&scope(), query, |_| false).await.unwrap();
    assert!(found.events.is_empty());
    let rest = Query { beyond: found.more, ..query };
    assert_eq!(moments(&shelf, rest).await.0.len(), 5);
    assert_eq!(found.more, Position::parse(&found.more.unwrap().id()));
    for text in ["", "1", &"x".repeat(40), &"1".repeat(41)] {
        assert_eq!(Position::parse(text), None, "{text}");
    }
}

#[tokio::test]
async fn what_is_old_or_too_much_goes_the_oldest_first() {
    let shelf = shelf();
    for number in 0..100 {
        append(&shelf, &[number * 20_000]).await;
    }
    let bytes = shelf.bytes(&scope()).await.unwrap();
    assert_eq!(shelf.trim(&scope(), 20_000 * 10, u64::MAX).await.unwrap(), 10);
    assert_eq!(moments(&shelf, all(Direction::Ascending)).await.0[0], 200_000);
    assert!(shelf.trim(&scope(), 0, bytes / 2).await.unwrap() > 30);
    assert!(shelf.bytes(&scope()).await.unwrap() <= bytes / 2);
    assert_eq!(*moments(&shelf, all(Direction::Ascending)).await.0.last().unwrap(), 99 * 20_000);
    shelf.trim(&scope(), u64::MAX, 0).await.unwrap();
    assert_eq!((shelf.bytes(&scope()).await.unwrap(), shelf.trim(&scope(), 0, 0).await.unwrap()), (0, 0));
}

#[tokio::test]
async fn days_are_known_by_their_first_and_last_moment() {
    let shelf = shelf();
    append(&shelf, &[DAY_MS - 1, DAY_MS, DAY_MS + 5]).await;
    append(&shelf, &[3 * DAY_MS + 7]).await;
    let expected = [(0, DAY_MS - 1, DAY_MS - 1, 1), (1, DAY_MS, DAY_MS + 5, 1), (3, 3 * DAY_MS + 7, 3 * DAY_MS + 7, 1)];
    assert_eq!(shelf.days(&scope()).await.unwrap(), expected);
}

#[test]
fn a_chunk_is_bounded_in_events_bytes_and_time() {
    let many = (0..CHUNK_EVENTS_MAX + 1).map(|_| (5, String::new())).collect();
    assert_eq!(cut(many).iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK_EVENTS_MAX, 1]);
    let large = vec![(5, "x".repeat(CHUNK_BYTES_MAX)), (5, "y".into())];
    assert_eq!(cut(large).len(), 2);
    assert_eq!(cut(vec![(0, String::new()), (SPAN_MAX_MS, String::new())]).len(), 2);
    assert_eq!(cut(Vec::new()).len(), 0);
}
