//! `POST /api/v1/services/audio/asr/customization`: hotword lists.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::{Value, json};
use ting_protocol::{
    CreatedVocabulary, ErrorCode, HttpReply, MAX_VOCABULARIES, Nothing, VocabularyDetails,
    VocabularyEntry, VocabularyList, VocabularyRequest, VocabularyStatus, VocabularyWord,
    beijing_time,
};
use ting_store::{
    Account, NewVocabulary, Page, Store, StoreError, StoreErrorKind, VocabularyInfo, Word,
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::http::{Refusal, account};
use crate::server::Shared;

/// The largest body. 500 words of the longest kind, every character escaped, are a third of it.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Of a body that is too large this much is read and dropped, so that its client, which writes first and reads then, gets to the
/// answer. A client that sends more finds the connection closed.
const MAX_DROPPED_BYTES: usize = 16 << 20;

/// Answers a request about hotword lists.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request_id = Uuid::new_v4().to_string();
    match handle(&shared, &headers, body, &request_id).await {
        Ok(output) => Json(HttpReply::new(output, request_id)).into_response(),
        Err(refusal) => refusal.answer_to(request_id),
    }
}

/// Does what is asked and gives the output of the answer.
async fn handle(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    request_id: &str,
) -> Result<Value, Refusal> {
    let account = account(shared, headers)?;
    let body = timeout(shared.options.timeouts.http_body, read(body)).await;
    let body = body.map_err(|_| {
        let message = "Request timed out, please try again later.";
        let status = StatusCode::REQUEST_TIMEOUT;
        Refusal::new(status, ErrorCode::RequestTimeOut, message)
    })??;
    let request = VocabularyRequest::parse(&body).map_err(|wrong| {
        let status = match wrong.code() {
            ErrorCode::ModelNotExist => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, wrong.code().clone(), wrong.message())
    })?;
    let action = request.action();
    let now_s = unix_s();
    let done = shared
        .vocabularies
        .with(move |store| perform(store, &account, request, now_s))
        .await
        .map_err(|failed| failure(&failed, request_id))?;
    let Done { output, about } = done.ok_or_else(|| {
        let message = "The Required resource not exist.";
        let code = ErrorCode::BadRequestResourceNotExist;
        Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, code, message)
    })?;
    tracing::info!(%request_id, action, about, "request about hotword lists done");
    Ok(output)
}

/// The body, whole.
async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut pieces = body.into_data_stream();
    let (mut read, mut length) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|wrong| {
            let message = format!("The body cannot be read: {wrong}.");
            Refusal::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidParameter,
                message,
            )
        })?;
        length += piece.len();
        if length > MAX_DROPPED_BYTES {
            break;
        }
        if length > MAX_BODY_BYTES {
            read = Vec::new();
        } else {
            read.extend_from_slice(&piece);
        }
    }
    if length > MAX_BODY_BYTES {
        let message =
            format!("The body is too large; it must have at most {MAX_BODY_BYTES} bytes.");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Refusal::new(status, ErrorCode::InvalidParameter, message));
    }
    Ok(read)
}

/// What was done.
struct Done {
    /// The output of the answer.
    output: Value,
    /// The list or the prefix that it was done to, for the log.
    about: String,
}

/// Does what `request` asks; `None` when the list that it is about is not there.
fn perform(
    store: &Store,
    account: &Account,
    request: VocabularyRequest,
    now_s: i64,
) -> Result<Option<Done>, StoreError> {
    match request {
        VocabularyRequest::Create {
            target_model,
            prefix,
            vocabulary,
        } => {
            let words = stored(vocabulary);
            let new = NewVocabulary {
                prefix,
                target_model,
                words,
            };
            let vocabulary_id = store.create_vocabulary(account, &new, MAX_VOCABULARIES, now_s)?;
            let about = vocabulary_id.clone();
            Ok(Some(Done {
                output: json!(CreatedVocabulary { vocabulary_id }),
                about,
            }))
        }
        VocabularyRequest::List {
            prefix,
            page_index,
            page_size,
        } => {
            let page = Page {
                index: page_index,
                size: page_size,
            };
            let found = store.vocabularies(account, prefix.as_deref(), page)?;
            let vocabulary_list = found.into_iter().map(entry).collect();
            Ok(Some(Done {
                output: json!(VocabularyList { vocabulary_list }),
                about: prefix.unwrap_or_default(),
            }))
        }
        VocabularyRequest::Query { vocabulary_id } => {
            let found = store.vocabulary(account, &vocabulary_id)?;
            Ok(found.map(|vocabulary| Done {
                output: json!(VocabularyDetails {
                    gmt_create: beijing_time(vocabulary.info.created_s),
                    gmt_modified: beijing_time(vocabulary.info.modified_s),
                    status: VocabularyStatus::Ok,
                    target_model: vocabulary.info.target_model,
                    vocabulary: vocabulary.words.into_iter().map(on_the_wire).collect(),
                }),
                about: vocabulary_id,
            }))
        }
        VocabularyRequest::Update {
            vocabulary_id,
            vocabulary,
        } => {
            let words = stored(vocabulary);
            let found = store.replace_words(account, &vocabulary_id, &words, now_s)?;
            Ok(found.then(|| nothing(vocabulary_id)))
        }
        VocabularyRequest::Delete { vocabulary_id } => {
            let found = store.delete_vocabulary(account, &vocabulary_id)?;
            Ok(found.then(|| nothing(vocabulary_id)))
        }
    }
}

fn nothing(about: String) -> Done {
    Done {
        output: json!(Nothing {}),
        about,
    }
}

/// The refusal of a request that failed in the store. The client is not told where the server's files are; the log is.
fn failure(failed: &StoreError, request_id: &str) -> Refusal {
    let internal = |what: &str| {
        let message = format!(
            "An internal error has occured: {what}; the server's log says more under this request_id."
        );
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::new(status, ErrorCode::InternalError, message)
    };
    if failed.kind() != StoreErrorKind::Quota {
        tracing::error!(%request_id, error = %failed, "hotword lists cannot be used");
    }
    match failed.kind() {
        StoreErrorKind::Quota => {
            let code = ErrorCode::ThrottlingAllocationQuota;
            Refusal::new(
                StatusCode::BAD_REQUEST,
                code,
                "Free allocated quota exceeded.",
            )
        }
        StoreErrorKind::Busy => {
            let message =
                "The hotword lists are in use by another process, please try again later.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Refusal::new(status, ErrorCode::ServiceUnavailable, message)
        }
        StoreErrorKind::Full => internal("the disk of the hotword lists is full"),
        _ => internal("hotword lists cannot be read or written"),
    }
}

fn entry(info: VocabularyInfo) -> VocabularyEntry {
    VocabularyEntry {
        vocabulary_id: info.id,
        gmt_create: beijing_time(info.created_s),
        gmt_modified: beijing_time(info.modified_s),
        status: VocabularyStatus::Ok,
    }
}

fn stored(words: Vec<VocabularyWord>) -> Vec<Word> {
    let word = |word: VocabularyWord| Word {
        text: word.text,
        weight: word.weight,
        lang: word.lang,
    };
    words.into_iter().map(word).collect()
}

fn on_the_wire(word: Word) -> VocabularyWord {
    VocabularyWord {
        lang: word.lang,
        text: word.text,
        weight: word.weight,
    }
}

/// The time, in seconds since 1970-01-01 UTC; a clock before that is at its beginning.
fn unix_s() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}
