//! The end of an application instance takes its subscriptions along.

use mecforge_contracts::{Belongings, keys};
use mecforge_runtime::Preconditions;
use mecforge_store::{CommitError, Transaction};

use crate::bench::{Bench, request};

fn removal(bench: &Bench) -> Transaction {
    let transaction = Transaction::new().delete(keys::application("a"));
    bench.subscriptions.remove_all("a", transaction)
}

#[tokio::test]
async fn everything_of_one_application_goes() {
    let bench = Bench::new();
    for number in 0..3 {
        let subscription = bench.subscribe("a", request(number)).await.unwrap();
        bench.notify(&subscription).await;
    }
    let other = bench.subscribe("a/b", request(7)).await.unwrap();
    bench.notify(&other).await;
    let before = bench.subscriptions.mark();
    bench.store.commit(removal(&bench)).await.unwrap();
    assert_eq!(
        (bench.subscriptions.list("a").len(), bench.subscriptions.count()),
        (0, 1)
    );
    assert_eq!(
        bench.keys(keys::OUTBOX),
        bench.keys(&keys::outgoing_of(&other.key))
    );
    assert_eq!(bench.keys(keys::DEAD_LETTERS).len(), 1);
    assert!(bench.store.commit(before.guard(removal(&bench))).await.is_err());
    bench.store.commit(removal(&bench)).await.unwrap();
}

#[tokio::test]
async fn what_comes_or_goes_meanwhile_is_a_conflict() {
    let bench = Bench::new();
    let first = bench.subscribe("a", request(1)).await.unwrap();
    let stale = removal(&bench);
    bench.subscribe("a", request(2)).await.unwrap();
    let refused = bench.store.commit(stale).await;
    assert!(
        matches!(refused, Err(CommitError::Conflict { .. })),
        "{refused:?}"
    );

    let stale = removal(&bench);
    bench
        .subscriptions
        .delete("a", &first.id, &Preconditions::default())
        .await
        .unwrap();
    let refused = bench.store.commit(stale).await;
    assert!(
        matches!(refused, Err(CommitError::Conflict { .. })),
        "{refused:?}"
    );
    bench.store.commit(removal(&bench)).await.unwrap();
    assert_eq!(bench.subscriptions.count(), 0);
}
