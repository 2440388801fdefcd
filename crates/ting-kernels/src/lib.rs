//! SIMD kernels: matrix products, normalisation, softmax, FSMN memory and attention, in f32, and matrix products
//! with int8 weights.
//!
//! The instruction set is chosen once at run time: AVX-512F (with VNNI for int8), AVX2 with FMA, or portable code
//! that the compiler vectorises for the target's baseline. Shapes are checked in safe code; a wrong shape is a fault of
//! the caller and panics with both shapes in the message.
//!
//! # Architecture invariants
//! - With `ting-speex` the only crate of the project with `unsafe`. Each block says why it is sound.
//! - Knows nothing of networks, files or sessions.
//! - A row's result is the same, bit for bit, however many rows are in the call: every kernel adds over
//!   its inner dimension in one order that depends on that dimension alone. The engine batches sessions by
//!   this property. (Between machines with different instruction sets the last bits differ.)
//! - A product with int8 weights gives the same bits with every instruction set, too: its sums are integers, and
//!   what is before and behind them is computed without fused multiply-adds.

// Intrinsics and calls into functions compiled for detected features need `unsafe`.
#![allow(unsafe_code)]

mod attention;
mod fsmn;
mod int8;
mod level;
mod linear;
mod matrix;
mod rows;
mod tile;

pub use attention::{AttentionScratch, Strided, attention};
pub use fsmn::fsmn_memory;
pub use int8::{PackedInt8Matrix, linear_int8};
pub use level::instruction_set;
pub use linear::linear;
pub use matrix::PackedMatrix;
pub use rows::{layer_norm, log_softmax, relu, softmax};

#[cfg(test)]
mod tests;
