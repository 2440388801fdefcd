/// Bytes that a demuxer has been given and not yet used. How many those can be is for the demuxer to bound.
#[derive(Default)]
pub(crate) struct Pending {
    buffer: Vec<u8>,
    /// Start of the bytes in `buffer` that are not used yet.
    start: usize,
    /// Bytes still to come that are of no interest.
    skip: u64,
}

impl Pending {
    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        self.buffer.extend_from_slice(&bytes[skipped as usize..]);
    }

    /// All that is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Uses up the first `count` bytes, of which those to come are dropped unseen.
    pub(crate) fn consume(&mut self, count: u64) {
        let here = count.min(self.bytes().len() as u64);
        self.start += here as usize;
        self.skip += count - here;
    }
}
