//! What an operator sees and does: deliveries, rules, events.
