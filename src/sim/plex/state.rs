//! What does the simulated Plex remember?

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use super::item::{Facts, Item, ItemView, NewItem, Part, SCALARS, TAGS, TagUse, title_of};
use super::notifications::Listeners;
use super::options::{PlexOptions, TagAdds};
use crate::sim::clock::SimClock;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: PlexOptions,
    pub(crate) clock: SimClock,
    pub(crate) libraries: BTreeMap<String, Library>,
    pub(crate) items: BTreeMap<i64, Item>,
    pub(crate) tags: Vec<Tag>,
    /// Kind and name in lower case.
    tag_ids: HashMap<(&'static str, String), i64>,
    /// Files that a scan would find.
    pub(crate) on_disk: Vec<(String, NewItem)>,
    /// Scans under way: when they end, and what they have found.
    pub(crate) scans: VecDeque<Scan>,
    /// The bytes of uploaded images.
    pub(crate) uploads: BTreeMap<String, Vec<u8>>,
    /// Edits after which everything stood as before.
    pub(crate) needless_edits: usize,
    pub(crate) listeners: Listeners,
    next_id: i64,
    last_added: i64,
}

#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) id: i64,
    pub(crate) section: String,
    pub(crate) ends: Instant,
    pub(crate) found: Vec<(String, NewItem)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Library {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) agent: String,
    pub(crate) locations: Vec<(i64, String)>,
    pub(crate) created_at: i64,
    pub(crate) scanned_at: i64,
    /// Counts changes; not a time.
    pub(crate) content_changed_at: i64,
}

impl Library {
    /// Whether Plex takes its titles from the file names and knows nothing else.
    pub(crate) fn is_personal(&self) -> bool {
        self.agent.rsplit('.').next() == Some("none")
    }

    pub(crate) fn holds(&self, path: &str) -> bool {
        self.locations.iter().any(|(_, folder)| is_below(path, folder))
    }
}

/// Whether `path` is `folder` or something in it; a longer name that starts alike is not.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches(['/', '\\']))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

/// A tag, shared by all items of the server.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) thumb: Option<String>,
}

impl State {
    pub(crate) fn new(options: PlexOptions, clock: SimClock) -> Self {
        Self {
            options,
            clock,
            libraries: BTreeMap::new(),
            items: BTreeMap::new(),
            tags: Vec::new(),
            tag_ids: HashMap::new(),
            on_disk: Vec::new(),
            scans: VecDeque::new(),
            uploads: BTreeMap::new(),
            needless_edits: 0,
            listeners: Listeners::default(),
            next_id: 1,
            last_added: 0,
        }
    }

    pub(crate) fn next_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(crate) fn add_library(&mut self, key: &str, title: &str, agent: &str, locations: &[&str]) {
        let locations = locations.iter().map(|path| (self.next_id(), (*path).to_owned())).collect();
        let now = self.clock.seconds();
        let library = Library {
            key: key.to_owned(),
            title: title.to_owned(),
            agent: agent.to_owned(),
            locations,
            created_at: now,
            scanned_at: now,
            content_changed_at: 1000,
        };
        self.libraries.insert(key.to_owned(), library);
    }

    pub(crate) fn add_item(&mut self, section: &str, new: NewItem) -> i64 {
        let key = self.next_id();
        let personal = self.libraries.get(section).is_some_and(Library::is_personal);
        let given = self.facts_of(&new);
        let file_title = new.files.first().map(|(path, _)| title_of(path)).unwrap_or_default();
        let mut by_agent = if personal { Facts::default() } else { given.clone() };
        if personal || !by_agent.scalars.contains_key("title") {
            by_agent.scalars.insert("title", file_title.clone());
        }
        let hashes = new.hashes.into_iter().chain(std::iter::repeat(String::new()));
        let files = new.files.into_iter().zip(hashes);
        let parts = files.map(|((path, size), hash)| Part { id: self.next_id(), path, size, hash }).collect();
        self.last_added = self.clock.seconds().max(self.last_added + 1);
        let mut scalars = given.scalars;
        scalars.entry("title").or_insert(file_title);
        let mut item = Item {
            key,
            section: section.to_owned(),
            scalars,
            tags: given.tags,
            locked: BTreeSet::new(),
            parts,
            duration_ms: new.duration_ms,
            added_at: self.last_added,
            // Others may be changed within the same second: it is the time, and not a count.
            updated_at: self.clock.seconds(),
            images: BTreeMap::new(),
            sort_key: String::new(),
            by_agent,
        };
        item.derive_title_sort();
        item.sort_key = item.title_sort().to_lowercase();
        self.items.insert(key, item);
        self.changed(section);
        self.tell_added(key);
        key
    }

    pub(crate) fn remove_item(&mut self, key: i64) -> bool {
        let Some(item) = self.items.remove(&key) else { return false };
        self.changed(&item.section);
        self.tell_deleted(key, &item.section);
        true
    }

    /// Counts a change of a library's content.
    pub(crate) fn changed(&mut self, section: &str) {
        if let Some(library) = self.libraries.get_mut(section) {
            library.content_changed_at += 1;
        }
    }

    /// Changes an item and notes that it has changed. `None` when it is gone.
    pub(crate) fn change<T>(&mut self, key: i64, change: impl FnOnce(&mut Item) -> T) -> Option<T> {
        let now = self.clock.seconds();
        let item = self.items.get_mut(&key)?;
        let outcome = change(item);
        item.sort_key = item.title_sort().to_lowercase();
        item.updated_at = now.max(item.updated_at);
        let section = item.section.clone();
        if self.options.edits_count_as_changes {
            self.changed(&section);
        }
        self.tell_changed(key);
        Some(outcome)
    }

    /// The id of a tag, which is made when it is new. The first spelling stays.
    pub(crate) fn tag_id(&mut self, kind: &'static str, name: &str) -> i64 {
        let name = if kind == "label" { capitalised(name) } else { name.to_owned() };
        let known = (kind, name.to_ascii_lowercase());
        if let Some(id) = self.tag_ids.get(&known) {
            return *id;
        }
        let id = self.next_id();
        self.tag_ids.insert(known, id);
        self.tags.push(Tag { id, kind, name, thumb: None });
        id
    }

    pub(crate) fn tag(&self, id: i64) -> Option<&Tag> {
        // Ids only grow, and tags are never taken out.
        self.tags.binary_search_by_key(&id, |tag| tag.id).ok().and_then(|index| self.tags.get(index))
    }

    pub(crate) fn tag_names(&self, item: &Item, kind: &str) -> Vec<String> {
        let uses = item.tags.get(kind).map(Vec::as_slice).unwrap_or_default();
        uses.iter().filter_map(|used| self.tag(used.tag)).map(|tag| tag.name.clone()).collect()
    }

    /// Items found by scans that have ended by now appear.
    pub(crate) fn settle(&mut self) {
        let now = Instant::now();
        while self.scans.front().is_some_and(|scan| scan.ends <= now) {
            let Some(scan) = self.scans.pop_front() else { return };
            for (section, new) in scan.found {
                self.add_item(&section, new);
            }
            let scanned_at = self.clock.seconds();
            if let Some(library) = self.libraries.get_mut(&scan.section) {
                library.scanned_at = scanned_at.max(library.scanned_at + 1);
            }
        }
    }

    /// Looks for new files in a folder of a library, or in all of it.
    pub(crate) fn scan(&mut self, section: &str, folder: Option<&str>) {
        let Some(library) = self.libraries.get(section).cloned() else { return };
        let wanted = |path: &str| library.holds(path) && folder.is_none_or(|folder| is_below(path, folder));
        let (found, left) = std::mem::take(&mut self.on_disk)
            .into_iter()
            .partition(|(of, new)| of == section && new.files.iter().any(|(path, _)| wanted(path)));
        self.on_disk = left;
        let id = self.next_id();
        let ends = Instant::now() + self.options.scan_takes;
        self.scans.push_back(Scan { id, section: section.to_owned(), ends, found });
    }

    pub(crate) fn view(&self, key: i64) -> Option<ItemView> {
        let item = self.items.get(&key)?;
        let owned = |name| item.scalar(name).map(str::to_owned);
        Some(ItemView {
            rating_key: item.key.to_string(),
            section: item.section.clone(),
            title: item.title().to_owned(),
            title_sort: item.title_sort().to_owned(),
            original_title: owned("originalTitle"),
            studio: owned("studio"),
            summary: owned("summary").unwrap_or_default(),
            tagline: owned("tagline"),
            content_rating: owned("contentRating"),
            originally_available_at: owned("originallyAvailableAt"),
            year: item.year(),
            user_rating: owned("userRating"),
            genres: self.tag_names(item, "genre"),
            labels: self.tag_names(item, "label"),
            collections: self.tag_names(item, "collection"),
            actors: self.tag_names(item, "actor"),
            directors: self.tag_names(item, "director"),
            locked: item.locked.clone(),
            files: item.parts.iter().map(|part| part.path.clone()).collect(),
            added_at: item.added_at,
            updated_at: item.updated_at,
            posters: item.images.get("thumb").map(|shelf| shelf.keys.clone()).unwrap_or_default(),
            selected_poster: item.selected("thumb").map(str::to_owned),
            selected_art: item.selected("art").map(str::to_owned),
        })
    }

    fn facts_of(&mut self, new: &NewItem) -> Facts {
        let texts = [
            ("title", &new.title),
            ("summary", &new.summary),
            ("studio", &new.studio),
            ("originallyAvailableAt", &new.date),
            ("contentRating", &new.content_rating),
        ];
        let lists = [
            ("genre", &new.genres),
            ("label", &new.labels),
            ("collection", &new.collections),
            ("actor", &new.actors),
            ("director", &new.directors),
        ];
        debug_assert!(texts.iter().all(|(name, _)| SCALARS.contains(name)));
        debug_assert!(lists.iter().all(|(name, _)| TAGS.iter().any(|(known, _)| known == name)));
        let given = texts.into_iter().filter(|(_, value)| !value.is_empty());
        let scalars = given.map(|(name, value)| (name, value.clone())).collect();
        let mut tags = BTreeMap::new();
        for (kind, names) in lists {
            let uses = names.iter().map(|name| TagUse { tag: self.tag_id(kind, name), text: None }).collect();
            tags.insert(kind, uses);
        }
        Facts { scalars, tags }
    }

    /// Whether adding tags keeps the ones that are there.
    pub(crate) fn merges_tags(&self) -> bool {
        self.options.tag_adds == TagAdds::Merge
    }
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_is_in_it_and_not_what_starts_alike() {
        assert!(is_below("/data/stash/a.mp4", "/data/stash"));
        assert!(is_below("/data/stash/a.mp4", "/data/stash/"));
        assert!(!is_below("/data/stash-archive/a.mp4", "/data/stash"));
    }
}
