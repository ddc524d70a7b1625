//! A sidecar that registers services for applications that cannot be changed.

fn main() {}
