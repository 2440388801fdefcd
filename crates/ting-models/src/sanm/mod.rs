//! The SAN-M encoder: self-attention with an FSMN memory block (Gao et al. 2020, arXiv:2006.01713).

mod config;
mod encoder;
mod frontend;
mod layer;
mod stream;

pub use config::SanmConfig;
pub use encoder::SanmEncoder;
pub use frontend::FrontendConfig;
pub use stream::EncoderState;
