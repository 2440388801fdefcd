//! Packets of any bytes: frames come out or they do not, and nothing else happens. That real packets
//! decode to the sound they should is shown in `ting-audio`, against `speexdec`.

use ting_speex::{Decoded, Decoder, Mode};

const MODES: [Mode; 3] = [Mode::Narrow, Mode::Wide, Mode::UltraWide];

/// Writes bits, most significant first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn with(mut self, value: u32, width: u32) -> Self {
        self.0.extend(
            (0..width)
                .rev()
                .map(|bit| u64::from(value) >> bit.min(63) & 1 == 1),
        );
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.0
            .chunks(8)
            .map(|chunk| {
                let byte = chunk.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
                byte << (8 - chunk.len())
            })
            .collect()
    }
}

/// A narrowband frame of each submode has its length in bits (`modes.c`), and then the terminator.
#[test]
fn every_submode_is_decoded_or_refused() {
    let lengths = [5, 43, 119, 160, 220, 300, 364, 492, 79];
    let mut failures = Vec::new();
    for submode in 0..16u32 {
        let length = lengths.get(submode as usize).copied().unwrap_or(5);
        let packet = Bits::default()
            .with(submode, 5)
            .with(0, length - 5)
            .with(0b01111, 5)
            .bytes();
        // 13 and 14 are messages: the user's and the codec's own, here with an empty frame behind.
        let wanted = match submode {
            0..=8 => (1, false),
            9..=12 => (0, true),
            13 | 14 => (0, false),
            _ => (0, false),
        };
        for mode in MODES {
            let mut out = Vec::new();
            let Decoded { frames, corrupt } = Decoder::new(mode).decode(&packet, 9, &mut out);
            if (frames, corrupt) != wanted || out.len() != frames * mode.frame_samples() {
                failures.push(format!(
                    "{mode:?}, submode {submode}: {frames} frames, corrupt {corrupt}, {} samples",
                    out.len()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn frames_are_counted_and_ends_are_found() {
    // Frames without content: 5 bits each.
    let three = || Bits::default().with(0, 15);
    let voiced = || Bits::default().with(3, 5).with(0x2A55, 15);
    let cases: Vec<(&str, Bits, usize, (usize, bool))> = vec![
        ("nothing", Bits::default(), 4, (0, false)),
        ("a terminator", Bits::default().with(15, 5), 4, (0, false)),
        ("three and a terminator", three().with(15, 5), 9, (3, false)),
        ("no more than asked for", three().with(15, 5), 2, (2, false)),
        ("none asked for", three(), 0, (0, false)),
        ("padding bits", three().with(0xFF, 8), 9, (3, true)),
        ("breaks off", voiced(), 9, (0, true)),
        (
            "a message first",
            Bits::default()
                .with(14, 5)
                .with(9, 4)
                .with(0xAB, 8)
                .with(0, 5),
            9,
            (1, false),
        ),
        (
            "a message that breaks off",
            Bits::default().with(13, 5).with(15, 4),
            9,
            (0, false),
        ),
        (
            "three wideband layers",
            Bits::default()
                .with(0b1000, 4)
                .with(0b1000, 4)
                .with(0b1000, 4),
            9,
            (0, true),
        ),
    ];
    let mut failures = Vec::new();
    for (name, bits, frames, wanted) in cases {
        let mut out = Vec::new();
        let Decoded { frames, corrupt } =
            Decoder::new(Mode::Narrow).decode(&bits.bytes(), frames, &mut out);
        if (frames, corrupt) != wanted {
            failures.push(format!("{name}: {frames} frames, corrupt {corrupt}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Random packets, many of them beginning like real ones: all samples are finite, and twice the same
/// packets give twice the same samples.
#[test]
fn random_packets_are_survived_and_repeatable() {
    for seed in 0..60u64 {
        let mode = MODES[seed as usize % 3];
        let run = || {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut next = move || {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random >> 32) as u8
            };
            let mut decoder = Decoder::new(mode);
            let mut out = Vec::new();
            for _ in 0..100 {
                let mut packet: Vec<u8> = (0..next() % 120).map(|_| next()).collect();
                if let Some(first) = packet.first_mut() {
                    *first = ((next() % 9) << 3) | (*first & 7);
                }
                if next() < 20 {
                    decoder.conceal(&mut out);
                }
                decoder.decode(&packet, 20, &mut out);
            }
            out
        };
        let out = run();
        assert!(out.iter().all(|sample| sample.is_finite()));
        assert!(
            out.len() >= 50 * mode.frame_samples(),
            "seed {seed}: {}",
            out.len()
        );
        assert_eq!(out, run(), "seed {seed}");
    }
}

#[test]
fn concealment_keeps_time() {
    for mode in MODES {
        let mut decoder = Decoder::new(mode);
        let mut out = Vec::new();
        for _ in 0..200 {
            decoder.conceal(&mut out);
        }
        assert_eq!(out.len(), 200 * mode.frame_samples());
    }
}

#[test]
fn decoders_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Decoder>();
}
