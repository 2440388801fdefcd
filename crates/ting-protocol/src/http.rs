//! The body of an HTTP error.

use serde::{Deserialize, Serialize};

use crate::ErrorCode;

/// What every HTTP answer with a status of 400 or more carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpError {
    /// What kind of error.
    pub code: ErrorCode,
    /// What is wrong, for the client's developer.
    pub message: String,
    /// A UUID to find the request in the logs.
    pub request_id: String,
}
