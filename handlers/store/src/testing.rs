//! The test suite that every store passes: call [`store_tests!`](crate::store_tests) in an integration test.
//!
//! A failing check panics with what was expected, as tests do.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "this module is a test suite"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Changes, CommitError, Expected, LARGEST_KEY, Revision, Store, Transaction, View, WatchError};

/// A store under test that can be closed and opened again.
pub trait Subject: Send + Sync {
    /// Opens the store: empty the first time, with everything that was committed after that.
    /// All handles to it have been dropped before it is opened again.
    fn open(&self) -> Arc<dyn Store>;
}

/// Writes one `#[tokio::test]` per check; the argument makes a fresh [`Subject`].
#[macro_export]
macro_rules! store_tests {
    ($subject:expr) => {
        $crate::store_tests!(@each $subject;
            keys_carry_their_revisions, conditions_guard_every_key, conditions_guard_prefixes, a_transaction_is_all_or_nothing,
            what_changes_nothing_has_no_revision, the_last_word_on_a_key_wins, ranges_are_ordered_and_bounded,
            prefixes_are_deleted_with_what_is_new, oversized_keys_are_refused, commits_need_no_polling,
            watchers_see_every_change_in_order, a_watch_ends_with_its_store, views_are_current_before_the_answer,
            concurrent_counters_lose_nothing, readers_never_see_half_a_transaction,
            reads_follow_acknowledgements, everything_is_there_after_reopening);
    };
    (@each $subject:expr; $($check:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $check() {
                $crate::testing::$check(&$subject).await;
            }
        )*
    };
}

fn put(key: &str, value: &str) -> Transaction {
    Transaction::new().put(key, value.to_owned())
}

fn value(store: &dyn Store, key: &str) -> Option<String> {
    store
        .get(key)
        .map(|entry| String::from_utf8(entry.value.to_vec()).unwrap())
}

fn keys(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    store
        .range(prefix, after, limit)
        .entries
        .iter()
        .map(|(key, _)| key.to_string())
        .collect()
}

/// Created and modified revisions follow the transactions.
pub async fn keys_carry_their_revisions(subject: &dyn Subject) {
    let store = subject.open();
    assert_eq!(store.get("a"), None);
    let first = store.commit(put("a", "1")).await.unwrap();
    let second = store.commit(put("a", "2")).await.unwrap();
    assert_eq!(second, first.next());
    let entry = store.get("a").unwrap();
    assert_eq!(
        (entry.created, entry.modified, &entry.value[..]),
        (first, second, &b"2"[..])
    );
    store.commit(Transaction::new().delete("a")).await.unwrap();
    assert_eq!(store.get("a"), None);
    let again = store.commit(put("a", "3")).await.unwrap();
    assert_eq!(store.get("a").unwrap().created, again);
    assert_eq!(store.revision(), again);
}

/// Absent, present and exact revisions, each holding and failing.
pub async fn conditions_guard_every_key(subject: &dyn Subject) {
    let store = subject.open();
    let first = store.commit(put("a", "1")).await.unwrap();
    let cases = [
        ("a", Expected::Absent, false),
        ("a", Expected::Present, true),
        ("a", Expected::Revision(first), true),
        ("a", Expected::Revision(first.next()), false),
        ("b", Expected::Absent, true),
        ("b", Expected::Present, false),
        ("b", Expected::Revision(first), false),
    ];
    for (key, expected, holds) in cases {
        let result = store.commit(put("c", "x").expect(key, expected)).await;
        let actual = store.get(key).map(|entry| entry.modified);
        match result {
            Ok(_) => assert!(holds, "{key} {expected:?}"),
            Err(error) => {
                assert!(!holds, "{key} {expected:?}");
                assert_eq!(
                    error,
                    CommitError::Conflict {
                        key: key.to_owned(),
                        actual
                    }
                );
            }
        }
    }
}

/// What a range has gained since it was read is noticed, also within one batch of transactions.
pub async fn conditions_guard_prefixes(subject: &dyn Subject) {
    let store = subject.open();
    store.commit(put("a/1", "1")).await.unwrap();
    let read = store.range("a/", None, usize::MAX).revision;
    store.commit(put("b/1", "1")).await.unwrap();
    let guarded = |value: &str| put("c", value).expect_none_newer("a/", read);
    store
        .commit(guarded("other prefixes do not matter"))
        .await
        .unwrap();
    store.commit(Transaction::new().delete("a/1")).await.unwrap();
    store.commit(guarded("nor do deletions")).await.unwrap();
    // Submitted together, so that both may be judged before either is applied.
    let (first, second) = (store.commit(put("a/2", "2")), store.commit(guarded("lost")));
    let newer = first.await.unwrap();
    match second.await {
        Err(CommitError::Conflict { key, actual }) => assert_eq!((&*key, actual), ("a/2", Some(newer))),
        other => panic!("a key that is newer must be a conflict, not {other:?}"),
    }
    let now = store.revision();
    store
        .commit(put("c", "current").expect_none_newer("a/", now))
        .await
        .unwrap();
    assert_eq!(value(&*store, "c").as_deref(), Some("current"));
}

/// One failing condition of several keeps every operation from happening.
pub async fn a_transaction_is_all_or_nothing(subject: &dyn Subject) {
    let store = subject.open();
    let transaction = put("a", "1")
        .put("b", "1")
        .expect("a", Expected::Absent)
        .expect("b", Expected::Present);
    store.commit(transaction).await.unwrap_err();
    assert_eq!(keys(&*store, "", None, 9), Vec::<String>::new());
    assert_eq!(store.revision(), Revision(0));
    let revision = store.commit(put("a", "1").put("b", "2")).await.unwrap();
    let entries = store.range("", None, 9).entries;
    assert!(
        entries
            .iter()
            .all(|(_, entry)| entry.modified == revision && entry.created == revision)
    );
    assert_eq!(entries.len(), 2);
}

/// Deleting nothing, or only asking, is answered with the current revision.
pub async fn what_changes_nothing_has_no_revision(subject: &dyn Subject) {
    let store = subject.open();
    let first = store.commit(put("a", "1")).await.unwrap();
    assert_eq!(store.commit(Transaction::new()).await, Ok(first));
    assert_eq!(
        store
            .commit(Transaction::new().delete("b").delete_prefix("c/"))
            .await,
        Ok(first)
    );
    assert_eq!(
        store
            .commit(Transaction::new().expect("a", Expected::Present))
            .await,
        Ok(first)
    );
    assert_eq!(store.revision(), first);
}

/// Operations of a transaction are applied in their order.
pub async fn the_last_word_on_a_key_wins(subject: &dyn Subject) {
    let store = subject.open();
    store
        .commit(put("a", "1").put("a", "2").put("b", "1").delete("b"))
        .await
        .unwrap();
    assert_eq!(
        (value(&*store, "a"), value(&*store, "b")),
        (Some("2".to_owned()), None)
    );
    store
        .commit(Transaction::new().delete("a").put("a", "3"))
        .await
        .unwrap();
    assert_eq!(value(&*store, "a"), Some("3".to_owned()));
}

/// Ranges take a prefix, a place to begin behind, and a limit.
pub async fn ranges_are_ordered_and_bounded(subject: &dyn Subject) {
    let store = subject.open();
    for key in ["a/2", "b/1", "a/1", "a", "a/3", "a0", "é"] {
        store.commit(put(key, key)).await.unwrap();
    }
    assert_eq!(
        keys(&*store, "", None, usize::MAX),
        ["a", "a/1", "a/2", "a/3", "a0", "b/1", "é"]
    );
    assert_eq!(keys(&*store, "a/", None, usize::MAX), ["a/1", "a/2", "a/3"]);
    assert_eq!(keys(&*store, "a/", None, 2), ["a/1", "a/2"]);
    assert_eq!(keys(&*store, "a/", Some("a/2"), 2), ["a/3"]);
    assert_eq!(keys(&*store, "a/", Some("a"), 1), ["a/1"]);
    assert_eq!(keys(&*store, "a/", Some("b"), 1), Vec::<String>::new());
    assert_eq!(store.range("", None, 0).revision, Revision(7));
}

/// A prefix's deletion takes what the same transaction set before, spares what it sets after.
pub async fn prefixes_are_deleted_with_what_is_new(subject: &dyn Subject) {
    let store = subject.open();
    store.commit(put("a/1", "1").put("b/1", "1")).await.unwrap();
    let commits: Vec<_> = (2..50)
        .map(|number| store.commit(put(&format!("a/{number}"), "new")))
        .collect();
    let deletion = store.commit(put("a/x", "x").delete_prefix("a/").put("a/y", "y"));
    for commit in commits {
        commit.await.unwrap();
    }
    deletion.await.unwrap();
    assert_eq!(keys(&*store, "", None, 99), ["a/y", "b/1"]);
}

/// A key above the limit is refused, one at the limit is taken.
pub async fn oversized_keys_are_refused(subject: &dyn Subject) {
    let store = subject.open();
    let key = "k".repeat(LARGEST_KEY + 1);
    let refused = store.commit(put(&key, "1")).await;
    assert!(
        matches!(refused, Err(CommitError::TooLarge { what: "a key", .. })),
        "{refused:?}"
    );
    store.commit(put(&key[1..], "1")).await.unwrap();
}

/// A transaction whose future was dropped is committed all the same.
pub async fn commits_need_no_polling(subject: &dyn Subject) {
    let store = subject.open();
    drop(store.commit(put("a", "1")));
    store.commit(put("b", "1")).await.unwrap();
    assert_eq!(value(&*store, "a"), Some("1".to_owned()));
}

/// Two watchers, one begun before the changes and one after, see the same.
pub async fn watchers_see_every_change_in_order(subject: &dyn Subject) {
    let store = subject.open();
    let start = store.commit(put("other", "0")).await.unwrap();
    let mut early = store.watch("a/", start).unwrap();
    for number in 0..20 {
        store
            .commit(put(&format!("a/{number}"), "1").put("other", "x"))
            .await
            .unwrap();
        store.commit(put("other", "y")).await.unwrap();
    }
    store.commit(Transaction::new().delete("a/0")).await.unwrap();
    let mut late = store.watch("a/", start).unwrap();
    for watch in [&mut early, &mut late] {
        let mut last = start;
        for number in 0..20 {
            let changes = watch.next().await.unwrap();
            assert!(changes.revision > last);
            last = changes.revision;
            let changed: Vec<_> = changes
                .changes
                .iter()
                .map(|change| change.key.to_string())
                .collect();
            assert_eq!(changed, [format!("a/{number}")]);
        }
        assert_eq!(watch.next().await.unwrap().changes[0].entry, None);
        let nothing = tokio::time::timeout(Duration::from_millis(20), watch.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        assert_eq!(watch.position(), store.revision());
    }
}

/// Dropping the last handle ends watches instead of hanging them.
pub async fn a_watch_ends_with_its_store(subject: &dyn Subject) {
    let store = subject.open();
    let mut watch = store.watch("", store.revision()).unwrap();
    let waiting = tokio::spawn(async move { watch.next().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(store);
    let ended = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended, Err(WatchError::Closed));
}

/// A view that counts and remembers the last revision.
#[derive(Default)]
struct Counting {
    keys: AtomicU64,
    seen: Mutex<Vec<Revision>>,
}

impl View for Counting {
    fn apply(&self, changes: &Changes) {
        self.keys
            .fetch_add(changes.changes.len() as u64, Ordering::SeqCst);
        self.seen.lock().unwrap().push(changes.revision);
    }
}

/// A view has existing entries at once and every commit before its answer.
pub async fn views_are_current_before_the_answer(subject: &dyn Subject) {
    let store = subject.open();
    store.commit(put("a/1", "1").put("b/1", "1")).await.unwrap();
    let view = Arc::new(Counting::default());
    store.attach("a/", view.clone());
    assert_eq!(view.keys.load(Ordering::SeqCst), 1);
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, view) = (store.clone(), view.clone());
            tokio::spawn(async move {
                for number in 0..20 {
                    let revision = store
                        .commit(put(&format!("a/{task}/{number}"), "1").put("b/2", "2"))
                        .await
                        .unwrap();
                    assert!(view.seen.lock().unwrap().contains(&revision));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(view.keys.load(Ordering::SeqCst), 161);
    assert!(view.seen.lock().unwrap().is_sorted());
}

/// Increments by compare-and-swap from many tasks add up.
pub async fn concurrent_counters_lose_nothing(subject: &dyn Subject) {
    let store = subject.open();
    store.commit(put("counter", "0")).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    while !increment(&*store).await {}
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(value(&*store, "counter"), Some("200".to_owned()));
}

async fn increment(store: &dyn Store) -> bool {
    let entry = store.get("counter").unwrap();
    let number: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
    let next =
        put("counter", &(number + 1).to_string()).expect("counter", Expected::Revision(entry.modified));
    match store.commit(next).await {
        Ok(_) => true,
        Err(CommitError::Conflict { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Two keys that every transaction sets alike are alike in every range read and every watched transaction.
pub async fn readers_never_see_half_a_transaction(subject: &dyn Subject) {
    let store = subject.open();
    store.commit(put("pair/a", "0").put("pair/b", "0")).await.unwrap();
    let mut watch = store.watch("pair/", store.revision()).unwrap();
    let writers: Vec<_> = (0..4)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..50 {
                    let text = format!("{task}-{number}");
                    store
                        .commit(put("pair/a", &text).put("pair/b", text))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let pair = store.range("pair/", None, 9).entries;
        assert_eq!(pair[0].1, pair[1].1);
        tokio::task::yield_now().await;
    }
    for _ in 0..200 {
        let changes = watch.next().await.unwrap().changes;
        assert_eq!(changes[0].entry, changes[1].entry);
    }
}

/// Once a commit is acknowledged, every reader sees it or something newer.
pub async fn reads_follow_acknowledgements(subject: &dyn Subject) {
    let store = subject.open();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, acknowledged) = (store.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for _ in 0..50 {
                    let revision = store.commit(put("a", "1")).await.unwrap();
                    acknowledged.fetch_max(revision.0, Ordering::SeqCst);
                    let floor = acknowledged.load(Ordering::SeqCst);
                    assert!(store.get("a").unwrap().modified.0 >= floor);
                    assert!(store.range("a", None, 1).revision.0 >= floor);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Values, revisions and their order survive closing; history from before does not pretend to.
pub async fn everything_is_there_after_reopening(subject: &dyn Subject) {
    let store = subject.open();
    for number in 0..100 {
        store
            .commit(put(&format!("a/{}", number % 30), &format!("{number}")))
            .await
            .unwrap();
    }
    store
        .commit(Transaction::new().delete_prefix("a/1"))
        .await
        .unwrap();
    let before = store.range("", None, usize::MAX);
    drop(store);
    let store = subject.open();
    assert_eq!(store.range("", None, usize::MAX), before);
    assert_eq!(store.commit(put("b", "1")).await, Ok(before.revision.next()));
    let mut watch = store.watch("", before.revision).unwrap();
    assert_eq!(watch.next().await.unwrap().revision, before.revision.next());
}
