//! The file: where it is, when it is made, and its connections.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use rustix::fs::{Access, access};

use crate::schema::{MIGRATIONS, Schema, migrate};
use crate::{StoreError, StoreErrorKind};

/// The file's name in its folder. SQLite keeps two more beside it while it is open, with `-wal` and `-shm` at the end.
pub const FILE_NAME: &str = "ting.db";

/// How long to wait for another process that writes. Its writes take milliseconds; one that is stopped in the middle must not
/// hold requests for ever. 5 s.
pub const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// How often to ask again where SQLite does not wait by itself.
const BUSY_POLL: Duration = Duration::from_millis(20);

/// Connections that are kept open for later. Reading is short, so few are ever in use at once.
const MAX_IDLE: usize = 4;

/// What the server keeps, in one SQLite file.
///
/// Making one touches nothing: the file is made, with its folder, by the first thing that is to be kept. A file that is taken
/// away while the server runs is as one that never was.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Held while a connection is opened. SQLite's locks belong to the process and end when any descriptor of the file is
    /// closed, as one is when the file is made.
    opening: Mutex<()>,
    idle: Mutex<Vec<Open>>,
}

/// A connection that is ready for use.
#[derive(Debug)]
struct Open {
    connection: Connection,
    file: FileId,
}

/// Tells a file from another that has its name now: device and inode.
type FileId = (u64, u64);

impl Store {
    /// The store in `folder`, which need not be there.
    pub fn new(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE_NAME),
            opening: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Where the file is, or will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds out whether things can be kept and read: whether the file is whole and can be written, or, where there is none,
    /// whether one can be made. Makes nothing.
    ///
    /// # Errors
    /// Every kind but `Quota`.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.file()?.is_none() {
            return self.check_folder();
        }
        let problem = self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let found = transaction
                .query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0))?;
            Ok((found != "ok").then_some(found))
        })?;
        match problem {
            None => Ok(()),
            Some(found) => Err(StoreError::damaged(&self.path.display(), &found)),
        }
    }

    /// Whether the folder, or the nearest one above it that is there, takes files.
    fn check_folder(&self) -> Result<(), StoreError> {
        // A relative path ends in "", which is the current folder.
        let here = |path: &Path| match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path.to_owned(),
        };
        let mut ancestors = self.path.ancestors().skip(1).map(here);
        let Some(folder) = ancestors.find(|folder| folder.symlink_metadata().is_ok()) else {
            return Ok(());
        };
        let failed =
            |error: std::io::Error| Err(StoreError::io("keep anything in", &folder, &error));
        match folder.metadata() {
            Ok(metadata) if !metadata.is_dir() => failed(ErrorKind::NotADirectory.into()),
            Ok(_) => match access(&folder, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) => Ok(()),
                Err(error) => failed(error.into()),
            },
            Err(error) => failed(error),
        }
    }

    /// What `look` finds in the file, all of one instant; `None` when there is no file.
    pub(crate) fn read<T>(
        &self,
        look: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        if self.file()?.is_none() {
            return Ok(None);
        }
        self.with(|connection| look(&connection.transaction()?))
            .map(Some)
    }

    /// Does `change` whole or, when it fails, not at all.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if self.file()?.is_none() {
            self.create()?;
        }
        self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Lets `work` use a connection. One that failed is not used again.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut open = match self.take()? {
            Some(open) => open,
            None => self.open()?,
        };
        let done =
            work(&mut open.connection).map_err(|error| StoreError::sqlite(&self.path, &error))?;
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_IDLE {
            idle.push(open);
        }
        Ok(done)
    }

    /// A connection from before, if there is one to the file that is there now.
    fn take(&self) -> Result<Option<Open>, StoreError> {
        let file = self.file()?;
        let mut idle = lock(&self.idle);
        idle.retain(|open| Some(open.file) == file);
        Ok(idle.pop())
    }

    /// Which file is there now; `None` when none is.
    fn file(&self) -> Result<Option<FileId>, StoreError> {
        match self.path.metadata() {
            Ok(metadata) => Ok(Some(file_id(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &self.path, &error)),
        }
    }

    /// Makes an empty file, and its folder, that only this user can read.
    fn create(&self) -> Result<(), StoreError> {
        let _opening = lock(&self.opening);
        if let Some(folder) = self.path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|error| StoreError::io("make the data folder", folder, &error))?;
        }
        // SQLite would make the file readable for all, and gives the two beside it the permissions of this one.
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)
        {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(StoreError::io("make the data file", &self.path, &error)),
        }
    }

    fn open(&self) -> Result<Open, StoreError> {
        let _opening = lock(&self.opening);
        let Some(file) = self.file()? else {
            let gone = ErrorKind::NotFound.into();
            return Err(StoreError::io("open the data file", &self.path, &gone));
        };
        let failed = |error| StoreError::sqlite(&self.path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_PATIENCE).map_err(failed)?;
        match migrate(&mut connection, MIGRATIONS).map_err(failed)? {
            Schema::Ready => {}
            Schema::TooNew(version) => {
                let message = format!(
                    "the data file {} has version {version}, and this program knows versions up to {}; \
                     use a newer program, or another folder with --data-dir",
                    self.path.display(),
                    MIGRATIONS.len()
                );
                return Err(StoreError::new(StoreErrorKind::TooNew, message));
            }
            Schema::Foreign => {
                let what = "it has tables of another program";
                return Err(StoreError::damaged(&self.path.display(), &what));
            }
        }
        configure(&connection).map_err(failed)?;
        Ok(Open { connection, file })
    }
}

/// Readers do not wait for a writer, and deleting a list deletes its words.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    if connection.pragma_query_value(None, "journal_mode", mode)? == "wal" {
        return Ok(());
    }
    // Kept in the file. It needs the file for itself for a moment, for which SQLite does not wait.
    let give_up = Instant::now() + BUSY_PATIENCE;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", mode) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < give_up =>
            {
                sleep(BUSY_POLL);
            }
            // On file systems that cannot have it the mode stays as it was, which is correct too.
            set => return set.map(drop),
        }
    }
}

fn file_id(metadata: &Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
}

/// What is guarded is whole at every point where a thread could panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use crate::{Account, NewVocabulary, Store, StoreErrorKind, Word};

    fn list(words: usize) -> NewVocabulary {
        let word = |n| Word {
            text: format!("word number {n}"),
            weight: 4,
            lang: None,
        };
        NewVocabulary {
            prefix: "p".to_owned(),
            target_model: "m".to_owned(),
            words: (0..words).map(word).collect(),
        }
    }

    #[test]
    fn a_full_disk_loses_nothing_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let account = Account::Everyone;
        let id = store.create_vocabulary(&account, &list(2), 10, 1).unwrap();
        // SQLite's own limit gives the error that it gives on a full disk.
        let limit = |pages: u32| {
            store
                .with(|connection| connection.pragma_update(None, "max_page_count", pages))
                .unwrap();
        };
        limit(1);
        let error = store
            .create_vocabulary(&account, &list(500), 10, 1)
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
        assert!(error.to_string().contains("ting.db"), "{error}");
        // The connection that failed is gone, and its limit with it.
        limit(1);
        let error = store
            .replace_words(&account, &id, &list(500).words, 2)
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
        let kept = store.vocabulary(&account, &id).unwrap().unwrap();
        assert_eq!((kept.words.len(), kept.info.modified_s), (2, 1));
        store
            .create_vocabulary(&account, &list(500), 10, 1)
            .unwrap();
        store.check().unwrap();
    }
}
