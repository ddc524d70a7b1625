//! Subscriptions of every kind: kept, listed, limited, expired.
