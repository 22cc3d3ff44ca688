use super::*;
use crate::contract::Subject;

struct Memory;

impl Subject for Memory {
    fn fresh(&self, feed: FeedBounds) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move { Arc::new(MemoryStore::with_feed_bounds(feed)) as Arc<dyn Store> })
    }
}

mod contract {
    use super::Memory;

    crate::contract_tests!(Memory);
}
