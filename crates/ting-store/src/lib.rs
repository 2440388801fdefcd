//! What the server keeps over a restart: hotword lists, in an SQLite file.
//!
//! [`Store`] is that file. Its methods block, for as long as a disk takes and, while another process writes, for at most
//! [`BUSY_PATIENCE`]; callers with an event loop give them a thread. It may be used from several threads, and the file from
//! several processes.
//!
//! # Architecture invariants
//! - Every change is one transaction: it is done whole, or, on a full disk, a crash or an error, not at all.
//! - What belongs to one account is not to be seen, changed or counted by another; to it, ids of others do not exist.
//! - API keys are never written: accounts are told apart by salted SHA-256 hashes.
//! - No file is made before there is something to keep in it, and nobody but its user may read it.
//! - Knows nothing of audio, models, the wire or the clock: whoever calls says what time it is, and checks what words may be.

mod account;
mod error;
mod file;
mod folder;
mod schema;
mod vocabulary;

pub use account::Account;
pub use error::{StoreError, StoreErrorKind};
pub use file::{BUSY_PATIENCE, FILE_NAME, Store};
pub use folder::usual_data_dir;
pub use vocabulary::{NewVocabulary, Page, Vocabulary, VocabularyInfo, Word};
