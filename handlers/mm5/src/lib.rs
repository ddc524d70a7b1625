//! Mm5: a platform manager configures application instances.
