//! What fuzzing runs; the same body is a property test.

use tidegate_mqtt::topic;

use crate::{
    Scenario,
    mark::Mark,
    random::Random,
    template::{What, Who},
};

/// Longest payload that a scenario of 1 MiB can ask for, in bytes: a template of 128 KiB that is all names of 256 bytes.
const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads bytes as a scenario: what is wrong is told in one line with a place in the text; what is accepted can be carried out, down to
/// the last device of each group.
///
/// # Panics
/// When one of these does not hold.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{error}");
            assert!(error.column >= 1 && !error.message.contains('\n'), "{error}");
            return;
        }
    };
    let mut devices = 0;
    for group in &scenario.groups {
        devices += group.count as usize;
        let (name, index) = group.last();
        let who = Who { device: &name, index, group: &group.name };
        assert!(u32::try_from(index).is_ok());
        assert!((1..=65_535).contains(&group.client_id.name(&who).len()));
        let _ = group.connect.due_micros(u64::from(group.count));
        for failures in [0, 1, 40, u32::MAX] {
            assert!(
                group.retry.pause_micros(failures, 0.5) <= group.retry.max.micros().max(group.retry.first.micros())
            );
        }
        for publication in &group.publish {
            assert!(topic::valid_name(&publication.topic.name(&who)) && publication.interval_micros() >= 1);
            let mark = Mark { run: 1, stream: 2, seq: 3, due_micros: 4 };
            let mut payload = Vec::new();
            publication.payload.payload(&who, What { mark, now_millis: 5, random: Random::of(6, 7) }, &mut payload);
            assert!(payload.len() <= PAYLOAD_BYTES_MAX && std::str::from_utf8(&payload).is_ok());
        }
        assert!(group.subscribe.iter().all(|subscription| topic::valid_filter(&subscription.filter.name(&who))));
    }
    assert!(devices >= 1 && devices == scenario.devices());
    assert!(scenario.storms.iter().all(|storm| storm.at <= scenario.duration));
}
