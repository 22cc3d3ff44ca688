//! What fuzzing runs; the same body is a property test.

use tidegate_ids::Timestamp;

use crate::{Place, STATE_BYTES_MAX, Shadow, Update, wire};

/// Applies payloads, one a line, to one shadow: nothing panics, versions count, documents stay small and can be read back,
/// their metadata has their shape, and what was reported as desired leaves no difference.
///
/// # Panics
/// When one of these does not hold.
pub fn updates(bytes: &[u8]) {
    let mut shadow: Option<Shadow> = None;
    for (index, payload) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let _ = std::str::from_utf8(payload).map(Place::parse);
        let (token, Ok(update)) = Update::read(payload) else { continue };
        let now = Timestamp::from_seconds(index as u64);
        let Ok(next) = Shadow::update(shadow.as_ref(), &update, now) else { continue };
        assert_eq!(next.version, shadow.as_ref().map_or(0, |shadow| shadow.version) + 1);
        let state = serde_json::to_string(&next.state).expect("a state is JSON");
        assert!(state.len() <= STATE_BYTES_MAX);
        let row = serde_json::to_vec(&next).expect("a shadow is JSON");
        assert_eq!(serde_json::from_slice::<Shadow>(&row).expect("what was written is read"), next);
        for (values, stamps) in
            [(&next.state.desired, &next.metadata.desired), (&next.state.reported, &next.metadata.reported)]
        {
            let names =
                |section: &Option<crate::Section>| section.as_ref().map(|s| s.keys().cloned().collect::<Vec<_>>());
            assert_eq!(names(values), names(stamps));
        }
        let _ = wire::accepted(&next, &update, token.as_deref());
        let _ = wire::documents(shadow.as_ref(), &next, token.as_deref());
        let delta = wire::delta(&next, token.as_deref());
        assert_eq!(delta.is_some(), next.delta().is_some());
        let mut obedient = next.clone();
        obedient.state.reported.clone_from(&next.state.desired);
        assert_eq!(obedient.delta(), None);
        shadow = Some(next);
    }
}
