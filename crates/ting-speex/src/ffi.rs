//! The functions of libspeex that decoding needs, written by hand after `speex/speex.h` and
//! `speex/speex_bits.h`.

use std::ffi::{c_char, c_int, c_void};

/// `SpeexBits`: a place in a packet.
#[repr(C)]
pub(crate) struct SpeexBits {
    chars: *mut c_char,
    bit_count: c_int,
    char_index: c_int,
    bit_index: c_int,
    owner: c_int,
    overflow: c_int,
    buffer_size: c_int,
    reserved1: c_int,
    reserved2: *mut c_void,
}

impl SpeexBits {
    /// Without a packet; `speex_bits_set_bit_buffer` gives it one.
    pub(crate) const EMPTY: SpeexBits = SpeexBits {
        chars: std::ptr::null_mut(),
        bit_count: 0,
        char_index: 0,
        bit_index: 0,
        owner: 0,
        overflow: 0,
        buffer_size: 0,
        reserved1: 0,
        reserved2: std::ptr::null_mut(),
    };
}

/// `SpeexMode`, only ever behind a pointer.
#[repr(C)]
pub(crate) struct SpeexMode {
    _private: [u8; 0],
}

/// `SPEEX_SET_ENH`: perceptual enhancement, an int that is 0 or 1.
pub(crate) const SPEEX_SET_ENH: c_int = 0;

unsafe extern "C" {
    pub(crate) fn speex_lib_get_mode(mode: c_int) -> *const SpeexMode;
    pub(crate) fn speex_decoder_init(mode: *const SpeexMode) -> *mut c_void;
    pub(crate) fn speex_decoder_destroy(state: *mut c_void);
    pub(crate) fn speex_decoder_ctl(
        state: *mut c_void,
        request: c_int,
        value: *mut c_void,
    ) -> c_int;
    /// 0 for a frame, -1 at the end of the packet, -2 if it is corrupt. Null `bits`: a lost frame.
    pub(crate) fn speex_decode(state: *mut c_void, bits: *mut SpeexBits, out: *mut f32) -> c_int;
    pub(crate) fn speex_bits_set_bit_buffer(
        bits: *mut SpeexBits,
        buffer: *mut c_void,
        bytes: c_int,
    );
    /// Bits that are left, or -1 if more were asked for than there were.
    pub(crate) fn speex_bits_remaining(bits: *mut SpeexBits) -> c_int;
}
