//! DNS rules, and the name server that answers by them.
