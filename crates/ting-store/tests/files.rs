//! The file itself: when it is made, for whom, and what is said when it cannot be used.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use ting_store::{
    Account, FILE_NAME, NewVocabulary, Page, Store, StoreError, StoreErrorKind, Word,
};

const ACCOUNT: Account = Account::Everyone;

fn new() -> NewVocabulary {
    NewVocabulary {
        prefix: "p".to_owned(),
        target_model: "m".to_owned(),
        words: vec![Word {
            text: "word".to_owned(),
            weight: 4,
            lang: None,
        }],
    }
}

fn create(store: &Store) -> Result<String, StoreError> {
    store.create_vocabulary(&ACCOUNT, &new(), u32::MAX, 1)
}

fn list(store: &Store) -> Result<usize, StoreError> {
    let page = Page {
        index: 0,
        size: 10_000,
    };
    Ok(store.vocabularies(&ACCOUNT, None, page)?.len())
}

/// What everything that reads says of the store.
fn readers(store: &Store) -> Vec<(&'static str, Result<(), StoreError>)> {
    vec![
        ("list", list(store).map(drop)),
        ("read", store.vocabulary(&ACCOUNT, "vocab-p-1").map(drop)),
        (
            "replace",
            store.replace_words(&ACCOUNT, "vocab-p-1", &[], 1).map(drop),
        ),
        (
            "delete",
            store.delete_vocabulary(&ACCOUNT, "vocab-p-1").map(drop),
        ),
        ("check", store.check()),
    ]
}

#[test]
fn nothing_is_made_before_something_is_kept() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let store = Store::new(&folder);
    for (what, result) in readers(&store) {
        result.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert!(!parent.path().join("a").exists());
    create(&store).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    // The two files beside it are there while the store is.
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn folders_that_cannot_be_used_are_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let named = |folder: &Path, result: Result<(), StoreError>| {
        let name = folder.display().to_string();
        let error = result.expect_err(&name);
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{name}: {error}");
        assert!(error.to_string().contains(&name), "{name}: {error}");
    };
    for folder in [file.join("below"), file] {
        let store = Store::new(&folder);
        named(&folder, create(&store).map(drop));
        assert_eq!(
            store.check().unwrap_err().kind(),
            StoreErrorKind::Unavailable
        );
    }
    // Nobody can make a folder in /proc, not even root, whom it does not refuse before it is tried.
    let folder = Path::new("/proc/no-such-folder");
    named(folder, create(&Store::new(folder)).map(drop));
}

#[test]
fn a_folder_that_is_not_there_yet_is_fine_where_one_can_be_made() {
    let parent = tempfile::tempdir().unwrap();
    for folder in ["", "a", "a/b/c"] {
        let folder = parent.path().join(folder);
        Store::new(&folder)
            .check()
            .unwrap_or_else(|error| panic!("{error}"));
    }
    Store::new(Path::new("")).check().unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

/// Damages the file at the path in one way.
type Damage = fn(&Path);

#[test]
fn damaged_files_are_named_and_left_as_they_are() {
    let cases: [(&str, Damage, StoreErrorKind); 5] = [
        (
            "text",
            |path| fs::write(path, "this is no database\n".repeat(1000)).unwrap(),
            StoreErrorKind::Damaged,
        ),
        (
            "a few bytes",
            |path| fs::write(path, [1, 2, 3]).unwrap(),
            StoreErrorKind::Damaged,
        ),
        (
            "holes in all pages but the first",
            |path| {
                let mut bytes = fs::read(path).unwrap();
                bytes[4096..].fill(0xa5);
                fs::write(path, bytes).unwrap();
            },
            StoreErrorKind::Damaged,
        ),
        (
            "another program's tables",
            |path| {
                fs::remove_file(path).unwrap();
                let theirs = Connection::open(path).unwrap();
                theirs.execute_batch("CREATE TABLE theirs (x)").unwrap();
            },
            StoreErrorKind::Damaged,
        ),
        (
            "a version of the future",
            |path| {
                let file = Connection::open(path).unwrap();
                file.pragma_update(None, "user_version", 1000).unwrap();
            },
            StoreErrorKind::TooNew,
        ),
    ];
    let mut failures = Vec::new();
    for (what, damage, want) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let store = Store::new(folder.path());
        create(&store).unwrap();
        drop(store);
        damage(&path);
        let before = fs::read(&path).unwrap();
        let store = Store::new(folder.path());
        let mut results = readers(&store);
        results.push(("create", create(&store).map(drop)));
        for (operation, result) in results {
            match result {
                Err(error)
                    if error.kind() == want
                        && error.to_string().contains(&path.display().to_string()) => {}
                other => failures.push(format!("{what}, {operation}: {other:?}")),
            }
        }
        if fs::read(&path).unwrap() != before {
            failures.push(format!("{what}: the file was changed"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_empty_file_is_as_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE_NAME), "").unwrap();
    let store = Store::new(folder.path());
    store.check().unwrap();
    assert_eq!(list(&store).unwrap(), 0);
    create(&store).unwrap();
    assert_eq!(list(&store).unwrap(), 1);
}

#[test]
fn a_file_that_is_taken_away_is_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    create(&store).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(list(&store).unwrap(), 0);
    create(&store).unwrap();
    create(&store).unwrap();
    assert_eq!(list(&Store::new(folder.path())).unwrap(), 2);
    // What SQLite keeps beside the file means nothing without it.
    fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
    assert_eq!(list(&store).unwrap(), 0);
    create(&store).unwrap();
    assert_eq!(list(&Store::new(folder.path())).unwrap(), 1);
}

#[test]
fn readers_do_not_wait_for_a_writer_and_writers_do_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    create(&store).unwrap();
    let writer = Connection::open(store.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(list(&store).unwrap(), 1);
    let error = create(&store).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy, "{error}");
    writer.execute_batch("ROLLBACK").unwrap();
    create(&store).unwrap();
    assert_eq!(list(&store).unwrap(), 2);
}

/// The environment variable that makes [`several_processes_may_write_at_once`] a writer.
const WRITER: &str = "TING_STORE_TEST_WRITER";
const WRITERS: usize = 4;
const WRITES: usize = 25;

/// Who waits longest is not served first: on a busy machine one may be sent away, and comes again.
fn patiently<T>(work: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    loop {
        match work() {
            Err(error) if error.kind() == StoreErrorKind::Busy => {}
            outcome => return outcome,
        }
    }
}

/// Runs itself in several processes, which begin with no file and all want to make it.
#[test]
fn several_processes_may_write_at_once() {
    if let Some(folder) = std::env::var_os(WRITER) {
        let store = Store::new(Path::new(&folder));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..WRITES {
                        let id = patiently(|| create(&store)).unwrap();
                        let found = patiently(|| store.vocabulary(&ACCOUNT, &id)).unwrap();
                        assert!(found.is_some());
                    }
                });
            }
        });
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let children: Vec<_> = (0..WRITERS)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "several_processes_may_write_at_once"])
                .env(WRITER, &data)
                // What a writer says of its failure is shown with the test's own.
                .arg("--nocapture")
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = Store::new(&data);
    patiently(|| store.check()).unwrap();
    assert_eq!(list(&store).unwrap(), WRITERS * 2 * WRITES);
}
