/// Low frame rate: `stack` frames side by side make one row, every `hop` frames, as FunASR's
/// `apply_lfr` computes it for a whole utterance.
///
/// The first frame is repeated `(stack - 1) / 2` times before it, the last one as often as needed after
/// it, so that `t` frames give `ceil(t / hop)` rows, row `i` around frame `i * hop`. Row `i` is out once
/// frame `i * hop - (stack - 1) / 2 + stack - 1` is in: for 7 and 6, three frames later. Rows that need
/// frames that never came are given by [`Lfr::finish`].
pub struct Lfr {
    stack: usize,
    hop: usize,
    dim: usize,
    /// Frames from the start of the next row on, the padding in front included; values, not frames.
    pending: Vec<f32>,
    /// The last frame taken, for the padding behind.
    last: Vec<f32>,
    /// Frames that the next row starts behind the end of `pending`, where `hop` is more than `stack`.
    skip: usize,
    frames: usize,
    rows: usize,
}

impl Lfr {
    /// Rows of `stack` frames of `dim` values, every `hop` frames. A `stack`, `hop` or `dim` of 0 counts as 1.
    pub fn new(stack: usize, hop: usize, dim: usize) -> Self {
        let (stack, hop, dim) = (stack.max(1), hop.max(1), dim.max(1));
        Self {
            stack,
            hop,
            dim,
            pending: Vec::new(),
            last: Vec::new(),
            skip: 0,
            frames: 0,
            rows: 0,
        }
    }

    /// Values of a row: `stack * dim`.
    pub fn row_len(&self) -> usize {
        self.stack * self.dim
    }

    /// Takes whole frames of `dim` values each (a remainder is not looked at) and appends the rows that
    /// are complete.
    pub fn push(&mut self, frames: &[f32], out: &mut Vec<f32>) {
        for frame in frames.chunks_exact(self.dim) {
            if self.frames == 0 {
                for _ in 0..(self.stack - 1) / 2 {
                    self.pending.extend_from_slice(frame);
                }
            }
            self.frames += 1;
            self.last.clear();
            self.last.extend_from_slice(frame);
            self.append(frame, out);
        }
    }

    /// Ends the utterance: appends the rows whose last frames are missing, and begins a new one.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let due = self.frames.div_ceil(self.hop);
        let last = std::mem::take(&mut self.last);
        while self.rows < due {
            self.append(&last, out);
        }
        *self = Self::new(self.stack, self.hop, self.dim);
    }

    fn append(&mut self, frame: &[f32], out: &mut Vec<f32>) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.pending.extend_from_slice(frame);
        if self.pending.len() == self.row_len() {
            out.extend_from_slice(&self.pending);
            self.rows += 1;
            self.pending.drain(..self.hop.min(self.stack) * self.dim);
            self.skip = self.hop.saturating_sub(self.stack);
        }
    }
}
