//! Which request is this? A correlation id for each: the caller's own when it is fit, else a new one.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _};
use futures_util::FutureExt as _;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::error::WebError;
use crate::domain::ids::CorrelationId;

const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

thread_local! {
    // One source of chance for each worker; ids have to be unlikely to meet, not impossible to guess.
    static RNG: RefCell<SmallRng> = RefCell::new(seeded());
}

#[expect(clippy::disallowed_methods, reason = "ids of requests need a seed that no test has to repeat")]
fn seeded() -> SmallRng {
    SmallRng::from_rng(&mut rand::rng())
}

/// The id that the middleware gave to a request.
pub(super) fn correlation_of(request: &HttpRequest) -> CorrelationId {
    let known = request.extensions().get::<CorrelationId>().cloned();
    known.unwrap_or_else(|| RNG.with_borrow_mut(CorrelationId::random))
}

/// Gives each request an id, each answer the same, and turns a panic of a handler into an answer: without this actix
/// cuts the connection and the sender learns nothing.
pub(super) async fn correlate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let given = given.and_then(|id| CorrelationId::try_from(id.to_owned()).ok());
    let id = given.unwrap_or_else(|| RNG.with_borrow_mut(CorrelationId::random));
    let header = HeaderValue::from_str(id.as_str()).unwrap_or_else(|_| HeaderValue::from_static("-"));
    request.extensions_mut().insert(id.clone());
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(mut response)) => {
            response.headers_mut().insert(HEADER, header);
            Ok(response)
        }
        Ok(Err(error)) => Err(answered(error.error_response(), header)),
        Err(_) => {
            tracing::error!(correlation.id = %id, "a handler panicked; the request got a 500");
            let error = WebError::new(StatusCode::INTERNAL_SERVER_ERROR, "PlexSync has a bug; see its log");
            Err(answered(error.error_response(), header))
        }
    }
}

/// The request is gone by now, so the answer travels as an error.
fn answered(mut response: HttpResponse, header: HeaderValue) -> Error {
    response.headers_mut().insert(HEADER, header);
    InternalError::from_response("answered", response).into()
}
