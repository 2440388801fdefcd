use super::{Failures, noise};
use crate::attention::{AttentionScratch, Strided, attention_at};
use crate::level::Level;
use crate::linear::linear_at;
use crate::matrix::PackedMatrix;

fn naive_linear(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    inputs: usize,
    outputs: usize,
) -> Vec<f64> {
    let mut out = Vec::new();
    for row in x.chunks_exact(inputs) {
        for o in 0..outputs {
            let products = row
                .iter()
                .zip(&w[o * inputs..])
                .map(|(a, b)| f64::from(*a) * f64::from(*b));
            out.push(products.sum::<f64>() + bias.map_or(0.0, |b| f64::from(b[o])));
        }
    }
    out
}

#[test]
fn linear_equals_naive_product() {
    let mut failures = Failures::default();
    for rows in [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 16, 25, 47, 48, 49, 60, 97] {
        for (inputs, outputs) in [
            (1, 1),
            (3, 5),
            (16, 32),
            (17, 33),
            (64, 31),
            (100, 96),
            (560, 130),
        ] {
            let x = noise(rows as u64, rows * inputs);
            let weight = noise(7, inputs * outputs);
            let bias = noise(9, outputs);
            let packed = PackedMatrix::pack(&weight, outputs, inputs);
            for bias in [None, Some(bias.as_slice())] {
                let expected = naive_linear(&x, &weight, bias, inputs, outputs);
                for level in Level::available() {
                    let mut out = vec![f32::NAN; rows * outputs];
                    linear_at(level, &x, rows, &packed, bias, &mut out);
                    let case = format!(
                        "{level:?} {rows}x{inputs}x{outputs} bias {}",
                        bias.is_some()
                    );
                    failures.compare(&case, &out, &expected, 1e-5);
                }
            }
        }
    }
    failures.finish();
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    let mut failures = Failures::default();
    let (rows, inputs, outputs) = (131, 96, 70);
    let x = noise(1, rows * inputs);
    let packed = PackedMatrix::pack(&noise(2, inputs * outputs), outputs, inputs);
    let bias = noise(3, outputs);
    for level in Level::available() {
        let mut all = vec![0.0; rows * outputs];
        linear_at(level, &x, rows, &packed, Some(&bias), &mut all);
        for group in [1, 2, 3, 4, 5, 7, 12, 13, 48, 50, 100] {
            let mut found = Vec::new();
            for part in x.chunks(group * inputs) {
                let mut out = vec![0.0; part.len() / inputs * outputs];
                linear_at(
                    level,
                    part,
                    part.len() / inputs,
                    &packed,
                    Some(&bias),
                    &mut out,
                );
                found.extend(out);
            }
            failures.same_bits(&format!("{level:?} groups of {group}"), &found, &all);
        }
    }
    failures.finish();
}

#[test]
fn a_product_over_nothing_is_the_bias() {
    let packed = PackedMatrix::pack(&[], 3, 0);
    let mut out = [f32::NAN; 6];
    crate::linear(&[], 2, &packed, Some(&[1.0, 2.0, 3.0]), &mut out);
    assert_eq!(out, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
}

#[test]
fn attention_equals_naive_one() {
    let mut failures = Failures::default();
    for (queries, keys, heads, dim) in [
        (1, 1, 1, 1),
        (3, 7, 2, 6),
        (3, 63, 4, 256),
        (50, 50, 4, 64),
        (5, 0, 1, 4),
        (97, 33, 1, 40),
    ] {
        let stride = 3 * dim + 1;
        let rows = noise(11, queries.max(keys) * stride);
        let width = dim / heads;
        let at = |row: usize, part: usize, c: usize| f64::from(rows[row * stride + part * dim + c]);
        let mut expected = Vec::new();
        for q in 0..queries {
            for c in 0..dim {
                let head = c / width * width;
                let score = |k: usize| {
                    let dot: f64 = (head..head + width)
                        .map(|i| at(q, 0, i) * at(k, 1, i))
                        .sum();
                    (dot / (width as f64).sqrt()).exp()
                };
                let total: f64 = (0..keys).map(score).sum();
                expected.push((0..keys).map(|k| score(k) / total * at(k, 2, c)).sum());
            }
        }
        for level in Level::available() {
            let case = format!("{level:?} {queries} queries {keys} keys {heads} heads dim {dim}");
            let mut scratch = AttentionScratch::default();
            let run = |first: usize, count: usize, scratch: &mut AttentionScratch| {
                let mut out = vec![f32::NAN; count * dim];
                let rows_of = |part: usize, row: usize, n| {
                    Strided::new(&rows[row * stride + part * dim..], n, stride)
                };
                let (q, k, v) = (
                    rows_of(0, first, count),
                    rows_of(1, 0, keys),
                    rows_of(2, 0, keys),
                );
                attention_at(level, q, k, v, heads, dim, scratch, &mut out);
                out
            };
            let whole = run(0, queries, &mut scratch);
            failures.compare(&case, &whole, &expected, 1e-5);
            for q in 0..queries {
                let row = run(q, 1, &mut scratch);
                failures.same_bits(&format!("{case} query {q}"), &row, &whole[q * dim..][..dim]);
            }
        }
    }
    failures.finish();
}

#[test]
fn wrong_shapes_panic_before_any_memory_is_touched() {
    let packed = || PackedMatrix::pack(&[0.0; 6], 2, 3);
    type Call = Box<dyn Fn()>;
    let int8 = || crate::PackedInt8Matrix::pack(&[0; 6], &[1.0; 2], 2, 3);
    let cases: [(&str, Call); 10] = [
        (
            "weight",
            Box::new(|| drop(PackedMatrix::pack(&[0.0; 5], 2, 3))),
        ),
        (
            "input",
            Box::new(move || crate::linear(&[0.0; 4], 1, &packed(), None, &mut [0.0; 2])),
        ),
        (
            "output",
            Box::new(move || crate::linear(&[0.0; 3], 1, &packed(), None, &mut [0.0; 3])),
        ),
        (
            "int8 weight",
            Box::new(|| drop(crate::PackedInt8Matrix::pack(&[0; 5], &[1.0; 2], 2, 3))),
        ),
        (
            "int8 scales",
            Box::new(|| drop(crate::PackedInt8Matrix::pack(&[0; 6], &[1.0; 3], 2, 3))),
        ),
        (
            "int8 input",
            Box::new(move || crate::linear_int8(&[0.0; 4], 1, &int8(), None, &mut [0.0; 2])),
        ),
        (
            "int8 output",
            Box::new(move || crate::linear_int8(&[0.0; 3], 1, &int8(), None, &mut [0.0; 3])),
        ),
        ("softmax", Box::new(|| crate::softmax(&mut [0.0; 5], 2))),
        (
            "fsmn",
            Box::new(|| crate::fsmn_memory(&[0.0; 4], 2, &[0.0; 2], 0, 1, &mut [0.0; 4])),
        ),
        (
            "attention",
            Box::new(|| {
                let rows = Strided::new(&[0.0; 7], 2, 4);
                let mut scratch = AttentionScratch::default();
                crate::attention(rows, rows, rows, 2, 4, &mut scratch, &mut [0.0; 8]);
            }),
        ),
    ];
    let quiet: Vec<_> = cases
        .into_iter()
        .filter(|(_, call)| std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_ok())
        .map(|(name, _)| name)
        .collect();
    assert!(quiet.is_empty(), "accepted: {quiet:?}");
}
