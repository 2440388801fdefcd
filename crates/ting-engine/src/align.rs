//! Where each token of a known text was spoken: the best CTC path (Viterbi) through the frames.

use crate::posteriors::Frame;
use crate::transcript::Symbol;

/// For each of `symbols` the frame in which the best alignment emits it most surely, in rising order; and its ln P there.
/// Empty when there are fewer frames than they need.
pub(crate) fn align(frames: &[Frame], symbols: &[Symbol]) -> Vec<(usize, f32)> {
    // States: blank, symbol 0, blank, symbol 1, ..., blank.
    let states = 2 * symbols.len() + 1;
    if symbols.is_empty() || frames.len() < symbols.len() {
        return Vec::new();
    }
    let mut score = vec![f32::NEG_INFINITY; states];
    // How far back the best path came from: 0, 1 or 2 states.
    let mut came = vec![0u8; states * frames.len()];
    for (t, frame) in frames.iter().enumerate() {
        let mut next = vec![f32::NEG_INFINITY; states];
        for state in 0..states {
            let symbol = (state % 2 == 1).then(|| &symbols[state / 2]);
            let emit = symbol.map_or(frame.blank, |symbol| symbol.ln_p(frame));
            if t == 0 {
                next[state] = if state < 2 { emit } else { f32::NEG_INFINITY };
                continue;
            }
            let mut best = (score[state], 0);
            if state >= 1 && score[state - 1] > best.0 {
                best = (score[state - 1], 1);
            }
            let may_skip = state >= 2
                && symbol.is_some_and(|symbol| symbol.token != symbols[state / 2 - 1].token);
            if may_skip && score[state - 2] > best.0 {
                best = (score[state - 2], 2);
            }
            next[state] = best.0 + emit;
            came[t * states + state] = best.1;
        }
        score = next;
    }
    let mut state = if score[states - 1] >= score[states - 2] {
        states - 1
    } else {
        states - 2
    };
    if score[state] == f32::NEG_INFINITY {
        return Vec::new();
    }
    let mut spikes = vec![(0, f32::NEG_INFINITY); symbols.len()];
    for t in (0..frames.len()).rev() {
        if state % 2 == 1 {
            let ln_p = symbols[state / 2].ln_p(&frames[t]);
            // The earliest of equally sure frames: the path is walked backwards.
            if ln_p >= spikes[state / 2].1 {
                spikes[state / 2] = (t, ln_p);
            }
        }
        state -= usize::from(came[t * states + state]);
    }
    spikes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posteriors::tests::frame;

    fn frames(rows: &[[f32; 3]]) -> Vec<Frame> {
        rows.iter().map(|row| frame(&row.map(f32::ln))).collect()
    }

    fn align(frames: &[Frame], tokens: &[u16]) -> Vec<(usize, f32)> {
        let symbols: Vec<Symbol> = tokens.iter().map(|token| Symbol::of(*token)).collect();
        super::align(frames, &symbols)
    }

    #[test]
    fn finds_the_spikes() {
        let frames = frames(&[
            [0.90, 0.05, 0.05],
            [0.20, 0.70, 0.10],
            [0.05, 0.90, 0.05],
            [0.90, 0.05, 0.05],
            [0.10, 0.10, 0.80],
        ]);
        let spikes: Vec<usize> = align(&frames, &[1, 2])
            .iter()
            .map(|spike| spike.0)
            .collect();
        assert_eq!(spikes, vec![2, 4]);
    }

    #[test]
    fn separates_a_repeated_token() {
        let frames = frames(&[[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]);
        let spikes: Vec<usize> = align(&frames, &[1, 1])
            .iter()
            .map(|spike| spike.0)
            .collect();
        assert_eq!(spikes, vec![0, 2]);
    }

    #[test]
    fn gives_nothing_where_nothing_fits() {
        assert!(align(&frames(&[[0.1, 0.8, 0.1]]), &[1, 2]).is_empty());
        assert!(align(&[], &[]).is_empty());
        // Two equal tokens need a blank between them, so two frames are too few.
        assert!(align(&frames(&[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]), &[1, 1]).is_empty());
    }
}
