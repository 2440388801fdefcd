//! Which instructions this machine has.

use std::sync::OnceLock;

/// An instruction set the kernels are written for. Values other than `Portable` exist only where the
/// machine was seen to have the instructions, which is what makes the calls into them sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Whatever the compilation target guarantees.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512F, besides AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX512-VNNI, besides AVX-512F: products of bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Level {
    /// Every level this machine can run, slowest first.
    pub(crate) fn available() -> Vec<Level> {
        #[allow(unused_mut, reason = "only x86-64 has more than one")]
        let mut levels = vec![Level::Portable];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Level::Avx2);
            if is_x86_feature_detected!("avx512f") {
                levels.push(Level::Avx512);
                if is_x86_feature_detected!("avx512vnni") {
                    levels.push(Level::Avx512Vnni);
                }
            }
        }
        levels
    }
}

/// The fastest level of this machine, looked up once.
pub(crate) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        Level::available()
            .last()
            .copied()
            .unwrap_or(Level::Portable)
    })
}

/// The name of the instruction set the kernels use on this machine, for logs and benchmark reports:
/// `avx512f+vnni`, `avx512f`, `avx2+fma` or `portable`.
pub fn instruction_set() -> &'static str {
    match level() {
        Level::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => "avx2+fma",
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => "avx512f",
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => "avx512f+vnni",
    }
}
