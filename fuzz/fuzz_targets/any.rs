//! The format is told by the first bytes, and all others refuse the bytes or decode them too.
#![no_main]

#[path = "../../crates/ting-audio/tests/common/hostile.rs"]
mod hostile;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: hostile::let_walls_hold(), |data: &[u8]| hostile::check_any(data));
