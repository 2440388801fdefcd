//! Symphonia's decoders behind a wall: packets in, mono samples out, no panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use crate::error::{AudioError, AudioErrorKind};

/// How a decoder of symphonia is made.
pub(crate) type Make = fn(
    &AudioCodecParameters,
    &AudioDecoderOptions,
) -> symphonia_core::errors::Result<Box<dyn AudioDecoder>>;

/// One decoder and what is needed to make it again.
pub(crate) struct Codec {
    make: Make,
    parameters: AudioCodecParameters,
    decoder: Box<dyn AudioDecoder>,
    /// The packet's samples, channels in turn.
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

impl Codec {
    /// # Errors
    /// `Unsupported` where the decoder refuses the parameters; `name` is the codec's, for the message.
    pub(crate) fn new(
        name: &str,
        make: Make,
        parameters: AudioCodecParameters,
    ) -> Result<Self, AudioError> {
        let refused = |reason: String| {
            AudioError::new(
                AudioErrorKind::Unsupported,
                format!("the {name} decoder refused the stream: {reason}"),
            )
        };
        let decoder = start(make, &parameters).map_err(refused)?;
        Ok(Self {
            make,
            parameters,
            decoder,
            interleaved: Vec::new(),
            mono: Vec::new(),
        })
    }

    /// The samples of one packet, the mean of its channels, in [-1, 1]; `None` where it does not decode.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Option<&[f32]> {
        // Packets are anyone's: a slip in the decoder shall cost a packet, not the thread that decodes for
        // other sessions as well.
        let (decoder, interleaved) = (&mut self.decoder, &mut self.interleaved);
        let run = || {
            let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
            decoder.decode_ref(&packet).map(|buffer| {
                buffer.copy_to_vec_interleaved(interleaved);
                buffer.num_planes()
            })
        };
        let channels = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(channels)) => channels,
            Ok(Err(error)) => {
                tracing::debug!(%error, bytes = packet.len(), "packet does not decode");
                return None;
            }
            Err(_) => {
                tracing::warn!("a decoder failed on a packet and was replaced");
                self.reset();
                return None;
            }
        };
        let share = 1.0 / channels.max(1) as f32;
        self.mono.clear();
        self.mono.extend(
            self.interleaved
                .chunks_exact(channels.max(1))
                .map(|frame| sane(frame.iter().sum::<f32>() * share)),
        );
        Some(&self.mono)
    }

    /// Forgets the packets so far: the next does not go on from them.
    pub(crate) fn reset(&mut self) {
        if let Ok(fresh) = start(self.make, &self.parameters) {
            self.decoder = fresh;
        }
    }
}

fn start(make: Make, parameters: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, String> {
    let run = || make(parameters, &AudioDecoderOptions::default());
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(decoder)) => Ok(decoder),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it failed on its parameters".into()),
    }
}

/// Decoders of damaged packets give anything at all.
fn sane(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-1.0, 1.0) }
}
