//! A backoff n-gram language model over tokens (Katz 1987).

use crate::error::{ModelError, ModelErrorKind};

/// Longest n-gram a file may hold.
pub(crate) const MAX_ORDER: usize = 4;
/// Begins every file.
const MAGIC: [u8; 4] = *b"TNG2";
/// Stands for "no token" in the file's header.
const NONE: u16 = u16::MAX;

/// The tokens a language model conditions on: the longest known end of what came before.
///
/// Two histories with the same state get the same scores for ever, so a decoder may merge them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LmState {
    /// Oldest first; zeros after `length`.
    tokens: [u16; MAX_ORDER - 1],
    length: u8,
}

impl LmState {
    fn from_tokens(tokens: &[u16]) -> Self {
        let mut state = Self {
            length: tokens.len() as u8,
            ..Self::default()
        };
        state.tokens[..tokens.len()].copy_from_slice(tokens);
        state
    }

    fn tokens(&self) -> &[u16] {
        &self.tokens[..usize::from(self.length)]
    }
}

/// A backoff n-gram model over token ids, up to order 4.
///
/// The n-grams form a trie: level `n` lists the last tokens of all `n`-grams, those of one `n - 1`-gram in a
/// row and sorted, so that a look-up is one binary search per token. Probabilities and backoff weights are one
/// byte each, an index into a table per level. `training/ngram_format.py` writes the file and describes it.
#[derive(Debug)]
pub struct NgramLm {
    levels: Vec<Level>,
    /// Token that stands for the start of a sentence.
    start: Option<u16>,
    /// Natural log probability of a token without a unigram.
    unknown: f32,
}

#[derive(Debug)]
struct Level {
    tokens: Vec<u16>,
    probs: Vec<u8>,
    prob_table: Vec<f32>,
    /// These three are empty in the last level.
    backoffs: Vec<u8>,
    backoff_table: Vec<f32>,
    /// Where the children of each entry begin in the next level, and one more: the end of the last.
    children: Vec<u32>,
}

impl NgramLm {
    /// Reads the file held in `bytes`.
    ///
    /// # Errors
    /// `Format`, saying what is wrong. Any bytes are safe to give.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut reader = Reader { rest: bytes };
        if reader.take(4)? != MAGIC {
            return Err(bad("the file does not begin with `TNG2`"));
        }
        let order = usize::from(reader.take(1)?[0]);
        if !(1..=MAX_ORDER).contains(&order) {
            return Err(bad(format!(
                "the order is {order}; it should be 1 to {MAX_ORDER}"
            )));
        }
        reader.take(1)?;
        let start = reader.numbers(1, u16::from_le_bytes)?[0];
        let unknown = reader.numbers(1, f32::from_le_bytes)?[0];
        check_table(&[unknown])?;
        let counts = reader.numbers(order, u32::from_le_bytes)?;
        let levels: Vec<_> = counts
            .iter()
            .enumerate()
            .map(|(i, count)| Level::read(&mut reader, *count as usize, counts.get(i + 1).copied()))
            .collect::<Result<_, _>>()?;
        if !reader.rest.is_empty() {
            return Err(bad(format!("{} bytes too many", reader.rest.len())));
        }
        let mut parents = vec![0, counts[0]];
        for level in &levels {
            level.check_sorted(&parents)?;
            parents.clone_from(&level.children);
        }
        Ok(Self {
            levels,
            start: (start != NONE).then_some(start),
            unknown,
        })
    }

    /// Longest n-gram.
    pub fn order(&self) -> usize {
        self.levels.len()
    }

    /// Number of n-grams of all lengths.
    pub fn entries(&self) -> usize {
        self.levels.iter().map(|level| level.tokens.len()).sum()
    }

    /// The highest token id any n-gram uses.
    pub fn max_token(&self) -> Option<usize> {
        let tokens = self
            .levels
            .iter()
            .flat_map(|level| &level.tokens)
            .chain(&self.start);
        tokens.max().map(|token| usize::from(*token))
    }

    /// The state at the start of a sentence.
    pub fn state_start(&self) -> LmState {
        let start: Vec<u16> = self.start.into_iter().collect();
        self.longest_known(&start)
    }

    /// The natural log probability of `token` after `state`, and the state after it.
    pub fn score(&self, state: LmState, token: u16) -> (f32, LmState) {
        let context = state.tokens();
        let mut window = [0; MAX_ORDER];
        window[..context.len()].copy_from_slice(context);
        window[context.len()] = token;
        let window = &window[..=context.len()];

        let mut backoff = 0.0;
        for first in 0..context.len() {
            let Some(entry) = self.find(&context[first..]) else {
                continue;
            };
            let level = context.len() - first;
            if let Some(child) = self.child(level, entry, token) {
                return (
                    backoff + self.levels[level].prob(child),
                    self.longest_known(&window[first..]),
                );
            }
            backoff += self.levels[level - 1].backoff(entry);
        }
        let prob = self
            .child(0, 0, token)
            .map_or(self.unknown, |entry| self.levels[0].prob(entry));
        (backoff + prob, self.longest_known(&window[context.len()..]))
    }

    /// The state of the longest end of `tokens` that begins some longer n-gram's look-up.
    fn longest_known(&self, tokens: &[u16]) -> LmState {
        let most = self.levels.len() - 1;
        let first = tokens.len().saturating_sub(most);
        (first..tokens.len())
            .find(|first| self.find(&tokens[*first..]).is_some())
            .map_or_else(LmState::default, |first| {
                LmState::from_tokens(&tokens[first..])
            })
    }

    /// The entry of the n-gram `tokens` (at least one) in level `tokens.len() - 1`.
    fn find(&self, tokens: &[u16]) -> Option<usize> {
        let mut entry = 0;
        for (level, token) in tokens.iter().enumerate() {
            entry = self.child(level, entry, *token)?;
        }
        Some(entry)
    }

    /// The entry of `token` in `level` below `parent` of the level above; level 0 has one parent for all.
    fn child(&self, level: usize, parent: usize, token: u16) -> Option<usize> {
        let tokens = &self.levels.get(level)?.tokens;
        let (start, end) = match level.checked_sub(1) {
            None => (0, tokens.len()),
            Some(above) => {
                let children = &self.levels[above].children;
                (children[parent] as usize, children[parent + 1] as usize)
            }
        };
        tokens[start..end]
            .binary_search(&token)
            .ok()
            .map(|at| start + at)
    }
}

impl Level {
    fn read(reader: &mut Reader<'_>, count: usize, next: Option<u32>) -> Result<Self, ModelError> {
        let table = |reader: &mut Reader<'_>| {
            let table = reader.numbers(256, f32::from_le_bytes)?;
            check_table(&table)?;
            Ok(table)
        };
        let prob_table = table(reader)?;
        let backoff_table = if next.is_some() {
            table(reader)?
        } else {
            Vec::new()
        };
        let tokens = reader.numbers(count, u16::from_le_bytes)?;
        let probs = reader.take(count)?.to_vec();
        let (mut backoffs, mut children) = (Vec::new(), Vec::new());
        if let Some(next) = next {
            backoffs = reader.take(count)?.to_vec();
            children.reserve(count.saturating_add(1));
            children.push(0);
            let mut end = 0_u32;
            for _ in 0..count {
                end = reader
                    .leb128()?
                    .checked_add(end)
                    .ok_or_else(|| bad("a level has too many children"))?;
                children.push(end);
            }
            if end != next {
                return Err(bad(format!(
                    "the n-grams of a level have {end} children; the next level has {next} n-grams"
                )));
            }
        }
        Ok(Self {
            tokens,
            probs,
            prob_table,
            backoffs,
            backoff_table,
            children,
        })
    }

    /// Checks that the tokens of each parent ascend, which the binary search needs.
    fn check_sorted(&self, parents: &[u32]) -> Result<(), ModelError> {
        let sorted = parents.windows(2).all(|range| {
            self.tokens[range[0] as usize..range[1] as usize].is_sorted_by(|a, b| a < b)
        });
        if sorted {
            Ok(())
        } else {
            Err(bad("the tokens of an n-gram are not in ascending order"))
        }
    }

    fn prob(&self, entry: usize) -> f32 {
        self.prob_table[usize::from(self.probs[entry])]
    }

    fn backoff(&self, entry: usize) -> f32 {
        self.backoffs
            .get(entry)
            .map_or(0.0, |code| self.backoff_table[usize::from(*code)])
    }
}

fn check_table(table: &[f32]) -> Result<(), ModelError> {
    // Anything beyond would drown every other score; it also keeps sums finite.
    if table.iter().all(|value| value.abs() <= 1e4) {
        Ok(())
    } else {
        Err(bad(
            "a log probability or backoff weight is not within -10000 to 10000",
        ))
    }
}

fn bad(message: impl Into<String>) -> ModelError {
    ModelError::new(
        ModelErrorKind::Format,
        format!("not a language model: {}", message.into()),
    )
}

/// Takes what a file should hold off its front, and never allocates more than the file has.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| bad("the file is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number in groups of seven bits, the lowest first, the highest bit set in all bytes but the last.
    fn leb128(&mut self) -> Result<u32, ModelError> {
        let mut number = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let byte = self.take(1)?[0];
            let group = u32::from(byte & 0x7f);
            if group.leading_zeros() < shift {
                break;
            }
            number |= group << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(bad("a number of children is too large"))
    }

    fn numbers<T, const SIZE: usize>(
        &mut self,
        count: usize,
        read: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>, ModelError> {
        let bytes = self.take(count.saturating_mul(SIZE))?;
        Ok(bytes
            .as_chunks::<SIZE>()
            .0
            .iter()
            .map(|bytes| read(*bytes))
            .collect())
    }
}
