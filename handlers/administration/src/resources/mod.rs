//! What is read and done, one module for each group of resources.

pub(crate) mod applications;
pub(crate) mod deliveries;
pub(crate) mod letters;
pub(crate) mod page;
pub(crate) mod platform;
pub(crate) mod rules;
pub(crate) mod services;
