use std::fmt;

/// Mean and variance normalisation with fixed statistics, as FunASR's `am.mvn` files hold them:
/// `y = (x + shift) * scale`, the shift being the negative mean and the scale the inverse deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Cmvn {
    shift: Vec<f32>,
    scale: Vec<f32>,
}

/// The two vectors of a [`Cmvn`] do not belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CmvnError {
    message: String,
}

impl fmt::Display for CmvnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CmvnError {}

impl Cmvn {
    /// From one shift and one scale for each value of a row.
    ///
    /// # Errors
    /// If they are empty or of different lengths.
    pub fn new(shift: Vec<f32>, scale: Vec<f32>) -> Result<Self, CmvnError> {
        if shift.is_empty() || shift.len() != scale.len() {
            let message = format!(
                "{} shifts and {} scales: give one of each for every value of a row",
                shift.len(),
                scale.len()
            );
            return Err(CmvnError { message });
        }
        Ok(Self { shift, scale })
    }

    /// Values of a row.
    pub fn dim(&self) -> usize {
        self.shift.len()
    }

    /// Normalises whole rows of [`Cmvn::dim`] values in place; a remainder is left as it is.
    pub fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.dim()) {
            for ((x, shift), scale) in row.iter_mut().zip(&self.shift).zip(&self.scale) {
                *x = (*x + shift) * scale;
            }
        }
    }
}
