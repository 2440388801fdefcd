//! `format: "vorbis"`.
#![no_main]

#[path = "../../crates/ting-audio/tests/common/hostile.rs"]
mod hostile;

use libfuzzer_sys::fuzz_target;
use ting_audio::Format;

fuzz_target!(init: hostile::let_walls_hold(), |data: &[u8]| hostile::check(Format::Vorbis, data));
