//! How is Plex asked for its libraries and items, and how is an item changed?

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::Url;

use super::edit_query::{ItemIds, changes_something, edit_query, encode};
use super::error::{Asked, Classifier};
use super::listing::{self, ListingOrder, ListingPage};
use super::requests;
use super::wire::{Envelope, WireIdentity, WireItems, WireListing, WireSection, WireSections};
use crate::domain::circuit::Circuit;
use crate::domain::edits::{Change, Edit, Field, Note, Wanted};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{Library, PlexItem};
use crate::http::{self, Answer, Credential, HttpError, HttpOptions, Limits, NoAnswer, Undecodable, Upgrade};

/// Five hundred items a page leave room for 32 KiB each, where about one is usual. A cap also bounds the memory that an
/// answer without end can take: up to three times as much while its buffer grows.
const LISTING_CAP: usize = 16 << 20;
/// An item with hundreds of actors, or a list of libraries, has some hundred kilobytes.
const BODY_CAP: usize = 4 << 20;

/// Everything Plex is told stands in the request line. Servers and proxies commonly take 8 KiB; reports of Plex itself
/// have 9 KB passing and 35 KB refused.
const LONGEST_REQUEST_LINE: usize = 8 << 10;

/// Says the same as `totalSize` in the body, which some builds leave out.
const TOTAL_SIZE: HeaderName = HeaderName::from_static("x-plex-container-total-size");

/// Where Plex is, and how long it may take.
#[derive(Debug, Clone)]
pub struct PlexSettings {
    /// The address of the server; a path is kept.
    pub url: Url,
    pub token: SecretString,
    /// Names this installation to Plex. It must not change, or Plex reports a new device each time.
    pub client_id: String,
    /// `false` accepts any certificate: Plex's own names neither its address nor its host name.
    pub verify_tls: bool,
    pub connect_timeout: Duration,
    /// The longest silence of a read. A read may take four times as long in all.
    pub read_timeout: Duration,
    /// How long an edit may take in all. A large library needs many seconds for some.
    pub write_timeout: Duration,
}

/// A client for one Plex server. Clones share their connections.
#[derive(Debug, Clone)]
pub struct PlexClient {
    reads: reqwest::Client,
    /// Apart from the reads, because an edit may be silent for longer.
    writes: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    token: Credential,
    verify_tls: bool,
    connect_timeout: Duration,
    read_timeout: Duration,
    write_timeout: Duration,
    classify: Classifier,
}

/// How a request that changes something was answered, when it was with a success. Neither proves that it was made.
#[derive(Debug)]
pub enum Told {
    Done,
    /// With a page for people, as no Plex does. If nothing has changed, this is why.
    Page(Failure),
}

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlexIdentity {
    pub machine: MachineId,
    /// Empty if it does not say.
    pub version: String,
}

impl PlexClient {
    pub fn new(settings: PlexSettings) -> Result<Self, HttpError> {
        let headers = headers(&settings)?;
        let PlexSettings { url, token, verify_tls, connect_timeout, read_timeout, write_timeout, .. } =
            settings;
        // Never in the query, which servers and proxies write to their logs.
        let token = Credential::new("plex.token", HeaderName::from_static("x-plex-token"), Some(token))?;
        let read = HttpOptions { url: &url, verify_tls, connect_timeout, read_timeout };
        let write = HttpOptions { read_timeout: write_timeout, ..read };
        Ok(Self {
            reads: http::client(&read)?,
            writes: http::client(&write)?,
            url: url.clone(),
            headers,
            token,
            verify_tls,
            connect_timeout,
            read_timeout,
            write_timeout,
            classify: Classifier::new(url),
        })
    }

    /// The same client with connections of its own. Connections are driven by the thread that opened them: if that
    /// hangs, so does every request of others that is sent through them.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        let Self { verify_tls, connect_timeout, read_timeout, write_timeout, .. } = *self;
        let read = HttpOptions { url: &self.url, verify_tls, connect_timeout, read_timeout };
        let write = HttpOptions { read_timeout: write_timeout, ..read };
        Ok(Self { reads: http::client(&read)?, writes: http::client(&write)?, ..self.clone() })
    }

    /// Uses another token from now on. Returns whether it is another one.
    pub fn renew_token(&self, token: SecretString) -> Result<bool, HttpError> {
        self.token.exchange(token)
    }

    /// Which server answers. It says so to anybody and while its database is blocked: no proof that it can work.
    pub async fn identity(&self) -> Result<PlexIdentity, Failure> {
        let answer = self.get(Asked::Server, self.at(&["identity"])).await?;
        let identity: WireIdentity = self.decode(&answer)?;
        if identity.machine.is_empty() {
            return Err(self.shape("an empty machineIdentifier", &answer));
        }
        Ok(PlexIdentity { machine: MachineId(identity.machine), version: identity.version })
    }

    /// The libraries of films; personal videos are among them.
    pub async fn libraries(&self) -> Result<Vec<Library>, Failure> {
        let answer = self.get(Asked::Server, self.at(&["library", "sections"])).await?;
        let WireSections { sections } = self.decode(&answer)?;
        let movies = sections.into_iter().filter(|section| section.r#type == "movie");
        let libraries = movies.map(WireSection::into_library);
        libraries.collect::<Result<_, _>>().map_err(|error| self.shape(&error.to_string(), &answer))
    }

    /// The files of the `size` movies from `start` on. With a size of 0 it is the cheapest question that needs the
    /// server's database, and so a proof that it can work.
    pub async fn listing(
        &self,
        section: &SectionKey,
        order: ListingOrder,
        start: u32,
        size: u32,
    ) -> Result<ListingPage, Failure> {
        let mut url = self.at(&["library", "sections", section.as_str(), "all"]);
        url.set_query(Some(&encode(listing::parameters(order))));
        // Both, always: the size alone is ignored, and the whole library comes.
        let request =
            self.reads.get(url).header("X-Plex-Container-Start", start).header("X-Plex-Container-Size", size);
        let limits = Limits { total: self.read_limit(), body: LISTING_CAP };
        let answer = self.ask(Asked::Library, request, limits).await?;
        let mut listing: WireListing = self.decode(&answer)?;
        listing.total = listing.total.or_else(|| answer.header(TOTAL_SIZE)?.parse().ok());
        listing::page(section, listing).map_err(|error| self.shape(&error, &answer))
    }

    /// One item with its locks. `stale_match` says that the key does not lead to this movie any more.
    pub async fn item(&self, key: &RatingKey) -> Result<PlexItem, Failure> {
        let mut url = self.at(&["library", "metadata", key.as_str()]);
        // Otherwise looking at an item makes Plex refresh it.
        url.set_query(Some("skipRefresh=1"));
        let answer = self.get(Asked::Item, url).await?;
        let WireItems { section, items } = self.decode(&answer)?;
        let stale = |code, said: &str| self.classify.failure(FailureClass::StaleMatch, code, said);
        let Some(item) = items.into_iter().next() else {
            return Err(stale("item_gone", &format!("has nothing to say about item {key}")));
        };
        if item.rating_key != key.as_str() {
            return Err(stale(
                "other_item",
                &format!("answers for item {key} with item {}", item.rating_key),
            ));
        }
        if let Some(kind) = item.r#type.as_deref().filter(|kind| *kind != "movie") {
            return Err(stale("not_a_movie", &format!("has a {kind} under the key {key}")));
        }
        item.into_item(section).map_err(|error| self.shape(&error.to_string(), &answer))
    }

    /// Makes one of [`Self::requests`]. A success proves nothing: the items have to be read back. The code
    /// `write_unknown` says that the change may have been made although no success was told.
    pub async fn write(
        &self,
        section: &SectionKey,
        item: &RatingKey,
        edits: &[Edit],
    ) -> Result<Told, Failure> {
        match edits {
            [Edit { field: Field::Rating, value: Some(Change::Text(stars)), .. }] => {
                self.rate(item, stars).await
            }
            edits => self.edit(section, &item.clone().into(), edits).await,
        }
    }

    /// Changes fields and locks of items, all alike.
    pub(super) async fn edit(
        &self,
        section: &SectionKey,
        items: &ItemIds,
        edits: &[Edit],
    ) -> Result<Told, Failure> {
        if !changes_something(edits) {
            return Ok(Told::Done);
        }
        self.send(Asked::Edit, self.change(Method::PUT, self.edit_url(section, items, edits))).await
    }

    /// Gives an item stars from 0 to 10, as the account that the token belongs to; an empty text takes them away.
    async fn rate(&self, item: &RatingKey, stars: &str) -> Result<Told, Failure> {
        let mut url = self.at(&[":", "rate"]);
        let stars = if stars.is_empty() { "-1" } else { stars };
        url.set_query(Some(&encode([
            ("key", item.as_str()),
            ("identifier", "com.plexapp.plugins.library"),
            ("rating", stars),
        ])));
        self.send(Asked::Edit, self.change(Method::PUT, url)).await
    }

    /// Makes the texts among the wanted values short enough for a request each, and says so.
    pub fn fitted(&self, section: &SectionKey, item: &RatingKey, wanted: Wanted) -> Wanted {
        let items = item.clone().into();
        requests::fitted(wanted, |edit| self.fits(section, &items, std::slice::from_ref(edit)))
    }

    /// Makes the lists among the edits of an item short enough for a request each, and says what had to be left out.
    pub fn shortened(
        &self,
        section: &SectionKey,
        items: &ItemIds,
        edits: Vec<Edit>,
    ) -> (Vec<Edit>, Vec<Note>) {
        requests::shortened(edits, |edits| self.fits(section, items, edits))
    }

    /// The requests that make these edits, in order: one if it can carry them all.
    pub fn requests(&self, section: &SectionKey, items: &ItemIds, edits: &[Edit]) -> Vec<Vec<Edit>> {
        requests::requests(edits, |edits| self.fits(section, items, edits))
    }

    fn fits(&self, section: &SectionKey, items: &ItemIds, edits: &[Edit]) -> bool {
        self.request_line_len(section, items, edits) <= LONGEST_REQUEST_LINE
    }

    fn request_line_len(&self, section: &SectionKey, items: &ItemIds, edits: &[Edit]) -> usize {
        let url = self.edit_url(section, items, edits);
        let target = url.path().len() + url.query().map_or(0, |query| query.len() + "?".len());
        "PUT ".len() + target + " HTTP/1.1\r\n".len()
    }

    fn edit_url(&self, section: &SectionKey, items: &ItemIds, edits: &[Edit]) -> Url {
        let mut url = self.at(&["library", "sections", section.as_str(), "all"]);
        url.set_query(Some(&edit_query(items, edits)));
        url
    }

    /// Silence is limited by the client; this bounds an answer that drips.
    fn read_limit(&self) -> Duration {
        4 * self.read_timeout
    }

    pub(super) fn at(&self, segments: &[&str]) -> Url {
        http::below(&self.url, segments)
    }

    /// Asks for something that may be as long as a page of a listing.
    pub(super) async fn get_long(&self, asked: Asked, url: Url) -> Result<Answer, Failure> {
        let limits = Limits { total: self.read_limit(), body: LISTING_CAP };
        self.ask(asked, self.reads.get(url), limits).await
    }

    pub(super) async fn get(&self, asked: Asked, url: Url) -> Result<Answer, Failure> {
        self.ask(asked, self.reads.get(url), Limits { total: self.read_limit(), body: BODY_CAP }).await
    }

    /// A request that changes something, to be sent by [`Self::send`].
    pub(super) fn change(&self, method: Method, url: Url) -> RequestBuilder {
        self.writes.request(method, url)
    }

    pub(super) async fn send(&self, asked: Asked, change: RequestBuilder) -> Result<Told, Failure> {
        let limits = Limits { total: self.write_timeout, body: BODY_CAP };
        let changed = self.ask(asked, change, limits).await;
        let told = changed.map(|answer| match self.classify.page(&answer) {
            None => Told::Done,
            Some(failure) => Told::Page(failure.on(Circuit::PlexWrite)),
        });
        told.map_err(|failure| failure.on(Circuit::PlexWrite))
    }

    async fn ask(&self, asked: Asked, request: RequestBuilder, limits: Limits) -> Result<Answer, Failure> {
        let answer = self.exchange(request, limits).await;
        let answer = answer.map_err(|error| self.classify.no_answer(asked, &error))?;
        if answer.status == StatusCode::FORBIDDEN {
            // Whether the token is refused or only one door is closed is known by asking at the front.
            self.front_door().await?;
            return Err(self.classify.closed(asked, &answer));
        }
        match self.classify.bad_status(asked, &answer) {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// Asks for what every good token may see.
    async fn front_door(&self) -> Result<(), Failure> {
        let limits = Limits { total: self.read_limit(), body: BODY_CAP };
        let answer = self.exchange(self.reads.get(self.at(&[""])), limits).await;
        let answer = answer.map_err(|error| self.classify.no_answer(Asked::Server, &error))?;
        self.classify.bad_status(Asked::Server, &answer).map_or(Ok(()), Err)
    }

    async fn exchange(&self, request: RequestBuilder, limits: Limits) -> Result<Answer, NoAnswer> {
        http::exchange(self.signed(request), limits, self.token.secret().as_ref()).await
    }

    /// Asks for the address with these headers besides our own, and to go on in another protocol.
    pub(super) async fn upgrade(&self, url: Url, headers: HeaderMap) -> Result<Upgrade, NoAnswer> {
        let request = self.signed(self.reads.get(url)).headers(headers);
        let limits = Limits { total: self.read_limit(), body: BODY_CAP };
        http::upgrade(request, limits, self.token.secret().as_ref()).await
    }

    /// With what tells Plex who asks.
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.headers(self.headers.clone());
        match self.token.header() {
            Some((name, token)) => request.header(name, token),
            None => request,
        }
    }

    /// The longest silence of a read.
    pub(super) fn silence(&self) -> Duration {
        self.read_timeout
    }

    pub(super) fn classify(&self) -> &Classifier {
        &self.classify
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        let envelope = answer.decode::<Envelope<T>>();
        envelope.map(|envelope| envelope.container).map_err(|error| self.classify.undecodable(&error, answer))
    }

    pub(super) fn shape(&self, detail: &str, answer: &Answer) -> Failure {
        self.classify.undecodable(&Undecodable::Shape { detail: detail.to_owned() }, answer)
    }
}

fn headers(settings: &PlexSettings) -> Result<HeaderMap, HttpError> {
    let fixed = HeaderValue::from_static;
    let named = HeaderName::from_static;
    Ok(HeaderMap::from_iter([
        (ACCEPT, fixed("application/json")),
        (named("x-plex-client-identifier"), http::header("plex.client_id", &settings.client_id)?),
        (named("x-plex-product"), fixed("PlexSync")),
        (named("x-plex-version"), fixed(env!("CARGO_PKG_VERSION"))),
        (named("x-plex-platform"), fixed(std::env::consts::OS)),
        (named("x-plex-device"), fixed("Server")),
        (named("x-plex-device-name"), fixed("PlexSync")),
    ]))
}
