//! Shadows as one would write them without a thought of cost: every value by its path.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Path below `desired` or `reported` → value and when it was set. A value is a leaf, an array or an empty object.
#[derive(Debug, Default)]
pub(super) struct Shadow(BTreeMap<Vec<String>, (Value, u64)>);

impl Shadow {
    pub(super) fn update(&mut self, state: &Value, now: u64) {
        for section in ["desired", "reported"] {
            let path = vec![section.to_owned()];
            match state.get(section) {
                None if state.is_null() => self.clear(&path),
                None => {}
                Some(Value::Null) => self.clear(&path),
                Some(value) => self.set(&path, value, now),
            }
        }
    }

    fn clear(&mut self, path: &[String]) {
        self.0.retain(|known, _| !known.starts_with(path));
    }

    fn has_below(&self, path: &[String]) -> bool {
        self.0.keys().any(|known| known.len() > path.len() && known.starts_with(path))
    }

    fn set(&mut self, path: &[String], value: &Value, now: u64) {
        match value {
            Value::Null => self.clear(path),
            Value::Object(members) => {
                let is_object = self.has_below(path) || self.0.get(path).is_some_and(|(value, _)| value.is_object());
                if !is_object {
                    self.clear(path);
                }
                let was_there = is_object;
                if members.is_empty() {
                    if !was_there {
                        self.0.insert(path.to_vec(), (json!({}), now));
                    }
                    return;
                }
                self.0.remove(path);
                for (name, value) in members {
                    let below = [path, std::slice::from_ref(name)].concat();
                    self.set(&below, value, now);
                }
            }
            value => {
                self.clear(path);
                self.0.insert(path.to_vec(), (value.clone(), now));
            }
        }
    }

    fn tree(&self, leaf: impl Fn(&Value, u64) -> Value) -> Value {
        let mut root = Map::new();
        for (path, (value, at)) in &self.0 {
            let (last, above) = path.split_last().unwrap();
            let mut here = &mut root;
            for name in above {
                here = here.entry(name.clone()).or_insert_with(|| json!({})).as_object_mut().unwrap();
            }
            here.insert(last.clone(), leaf(value, *at));
        }
        Value::Object(root)
    }

    pub(super) fn state(&self) -> Value {
        self.tree(|value, _| value.clone())
    }

    pub(super) fn metadata(&self) -> Value {
        fn stamps(value: &Value, at: u64) -> Value {
            match value {
                Value::Object(members) => {
                    members.iter().map(|(name, value)| (name.clone(), stamps(value, at))).collect()
                }
                Value::Array(items) => items.iter().map(|item| stamps(item, at)).collect(),
                _ => json!({ "timestamp": at }),
            }
        }
        self.tree(stamps)
    }

    /// All desired paths whose value is not reported; empty objects count as reported where any object is.
    pub(super) fn delta(&self) -> Option<Value> {
        let state = self.state();
        let reported =
            |path: &[String]| path.iter().try_fold(&state["reported"], |value, name| value.as_object()?.get(name));
        let mut delta = Self::default();
        for (path, (value, at)) in self.0.iter().filter(|(path, _)| path[0] == "desired") {
            let same = match (value, reported(&path[1..])) {
                (Value::Object(_), Some(is)) => is.is_object(),
                (value, Some(is)) => value == is,
                (_, None) => false,
            };
            if !same && path.len() > 1 {
                delta.0.insert(path[1..].to_vec(), (value.clone(), *at));
            }
        }
        (!delta.0.is_empty()).then(|| delta.state())
    }
}
