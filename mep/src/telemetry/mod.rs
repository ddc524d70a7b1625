//! What the platform tells about itself: logs and metrics.

pub mod access;
pub mod logging;
pub mod metrics;
pub mod panics;
