//! Benchmarks of what the generator writes: `cargo xtask bench decode`. There is no library here.
