//! The clock of the machine that the platform runs on.
//!
//! [`Machine`] tells the time, whether the kernel says that it is set by a source of UTC ([`KernelState`], read with
//! `adjtimex`), and by which servers the machine's time daemon is told to set it ([`Sources`], read from the daemons'
//! configuration files).
//!
//! What must not happen here: setting the clock, asking servers over the network, knowledge of any ETSI document.

mod chrony;
mod files;
mod kernel;
mod linuxptp;
mod machine;
mod ntp;
mod sources;
mod timesyncd;

pub use kernel::{Kernel, KernelState, Linux};
pub use machine::{Machine, Options, Time};
pub use sources::{Authentication, NtpServer, PtpMaster, Sources};
