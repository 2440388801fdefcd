use super::{Failures, noise};
use crate::fsmn::fsmn_memory_at;
use crate::level::Level;
use crate::rows::{exp, layer_norm_at, log_softmax_at, relu_at, softmax_at};

#[test]
fn exp_is_within_1e_6_everywhere() {
    let mut worst = 0.0f64;
    let mut x = 0.0f32;
    while x > -87.0 {
        for found in [exp::<false>(x), exp::<true>(x)] {
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(found) / expected - 1.0).abs());
        }
        x -= 0.000_37;
    }
    assert!(worst < 1e-6, "off by {worst:e}");
    for far in [-88.0, -1e6, f32::NEG_INFINITY] {
        assert_eq!(exp::<false>(far), 0.0);
    }
}

#[test]
fn row_kernels_equal_naive_ones() {
    let mut failures = Failures::default();
    for columns in [1, 2, 15, 16, 17, 63, 256, 560, 1001] {
        for spread in [0.1, 5.0, 80.0, 3000.0] {
            let rows = 3;
            let x: Vec<f32> = noise(columns as u64, rows * columns)
                .iter()
                .map(|v| v * spread)
                .collect();
            let (scale, shift) = (noise(5, columns), noise(6, columns));
            let (mut soft, mut log, mut norm) = (Vec::new(), Vec::new(), Vec::new());
            for row in x.chunks_exact(columns) {
                let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = row.iter().map(|v| (v - top).exp()).sum();
                soft.extend(row.iter().map(|v| (v - top).exp() / sum));
                log.extend(row.iter().map(|v| v - top - sum.ln()));
                let mean = row.iter().sum::<f64>() / columns as f64;
                let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / columns as f64;
                norm.extend((0..columns).map(|i| {
                    (row[i] - mean) / (variance + 1e-5).sqrt() * f64::from(scale[i])
                        + f64::from(shift[i])
                }));
            }
            for level in Level::available() {
                let case =
                    |kernel| format!("{kernel} {level:?} {columns} columns, spread {spread}");
                let mut out = x.clone();
                softmax_at(level, &mut out, columns);
                failures.compare(&case("softmax"), &out, &soft, 2e-6);
                let mut out = x.clone();
                log_softmax_at(level, &mut out, columns);
                failures.compare(&case("log_softmax"), &out, &log, 2e-6);
                let mut out = vec![0.0; x.len()];
                layer_norm_at(level, &x, &scale, &shift, 1e-5, &mut out);
                failures.compare(&case("layer_norm"), &out, &norm, 2e-5);
                let mut out = x.clone();
                relu_at(level, &mut out);
                let expected: Vec<f64> = x.iter().map(|&v| f64::from(v).max(0.0)).collect();
                failures.compare(&case("relu"), &out, &expected, 0.0);
            }
        }
    }
    failures.finish();
}

#[test]
fn fsmn_memory_equals_naive_convolution_and_streams() {
    let mut failures = Failures::default();
    for (dim, taps, left) in [
        (1, 1, 0),
        (5, 3, 1),
        (16, 11, 10),
        (33, 11, 5),
        (128, 20, 19),
        (40, 4, 1),
    ] {
        for rows in [1, 2, 9, 30] {
            let x = noise(rows as u64, rows * dim);
            let weight = noise(4, taps * dim);
            let mut expected = Vec::new();
            for t in 0..rows {
                for c in 0..dim {
                    let mut sum = f64::from(x[t * dim + c]);
                    for tap in 0..taps {
                        let row = t as isize + tap as isize - left as isize;
                        if (0..rows as isize).contains(&row) {
                            let value = x[row as usize * dim + c];
                            sum += f64::from(weight[tap * dim + c]) * f64::from(value);
                        }
                    }
                    expected.push(sum);
                }
            }
            for level in Level::available() {
                let case = format!("{level:?} dim {dim} taps {taps} left {left} rows {rows}");
                let mut whole = vec![f32::NAN; rows * dim];
                fsmn_memory_at(level, &x, dim, &weight, left, 0, &mut whole);
                failures.compare(&case, &whole, &expected, 1e-5);
                if left + 1 < taps {
                    continue;
                }
                // Looking back only: each row from the rows up to it, with explicit zeros before the first.
                let padded = [vec![0.0; left * dim], x.clone()].concat();
                for t in 0..rows {
                    let mut row = vec![f32::NAN; dim];
                    let window = &padded[t * dim..(t + left + 1) * dim];
                    fsmn_memory_at(level, window, dim, &weight, left, left, &mut row);
                    failures.same_bits(&format!("{case} row {t}"), &row, &whole[t * dim..][..dim]);
                }
            }
        }
    }
    failures.finish();
}
