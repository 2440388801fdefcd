//! Percentiles of measurements.

/// The `p`-th percentile (0 to 100) of `values`, interpolated between neighbours as most tools do by default
/// (type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996). `None` without values.
pub(crate) fn percentile(values: &[f64], p: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = (p / 100.0).clamp(0.0, 1.0) * last as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// Cells with the 50th, 90th and 99th percentile of `seconds` in ms, and before them how many there are.
pub(crate) fn cells_ms(seconds: &[f64]) -> Vec<String> {
    let cell =
        |p| percentile(seconds, p).map_or("-".to_owned(), |s| format!("{:.0} ms", s * 1000.0));
    vec![
        seconds.len().to_string(),
        cell(50.0),
        cell(90.0),
        cell(99.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::{cells_ms, percentile};

    #[test]
    fn percentiles() {
        let cases: [(&[f64], f64, Option<f64>); 9] = [
            (&[], 50.0, None),
            (&[3.0], 0.0, Some(3.0)),
            (&[3.0], 99.0, Some(3.0)),
            (&[3.0, 1.0, 2.0], 50.0, Some(2.0)),
            (&[4.0, 1.0, 2.0, 3.0], 50.0, Some(2.5)),
            (&[1.0, 2.0, 3.0, 4.0, 5.0], 90.0, Some(4.6)),
            (&[1.0, 2.0], 100.0, Some(2.0)),
            (&[1.0, 2.0], 0.0, Some(1.0)),
            (&[1.0, 2.0], 200.0, Some(2.0)),
        ];
        let mut failed = Vec::new();
        for (values, p, expected) in cases {
            let got = percentile(values, p);
            if got
                .zip(expected)
                .map_or(got != expected, |(got, e)| (got - e).abs() > 1e-12)
            {
                failed.push((values, p, got, expected));
            }
        }
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn cells() {
        assert_eq!(cells_ms(&[]), ["0", "-", "-", "-"]);
        assert_eq!(cells_ms(&[0.1, 0.3]), ["2", "200 ms", "280 ms", "298 ms"]);
    }
}
