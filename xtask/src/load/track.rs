//! What arrived of a stream of messages, and packet ids in use.

/// One bit per message, so that loss and duplication are counted exactly.
#[derive(Default)]
pub(super) struct Stream {
    seen: Vec<u64>,
    next: u64,
    pub(super) received: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
}

impl Stream {
    /// Notes message `sequence`; whether it is new.
    #[inline]
    pub(super) fn note(&mut self, sequence: u64) -> bool {
        let (word, bit) = ((sequence >> 6) as usize, 1_u64 << (sequence & 63));
        if word >= self.seen.len() {
            self.seen.resize((word + 1).max(self.seen.len() * 2), 0);
        }
        if self.seen[word] & bit != 0 {
            self.duplicated += 1;
            return false;
        }
        self.seen[word] |= bit;
        self.received += 1;
        match sequence < self.next {
            true => self.reordered += 1,
            false => self.next = sequence + 1,
        }
        true
    }
}

/// Packet ids of one connection: never zero, and none twice at a time.
#[derive(Default)]
pub(super) struct PacketIds {
    used: Vec<u64>,
    last: u16,
}

impl PacketIds {
    fn place(packet_id: u16) -> (usize, u64) {
        (usize::from(packet_id >> 6), 1 << (packet_id & 63))
    }

    /// One that is free; fewer than all are in use.
    #[inline]
    pub(super) fn take(&mut self) -> u16 {
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if self.mark(self.last) {
                return self.last;
            }
        }
    }

    /// Notes one that the peer chose; false when it was in use.
    #[inline]
    pub(super) fn mark(&mut self, packet_id: u16) -> bool {
        if self.used.is_empty() {
            self.used = vec![0; 1024];
        }
        let (word, bit) = Self::place(packet_id);
        let free = self.used[word] & bit == 0;
        self.used[word] |= bit;
        free
    }

    /// Frees one; false when it was not in use.
    #[inline]
    pub(super) fn release(&mut self, packet_id: u16) -> bool {
        let (word, bit) = Self::place(packet_id);
        let Some(used) = self.used.get_mut(word).filter(|used| **used & bit != 0) else { return false };
        *used &= !bit;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_duplication_and_reordering_are_told_apart() {
        let mut stream = Stream::default();
        for sequence in [0, 1, 3, 2, 3, 200] {
            stream.note(sequence);
        }
        assert_eq!((stream.received, stream.duplicated, stream.reordered), (5, 1, 1));
    }

    #[test]
    fn packet_ids_skip_zero_and_those_in_use() {
        let mut ids = PacketIds::default();
        assert_eq!(ids.take(), 1);
        for _ in 0..65_534 {
            assert_ne!(ids.take(), 0);
        }
        assert!(ids.release(77) && !ids.release(77));
        assert_eq!(ids.take(), 77);
        assert!(!ids.mark(77));
    }
}
