//! Triangular filters on the mel scale, as Kaldi's `MelBanks` lays them out.

/// A bank of filters over the power spectrum.
///
/// The layout is computed in `f32` because the reference does: a weight near a filter's edge is a small
/// difference of large numbers, and more exact ones would be other ones.
pub(crate) struct MelBank {
    filters: Vec<Filter>,
}

struct Filter {
    /// The first spectrum bin with a weight.
    start: usize,
    weights: Vec<f32>,
}

impl MelBank {
    /// `bins` filters between `low` and `high` Hz for a spectrum of `fft_size / 2` bins.
    pub(crate) fn new(bins: usize, low: f32, high: f32, rate: f32, fft_size: usize) -> Self {
        let bin_width = rate / fft_size as f32;
        let (low, high) = (mel(low), mel(high));
        let delta = (high - low) / (bins + 1) as f32;
        let filters = (0..bins)
            .map(|bin| {
                let left = low + bin as f32 * delta;
                let centre = low + (bin + 1) as f32 * delta;
                let right = low + (bin + 2) as f32 * delta;
                let weight = |index: usize| {
                    let mel = mel(bin_width * index as f32);
                    let inside = mel > left && mel < right;
                    inside.then(|| match mel <= centre {
                        true => (mel - left) / (centre - left),
                        false => (right - mel) / (right - centre),
                    })
                };
                // The bin at the Nyquist frequency takes no part.
                let start = (0..fft_size / 2)
                    .find(|&i| weight(i).is_some())
                    .unwrap_or(0);
                Filter {
                    start,
                    weights: (start..fft_size / 2).map_while(weight).collect(),
                }
            })
            .collect();
        Self { filters }
    }

    /// Appends the energy in each filter to `out`, as a natural logarithm with a floor of `f32::EPSILON`.
    pub(crate) fn log_energies(&self, power: &[f32], out: &mut Vec<f32>) {
        out.extend(self.filters.iter().map(|filter| {
            let spectrum = &power[filter.start..];
            let energy: f32 = filter
                .weights
                .iter()
                .zip(spectrum)
                .map(|(w, p)| w * p)
                .sum();
            energy.max(f32::EPSILON).ln()
        }));
    }
}

/// Hz to mel (O'Shaughnessy's formula in natural logarithms, as in Kaldi and HTK).
fn mel(hz: f32) -> f32 {
    1127.0 * (1.0 + hz / 700.0).ln()
}
