//! Deliveries of notifications: a persisted outbox, queues for each receiver, retries and dead letters.
