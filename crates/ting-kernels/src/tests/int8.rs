use super::{Failures, noise};
use crate::int8::{PackedInt8Matrix, linear_int8_at, quantize_at};
use crate::level::Level;

/// Int8 weights of all values, -128 among them.
fn bytes(seed: u64, count: usize) -> Vec<i8> {
    let values = noise(seed, count);
    values.iter().map(|v| (v * 128.0).floor() as i8).collect()
}

/// The definition: `(byte - zero) * scale` of each value of a row, 255 steps from its least to its greatest, zero among
/// them.
fn quantized(row: &[f32]) -> (Vec<i64>, f32) {
    let low = row.iter().copied().fold(0.0, f32::min);
    let range = row.iter().copied().fold(0.0, f32::max) - low;
    if range < 1e-30 {
        return (vec![0; row.len()], 0.0);
    }
    let steps = 255.0 / range;
    let zero = (-low * steps).round_ties_even();
    let byte = |v: &f32| ((v * steps).round_ties_even() + zero).clamp(0.0, 255.0);
    let values = row.iter().map(|v| (byte(v) - zero) as i64).collect();
    (values, range / 255.0)
}

fn naive(
    x: &[f32],
    w: &[i8],
    scales: &[f32],
    bias: Option<&[f32]>,
    inputs: usize,
    outputs: usize,
) -> Vec<f32> {
    let mut out = Vec::new();
    for row in x.chunks_exact(inputs) {
        let (values, scale) = quantized(row);
        for o in 0..outputs {
            let products = values.iter().zip(&w[o * inputs..]);
            let sum: i64 = products.map(|(a, b)| a * i64::from(*b)).sum();
            assert!(i32::try_from(sum).is_ok());
            out.push(sum as f32 * (scale * scales[o]) + bias.map_or(0.0, |b| b[o]));
        }
    }
    out
}

#[test]
fn int8_products_equal_a_plain_loop_bit_for_bit_with_all_instructions() {
    let mut failures = Failures::default();
    for rows in [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 16, 25, 47, 48, 49, 97] {
        for (inputs, outputs) in [
            (1, 1),
            (3, 5),
            (4, 32),
            (16, 32),
            (17, 33),
            (23, 64),
            (64, 31),
            (100, 96),
            (561, 130),
        ] {
            let x = noise(rows as u64, rows * inputs);
            let w = bytes(7, inputs * outputs);
            let scales = noise(8, outputs);
            let packed = PackedInt8Matrix::pack(&w, &scales, outputs, inputs);
            let biases = noise(9, outputs);
            for bias in [None, Some(&biases[..])] {
                let expected = naive(&x, &w, &scales, bias, inputs, outputs);
                for level in Level::available() {
                    let mut out = vec![f32::NAN; rows * outputs];
                    linear_int8_at(level, &x, rows, &packed, bias, &mut out);
                    let with = bias.is_some();
                    let case = format!("{level:?} {rows}x{inputs}x{outputs} bias {with}");
                    failures.same_bits(&case, &out, &expected);
                }
            }
        }
    }
    failures.finish();
}

#[test]
fn the_largest_sums_are_exact() {
    let mut failures = Failures::default();
    let (inputs, outputs) = (65_536, 3);
    let mut w = vec![127i8; inputs];
    w.extend(vec![-128; inputs]);
    w.extend([-128, 127].repeat(inputs / 2));
    let packed = PackedInt8Matrix::pack(&w, &[1.0; 3], outputs, inputs);
    let alternating = [1.0, -1.0].repeat(inputs / 2);
    for (name, x) in [
        ("all high", vec![1.0; inputs]),
        ("all low", vec![-1.0; inputs]),
        ("alternating", alternating),
    ] {
        let expected = naive(&x, &w, &[1.0; 3], None, inputs, outputs);
        for level in Level::available() {
            let mut out = vec![f32::NAN; outputs];
            linear_int8_at(level, &x, 1, &packed, None, &mut out);
            failures.same_bits(&format!("{level:?} {name}"), &out, &expected);
        }
    }
    failures.finish();
}

#[test]
fn a_row_of_an_int8_product_does_not_depend_on_the_rows_beside_it() {
    let mut failures = Failures::default();
    let (rows, inputs, outputs) = (131, 98, 70);
    // Rows of different ranges, each of which has to keep its own.
    let mut x = noise(1, rows * inputs);
    for (r, row) in x.chunks_exact_mut(inputs).enumerate() {
        row.iter_mut().for_each(|v| *v *= 1.0 + (r % 7) as f32);
    }
    let w = bytes(2, inputs * outputs);
    let packed = PackedInt8Matrix::pack(&w, &noise(4, outputs), outputs, inputs);
    let bias = noise(3, outputs);
    for level in Level::available() {
        let run = |x: &[f32]| {
            let rows = x.len() / inputs;
            let mut out = vec![f32::NAN; rows * outputs];
            linear_int8_at(level, x, rows, &packed, Some(&bias), &mut out);
            out
        };
        let all = run(&x);
        for group in [1, 2, 3, 4, 5, 7, 12, 13, 48, 50, 100] {
            let found: Vec<f32> = x.chunks(group * inputs).flat_map(run).collect();
            failures.same_bits(&format!("{level:?} groups of {group}"), &found, &all);
        }
    }
    failures.finish();
}

#[test]
fn rows_are_quantised_to_half_a_step() {
    let around = |centre: f32| -> Vec<f32> {
        let values = noise(6, 100);
        values.iter().map(|v| v + centre).collect()
    };
    let cases = [
        ("both signs", around(0.0)),
        ("behind a relu", around(1.0)),
        ("negative", around(-3.0)),
        ("large", around(0.0).iter().map(|v| v * 1e30).collect()),
        ("small", around(0.0).iter().map(|v| v * 1e-28).collect()),
        ("zeros", vec![0.0; 40]),
        ("one value", vec![-2.5]),
        ("none", vec![]),
    ];
    let mut failures = Failures::default();
    for (name, row) in &cases {
        let low = row.iter().copied().fold(0.0, f32::min);
        let range = row.iter().copied().fold(0.0, f32::max) - low;
        for level in Level::available() {
            let mut bytes = vec![99u8; row.len()];
            let found = quantize_at(level, row, &mut bytes);
            let case = format!("{level:?} {name}");
            if *name == "behind a relu" && found.zero != 0 {
                failures.0.push(format!("{case}: zero is {}", found.zero));
            }
            for (byte, value) in bytes.iter().zip(row) {
                let back = (i32::from(*byte) - found.zero) as f32 * found.scale;
                if (back - value).abs() > range / 255.0 * 0.5001 {
                    failures.0.push(format!("{case}: {value} became {back}"));
                }
            }
        }
    }
    failures.finish();
}

#[test]
fn a_row_that_is_not_finite_is_nan_and_the_others_are_not() {
    let inputs = 20;
    let packed = PackedInt8Matrix::pack(&bytes(5, 3 * inputs), &[1.0; 3], 3, inputs);
    for (at, value) in [
        (0, f32::NAN),
        (7, -f32::NAN),
        (17, f32::INFINITY),
        (19, f32::NEG_INFINITY),
    ] {
        for level in Level::available() {
            let mut x = noise(2, 3 * inputs);
            x[inputs + at] = value;
            let mut out = [0.0; 9];
            linear_int8_at(level, &x, 3, &packed, None, &mut out);
            let nan: Vec<bool> = out.iter().map(|v| v.is_nan()).collect();
            let case = format!("{level:?} {value} at {at}");
            assert_eq!(nan, [[false; 3], [true; 3], [false; 3]].concat(), "{case}");
        }
    }
}

#[test]
fn an_int8_product_over_nothing_is_the_bias() {
    let packed = PackedInt8Matrix::pack(&[], &[1.0; 3], 3, 0);
    let mut out = [f32::NAN; 6];
    crate::linear_int8(&[], 2, &packed, Some(&[1.0, 2.0, 3.0]), &mut out);
    assert_eq!(out, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
}
