//! A safe Speex decoder over libspeex 1.2.1, which is compiled from the unmodified sources in
//! `libspeex/`.
//!
//! ```
//! use ting_speex::{Decoder, Mode};
//! let mut decoder = Decoder::new(Mode::Wide);
//! let mut samples = Vec::new();
//! decoder.conceal(&mut samples); // a frame that never came
//! assert_eq!(samples.len(), Mode::Wide.frame_samples());
//! ```
//!
//! # Architecture invariants
//! - Knows packets and frames only: no containers, no headers, no times.
//! - Any bytes may be given as a packet. libspeex checks each read against the packet's length and each
//!   submode against its tables; it never ends the process (`glue/os_support_custom.h`).
//! - The samples depend on the packets only: no memory is read that was not written before.
//! - With `ting-kernels` this is the only crate with `unsafe`.

// Calling C is all that this crate is for; each block says why it is sound.
#![allow(unsafe_code)]

mod ffi;

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// No packet is looked at beyond this. One second at the highest bit rate has 5500 bytes.
const MAX_PACKET_BYTES: usize = 1 << 20;

/// The largest frame in samples, of [`Mode::UltraWide`].
const MAX_FRAME_SAMPLES: usize = 640;

/// The band a stream is coded in; the numbers are those of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Narrowband, meant for 8 kHz.
    Narrow = 0,
    /// Wideband, meant for 16 kHz.
    Wide = 1,
    /// Ultra-wideband, meant for 32 kHz.
    UltraWide = 2,
}

impl Mode {
    /// The mode of a header's number, if there is one.
    pub fn from_id(id: u32) -> Option<Mode> {
        [Mode::Narrow, Mode::Wide, Mode::UltraWide]
            .into_iter()
            .find(|mode| *mode as u32 == id)
    }

    /// Samples in each frame. A frame lasts 20 ms at the rate the mode is meant for.
    pub fn frame_samples(self) -> usize {
        160 << (self as u32)
    }

    /// Samples by which the decoder's output is late: `SPEEX_GET_LOOKAHEAD` of the decoder.
    pub fn decoder_delay(self) -> usize {
        40 << (self as u32)
    }

    /// Samples by which libspeex's encoder is late: `SPEEX_GET_LOOKAHEAD` of the encoder, in which
    /// each layer's filter bank of 64 taps adds 63.
    pub fn encoder_delay(self) -> usize {
        match self {
            Mode::Narrow => 40,
            Mode::Wide => 2 * 40 + 63,
            Mode::UltraWide => 2 * (2 * 40 + 63) + 63,
        }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Frames that were appended.
    pub frames: usize,
    /// The packet broke off within a frame or held what is no Speex.
    pub corrupt: bool,
}

/// The state of one stream: about 3 KB for narrowband, 6 KB for wideband, 10 KB for ultra-wideband.
pub struct Decoder {
    state: NonNull<c_void>,
    mode: Mode,
}

// SAFETY: the state is memory of its own that only its owner reaches, and libspeex keeps nothing in
// thread-local or global variables.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder as `speexdec` uses it: perceptual enhancement and the output's high-pass are on.
    pub fn new(mode: Mode) -> Self {
        Self {
            state: new_state(mode),
            mode,
        }
    }

    /// The mode it was made for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Decodes at most `frames` frames of `packet` and appends their samples: full scale is ±1, which loud
    /// frames may exceed. A packet may hold fewer frames, which is no error. In stereo the sum of both channels is
    /// coded as a mono stream, and that is what comes out.
    pub fn decode(&mut self, packet: &[u8], frames: usize, out: &mut Vec<f32>) -> Decoded {
        let packet = &packet[..packet.len().min(MAX_PACKET_BYTES)];
        let mut bits = ffi::SpeexBits::EMPTY;
        // SAFETY: `bits` is not used after `packet` is gone. libspeex takes a pointer to mutable
        // bytes, because an encoder would write to them; the functions that decode only read.
        unsafe {
            ffi::speex_bits_set_bit_buffer(
                &mut bits,
                packet.as_ptr().cast_mut().cast(),
                packet.len() as c_int,
            );
        }
        let mut done = 0;
        while done < frames {
            let mut frame = [0.0; MAX_FRAME_SAMPLES];
            let status = self.run(&mut bits, &mut frame);
            // SAFETY: `bits` was set up above.
            let overrun = unsafe { ffi::speex_bits_remaining(&mut bits) } < 0;
            // The end is either marked or simply there; neither says that something is wrong.
            let corrupt = status == -2 || (status == 0 && overrun);
            if status != 0 || corrupt || !self.append(&frame, out) {
                return Decoded {
                    frames: done,
                    corrupt: corrupt || status == 0,
                };
            }
            done += 1;
        }
        Decoded {
            frames: done,
            corrupt: false,
        }
    }

    /// Appends one frame in place of a lost one: the sound before it goes on and fades.
    pub fn conceal(&mut self, out: &mut Vec<f32>) {
        let mut frame = [0.0; MAX_FRAME_SAMPLES];
        self.run(std::ptr::null_mut(), &mut frame);
        if !self.append(&frame, out) {
            // Time goes on, in silence.
            out.resize(out.len() + self.mode.frame_samples(), 0.0);
        }
    }

    /// Runs libspeex for one frame.
    fn run(&mut self, bits: *mut ffi::SpeexBits, frame: &mut [f32; MAX_FRAME_SAMPLES]) -> c_int {
        // SAFETY: the state is whole from `new_state` on; `bits` is null or set up by `decode`;
        // `frame` has room for the largest mode. libspeex reads of `frame` what the layer below
        // wrote, and where that one was silent what was there before: zeros.
        unsafe { ffi::speex_decode(self.state.as_ptr(), bits, frame.as_mut_ptr()) }
    }

    /// Appends a frame in which all is finite. A packet can be made to blow up a filter, and what is infinite
    /// once would stay so: then the state begins anew.
    fn append(&mut self, frame: &[f32; MAX_FRAME_SAMPLES], out: &mut Vec<f32>) -> bool {
        let frame = &frame[..self.mode.frame_samples()];
        if !frame.iter().all(|sample| sample.is_finite()) {
            let broken = std::mem::replace(&mut self.state, new_state(self.mode));
            destroy(broken);
            return false;
        }
        out.extend(frame.iter().map(|sample| sample / 32_768.0));
        true
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        destroy(self.state);
    }
}

fn new_state(mode: Mode) -> NonNull<c_void> {
    // SAFETY: the three numbers of `Mode` are those libspeex has; its modes are constants.
    let state = unsafe { ffi::speex_decoder_init(ffi::speex_lib_get_mode(mode as c_int)) };
    let Some(state) = NonNull::new(state) else {
        // As for any other allocation of a Rust program.
        std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 4096]>());
    };
    let mut on: c_int = 1;
    // SAFETY: the state was just made, and this request reads one int.
    unsafe {
        ffi::speex_decoder_ctl(
            state.as_ptr(),
            ffi::SPEEX_SET_ENH,
            (&raw mut on).cast::<c_void>(),
        );
    }
    state
}

fn destroy(state: NonNull<c_void>) {
    // SAFETY: it came from `new_state`, and its owner gives it up.
    unsafe { ffi::speex_decoder_destroy(state.as_ptr()) }
}
