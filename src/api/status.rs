//! From a failure's class to an HTTP status: here and nowhere else.

use crate::engine;
use crate::error::{Classify, Hint, Kind};
use crate::wire::ErrorBody;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The status of each class, as Docker has it.
pub fn of(kind: Kind) -> StatusCode {
    match kind {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // Docker answers 500 where a registry does not: its clients show the message.
        Kind::Unavailable | Kind::Aborted | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A refused request.
#[derive(Debug)]
pub struct Refusal {
    /// Its class.
    pub kind: Kind,
    /// Docker's English.
    pub message: String,
    /// Advice for `learn`'s own client.
    pub hint: Option<Hint>,
}

impl Refusal {
    /// A request that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { kind: Kind::Invalid, message: message.into(), hint: None }
    }

    /// What the body says.
    pub fn body(&self) -> ErrorBody {
        let hint = self.hint.map(|hint| <&'static str>::from(hint).to_owned());
        ErrorBody { message: self.message.clone(), hint }
    }
}

impl From<engine::Error> for Refusal {
    fn from(error: engine::Error) -> Refusal {
        Refusal { kind: error.kind(), message: error.to_string(), hint: error.hint() }
    }
}

impl From<crate::image::Error> for Refusal {
    fn from(error: crate::image::Error) -> Refusal {
        engine::Error::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (of(self.kind), Json(self.body())).into_response()
    }
}
