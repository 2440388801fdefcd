//! Products of int8 weights, scaled row by row, with rows of f32 that are quantised as they come.
//!
//! Weights are symmetric with one scale per output feature; each input row gets a scale and a zero point of its own
//! (ONNX calls this `DynamicQuantizeLinear`). The sums over the input features are integers and so exact: every
//! instruction set gives the same bits, and no order of adding can change them.

mod linear;
mod matrix;
mod quantize;
mod tile;

pub use linear::linear_int8;
pub use matrix::PackedInt8Matrix;

#[cfg(test)]
pub(crate) use linear::linear_int8_at;
#[cfg(test)]
pub(crate) use quantize::quantize_at;
