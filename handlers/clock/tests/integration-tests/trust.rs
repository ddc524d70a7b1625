//! When a clock counts as locked to UTC.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mecforge_clock::{Kernel, KernelState, Linux, Machine, Options};

/// A kernel that says what it was told to say.
struct Says(Option<KernelState>);

impl Kernel for Says {
    fn state(&self) -> io::Result<KernelState> {
        self.0
            .ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))
    }
}

fn state(synchronised: bool, maximum_error: Duration) -> Option<KernelState> {
    Some(KernelState {
        synchronised,
        maximum_error,
        estimated_error: Duration::ZERO,
        offset: 0,
    })
}

#[test]
fn only_a_synchronised_clock_with_a_bounded_error_is_traceable() {
    let small = Duration::from_millis(20);
    let large = Duration::from_secs(15);
    for (says, traceable) in [
        (state(true, small), true),
        (state(true, large), false),
        (state(false, small), false),
        (None, false),
    ] {
        let machine = Machine::with_kernel(Options::default(), Box::new(Says(says)));
        assert_eq!(machine.now().traceable, traceable, "{says:?}");
        assert_eq!(machine.state(), says);
    }
}

#[test]
fn the_time_is_the_systems() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = Machine::default().now();
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let told = Duration::new(time.seconds, time.nanoseconds);
    assert!(before <= told && told <= after, "{before:?} {told:?} {after:?}");
}

#[test]
fn this_machines_kernel_is_asked() {
    // The kernel lets the bound grow to 16 s and then calls the clock unsynchronised, whoever runs this test.
    let state = Linux.state().unwrap();
    assert!(state.maximum_error <= Duration::from_secs(16), "{state:?}");
    assert!(
        state.maximum_error < Duration::from_secs(16) || !state.synchronised,
        "{state:?}"
    );
    let machine = Machine::default();
    assert!(!machine.now().traceable || machine.state().unwrap().synchronised);
}
