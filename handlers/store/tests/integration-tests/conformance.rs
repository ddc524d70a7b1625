//! The suite that every store passes, on the embedded store with and without snapshots.

use std::path::Path;
use std::sync::Arc;

use mecforge_store::testing::Subject;
use mecforge_store::{Embedded, OpenError, Options, Store};

pub(crate) struct InDirectory {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) options: Options,
}

impl InDirectory {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            options,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Subject for InDirectory {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(Embedded::open_with(self.path(), self.options).unwrap())
    }
}

mod journal_only {
    mecforge_store::store_tests!(super::InDirectory::new(mecforge_store::Options::default()));
}

mod with_a_snapshot_every_kibibyte {
    mecforge_store::store_tests!(super::InDirectory::new(
        mecforge_store::Options::default().snapshot_after(1024)
    ));
}

#[test]
fn a_second_store_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Embedded::open(directory.path()).unwrap();
    let refused = Embedded::open(directory.path()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(
        refused
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    drop(first);
    Embedded::open(directory.path()).unwrap();
}

#[tokio::test]
async fn snapshots_replace_the_journal_they_cover() {
    let subject = InDirectory::new(Options::default().snapshot_after(64 * 1024));
    let store = subject.open();
    for number in 0..3000 {
        let transaction =
            mecforge_store::Transaction::new().put(format!("key/{}", number % 10), vec![7; 200]);
        store.commit(transaction).await.unwrap();
    }
    let snapshots = store.figures().snapshots;
    assert!(snapshots > 2, "{snapshots} snapshots");
    let before = store.range("", None, usize::MAX);
    drop(store);
    let names: Vec<_> = std::fs::read_dir(subject.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "lock, snapshot and journal: {names:?}");
    assert_eq!(subject.open().range("", None, usize::MAX), before);
}
