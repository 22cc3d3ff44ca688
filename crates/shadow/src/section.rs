//! One section of a state, `desired` or `reported`, beside the times at which its values were set.

use serde_json::{Map, Value, json};

/// The members of a section.
pub type Section = Map<String, Value>;

/// Puts the members of `patch` into a section and their times into `stamps`: objects are merged, `null` takes a member away,
/// all else is replaced as a whole, arrays too. An object that this leaves without members vanishes; one that is given
/// without any stays.
///
/// Unverified: that an emptied object within a section vanishes as an emptied section does.
pub(crate) fn merge(section: &mut Section, stamps: &mut Section, patch: &Section, now: u64) {
    for (name, value) in patch {
        let known = section.get_mut(name).and_then(Value::as_object_mut);
        let known_stamps = stamps.get_mut(name).and_then(Value::as_object_mut);
        let left = match (value, known, known_stamps) {
            (Value::Object(patch), Some(known), Some(known_stamps)) => {
                merge(known, known_stamps, patch, now);
                !known.is_empty() || patch.is_empty()
            }
            (value, _, _) => match without_nulls(value) {
                Some(kept) => {
                    stamps.insert(name.clone(), stamp(&kept, now));
                    section.insert(name.clone(), kept);
                    true
                }
                None => false,
            },
        };
        if !left {
            section.remove(name);
            stamps.remove(name);
        }
    }
}

/// What is left of a value that is set: `None` for `null`, and for an object that has only such members.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| Some((name.clone(), without_nulls(value)?)));
            let kept: Section = kept.collect();
            (!kept.is_empty() || members.is_empty()).then_some(Value::Object(kept))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Some(value.clone()),
    }
}

/// The times of a value that was set at `now`: of each of its members and items, on and on.
pub(crate) fn stamp(value: &Value, now: u64) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), stamp(value, now))).collect(),
        Value::Array(items) => items.iter().map(|item| stamp(item, now)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!({ "timestamp": now }),
    }
}

/// What is desired and not reported: members of `desired` that `reported` has not, or not alike. Arrays are compared as a
/// whole.
pub(crate) fn difference(desired: &Section, reported: &Section) -> Section {
    let mut delta = Section::new();
    for (name, wanted) in desired {
        match (wanted, reported.get(name)) {
            (Value::Object(wanted), Some(Value::Object(is))) => {
                let inner = difference(wanted, is);
                if !inner.is_empty() {
                    delta.insert(name.clone(), Value::Object(inner));
                }
            }
            (wanted, Some(is)) if wanted == is => {}
            (wanted, Some(_) | None) => {
                delta.insert(name.clone(), wanted.clone());
            }
        }
    }
    delta
}

/// The part of `stamps` that belongs to `chosen`, a part of the section they belong to.
pub(crate) fn stamps_of(chosen: &Section, stamps: &Section) -> Section {
    let mut part = Section::new();
    for (name, value) in chosen {
        match (value, stamps.get(name)) {
            (Value::Object(inner), Some(Value::Object(stamps))) => {
                part.insert(name.clone(), Value::Object(stamps_of(inner, stamps)));
            }
            (_, Some(stamps)) => {
                part.insert(name.clone(), stamps.clone());
            }
            (_, None) => {}
        }
    }
    part
}
