//! The HTTP side: routes, the handshake, and errors.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ting_protocol::{ErrorCode, HttpError, INFERENCE_PATH};
use uuid::Uuid;

use crate::auth::is_allowed;
use crate::connection::{self, MAX_MESSAGE_BYTES};
use crate::server::Shared;

/// Every route of the server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(INFERENCE_PATH, get(inference))
        .route(&format!("{INFERENCE_PATH}/"), get(inference))
        .route("/healthz", get(health))
        .fallback(not_found)
        .with_state(shared)
}

async fn inference(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes());
    if !is_allowed(&shared.options.api_keys, authorization) {
        let message = "Invalid API-key provided.";
        return error(StatusCode::UNAUTHORIZED, ErrorCode::InvalidApiKey, message);
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_MESSAGE_BYTES)
            .max_frame_size(MAX_MESSAGE_BYTES)
            .on_upgrade(move |socket| connection::run(socket, shared)),
        Err(rejection) => {
            let message = format!("This path is a WebSocket: {rejection}.");
            error(
                rejection.into_response().status(),
                ErrorCode::InvalidParameter,
                &message,
            )
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

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, ErrorCode::NotFound, "Not found!")
}

fn error(status: StatusCode, code: ErrorCode, message: &str) -> Response {
    let request_id = Uuid::new_v4().to_string();
    tracing::info!(%request_id, %status, %code, message, "request refused");
    let body = HttpError {
        code,
        message: message.to_owned(),
        request_id,
    };
    (status, Json(body)).into_response()
}
