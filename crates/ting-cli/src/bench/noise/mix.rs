//! Minutes of noise, the same in every run.

use ting_audio::SAMPLE_RATE;

const MINUTE: usize = 60 * SAMPLE_RATE as usize;

/// Mixes recordings of noise.
pub(crate) struct Mixer {
    clips: Vec<Vec<f32>>,
    random: Random,
    /// Order of the clips on each of the two tracks, and how far it is played.
    tracks: [(Vec<usize>, usize); 2],
}

impl Mixer {
    /// `clips` are at 16 kHz, at least one, none empty.
    pub(crate) fn new(clips: Vec<Vec<f32>>) -> Self {
        Self {
            clips,
            random: Random(0x9e37_79b9_7f4a_7c15),
            tracks: Default::default(),
        }
    }

    /// The next minute: clips one after the other at -12 to +6 dB of their own level, other clips 0 to 20 dB lower at the same
    /// time, and under them, by `number`, nothing, white noise, brown noise, mains hum or clicks.
    pub(crate) fn minute(&mut self, number: usize) -> Vec<f32> {
        let mut sum = vec![0.0; MINUTE];
        self.lay(0, -12.0, 6.0, &mut sum);
        self.lay(1, -32.0, -6.0, &mut sum);
        let level = decibels(self.random.between(-50.0, -20.0));
        self.synthetic(number, level, &mut sum);
        sum.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0));
        sum
    }

    /// `speech` with noise whose power is `snr_db` below its own; where it is digitally silent too.
    pub(crate) fn under(&mut self, speech: &[f32], snr_db: f32) -> Vec<f32> {
        let mut noise = vec![0.0; speech.len()];
        self.lay(0, 0.0, 0.0, &mut noise);
        let power = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>() / x.len().max(1) as f32;
        let gain = (power(speech) / power(&noise).max(1e-10)).sqrt() * decibels(-snr_db);
        let mixed = speech.iter().zip(&noise).map(|(s, n)| s + gain * n);
        mixed.map(|x| x.clamp(-1.0, 1.0)).collect()
    }

    /// Adds clips to the whole of `sum`, each at a level of its own.
    fn lay(&mut self, track: usize, from_db: f32, to_db: f32, sum: &mut [f32]) {
        let mut at = 0;
        while at < sum.len() {
            let gain = decibels(self.random.between(from_db, to_db));
            let clip = self.next(track);
            for (sum, x) in sum[at..].iter_mut().zip(&self.clips[clip]) {
                *sum += gain * x;
            }
            at += self.clips[clip].len();
        }
    }

    /// The track's next clip: all of them in random order, then again in another.
    fn next(&mut self, track: usize) -> usize {
        let (order, played) = &mut self.tracks[track];
        if *played == order.len() {
            *order = (0..self.clips.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, self.random.below(i + 1));
            }
            *played = 0;
        }
        *played += 1;
        order[*played - 1]
    }

    fn synthetic(&mut self, number: usize, level: f32, sum: &mut [f32]) {
        let mut brown = 0.0;
        let hum = |i: usize, hz: f32| (std::f32::consts::TAU * hz * i as f32 / 16_000.0).sin();
        for (i, sum) in sum.iter_mut().enumerate() {
            *sum += level
                * match number % 5 {
                    0 => 0.0,
                    1 => self.random.between(-1.0, 1.0),
                    2 => {
                        brown = 0.99 * brown + 0.1 * self.random.between(-1.0, 1.0);
                        brown
                    }
                    3 => 0.6 * hum(i, 50.0) + 0.3 * hum(i, 100.0) + 0.1 * hum(i, 150.0),
                    _ if i % 12_000 < 16 => 1.0,
                    _ => 0.0,
                };
        }
    }
}

fn decibels(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// Pseudo-random numbers that are the same everywhere: xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{MINUTE, Mixer};

    #[test]
    fn minutes_are_full_and_the_same_again() {
        let clips = || vec![vec![0.1; 16_000], vec![-0.2; 40_000]];
        let (mut one, mut other) = (Mixer::new(clips()), Mixer::new(clips()));
        for number in 0..5 {
            let minute = one.minute(number);
            assert_eq!(minute.len(), MINUTE);
            assert!(minute == other.minute(number), "minute {number}");
            assert!(minute.iter().all(|x| x.abs() <= 1.0 && *x != 0.0));
        }
    }

    #[test]
    fn noise_has_the_power_asked_for() {
        let speech: Vec<f32> = (0..32_000).map(|i| (i as f32 * 0.2).sin() * 0.3).collect();
        let mut mixer = Mixer::new(vec![(0..9_000).map(|i| (i as f32 * 1.1).cos()).collect()]);
        let mixed = mixer.under(&speech, 10.0);
        let noise: f32 = mixed
            .iter()
            .zip(&speech)
            .map(|(m, s)| (m - s).powi(2))
            .sum();
        let power: f32 = speech.iter().map(|s| s * s).sum();
        assert!((10.0 * (power / noise).log10() - 10.0).abs() < 0.1);
    }
}
