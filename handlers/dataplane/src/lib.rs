//! Traffic rules, and the data plane that puts them in force.
