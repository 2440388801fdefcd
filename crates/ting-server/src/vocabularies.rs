//! The hotword lists that are kept, off the threads that serve sockets, and what a task gets of them.

use std::collections::HashSet;
use std::sync::Arc;

use ting_engine::{Hotword, Language, MAX_HOTWORDS};
use ting_protocol::{ErrorCode, RequestError};
use ting_store::{Account, Store, StoreError, StoreErrorKind, Vocabulary, Word};
use tokio::sync::Semaphore;

use crate::server::Shared;
use crate::task::truncated;

/// Requests that use the data file at the same time; others wait for their turn. Each takes a thread, and few are enough: the
/// file has one writer at a time.
const MAX_AT_ONCE: usize = 4;

/// The store, for callers that may not block.
pub(crate) struct Vocabularies {
    store: Option<Arc<Store>>,
    turns: Semaphore,
}

impl Vocabularies {
    pub(crate) fn new(store: Option<Arc<Store>>) -> Self {
        Self {
            store,
            turns: Semaphore::new(MAX_AT_ONCE),
        }
    }

    /// Lets `work` use the store, on a thread that may block.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Some(store) = self.store.clone() else {
            let message = "the server has no data folder; give it one with --data-dir";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        };
        // Nobody closes it; without a turn the work is done all the same.
        let _turn = self.turns.acquire().await.ok();
        let working = tokio::task::spawn_blocking(move || work(&store));
        working.await.unwrap_or_else(|error| {
            let message = format!("the work on the data file broke off: {error}");
            Err(StoreError::new(StoreErrorKind::Internal, message))
        })
    }
}

/// The words of the hotword lists `ids` for the task `task_id`, as they are now.
///
/// A list that is not there or cannot be read is left out, and the log names it; a list that was made for another model than
/// `model` is used, since all models here are one, and the log says so.
///
/// # Errors
/// With `strict_vocabulary`, the refusal of what would be left out; and `InvalidParameter` for more words than a task may have.
pub(crate) async fn hotwords(
    shared: &Shared,
    account: &Account,
    ids: Vec<String>,
    model: String,
    task_id: String,
) -> Result<Vec<Hotword>, RequestError> {
    let mut hotwords: Vec<Hotword> = Vec::new();
    let mut seen = HashSet::new();
    for id in ids {
        let asked = (account.clone(), id.clone());
        let found = shared
            .vocabularies
            .with(move |store| store.vocabulary(&asked.0, &asked.1));
        let vocabulary_id = truncated(&id);
        let vocabulary: Vocabulary = match found.await {
            Ok(Some(vocabulary)) => vocabulary,
            Ok(None) => {
                missing(shared, vocabulary_id, &task_id)?;
                continue;
            }
            Err(error) => {
                unreadable(shared, &error.to_string(), &task_id)?;
                continue;
            }
        };
        let target_model = &vocabulary.info.target_model;
        if *target_model != model {
            tracing::warn!(
                ?task_id,
                vocabulary_id,
                ?target_model,
                ?model,
                "hotword list was made for another model; it is used all the same, as all models here are one"
            );
        }
        tracing::info!(
            ?task_id,
            vocabulary_id,
            words = vocabulary.words.len(),
            "hotword list used"
        );
        for word in vocabulary.words.iter().map(hotword) {
            // Of a word that is there twice, the first weight counts.
            if seen.insert((word.text.clone(), word.language)) {
                hotwords.push(word);
            }
        }
    }
    match hotwords.len() {
        ..=MAX_HOTWORDS => Ok(hotwords),
        count => {
            let message = format!(
                "payload.parameters.vocabulary_id and payload.resources name lists of {count} words; \
                 a task may have {MAX_HOTWORDS}."
            );
            Err(RequestError::new(ErrorCode::InvalidParameter, message))
        }
    }
}

/// What comes of the hotword lists of a task for which the data file takes too long.
pub(crate) fn too_slow(shared: &Shared, task_id: &str) -> Result<Vec<Hotword>, RequestError> {
    unreadable(shared, "reading the data file takes too long", task_id)?;
    Ok(Vec::new())
}

fn missing(shared: &Shared, vocabulary_id: &str, task_id: &str) -> Result<(), RequestError> {
    if !shared.options.strict_vocabulary {
        tracing::warn!(
            ?task_id,
            vocabulary_id,
            "no such hotword list; the task goes on without it"
        );
        return Ok(());
    }
    let message = format!(
        "payload.parameters.vocabulary_id or payload.resources is {vocabulary_id:?}; \
         it must be the id of a hotword list of this account."
    );
    Err(RequestError::new(ErrorCode::InvalidParameter, message))
}

fn unreadable(shared: &Shared, error: &str, task_id: &str) -> Result<(), RequestError> {
    if !shared.options.strict_vocabulary {
        tracing::warn!(
            ?task_id,
            error,
            "hotword list cannot be read; the task goes on without it"
        );
        return Ok(());
    }
    tracing::warn!(?task_id, error, "hotword list cannot be read");
    let message = "An internal error has occured: the hotword list cannot be read.";
    Err(RequestError::new(ErrorCode::InternalError, message))
}

fn hotword(word: &Word) -> Hotword {
    // Without one it was not told, or no model here was trained for it: the word may still be said.
    let language = word.lang.as_deref().and_then(Language::from_code);
    Hotword {
        text: word.text.trim().to_owned(),
        weight: word.weight,
        language,
    }
}
