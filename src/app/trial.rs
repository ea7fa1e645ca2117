//! Does this Plex behave as PlexSync relies on? Tries it on one item, and puts everything back.

use serde::Serialize;

use super::parts;
use crate::config::Config;
use crate::domain::edits::{Change, Edit, Field, ListChange, Tag, Value, same_value};
use crate::domain::failure::Failure;
use crate::domain::ids::RatingKey;
use crate::domain::item::PlexItem;
use crate::plex::{ListingOrder, PlexClient, Told};
use crate::store::Readers;

/// The fields that are tried, and so put back.
const TOUCHED: [Field; 4] = [Field::Summary, Field::Genres, Field::Labels, Field::Rating];
/// Characters beyond those of one code unit, one letter of several, and a line break: all of them have to survive.
const TEXT: &str = "PlexSync probe: Zażółć 🎬 👩‍👩‍👧\nsecond line";
const FIRST: &str = "PlexSync probe 1";
const SECOND: &str = "PlexSync probe 2";
const LABEL: &str = "plexsync probe";
const STARS: &str = "7.3";

/// One behaviour, and what the server did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    pub behaviour: &'static str,
    /// Whether PlexSync can rely on it. Where servers differ and both ways are good, it is.
    pub good: bool,
    pub seen: String,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    pub rating_key: RatingKey,
    pub tried: Vec<Tried>,
    /// What ended it early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Fields that do not stand as before, each with what stood there.
    pub left: Vec<Left>,
}

/// A field that could not be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub field: Field,
    pub before: Value,
    pub was_locked: bool,
}

/// Tries it all on this item. When `stop` ends, nothing more is tried; whatever happens, the item is put back. Fails when
/// the item cannot be read, and then nothing was changed.
pub async fn try_on(
    config: &Config,
    key: &RatingKey,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Result<Trial, Failure>> {
    let readers = Readers::open(&config.storage.path).ok();
    let (_, plex) = parts::clients_as_known(config, readers.as_ref())?;
    let before = match plex.item(key).await {
        Ok(before) => before,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut bench = Bench { plex: &plex, before: &before, tried: Vec::new() };
    let ended_by = tokio::select! {
        tried = bench.try_all() => tried.err().map(|failure| failure.detail),
        () = stop => Some("it was interrupted".to_owned()),
    };
    let tried = std::mem::take(&mut bench.tried);
    let left = bench.put_back().await;
    Ok(Ok(Trial { rating_key: key.clone(), tried, ended_by, left }))
}

struct Bench<'a> {
    plex: &'a PlexClient,
    before: &'a PlexItem,
    tried: Vec<Tried>,
}

impl Bench<'_> {
    async fn try_all(&mut self) -> Result<(), Failure> {
        self.texts().await?;
        self.lists().await?;
        self.stars().await?;
        self.questions().await
    }

    async fn texts(&mut self) -> Result<(), Failure> {
        let text = |text: &str, locked| Edit {
            field: Field::Summary,
            value: Some(Change::Text(text.to_owned())),
            locked: Some(locked),
        };
        let item = self.write(text(TEXT, true)).await?;
        let shown = item.text(Field::Summary).to_owned();
        let same = same_value(Field::Summary, &shown, TEXT);
        let seen = if same {
            "the text stands as it was sent".to_owned()
        } else {
            format!("it stands as {shown:?}")
        };
        self.note("a text is stored as it is", same, seen);
        let locked = item.locked.contains(&Field::Summary);
        self.note("a lock is set with it", locked, if locked { "it is locked" } else { "it is not locked" });
        let item = self.write(text("", true)).await?;
        let shown = item.text(Field::Summary).to_owned();
        let seen =
            if shown.is_empty() { "it is empty".to_owned() } else { format!("it stands as {shown:?}") };
        self.note("a text is cleared", shown.is_empty(), seen);
        let item = self.write(Edit { field: Field::Summary, value: None, locked: Some(false) }).await?;
        let unlocked = !item.locked.contains(&Field::Summary);
        self.note(
            "a lock is taken off",
            unlocked,
            if unlocked { "it is not locked" } else { "it is locked still" },
        );
        Ok(())
    }

    async fn lists(&mut self) -> Result<(), Failure> {
        let list =
            |field, change: ListChange| Edit { field, value: Some(Change::List(change)), locked: None };
        let own = self.before.tags(Field::Genres).to_vec();
        let add = |name: &str| vec![Tag::named(name)];
        let all = ListChange { stay: own.clone(), add: add(FIRST), ..ListChange::default() };
        let item = self.write(list(Field::Genres, all)).await?;
        let arrived =
            has(&item, Field::Genres, FIRST) && own.iter().all(|tag| has(&item, Field::Genres, &tag.name));
        self.note("a list that is sent whole stands whole", arrived, names(&item, Field::Genres));
        let one = ListChange { add: add(SECOND), ..ListChange::default() };
        let item = self.write(list(Field::Genres, one)).await?;
        let merges = has(&item, Field::Genres, FIRST);
        let seen = if merges { "it joins those that are there" } else { "it replaces those that are there" };
        self.note("one element that is sent alone", has(&item, Field::Genres, SECOND), seen);
        let remove: Vec<_> = [FIRST, SECOND].map(Tag::named).to_vec();
        let without = ListChange { stay: own.clone(), remove, ..ListChange::default() };
        let item = self.write(list(Field::Genres, without)).await?;
        let gone = ![FIRST, SECOND].iter().any(|name| has(&item, Field::Genres, name));
        self.note("an element is removed", gone, names(&item, Field::Genres));
        let labels = self.before.tags(Field::Labels).to_vec();
        let labelled = ListChange { stay: labels, add: add(LABEL), ..ListChange::default() };
        let item = self.write(list(Field::Labels, labelled)).await?;
        self.note(
            "a label is set, in whatever case",
            has(&item, Field::Labels, LABEL),
            names(&item, Field::Labels),
        );
        Ok(())
    }

    async fn stars(&mut self) -> Result<(), Failure> {
        let stars = |stars: &str| Edit {
            field: Field::Rating,
            value: Some(Change::Text(stars.to_owned())),
            locked: None,
        };
        let item = self.write(stars(STARS)).await?;
        let shown = item.text(Field::Rating).to_owned();
        self.note(
            "stars are given",
            same_value(Field::Rating, &shown, STARS),
            format!("{STARS} are shown as {shown:?}"),
        );
        let item = self.write(stars("")).await?;
        let shown = item.text(Field::Rating).to_owned();
        let seen = if shown.is_empty() { "there are none".to_owned() } else { format!("{shown} are shown") };
        self.note("stars are taken away", shown.is_empty(), seen);
        Ok(())
    }

    async fn questions(&mut self) -> Result<(), Failure> {
        let hashes = self.plex.content_hashes(std::slice::from_ref(&self.before.rating_key)).await?;
        let shows = hashes.values().any(|hash| hash.known().is_some());
        let seen = if shows {
            "the hash is shown"
        } else {
            "it shows none, so renamed files are told apart by less"
        };
        // Without it matching has other evidence.
        self.note("the hash of a file's content", true, seen);
        let page = self.plex.listing(&self.before.section, ListingOrder::Stable, 0, 1).await?;
        let seen = match page.total {
            Some(total) => format!("a page of one has {} of {total}", page.items),
            None => format!("a page of one has {}; how many there are in all is not told", page.items),
        };
        self.note("listings come in pages", page.items <= 1, seen);
        Ok(())
    }

    fn note(&mut self, behaviour: &'static str, good: bool, seen: impl Into<String>) {
        self.tried.push(Tried { behaviour, good, seen: seen.into() });
    }

    async fn write(&self, edit: Edit) -> Result<PlexItem, Failure> {
        let PlexItem { section, rating_key, .. } = self.before;
        if let Told::Page(failure) = self.plex.write(section, rating_key, &[edit]).await? {
            return Err(failure);
        }
        self.plex.item(rating_key).await
    }

    /// Restores what differs, field by field, so that one which fails holds no other one up. Returns what still differs.
    async fn put_back(&self) -> Vec<Left> {
        let PlexItem { section, rating_key, .. } = self.before;
        if let Ok(now) = self.plex.item(rating_key).await {
            for edit in TOUCHED.into_iter().filter_map(|field| self.edit_back(field, &now)) {
                // Whether it worked is seen below.
                drop(self.plex.write(section, rating_key, &[edit]).await);
            }
        }
        let now = self.plex.item(rating_key).await.ok();
        let differs = |field: &Field| now.as_ref().is_none_or(|now| self.edit_back(*field, now).is_some());
        let left = |field: Field| Left {
            field,
            before: self.before.value(field),
            was_locked: self.before.locked.contains(&field),
        };
        TOUCHED.into_iter().filter(differs).map(left).collect()
    }

    /// What makes a field what it was; `None` if it is.
    fn edit_back(&self, field: Field, now: &PlexItem) -> Option<Edit> {
        let (was, is) = (self.before.value(field), now.value(field));
        let locks = [self.before, now].map(|item| item.locked.contains(&field));
        let locked = (locks[0] != locks[1]).then_some(locks[0]);
        let value = match (&was, &is) {
            (Value::List(was), Value::List(is)) => {
                let misses = |tag: &&Tag, others: &[Tag]| !others.iter().any(|other| other.name == tag.name);
                let change = ListChange {
                    stay: is.iter().filter(|tag| !misses(tag, was)).cloned().collect(),
                    add: was.iter().filter(|tag| misses(tag, is)).cloned().collect(),
                    remove: is.iter().filter(|tag| misses(tag, was)).cloned().collect(),
                    ours: Vec::new(),
                };
                change.changes_something().then_some(Change::List(change))
            }
            _ => (was != is).then(|| Change::Text(was.text().to_owned())),
        };
        (value.is_some() || locked.is_some()).then_some(Edit { field, value, locked })
    }
}

fn has(item: &PlexItem, field: Field, name: &str) -> bool {
    item.tags(field).iter().any(|tag| tag.name.eq_ignore_ascii_case(name))
}

fn names(item: &PlexItem, field: Field) -> String {
    let names: Vec<_> = item.tags(field).iter().map(|tag| tag.name.as_str()).collect();
    if names.is_empty() {
        "the list is empty".to_owned()
    } else {
        format!("the list is {}", names.join(", "))
    }
}
