use super::NONE;

/// The nodes reached by the levels so far: on the stack while they are few.
#[derive(Default)]
pub(super) struct Frontier {
    few: [u32; 8],
    count: usize,
    many: Vec<u32>,
}

impl Frontier {
    pub(super) fn new(node: u32) -> Self {
        let mut frontier = Self::default();
        frontier.push(node);
        frontier
    }

    /// Add `node`, if it is one.
    pub(super) fn push(&mut self, node: u32) {
        if node == NONE {
            return;
        }
        if self.many.is_empty() && self.count < self.few.len() {
            self.few[self.count] = node;
            self.count += 1;
        } else {
            if self.many.is_empty() {
                self.many.extend_from_slice(&self.few[..self.count]);
            }
            self.many.push(node);
        }
    }

    pub(super) fn nodes(&self) -> &[u32] {
        if self.many.is_empty() { &self.few[..self.count] } else { &self.many }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.many.clear();
    }
}
