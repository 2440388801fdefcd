//! What a measurement was made on, and what a process uses. From Linux's `/proc`; empty elsewhere.

use std::fs;

/// One line about this machine: processor, cores, memory, and how busy it was.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut parts = vec![
        cpu_model(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
            .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        format!("{cores} cores"),
    ];
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    if let Some(bytes) = kib_field(&memory, "MemTotal") {
        parts.push(format!(
            "{:.0} GiB memory",
            bytes as f64 / f64::from(1 << 30)
        ));
    }
    // A measurement beside other work is worth less, so say that there was some.
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        let load = load.split(' ').next().unwrap_or_default().to_owned();
        parts.push(format!("load average {load} at the start"));
    }
    parts.join(", ")
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub(crate) resident: u64,
    /// The most that was ever resident (`VmHWM`).
    pub(crate) peak: u64,
}

/// The memory of the process `id`; `None` when there is no such process or no `/proc`.
pub(crate) fn memory_of(id: u32) -> Option<Memory> {
    parse_memory(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

/// Memory of this process that is backed by no file (`RssAnon`): what it allocated and touched, in bytes.
pub(crate) fn anonymous_memory() -> Option<u64> {
    kib_field(&fs::read_to_string("/proc/self/status").ok()?, "RssAnon")
}

fn parse_memory(status: &str) -> Option<Memory> {
    Some(Memory {
        resident: kib_field(status, "VmRSS")?,
        peak: kib_field(status, "VmHWM")?,
    })
}

/// A line `name:   123 kB`, in bytes.
fn kib_field(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Processor time this thread has used, in seconds: what other processes take does not count.
pub(crate) fn thread_cpu_seconds() -> Option<f64> {
    // First field: nanoseconds on a processor (Documentation/scheduler/sched-stats.rst of Linux).
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<u64>().ok()? as f64 / 1e9)
}

/// Bytes as MiB for a table.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::{Memory, cpu_model, parse_memory};

    #[test]
    fn status_and_cpuinfo() {
        let status = "Name:\tting\nVmPeak:\t  999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(
            parse_memory(status),
            Some(Memory {
                resident: 1 << 20,
                peak: 2 << 20
            })
        );
        assert_eq!(parse_memory("Name:\tkthreadd\n"), None);
        assert_eq!(parse_memory("VmHWM:\tmany kB\nVmRSS:\t1 kB\n"), None);
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(cpu_model("processor: 0\n"), None);
    }
}
