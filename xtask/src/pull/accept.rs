//! Taking changed bytes in: the documents, the lock, and what the manifest says of them, all together.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use toml_edit::{DocumentMut, Item, Table, value};

use super::gather::Gathered;
use crate::files::Staged;
use crate::lock::{Lock, Verdict};
use crate::manifest::Release;
use crate::workspace::{LOCK, MANIFEST, Workspace};
use crate::yaml;

/// Writes the gathered files, pins them, and updates the manifest's entries of `releases`.
pub(super) fn accept(
    workspace: &Workspace,
    releases: &[Release],
    lock: &Lock,
    gathered: &Gathered,
) -> anyhow::Result<()> {
    let changed = changed(lock, gathered);
    let mut pinned = lock.clone();
    for (path, bytes) in &gathered.files {
        pinned.pin(path, bytes);
    }
    let mut manifest: DocumentMut = workspace
        .read(MANIFEST)?
        .parse()
        .with_context(|| format!("{MANIFEST} is not TOML"))?;
    let today = date(SystemTime::now());
    for release in releases.iter().filter(|release| release.newest) {
        let path = release.mirror_path();
        let bytes = gathered
            .files
            .get(&path)
            .with_context(|| format!("{path} was not fetched"))?;
        if lock.verify(&path, bytes) != Verdict::Same {
            update(&mut manifest, release, bytes, &today)?;
        }
    }

    let mut staged = Staged::default();
    super::stage(workspace, &mut staged, gathered)?;
    staged.stage(&workspace.path(LOCK), pinned.render().as_bytes())?;
    staged.stage(&workspace.path(MANIFEST), manifest.to_string().as_bytes())?;
    staged.commit()?;

    if changed.is_empty() {
        println!("{LOCK} already pins these bytes");
        return Ok(());
    }
    for path in &changed {
        println!("took in {path}");
    }
    let ids: Vec<_> = releases.iter().map(Release::name).collect();
    println!(
        "next: `cargo xtask generate {}`, and look at what it changes",
        ids.join(" ")
    );
    Ok(())
}

/// The files whose bytes are not the pinned ones.
fn changed<'gathered>(lock: &Lock, gathered: &'gathered Gathered) -> Vec<&'gathered str> {
    let differs = |(path, bytes): &(&String, &Vec<u8>)| lock.verify(path, bytes) != Verdict::Same;
    gathered
        .files
        .iter()
        .filter(differs)
        .map(|(path, _)| path.as_str())
        .collect()
}

/// Brings the manifest's entry of a newest release up to date, keeping comments and order.
fn update(manifest: &mut DocumentMut, release: &Release, bytes: &[u8], today: &str) -> anyhow::Result<()> {
    let outline = yaml::outline(&String::from_utf8_lossy(bytes)).unwrap_or_default();
    let entry = manifest
        .get_mut("document")
        .and_then(Item::as_array_of_tables_mut)
        .and_then(|entries| entries.iter_mut().find(|entry| has_id(entry, &release.id)))
        .with_context(|| format!("{MANIFEST} has no entry {}", release.id))?;
    if release.reference == "HEAD" {
        entry.insert("date", value(today));
    }
    if let Some(version) = outline.version {
        entry.insert("version", value(version));
    }
    if let Some(title) = outline.title {
        entry.insert("title", value(title));
    }
    Ok(())
}

fn has_id(entry: &Table, id: &str) -> bool {
    entry.get("id").and_then(Item::as_str) == Some(id)
}

/// The day in UTC, `YYYY-MM-DD`.
fn date(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |duration| duration.as_secs());
    let days = seconds / 86_400 + 719_468;
    // Years that begin in March, in eras of 400: leap days come last (Hinnant, "chrono-Compatible Low-Level Date
    // Algorithms", civil_from_days).
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::date;

    #[test]
    fn knows_the_calendar() {
        let on = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(on(0), "1970-01-01");
        assert_eq!(on(951_782_400), "2000-02-29");
        assert_eq!(on(1_785_023_999), "2026-07-25");
        assert_eq!(on(1_785_024_000), "2026-07-26");
    }
}
