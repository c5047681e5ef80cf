//! Buffers of pictures.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Maximum number of pictures that the compositor, and each decoder, keeps for their memory. Of the composed ones, the
/// encoder has one and a fade another one; of the decoded ones, one is shown and others wait.
pub const MAX_BUFFERS: usize = 4;

/// Makes each picture in the memory of an earlier one that nobody uses any more: the pages of a new allocation would
/// cost as much as drawing into them.
#[derive(Debug, Default)]
pub(in crate::jobs::mix) struct Buffers {
    made: VecDeque<Bytes>,
}

impl Buffers {
    /// Returns a buffer of this length with any content.
    pub(in crate::jobs::mix) fn next(&mut self, length: usize) -> BytesMut {
        let free = self.made.iter().position(Bytes::is_unique);
        let free = free.and_then(|n| self.made.remove(n)).and_then(|buffer| buffer.try_into_mut().ok());
        free.filter(|buffer| buffer.len() == length).unwrap_or_else(|| BytesMut::zeroed(length))
    }

    /// Keeps a picture until it is free.
    pub(in crate::jobs::mix) fn keep(&mut self, picture: Bytes) {
        if self.made.len() == MAX_BUFFERS {
            self.made.pop_front();
        }
        self.made.push_back(picture);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_as_soon_as_it_is_free() {
        let mut buffers = Buffers::default();
        let mut make = || {
            let picture = buffers.next(600).freeze();
            buffers.keep(picture.clone());
            (picture.as_ptr() as usize, picture)
        };
        let (first, held) = make();
        let (second, free) = make();
        drop(free);
        assert_eq!(make().0, second);
        assert_ne!(first, second);
        drop(held);
        let again = [make(), make()].map(|(at, _)| at);
        assert!(again.contains(&first) || again.contains(&second));
        let held: Vec<_> = (0..2 * MAX_BUFFERS).map(|_| make().1).collect();
        let places: std::collections::BTreeSet<_> = held.iter().map(|picture| picture.as_ptr()).collect();
        assert_eq!(places.len(), held.len(), "a picture in use is never overwritten");
        assert_eq!(buffers.made.len(), MAX_BUFFERS);
        assert_eq!(buffers.next(60).len(), 60);
    }
}
