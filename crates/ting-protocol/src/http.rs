//! The bodies that HTTP answers have in common.

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

/// What an HTTP answer with status 200 carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpReply<T> {
    /// What was asked for.
    pub output: T,
    /// What is billed for it.
    pub usage: RequestUsage,
    /// A UUID to find the request in the logs.
    pub request_id: String,
}

impl<T> HttpReply<T> {
    /// The answer to one request.
    pub fn new(output: T, request_id: impl Into<String>) -> Self {
        Self {
            output,
            usage: RequestUsage { count: 1 },
            request_id: request_id.into(),
        }
    }
}

/// What is billed for an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestUsage {
    /// Requests: always 1.
    pub count: u32,
}
