//! How does a refused request answer? One JSON shape for every error.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub field: String,
    pub problem: String,
}

impl Problem {
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// A request that is not served.
#[derive(Debug, Clone, PartialEq)]
pub struct WebError {
    status: StatusCode,
    error: String,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [Problem],
}

impl WebError {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), problems: Vec::new() }
    }

    pub fn invalid(problems: Vec<Problem>) -> Self {
        let error = "the body is not an event that can be taken".to_owned();
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, error, problems }
    }

    /// Nothing was stored; the sender should come again in a moment.
    pub fn later(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // So that a browser asks for the token.
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"PlexSync\", charset=\"UTF-8\""));
        }
        response.json(Body { error: &self.error, problems: &self.problems })
    }
}
