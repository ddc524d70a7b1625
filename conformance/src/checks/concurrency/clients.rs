//! Several clients at the same time, each with requests of its own one after the other.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::suite::{Call, Context, Exchange, Stop};

/// An exchange of one of several clients, with the times between which the platform must have done it.
pub(super) struct Done {
    /// The client's number.
    pub(super) client: usize,
    /// Before it was sent.
    pub(super) begin: Instant,
    /// After it was answered.
    pub(super) end: Instant,
    /// What was sent and came.
    pub(super) exchange: Exchange,
}

/// Lets clients send their requests side by side, all beginning at once; gives what was done in the order of ends.
///
/// # Errors
/// What ended one of them before its end: the run is over, or there is nobody to talk to.
pub(super) async fn together(context: &mut Context, calls: Vec<Vec<Call>>) -> Result<Vec<Done>, Stop> {
    let barrier = Arc::new(Barrier::new(calls.len()));
    let mut tasks = JoinSet::new();
    for (client, calls) in calls.into_iter().enumerate() {
        let mut own = context.fork(u32::try_from(client).unwrap_or_default());
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            let mut done = Vec::new();
            for call in calls {
                let begin = Instant::now();
                match own.send(call).await {
                    Ok(exchange) => done.push(Done {
                        client,
                        begin,
                        end: Instant::now(),
                        exchange,
                    }),
                    Err(stop) => return (own, Err(stop)),
                }
            }
            (own, Ok(done))
        });
    }
    let mut contexts = Vec::new();
    let mut all = Vec::new();
    let mut stopped = None;
    while let Some(finished) = tasks.join_next().await {
        let Ok((own, done)) = finished else { continue };
        contexts.push(own);
        match done {
            Ok(done) => all.extend(done),
            Err(stop) => stopped = Some(stop),
        }
    }
    context.absorb(contexts);
    all.sort_by_key(|done| done.end);
    match stopped {
        Some(stop) => Err(stop),
        None => Ok(all),
    }
}
