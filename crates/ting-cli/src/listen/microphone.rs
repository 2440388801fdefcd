//! A microphone through the sound system's own library.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Data, ErrorKind, FromSample, SampleFormat, SupportedStreamConfig};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::devices::{Device, choose, table};
use super::source::{Heard, Lost, Source, WAITING, to_bytes};
use crate::error::{CliError, CliErrorKind};

/// Rates that the recogniser takes, Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// The rate to ask for where the usual one of the device will not do.
const USUAL_RATE: u32 = 48_000;

/// A system that does not open a microphone in this time will not.
const OPEN: Duration = Duration::from_secs(5);

/// Pieces handed on have at least this many parts of a second, so that the queue holds the same time for all devices.
const PIECES_PER_SECOND: usize = 20;

fn failed(what: &str, error: &cpal::Error) -> CliError {
    CliError::new(
        CliErrorKind::Input,
        format!(
            "{what}: {error}\n`ting listen --list-devices` shows what there is; `ting listen FILE` listens to a file"
        ),
    )
}

/// All that can be recorded from.
fn devices() -> Result<Vec<(Device, cpal::Device)>, CliError> {
    let found = cpal::default_host()
        .input_devices()
        .map_err(|error| failed("the microphones cannot be listed", &error))?;
    let named = found.filter_map(|device| {
        let id = device.id().ok()?;
        let description = device.description().ok()?;
        // ALSA's, which gives no sound.
        (id.id() != "null").then(|| (Device::new(id.id(), description.name()), device))
    });
    Ok(named.collect())
}

/// What can be recorded from, for people.
///
/// # Errors
/// `Input` when there is nothing.
pub(crate) fn list() -> Result<String, CliError> {
    let devices = devices()?;
    if devices.is_empty() {
        return Err(CliError::input("there is no microphone"));
    }
    Ok(table(devices.iter().map(|(device, _)| device)))
}

/// Listens to the microphone `device`, or the usual one. Nothing has to be tidied up when the program ends meanwhile.
///
/// # Errors
/// `Input` when there is none, or it cannot be opened.
pub(crate) fn open(device: Option<&str>, _cancelled: &AtomicBool) -> Result<Source, CliError> {
    let (name, device) = match device {
        None => {
            let device = cpal::default_host()
                .default_input_device()
                .ok_or_else(|| failed("no microphone", &ErrorKind::DeviceNotAvailable.into()))?;
            ("the microphone".to_owned(), device)
        }
        Some(wanted) => {
            let (names, mut found): (Vec<_>, Vec<_>) = devices()?.into_iter().unzip();
            let chosen = choose(&names, wanted)?;
            let index = names.iter().position(|device| device == chosen);
            (chosen.name.clone(), found.swap_remove(index.unwrap_or(0)))
        }
    };
    let unusable = |error: cpal::Error| failed(&format!("no sound from {name}"), &error);
    let config = config(&device).map_err(unusable)?;
    let (sender, heard) = mpsc::channel(WAITING);
    let lost = Lost::default();
    let stream = listen(&device, &config, sender, lost.clone()).map_err(unusable)?;
    stream.play().map_err(unusable)?;
    Ok(Source {
        sample_rate: config.sample_rate(),
        name: format!(
            "{name} at {} Hz, {} channels",
            config.sample_rate(),
            config.channels()
        ),
        heard,
        lost,
        _alive: Box::new(stream),
    })
}

/// The device's own choice, as long as the recogniser takes it: the server resamples better than sound systems do.
fn config(device: &cpal::Device) -> Result<SupportedStreamConfig, cpal::Error> {
    let usable = |config: &SupportedStreamConfig| {
        RATES.contains(&config.sample_rate()) && !config.sample_format().is_dsd()
    };
    let usual = device.default_input_config();
    if let Ok(config) = &usual
        && usable(config)
    {
        return usual;
    }
    let mut ranges: Vec<_> = device.supported_input_configs()?.collect();
    ranges.sort_by(|a, b| b.cmp_default_heuristics(a));
    let nearest = |range: cpal::SupportedStreamConfigRange| {
        let rate = USUAL_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
        range.try_with_sample_rate(rate)
    };
    let found = ranges.into_iter().filter_map(nearest).find(usable);
    found.ok_or_else(|| match usual {
        Err(error) => error,
        Ok(_) => cpal::Error::with_message(
            ErrorKind::UnsupportedConfig,
            format!("it has no rate of {} to {} Hz", RATES.start(), RATES.end()),
        ),
    })
}

fn listen(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    sender: mpsc::Sender<Heard>,
    lost: Lost,
) -> Result<cpal::Stream, cpal::Error> {
    let mut mixer = Mixer {
        channels: usize::from(config.channels()).max(1),
        least: config.sample_rate() as usize / PIECES_PER_SECOND,
        mono: Vec::new(),
        sender: sender.clone(),
        lost: lost.clone(),
    };
    let told = move |error: cpal::Error| {
        let what = match error.kind() {
            // Nothing is missing.
            ErrorKind::RealtimeDenied => return,
            ErrorKind::Xrun => {
                Heard::Note("the microphone lost some sound: the machine is too busy".to_owned())
            }
            ErrorKind::DeviceChanged => Heard::Note(error.to_string()),
            _ => Heard::End(Err(CliError::new(
                CliErrorKind::Input,
                format!("the microphone is gone: {error}"),
            ))),
        };
        // With a full queue the recogniser stands still, and says why.
        let _ = sender.try_send(what);
    };
    device.build_input_stream_raw(
        config.config(),
        config.sample_format(),
        move |data, _| mixer.hear(data),
        told,
        Some(OPEN),
    )
}

/// Makes what a device gives into pieces of 16-bit mono samples. Runs in the sound system's thread, and never waits.
struct Mixer {
    channels: usize,
    /// Samples of a piece, at least.
    least: usize,
    mono: Vec<f32>,
    sender: mpsc::Sender<Heard>,
    lost: Lost,
}

impl Mixer {
    fn hear(&mut self, data: &Data) {
        match data.sample_format() {
            SampleFormat::I8 => self.mix::<i8>(data.as_slice()),
            SampleFormat::I16 => self.mix::<i16>(data.as_slice()),
            SampleFormat::I24 => self.mix::<cpal::I24>(data.as_slice()),
            SampleFormat::I32 => self.mix::<i32>(data.as_slice()),
            SampleFormat::I64 => self.mix::<i64>(data.as_slice()),
            SampleFormat::U8 => self.mix::<u8>(data.as_slice()),
            SampleFormat::U16 => self.mix::<u16>(data.as_slice()),
            SampleFormat::U24 => self.mix::<cpal::U24>(data.as_slice()),
            SampleFormat::U32 => self.mix::<u32>(data.as_slice()),
            SampleFormat::U64 => self.mix::<u64>(data.as_slice()),
            SampleFormat::F32 => self.mix::<f32>(data.as_slice()),
            SampleFormat::F64 => self.mix::<f64>(data.as_slice()),
            // `config` takes no other.
            _ => {}
        }
    }

    /// Adds the mean of the channels, and sends what is long enough.
    fn mix<T>(&mut self, samples: Option<&[T]>)
    where
        T: Copy,
        f32: FromSample<T>,
    {
        let frames = samples.unwrap_or_default().chunks_exact(self.channels);
        self.mono.extend(frames.map(|frame| {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
            sum / frame.len() as f32
        }));
        if self.mono.len() < self.least {
            return;
        }
        let samples = self.mono.len();
        let piece = Heard::Samples(to_bytes(&self.mono));
        self.mono.clear();
        if let Err(TrySendError::Full(_)) = self.sender.try_send(piece) {
            self.lost.add(samples);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{Heard, Lost};
    use super::{Mixer, mpsc};

    #[test]
    fn channels_are_mixed_and_what_does_not_fit_is_counted() {
        let (sender, mut heard) = mpsc::channel(1);
        let lost = Lost::default();
        let mut mixer = Mixer {
            channels: 2,
            least: 2,
            mono: Vec::new(),
            sender,
            lost: lost.clone(),
        };
        mixer.mix(Some(&[100i16, 300]));
        assert!(heard.try_recv().is_err(), "a piece is longer");
        mixer.mix(Some(&[-32768i16, -32768, 0, 2]));
        mixer.mix(Some(&[0.5f32, 0.5, 0.5, 0.5]));
        match heard.try_recv() {
            Ok(Heard::Samples(bytes)) => {
                let expected = [200i16, -32768, 1].map(i16::to_le_bytes).concat();
                assert_eq!(bytes, expected);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(lost.samples(), 2);
    }
}
