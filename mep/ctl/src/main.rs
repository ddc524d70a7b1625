//! A command-line client of a MEC platform.

fn main() {}
