//! The HTTP side: routes, the handshake, and errors.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ting_protocol::{CUSTOMIZATION_PATH, ErrorCode, HttpError, INFERENCE_PATH};
use ting_store::Account;
use uuid::Uuid;

use crate::connection::{self, MAX_MESSAGE_BYTES};
use crate::server::Shared;
use crate::{auth, customization};

/// Every route of the server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(INFERENCE_PATH, get(inference))
        .route(&format!("{INFERENCE_PATH}/"), get(inference))
        .route(
            CUSTOMIZATION_PATH,
            post(customization::answer).fallback(only_post),
        )
        .route("/healthz", get(health))
        .fallback(not_found)
        .with_state(shared)
}

async fn inference(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let account = match account(&shared, &headers) {
        Ok(account) => account,
        Err(refusal) => return refusal.answer(),
    };
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_MESSAGE_BYTES)
            .max_frame_size(MAX_MESSAGE_BYTES)
            .on_upgrade(move |socket| connection::run(socket, shared, account)),
        Err(rejection) => {
            let message = format!("This path is a WebSocket: {rejection}.");
            let status = rejection.into_response().status();
            Refusal::new(status, ErrorCode::InvalidParameter, message).answer()
        }
    }
}

/// Says that the server runs, and how many clients it has.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    Json(serde_json::json!({
        "status": "ok",
        "connections": shared.connections.count(),
        "tasks": shared.tasks.count(),
    }))
    .into_response()
}

async fn only_post() -> Response {
    let message = "This path takes POST only.";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let refusal = Refusal::new(status, ErrorCode::InvalidParameter, message);
    ([(header::ALLOW, "POST")], refusal.answer()).into_response()
}

async fn not_found() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "Not found!").answer()
}

/// Whose request it is.
///
/// # Errors
/// The refusal of one without a key that is let in.
pub(crate) fn account(shared: &Shared, headers: &HeaderMap) -> Result<Account, Refusal> {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes());
    auth::account(&shared.options.api_keys, authorization).ok_or_else(|| {
        let message = "Invalid API-key provided.";
        Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidApiKey, message)
    })
}

/// Why a request is refused.
pub(crate) struct Refusal {
    status: StatusCode,
    code: ErrorCode,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
        }
    }

    /// The answer, under an id of its own.
    fn answer(self) -> Response {
        self.answer_to(Uuid::new_v4().to_string())
    }

    /// The answer to the request `request_id`.
    pub(crate) fn answer_to(self, request_id: String) -> Response {
        let Self {
            status,
            code,
            message,
        } = self;
        tracing::info!(%request_id, %status, %code, message, "request refused");
        let body = HttpError {
            code,
            message,
            request_id,
        };
        (status, Json(body)).into_response()
    }
}
