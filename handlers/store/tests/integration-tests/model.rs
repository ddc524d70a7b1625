//! Random transactions on the store and on a plain map give the same, across reopenings and snapshots.

use std::collections::BTreeMap;

use mecforge_store::testing::Subject;
use mecforge_store::{Condition, Expected, Operation, Options, Revision, Transaction};
use proptest::prelude::*;

use crate::conformance::InDirectory;

#[derive(Clone, Debug)]
enum Step {
    Commit(Transaction),
    Reopen,
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<String, (Vec<u8>, u64, u64)>,
    revision: u64,
}

impl Model {
    fn commit(&mut self, transaction: &Transaction) -> bool {
        let holds = |condition: &Condition| match condition {
            Condition::Key { key, expected } => {
                let entry = self.entries.get(&**key);
                match expected {
                    Expected::Absent => entry.is_none(),
                    Expected::Present => entry.is_some(),
                    Expected::Revision(Revision(revision)) => {
                        entry.is_some_and(|(_, _, modified)| modified == revision)
                    }
                }
            }
            Condition::NoneNewer { prefix, revision } => !self
                .entries
                .iter()
                .any(|(key, (_, _, modified))| key.starts_with(&**prefix) && *modified > revision.0),
        };
        if !transaction.conditions().iter().all(holds) {
            return false;
        }
        let before = self.entries.clone();
        let revision = self.revision + 1;
        let mut written = false;
        for operation in transaction.operations() {
            match operation {
                Operation::Put(key, value) => {
                    written = true;
                    let created = before.get(&**key).map_or(revision, |(_, created, _)| *created);
                    self.entries
                        .insert(key.to_string(), (value.to_vec(), created, revision));
                }
                Operation::Delete(key) => {
                    self.entries.remove(&**key);
                }
                Operation::DeletePrefix(prefix) => self.entries.retain(|key, _| !key.starts_with(&**prefix)),
            }
        }
        let put_remains = written
            && self
                .entries
                .values()
                .any(|(_, _, modified)| *modified == revision);
        if put_remains || before.keys().ne(self.entries.keys()) {
            self.revision = revision;
        }
        true
    }
}

fn key() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "a/1", "a/2", "ab", "b", "b/1"]).prop_map(str::to_owned)
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let expected = prop_oneof![
        Just(Expected::Absent),
        Just(Expected::Present),
        (1u64..40).prop_map(|revision| Expected::Revision(Revision(revision))),
    ];
    let conditions = proptest::collection::vec((key(), expected), 0..2);
    let none_newer = proptest::option::weighted(0.2, (key(), 0u64..40));
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    let operation = (
        key(),
        prop_oneof![4 => value.prop_map(Some), 2 => Just(None)],
        any::<bool>(),
    );
    let operations = proptest::collection::vec(operation, 0..4);
    (conditions, none_newer, operations).prop_map(|(conditions, none_newer, operations)| {
        let mut transaction = Transaction::new();
        if let Some((prefix, revision)) = none_newer {
            transaction = transaction.expect_none_newer(prefix, Revision(revision));
        }
        for (key, expected) in conditions {
            transaction = transaction.expect(key, expected);
        }
        for (key, value, prefix) in operations {
            transaction = match value {
                Some(value) => transaction.put(key, value),
                None if prefix => transaction.delete_prefix(key),
                None => transaction.delete(key),
            };
        }
        transaction
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(
        prop_oneof![12 => transaction().prop_map(Step::Commit), 1 => Just(Step::Reopen)],
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map_that_remembers(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let subject = InDirectory::new(Options::default().snapshot_after(600));
        let mut store = subject.open();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Reopen => {
                    drop(store);
                    store = subject.open();
                }
                Step::Commit(transaction) => {
                    let expected = model.commit(&transaction);
                    let committed = runtime.block_on(store.commit(transaction));
                    prop_assert_eq!(committed.is_ok(), expected);
                }
            }
            let range = store.range("", None, usize::MAX);
            let found: BTreeMap<_, _> = range
                .entries
                .iter()
                .map(|(key, entry)| (key.to_string(), (entry.value.to_vec(), entry.created.0, entry.modified.0)))
                .collect();
            prop_assert_eq!(range.revision.0, model.revision);
            prop_assert_eq!(&found, &model.entries);
        }
    }
}
