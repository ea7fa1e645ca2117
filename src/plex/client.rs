//! How is Plex asked? JSON, the token in a header only, one bounded client.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::edit_query::{ItemIds, edit_query, parameter};
use super::error::{self, Call, plex};
use super::wire;
use crate::domain::edits::{Edit, Field};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{IndexedPart, Library, PlexItem};
use crate::http::{self, Answer, HttpError, HttpOptions, fetch};

/// A page of five hundred items is about one megabyte; a server that ignores the paging sends the whole library.
const LARGEST_LISTING: usize = 64 << 20;
const LARGEST_ITEM: usize = 8 << 20;
/// An answer may drip in, but not for longer than this many times the longest silence.
const SILENCES: u32 = 4;
/// What a listing need not hold: Plex reads less from its database then.
const LISTING: [(&str, &str); 2] = [
    ("excludeElements", "Genre,Role,Director,Writer,Producer,Country,Collection,Image,Guid,Rating"),
    ("excludeFields", "summary,tagline,thumb,art"),
];

/// Where Plex is and how it is asked.
#[derive(Debug, Clone)]
pub struct PlexSettings {
    pub url: Url,
    pub token: SecretString,
    /// Stays the same for an installation; a new one would be a new device to Plex.
    pub client_id: String,
    pub verify_tls: bool,
    pub connect_timeout: Duration,
    /// The longest silence.
    pub read_timeout: Duration,
    /// A whole edit. Plex can take twenty seconds for one on a large library.
    pub write_timeout: Duration,
}

/// Which server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlexIdentity {
    pub machine: MachineId,
    pub version: String,
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingOrder {
    /// Does not change while it is paged through: what is added comes last.
    Stable,
    ByAddedAtDesc,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListingPage {
    pub parts: Vec<IndexedPart>,
    /// How many items the page held, with or without a file.
    pub items: usize,
    /// How many there are in all, when Plex says so.
    pub total: Option<u32>,
}

/// Asks Plex and writes to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PlexClient {
    client: reqwest::Client,
    settings: Arc<PlexSettings>,
}

impl PlexClient {
    pub fn new(settings: PlexSettings) -> Result<Self, HttpError> {
        let is_https = settings.url.scheme() == "https";
        let (connect_timeout, verify_tls) = (settings.connect_timeout, settings.verify_tls);
        // Silence bounds a write as well, so it is the longer of the two here; reads are bounded by `fetch`.
        let silence = settings.read_timeout.max(settings.write_timeout);
        let client = http::client(&HttpOptions { connect_timeout, silence, is_https, verify_tls })?;
        Ok(Self { client, settings: Arc::new(settings) })
    }

    /// Which server is this? Needs no token.
    pub async fn identity(&self) -> Result<PlexIdentity, Failure> {
        let request = self.request(Method::GET, &["identity"]);
        let wire::Identity { machine, version } =
            self.read(request, Call::Server, None, LARGEST_ITEM).await?;
        Ok(PlexIdentity { machine: MachineId(machine), version })
    }

    /// The libraries of the movie type, which personal videos are in as well.
    pub async fn libraries(&self) -> Result<Vec<Library>, Failure> {
        let request = self.request(Method::GET, &["library", "sections"]);
        let found: wire::Sections = self.read(request, Call::Server, None, LARGEST_ITEM).await?;
        let movies = found.sections.into_iter().filter(|section| section.kind == "movie");
        let library = |section: wire::Section| {
            Ok(Library {
                key: SectionKey::try_from(section.key).map_err(|error| odd(&error))?,
                title: section.title,
                locations: section.locations.into_iter().map(|location| location.path).collect(),
                content_changed_at: section.content_changed_at,
            })
        };
        movies.map(library).collect()
    }

    /// One page of a library. Both paging headers are sent: Plex ignores the size without the start.
    pub async fn listing(
        &self,
        section: &SectionKey,
        order: ListingOrder,
        start: u32,
        size: u32,
    ) -> Result<ListingPage, Failure> {
        let sort = match order {
            ListingOrder::Stable => "addedAt",
            ListingOrder::ByAddedAtDesc => "addedAt:desc",
        };
        let request = self
            .request(Method::GET, &["library", "sections", section.as_str(), "all"])
            .query(&[("type", "1"), ("sort", sort)])
            .query(&LISTING)
            .header("X-Plex-Container-Start", start)
            .header("X-Plex-Container-Size", size);
        let page: wire::Items = self.read(request, Call::Server, None, LARGEST_LISTING).await?;
        let items = page.list.len();
        let mut parts = Vec::with_capacity(items);
        for item in page.list.into_iter().filter(|item| item.kind == "movie" || item.kind == "clip") {
            parts.extend(indexed(item, section)?);
        }
        Ok(ListingPage { parts, items, total: page.total })
    }

    /// One item, whole. An item that is not there any more is a failure of the class `stale_match`.
    pub async fn item(&self, key: &RatingKey) -> Result<PlexItem, Failure> {
        let path = ["library", "metadata", key.as_str()];
        let request = self.request(Method::GET, &path).query(&[("skipRefresh", "1")]);
        let found: wire::Items = self.read(request, Call::Item, Some(key), LARGEST_ITEM).await?;
        let section = found.section;
        let item = found.list.into_iter().find(|item| item.rating_key == key.as_str());
        let gone = || plex(FailureClass::StaleMatch, "item_gone", format!("Plex has no item {key} any more"));
        whole(item.ok_or_else(gone)?, section, key)
    }

    /// Edits items of one library. That Plex takes an edit does not mean that it has stored it.
    pub async fn edit(&self, section: &SectionKey, items: &ItemIds, edits: &[Edit]) -> Result<(), Failure> {
        let path = ["library", "sections", section.as_str(), "all"];
        let mut url = self.url(&path);
        // Plex takes `+` for a space only in some places, and `%20` everywhere.
        let query: Vec<_> = edit_query(items, edits)
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        url.set_query(Some(&query.join("&")));
        let request = self.with_headers(self.client.request(Method::PUT, url));
        let answer = self.answer(request, self.settings.write_timeout, LARGEST_ITEM, Call::Edit).await?;
        match error::by_status(&answer, Call::Edit, None) {
            Some(failure) => Err(self.whose_403(failure).await),
            None => Ok(()),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        call: Call,
        item: Option<&RatingKey>,
        most: usize,
    ) -> Result<T, Failure> {
        let answer = self.answer(request, self.settings.read_timeout * SILENCES, most, call).await?;
        if let Some(failure) = error::by_status(&answer, call, item) {
            return Err(self.whose_403(failure).await);
        }
        let decoded = serde_json::from_slice::<wire::Answer<T>>(&answer.body);
        decoded.map(|answer| answer.container).map_err(|error| error::undecodable(&answer, &error))
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        limit: Duration,
        most: usize,
        call: Call,
    ) -> Result<Answer, Failure> {
        fetch(request, limit, most).await.map_err(|failed| error::no_answer(&failed, call))
    }

    /// A 403 can mean this item or everything; the root of the server tells which.
    async fn whose_403(&self, failure: Failure) -> Failure {
        if failure.class != FailureClass::Forbidden {
            return failure;
        }
        let limit = self.settings.read_timeout;
        let root = self.answer(self.request(Method::GET, &[""]), limit, LARGEST_ITEM, Call::Server).await;
        match root.map(|answer| answer.status.as_u16()) {
            Ok(401 | 403) => {
                let text =
                    "Plex lets this token see nothing at all (403); use the token of the server's owner";
                plex(FailureClass::Unauthorized, "forbidden_everywhere", text)
            }
            Ok(_) | Err(_) => failure,
        }
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.with_headers(self.client.request(method, self.url(path)))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.settings.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        let mut token = HeaderValue::from_str(self.settings.token.expose_secret())
            .unwrap_or_else(|_| HeaderValue::from_static("not-a-token"));
        token.set_sensitive(true);
        request
            .header(ACCEPT, "application/json")
            .header("X-Plex-Token", token)
            .header("X-Plex-Client-Identifier", &self.settings.client_id)
            .header("X-Plex-Product", "PlexSync")
            .header("X-Plex-Version", env!("CARGO_PKG_VERSION"))
            .header("X-Plex-Platform", std::env::consts::OS)
            .header("X-Plex-Device", "PlexSync")
            .header("X-Plex-Device-Name", "PlexSync")
    }
}

fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}

fn odd(error: &impl std::fmt::Display) -> Failure {
    plex(
        FailureClass::Incompatible,
        "undecodable",
        format!("an answer of Plex cannot be understood: {error}"),
    )
}

fn indexed(item: wire::Item, section: &SectionKey) -> Result<Vec<IndexedPart>, Failure> {
    let rating_key = RatingKey::try_from(item.rating_key).map_err(|error| odd(&error))?;
    let mut parts = Vec::new();
    for media in item.media {
        for part in media.parts {
            let Some(path) = part.file else { continue };
            parts.push(IndexedPart {
                section: section.clone(),
                rating_key: rating_key.clone(),
                // Without an id of its own a part is told from its neighbours by its place.
                part_id: part.id.unwrap_or_else(|| -i64::try_from(parts.len()).unwrap_or(0) - 1),
                path,
                size: part.size,
                duration_ms: part.duration.or(media.duration),
                title: item.title.clone(),
                added_at: item.added_at.unwrap_or_default(),
                updated_at: item.updated_at.unwrap_or_default(),
            });
        }
    }
    Ok(parts)
}

fn whole(item: wire::Item, section: Option<i64>, key: &RatingKey) -> Result<PlexItem, Failure> {
    let section = item.section.or(section).ok_or_else(|| odd(&"an item names no library"))?;
    let is_locked =
        |field: &Field| item.fields.iter().any(|lock| lock.locked && lock.name == parameter(*field));
    Ok(PlexItem {
        rating_key: key.clone(),
        section: SectionKey::try_from(section.to_string()).map_err(|error| odd(&error))?,
        locked: Field::ALL.into_iter().filter(is_locked).collect(),
        paths: item.media.into_iter().flat_map(|media| media.parts).filter_map(|part| part.file).collect(),
        title: item.title,
        studio: item.studio,
        summary: item.summary,
        date: item.date,
    })
}

#[cfg(test)]
mod tests;
