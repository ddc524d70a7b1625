//! How long a command takes, and how much memory it needs at its peak.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

/// GNU time, which tells the peak of a command's memory.
const TIME: &str = "/usr/bin/time";

/// What a command took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Seconds on the wall clock.
    pub(super) seconds: f64,
    /// The most memory that it held at a time (resident), in mebibytes.
    pub(super) peak: f64,
}

impl Cost {
    /// What any command betters.
    pub(super) const WORST: Self = Self {
        seconds: f64::INFINITY,
        peak: 0.0,
    };

    /// The shorter time of two runs of the same command, and the higher peak.
    pub(super) fn min(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.min(other.seconds),
            peak: self.peak.max(other.peak),
        }
    }

    /// One command after the other: times add up, the higher peak counts.
    pub(super) fn then(self, next: Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            peak: self.peak.max(next.peak),
        }
    }
}

/// Fails where GNU time is missing.
pub(super) fn check() -> anyhow::Result<()> {
    if Path::new(TIME).is_file() {
        return Ok(());
    }
    bail!("{TIME} is missing; it tells the peak of memory: sudo apt-get install --yes time")
}

/// Runs a command in silence; `None` where it fails.
///
/// # Errors
/// GNU time cannot be run, or says nothing.
pub(super) fn cost(command: &Command, notes: &Path) -> anyhow::Result<Option<Cost>> {
    let mut timed = Command::new(TIME);
    timed
        .args(["--quiet", "--format", "%M", "--output"])
        .arg(notes)
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let begun = Instant::now();
    let status = timed.status().with_context(|| format!("cannot run {TIME}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    if !status.success() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(notes).with_context(|| format!("cannot read {}", notes.display()))?;
    let kibibytes: f64 = text
        .trim()
        .parse()
        .with_context(|| format!("{TIME} said {text:?}"))?;
    Ok(Some(Cost {
        seconds,
        peak: kibibytes / 1024.0,
    }))
}

/// The middle one of some figures; NaN of none.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs a command whose output is the caller's; an error where it fails.
pub(super) fn run_to_end(command: &mut Command) -> anyhow::Result<()> {
    let told = told(command);
    eprintln!("$ {told}");
    let status = command.status().with_context(|| format!("cannot run {told}"))?;
    anyhow::ensure!(status.success(), "{told} failed ({status})");
    Ok(())
}

/// A command as a person would type it.
pub(super) fn told(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// The program's path, where a directory of PATH has it.
pub(super) fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::{Cost, median};

    #[test]
    fn takes_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn adds_times_and_keeps_the_higher_peak() {
        let (first, second) = (
            Cost {
                seconds: 1.0,
                peak: 20.0,
            },
            Cost {
                seconds: 0.5,
                peak: 30.0,
            },
        );
        let both = first.then(second);
        assert_eq!((both.seconds, both.peak), (1.5, 30.0));
        let best = Cost::WORST.min(first).min(second);
        assert_eq!((best.seconds, best.peak), (0.5, 30.0));
    }
}
