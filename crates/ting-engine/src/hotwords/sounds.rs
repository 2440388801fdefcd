//! How likely tokens are in a frame when what sounds like them counts too.

use ting_models::Readings;

use super::Target;

/// What a character loses (natural log) when another of the same syllable and tone is the likely one.
pub(crate) const SAME_SOUND: f32 = 0.5;
/// The same for another tone of the syllable.
pub(crate) const OTHER_TONE: f32 = 2.5;

/// Looks up targets in the rows of the network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sounds {
    /// In ascending order.
    targets: Vec<Target>,
    /// Whether any target matches by sound.
    any_sound: bool,
}

impl Sounds {
    pub(crate) fn new(mut targets: Vec<Target>) -> Self {
        targets.sort_unstable();
        targets.dedup();
        let any_sound = targets.iter().any(|target| target.sound);
        Self { targets, any_sound }
    }

    /// The place of a target in ascending order, of those given to [`Sounds::new`].
    pub(crate) fn place(&self, target: Target) -> u16 {
        // At most two targets a token, of which there are fewer than 65536; no list has more.
        self.targets.partition_point(|other| *other < target) as u16
    }

    /// All targets, in ascending order.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// ln P of the targets in a row of log probabilities, those above `floor`, in ascending order of the target.
    /// Tokens whose `allowed` is false count for nothing.
    pub(crate) fn look_up(
        &self,
        log_probs: &[f32],
        readings: Option<&Readings>,
        allowed: Option<&[bool]>,
        floor: f32,
    ) -> Vec<(Target, f32)> {
        let mut best = Best::default();
        if let Some(readings) = readings.filter(|_| self.any_sound) {
            best = Best::of(log_probs, readings, allowed);
        }
        let likely = |target: &Target| {
            let own = log_probs[usize::from(target.token)];
            let heard = match readings {
                Some(readings) if target.sound => best.of_token(readings, target.token),
                _ => f32::NEG_INFINITY,
            };
            (*target, own.max(heard))
        };
        self.targets
            .iter()
            .map(likely)
            .filter(|(_, ln_p)| *ln_p > floor)
            .collect()
    }
}

/// The likeliest character of each syllable, with its tone and without.
#[derive(Default)]
struct Best {
    toned: Vec<f32>,
    toneless: Vec<f32>,
}

impl Best {
    fn of(log_probs: &[f32], readings: &Readings, allowed: Option<&[bool]>) -> Self {
        let mut best = Self {
            toned: vec![f32::NEG_INFINITY; readings.syllables()],
            toneless: vec![f32::NEG_INFINITY; readings.toneless_syllables()],
        };
        for (token, syllable) in readings.pairs() {
            let token = usize::from(*token);
            if allowed.is_none_or(|allowed| allowed[token]) {
                let toned = &mut best.toned[usize::from(*syllable)];
                *toned = toned.max(log_probs[token]);
            }
        }
        for (syllable, ln_p) in best.toned.iter().enumerate() {
            // Syllables are counted in `u16`.
            let toneless = usize::from(readings.toneless(syllable as u16));
            best.toneless[toneless] = best.toneless[toneless].max(*ln_p);
        }
        best
    }

    fn of_token(&self, readings: &Readings, token: u16) -> f32 {
        let pairs = readings.of(usize::from(token)).iter();
        pairs
            .map(|(_, syllable)| {
                let toneless = usize::from(readings.toneless(*syllable));
                let toned = self.toned[usize::from(*syllable)] - SAME_SOUND;
                toned.max(self.toneless[toneless] - OTHER_TONE)
            })
            .fold(f32::NEG_INFINITY, f32::max)
    }
}
