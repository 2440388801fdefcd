//! Model names.

/// The names a client may put into `payload.model`.
///
/// The hosted service's `fun-asr-realtime` is an alias of its newest stable snapshot, and each snapshot is a name of
/// its own. `paraformer-realtime-v2` speaks the same messages and is what older programs ask for. All of them are
/// served by whatever model the server has loaded.
pub const MODELS: &[&str] = &[
    "fun-asr-realtime",
    "fun-asr-realtime-2026-02-28",
    "fun-asr-realtime-2025-11-07",
    "fun-asr-realtime-2025-09-15",
    "paraformer-realtime-v2",
];

/// Whether `name` is one of [`MODELS`].
pub fn is_served_model(name: &str) -> bool {
    MODELS.contains(&name)
}
