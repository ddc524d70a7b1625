//! What the kernel knows of its clock: `adjtimex(2)`, asked without changing anything.

use std::io;
use std::time::Duration;

use rtime_clock::adjtime::{Timex, adjtimex};

/// The clock is not set by anything (`STA_UNSYNC` of `<linux/timex.h>`).
const UNSYNCHRONISED: i32 = 0x0040;
/// Offsets are in nanoseconds, not microseconds (`STA_NANO`).
const NANOSECONDS: i32 = 0x2000;
/// The state of a clock that is not to be trusted (`TIME_ERROR`).
const CLOCK_ERROR: i32 = 5;

/// The kernel's own judgement of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelState {
    /// Whether something sets the clock: `STA_UNSYNC` is off, and the clock's state is no error.
    pub synchronised: bool,
    /// The largest error that the clock may have. Grows by 500 µs each second while nothing sets the clock, up to 16 s.
    pub maximum_error: Duration,
    /// The error that the clock is expected to have.
    pub estimated_error: Duration,
    /// What is still being corrected, in nanoseconds.
    pub offset: i64,
}

/// A kernel that can be asked for the state of its clock.
pub trait Kernel: Send + Sync + 'static {
    /// The state now.
    ///
    /// # Errors
    /// What the operating system says, for example that a container must not ask.
    fn state(&self) -> io::Result<KernelState>;
}

/// The kernel of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

impl Kernel for Linux {
    fn state(&self) -> io::Result<KernelState> {
        // All zero, `modes` included: nothing is set.
        let mut timex = Timex::new();
        let clock = adjtimex(&mut timex)?;
        let Timex(timex) = timex;
        let nanoseconds = timex.status & NANOSECONDS != 0;
        Ok(KernelState {
            synchronised: clock != CLOCK_ERROR && timex.status & UNSYNCHRONISED == 0,
            maximum_error: microseconds(timex.maxerror),
            estimated_error: microseconds(timex.esterror),
            offset: timex.offset.saturating_mul(if nanoseconds { 1 } else { 1000 }),
        })
    }
}

fn microseconds(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or_default())
}
