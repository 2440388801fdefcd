//! Microphones by name.

use crate::error::CliError;

/// What a sound can be recorded from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// What the system calls it; unique.
    pub(crate) name: String,
    /// What people call it; may be empty.
    pub(crate) description: String,
}

impl Device {
    /// A device from what a list says.
    pub(crate) fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
        }
    }

    /// Both names in lower case, because nobody remembers which letters are capitals.
    fn names(&self) -> [String; 2] {
        [self.name.to_lowercase(), self.description.to_lowercase()]
    }
}

/// The device that `wanted` means: the one of that name, or else the only one with it in its name or description.
///
/// # Errors
/// `Input`, with a list, when none or more than one has it.
pub(crate) fn choose<'a>(devices: &'a [Device], wanted: &str) -> Result<&'a Device, CliError> {
    if let Some(device) = devices.iter().find(|device| device.name == wanted) {
        return Ok(device);
    }
    let lower = wanted.to_lowercase();
    let matches = |is: &dyn Fn(&String) -> bool| -> Vec<&'a Device> {
        let all = devices.iter();
        all.filter(|device| device.names().iter().any(is)).collect()
    };
    let whole = matches(&|name| *name == lower && !name.is_empty());
    if let [device] = whole[..] {
        return Ok(device);
    }
    let parts = matches(&|name| name.contains(&lower));
    match parts[..] {
        [device] => Ok(device),
        [] if devices.is_empty() => Err(CliError::input(format!(
            "there is no microphone {wanted:?}, nor any other"
        ))),
        [] => Err(CliError::input(format!(
            "there is no microphone {wanted:?}; there are:\n{}",
            table(devices.iter()).trim_end()
        ))),
        _ => Err(CliError::input(format!(
            "{wanted:?} is in the names of several microphones; give more of the name of one of them:\n{}",
            table(parts.into_iter()).trim_end()
        ))),
    }
}

/// The devices, one a line.
pub(crate) fn table<'a>(devices: impl Iterator<Item = &'a Device>) -> String {
    let line = |device: &Device| match device.description.as_str() {
        "" => format!("{}\n", device.name),
        description => format!("{}  ({description})\n", device.name),
    };
    devices.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::{Device, choose, table};

    #[test]
    fn one_device_is_meant_or_the_error_lists_them() {
        let devices = [
            Device::new("default", "Default Audio Device"),
            Device::new("hw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257"),
            Device::new("plughw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257"),
            Device::new("usb", "Blue Yeti"),
            Device::new("usb2", ""),
        ];
        let cases: [(&str, Result<&str, &[&str]>); 9] = [
            ("default", Ok("default")),
            ("usb", Ok("usb")),
            ("yeti", Ok("usb")),
            ("USB2", Ok("usb2")),
            ("default audio device", Ok("default")),
            (
                "hw:card=pch",
                Err(&[
                    "several",
                    "\nhw:CARD=PCH,DEV=0  (HDA Intel PCH, ALC257)\nplughw",
                ]),
            ),
            ("hw:CARD=PCH,DEV=0", Ok("hw:CARD=PCH,DEV=0")),
            ("", Err(&["several"])),
            (
                "webcam",
                Err(&["no microphone \"webcam\"", "\nusb  (Blue Yeti)\nusb2"]),
            ),
        ];
        let mut failed = Vec::new();
        for (wanted, expected) in cases {
            let got = choose(&devices, wanted);
            let right = match (&got, expected) {
                (Ok(device), Ok(name)) => device.name == name,
                (Err(error), Err(parts)) => {
                    parts.iter().all(|part| error.to_string().contains(part))
                }
                _ => false,
            };
            if !right {
                failed.push(format!("{wanted:?}: {got:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let nothing = choose(&[], "x").map_err(|error| error.to_string());
        assert!(nothing.is_err_and(|error| error.contains("nor any other")));
        assert_eq!(table([].iter()), "");
    }
}
