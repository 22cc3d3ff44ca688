use tidegate_kv::memory::MemoryStore;

use super::*;
use crate::{Status, V1Options};

fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() }
}

fn entry(status: Status, client_id: &str) -> Entry {
    let mut entry = Entry::new("Connect", status, 1, Timestamp::from_millis(1000)).of(Some(tenant()));
    entry.client_id = Some(client_id.into());
    entry
}

async fn open() -> (Arc<LogBook>, Batch) {
    LogBook::open(Parts { store: Arc::new(MemoryStore::new()), groups: Box::new(()) }).await.unwrap()
}

async fn settle(book: &LogBook, batch: &mut Batch) {
    let waiting: Vec<_> = std::iter::from_fn(|| batch.0.try_recv().ok()).collect();
    book.keep(waiting, Timestamp::from_millis(2000)).await.unwrap();
}

async fn messages(book: &LogBook, scope: Scope) -> Vec<String> {
    let always = (Timestamp::from_millis(0), Timestamp::from_millis(u64::MAX));
    let found = book.read(&scope, always, None, false, 100, |_| true).await.unwrap();
    found.events.into_iter().map(|event| event.message).collect()
}

#[tokio::test]
async fn levels_decide_what_is_kept_and_refusals_are_kept_in_any_case() {
    let (book, mut batch) = open().await;
    assert!(!book.wants(LogLevel::Error));
    book.write(&entry(Status::Failure, "before"), Some(&Case::default()));
    book.write(&entry(Status::Failure, "before"), None);
    book.set_v2_logging_options(tenant(), None, Some(LogLevel::Error), None, None).await.unwrap();
    book.set_logging_options(tenant(), V1Options { role_arn: "r".into(), level: LogLevel::Info }).await.unwrap();
    assert!(book.wants(LogLevel::Info) && !book.wants(LogLevel::Debug));
    let other = Tenant { region: "eu-west-3".parse().unwrap(), ..tenant() };
    assert!(book.is_kept_for(tenant()) && !book.is_kept_for(other));
    book.write(&entry(Status::Success, "fine"), None);
    book.write(&entry(Status::Failure, "bad"), Some(&Case::default()));
    settle(&book, &mut batch).await;
    let (v1, v2) = (messages(&book, Scope::v1(tenant())).await, messages(&book, Scope::v2(tenant())).await);
    assert_eq!((v1.len(), v2.len()), (2, 1));
    assert!(v1[0].contains("CLIENTID:\"fine\"") && v2[0].contains("\"clientId\":\"bad\""));
    let refusals = book.refusals(Timestamp::from_millis(0), 10, |_| true).await.unwrap();
    let texts: Vec<_> = refusals.iter().map(|event| &event.message).collect();
    assert!(texts.len() == 2 && texts.iter().any(|text| text.contains("before")), "{texts:?}");
    assert!(serde_json::from_str::<serde_json::Value>(texts[0]).is_ok());
}

#[tokio::test]
async fn what_has_no_room_is_counted_and_nobody_waits() {
    let (book, mut batch) = open().await;
    let large = "x".repeat(64 * 1024);
    let times = QUEUE_BYTES_MAX / large.len() + 10;
    for _ in 0..times {
        book.write(&entry(Status::Failure, &large), Some(&Case::default()));
    }
    let dropped = book.dropped();
    assert!((10..30).contains(&dropped), "{dropped}");
    settle(&book, &mut batch).await;
    book.write(&entry(Status::Failure, &large), Some(&Case::default()));
    assert_eq!(book.dropped(), dropped);
}

#[tokio::test]
async fn options_survive_and_are_shown_at_once() {
    let store = Arc::new(MemoryStore::new());
    let parts = || Parts { store: Arc::clone(&store) as _, groups: Box::new(()) };
    let (book, _) = LogBook::open(parts()).await.unwrap();
    book.set_v2_logging_options(tenant(), Some("role".into()), Some(LogLevel::Debug), None, None).await.unwrap();
    let (again, _) = LogBook::open(parts()).await.unwrap();
    assert!(again.wants(LogLevel::Debug));
    book.set_v2_logging_options(tenant(), None, None, Some(true), None).await.unwrap();
    assert!(!book.wants(LogLevel::Error));
    let v2 = again.v2_logging_options(tenant()).await.unwrap();
    assert_eq!((v2.role_arn.as_deref(), v2.default_level, v2.disabled), (Some("role"), LogLevel::Debug, true));
}
