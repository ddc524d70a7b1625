//! Torn tails are cut off, damage is reported, and neither costs an acknowledged write.

use std::fs;
use std::path::{Path, PathBuf};

use mecforge_store::{Embedded, OpenError, Store, Transaction};

/// Writes entries one by one and returns the journal's path and where each commit's frame ends.
async fn written(directory: &Path, count: usize) -> (PathBuf, Vec<u64>) {
    let store = Embedded::open(directory).unwrap();
    let mut ends = vec![0];
    for number in 0..count {
        store
            .commit(Transaction::new().put(format!("key/{number}"), format!("value {number}")))
            .await
            .unwrap();
        ends.push(store.figures().journal_bytes);
    }
    drop(store);
    (journal(directory), ends)
}

fn journal(directory: &Path) -> PathBuf {
    let paths = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .max()
        .unwrap()
}

fn entries(directory: &Path) -> Result<usize, OpenError> {
    Embedded::open(directory).map(|store| store.range("key/", None, usize::MAX).entries.len())
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_loses_only_what_was_not_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (path, ends) = written(directory.path(), 4).await;
    let whole = fs::read(&path).unwrap();
    for cut in 0..=ends[4] {
        let survivors = ends.iter().skip(1).filter(|end| **end <= cut).count();
        // Once as a file that ends there, once as one whose allocated room follows.
        let cut = usize::try_from(cut).unwrap();
        let mut followed = whole[..cut].to_vec();
        followed.resize(whole.len().min(4096), 0);
        for bytes in [whole[..cut].to_vec(), followed] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(entries(directory.path()).unwrap(), survivors, "cut at {cut}");
            assert_eq!(
                entries(directory.path()).unwrap(),
                survivors,
                "cut at {cut}, opened again"
            );
        }
    }
}

#[tokio::test]
async fn writing_goes_on_behind_a_torn_tail() {
    let directory = tempfile::tempdir().unwrap();
    let (path, ends) = written(directory.path(), 3).await;
    let mut bytes = fs::read(&path).unwrap();
    let last = usize::try_from(ends[2]).unwrap();
    bytes[last + 20..].fill(0);
    fs::write(&path, bytes).unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    store
        .commit(Transaction::new().put("key/new", "short"))
        .await
        .unwrap();
    drop(store);
    let store = Embedded::open(directory.path()).unwrap();
    assert!(store.get("key/1").is_some() && store.get("key/2").is_none() && store.get("key/new").is_some());
}

#[tokio::test]
async fn damage_before_the_tail_is_reported_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let (path, ends) = written(directory.path(), 4).await;
    let whole = fs::read(&path).unwrap();
    for place in [ends[0], ends[1] + 9, ends[3] - 1] {
        let mut bytes = whole.clone();
        bytes[usize::try_from(place).unwrap()] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let error = entries(directory.path()).unwrap_err();
        let start = ends.iter().rev().find(|end| **end <= place).unwrap();
        assert!(
            matches!(&error, OpenError::Damaged { offset, .. } if offset == start),
            "{error}"
        );
        assert!(error.to_string().contains(&format!(
            "journal-0000000000000001.log is damaged at byte {start}"
        )));
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(entries(directory.path()).unwrap(), 4);
}

#[tokio::test]
async fn a_missing_segment_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = written(directory.path(), 2).await;
    let store = Embedded::open(directory.path()).unwrap();
    store.commit(Transaction::new().put("key/3", "3")).await.unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    // The journal begins with its third frame, as if an earlier file had been lost.
    let frame = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| window == b"mcf1")
        .map(|(at, _)| at)
        .nth(2)
        .unwrap();
    fs::write(&path, &bytes[frame..]).unwrap();
    let error = entries(directory.path()).unwrap_err();
    assert!(
        error.to_string().contains("what is between is missing"),
        "{error}"
    );
}
