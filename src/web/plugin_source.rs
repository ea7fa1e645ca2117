//! How does Stash get the plugin? From an index and the zip it names, made at each request for this very service.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, ContentEncoding};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::auth::Scope;
use super::error::WebError;
use super::state::WebState;
use crate::actors::messages::DatePlugin;
use crate::plugin::{self, Package, Plugin, Target, Variant};

const DATE_LIMIT: Duration = Duration::from_secs(5);

/// What the plugin is made from.
#[derive(Debug, Clone)]
pub struct PluginOffer {
    pub target: Target,
    /// The program that Stash gets to start.
    pub program: PathBuf,
    /// One at a time: each takes the memory of a whole program.
    making: Arc<Mutex<()>>,
}

impl PluginOffer {
    pub fn new(target: Target, program: PathBuf) -> Self {
        Self { target, program, making: Arc::default() }
    }

    /// Reads the program from the disk.
    fn make(&self, variant: Variant) -> std::io::Result<(String, Package)> {
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let Plugin { version, files } = Plugin::make(variant, &self.target, &self.program)?;
        Ok((version, Package::of(&files)?))
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    variant: Option<String>,
}

/// The index. Stash asks with HEAD whether it has changed, and takes an answer without a date of change for a yes.
pub(super) async fn index(
    request: HttpRequest,
    state: web::Data<WebState>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let Some((variant, version, package)) = made(&request, &state, &asked).await? else {
        return Ok(HttpResponse::Ok().finish());
    };
    let dated = DatePlugin { variant: variant.as_str(), version: version.clone() };
    let date = state.persistence.ask(dated, DATE_LIMIT).await;
    let date = date.map_err(|error| WebError::later(error.to_string()))?;
    let date = date.map_err(|error| WebError::later(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/yaml")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(plugin::index(&package, &version, date)))
}

pub(super) async fn zip(
    request: HttpRequest,
    state: web::Data<WebState>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let Some((_, _, package)) = made(&request, &state, &asked).await? else {
        return Ok(HttpResponse::Ok().finish());
    };
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CACHE_CONTROL, "no-store"))
        // As it is: it would be compressed again on the way, which takes longer than sending it.
        .insert_header(ContentEncoding::Identity)
        .body(package.bytes))
}

/// The plugin in the variant that was asked for; nothing for a HEAD, which needs none.
async fn made(
    request: &HttpRequest,
    state: &WebState,
    asked: &Asked,
) -> Result<Option<(Variant, String, Package)>, WebError> {
    state.access.check(request, Scope::ReadPlugin)?;
    let variant = asked.variant.as_deref().unwrap_or(Variant::Program.as_str()).parse::<Variant>();
    let variant =
        variant.map_err(|error| WebError::new(StatusCode::NOT_FOUND, format!("variant {error}")))?;
    if request.method() == Method::HEAD {
        return Ok(None);
    }
    let offer = state.plugin.clone();
    let made = web::block(move || offer.make(variant)).await;
    let made = made.map_err(|error| WebError::later(error.to_string()))?;
    let (version, package) = made.map_err(|error| {
        WebError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the plugin cannot be made: {error}"))
    })?;
    Ok(Some((variant, version, package)))
}
