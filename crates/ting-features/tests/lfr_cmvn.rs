//! Stacking against a plain reading of its definition, and normalisation.

use ting_features::{Cmvn, Lfr};

/// `apply_lfr` by its definition: row `i` holds frames `i * hop - left ..`, an index outside the
/// utterance meaning the frame nearest to it.
fn whole(frames: &[f32], stack: usize, hop: usize, dim: usize) -> Vec<f32> {
    let count = frames.len() / dim;
    let left = (stack - 1) / 2;
    let mut out = Vec::new();
    for row in 0..count.div_ceil(hop) {
        for k in 0..stack {
            let frame = (row * hop + k).saturating_sub(left).min(count - 1);
            out.extend_from_slice(&frames[frame * dim..(frame + 1) * dim]);
        }
    }
    out
}

#[test]
fn equals_the_definition_in_any_pieces() {
    let mut failures = Vec::new();
    for (stack, hop, dim) in [
        (7, 6, 80),
        (7, 6, 1),
        (5, 1, 3),
        (1, 1, 2),
        (4, 3, 2),
        (3, 5, 2),
        (2, 7, 1),
    ] {
        // One extractor for all: finish must leave nothing behind.
        let mut lfr = Lfr::new(stack, hop, dim);
        for count in (0..30).chain([97, 98, 600]) {
            let frames: Vec<f32> = (0..count * dim).map(|n| n as f32).collect();
            let due = whole(&frames, stack, hop, dim);
            for piece in [1, 2, 6, 7, 1000] {
                let mut out = Vec::new();
                for frames in frames.chunks(piece * dim) {
                    lfr.push(frames, &mut out);
                    if out != due[..out.len()] {
                        failures.push(format!("{stack}/{hop}: a row was given that changed later"));
                    }
                }
                lfr.finish(&mut out);
                if out != due {
                    failures.push(format!(
                        "{stack}/{hop}, {count} frames in pieces of {piece}"
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A row waits for no more frames than it holds.
#[test]
fn rows_come_as_soon_as_they_can() {
    let mut lfr = Lfr::new(7, 6, 1);
    let mut out = Vec::new();
    let mut rows = Vec::new();
    for frame in 0..17 {
        lfr.push(&[frame as f32], &mut out);
        rows.push(out.len() / lfr.row_len());
    }
    assert_eq!(rows, [0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3]);
    assert_eq!(out[..7], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    assert_eq!(out[7..14], [3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
}

#[test]
fn cmvn_shifts_then_scales() {
    let cmvn = Cmvn::new(vec![-1.0, 2.0], vec![0.5, 10.0]).unwrap();
    let mut rows = [1.0, -2.0, 3.0, 0.0, 9.0];
    cmvn.apply(&mut rows);
    assert_eq!(rows, [0.0, 0.0, 1.0, 20.0, 9.0]);
    assert_eq!(cmvn.dim(), 2);
    for (shift, scale) in [(0, 0), (1, 2)] {
        assert!(
            Cmvn::new(vec![0.0; shift], vec![1.0; scale]).is_err(),
            "{shift} and {scale}"
        );
    }
}
