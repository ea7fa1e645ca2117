//! How does Stash get the plugin? From an index and the zip it names, made for this very service.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use actix_web::error::BlockingError;
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
    /// What the index says of each variant. Held while one is made: each takes the memory of a whole program.
    offered: Arc<Mutex<HashMap<Variant, Offered>>>,
}

/// What an index says of a zip, which is made again when somebody fetches it.
#[derive(Debug, Clone)]
struct Offered {
    version: String,
    sha256: String,
    /// Of the program it was made from, in bytes, and when that was written.
    made_from: (u64, SystemTime),
}

impl PluginOffer {
    pub fn new(target: Target, program: PathBuf) -> Self {
        Self { target, program, offered: Arc::default() }
    }

    /// Reads the program only when it is not the one that was read before.
    fn offered(&self, variant: Variant) -> io::Result<Offered> {
        let mut known = self.known();
        let program = self.look_at_program()?;
        if let Some(offered) = known.get(&variant).filter(|offered| offered.made_from == program) {
            return Ok(offered.clone());
        }
        let (offered, _) = self.make(variant)?;
        known.insert(variant, offered.clone());
        Ok(offered)
    }

    fn zip(&self, variant: Variant) -> io::Result<Vec<u8>> {
        let mut known = self.known();
        let (offered, zip) = self.make(variant)?;
        known.insert(variant, offered);
        Ok(zip)
    }

    fn make(&self, variant: Variant) -> io::Result<(Offered, Vec<u8>)> {
        let made_from = self.look_at_program()?;
        let Plugin { version, files } = Plugin::make(variant, &self.target, &self.program)?;
        let Package { bytes, sha256 } = Package::of(&files)?;
        Ok((Offered { version, sha256, made_from }, bytes))
    }

    fn look_at_program(&self) -> io::Result<(u64, SystemTime)> {
        let file = std::fs::metadata(&self.program)?;
        Ok((file.len(), file.modified()?))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Variant, Offered>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
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
    let Some(variant) = wanted(&request, &state, &asked)? else { return Ok(HttpResponse::Ok().finish()) };
    let offer = state.plugin.clone();
    let Offered { version, sha256, .. } = made(web::block(move || offer.offered(variant)).await)?;
    let dated = DatePlugin { variant: variant.as_str(), version: version.clone() };
    let date = state.persistence.ask(dated, DATE_LIMIT).await;
    let date = date.map_err(|error| WebError::later(error.to_string()))?;
    let date = date.map_err(|error| WebError::later(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/yaml")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(plugin::index(&sha256, &version, date)))
}

pub(super) async fn zip(
    request: HttpRequest,
    state: web::Data<WebState>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let Some(variant) = wanted(&request, &state, &asked)? else { return Ok(HttpResponse::Ok().finish()) };
    let offer = state.plugin.clone();
    let zip = made(web::block(move || offer.zip(variant)).await)?;
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CACHE_CONTROL, "no-store"))
        // As it is: it would be compressed again on the way, which takes longer than sending it.
        .insert_header(ContentEncoding::Identity)
        .body(zip))
}

/// The variant that was asked for; nothing for a HEAD, which needs none.
fn wanted(request: &HttpRequest, state: &WebState, asked: &Asked) -> Result<Option<Variant>, WebError> {
    state.access.check(request, Scope::ReadPlugin)?;
    let variant = asked.variant.as_deref().unwrap_or(Variant::Program.as_str()).parse::<Variant>();
    let variant =
        variant.map_err(|error| WebError::new(StatusCode::NOT_FOUND, format!("variant {error}")))?;
    Ok((request.method() != Method::HEAD).then_some(variant))
}

fn made<T>(made: Result<io::Result<T>, BlockingError>) -> Result<T, WebError> {
    let made = made.map_err(|error| WebError::later(error.to_string()))?;
    made.map_err(|error| {
        WebError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the plugin cannot be made: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn the_index_follows_the_program_and_the_program_is_read_only_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "first").unwrap();
        let url = url::Url::parse("http://localhost:8765/").unwrap();
        let offer = PluginOffer::new(Target { url, token: "token".into() }, program.clone());
        let first = offer.offered(Variant::Program).unwrap();
        let written = first.made_from.1;

        fs::write(&program, "other").unwrap();
        File::options().write(true).open(&program).unwrap().set_modified(written).unwrap();
        assert_eq!(offer.offered(Variant::Program).unwrap().sha256, first.sha256, "nothing tells them apart");

        fs::write(&program, "a longer one").unwrap();
        let second = offer.offered(Variant::Program).unwrap();
        assert_ne!((&second.sha256, &second.version), (&first.sha256, &first.version));
        let zip = offer.zip(Variant::Program).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &zip);
        let sum = digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(offer.offered(Variant::Program).unwrap().sha256, sum);
    }
}
