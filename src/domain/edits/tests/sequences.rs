//! Whatever happens in Stash and in Plex, and wherever a run is cut short: does the item end as the rules say?

use proptest::prelude::*;

use super::*;
use crate::domain::ids::SceneId;
use crate::domain::scene::{Scene, SceneIdentity};

/// Sequences for each of the two properties; each sequence runs against both kinds of server.
const SEQUENCES: u32 = 5_000;

const FIELDS: [Field; 4] = [Field::Title, Field::Summary, Field::Rating, Field::Genres];

/// Where the process ends in the middle of a run. What was stored by then is all that the next run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    BeforeUndo,
    AfterUndo,
    BeforeWrite,
    AfterWrite,
}

#[derive(Debug, Clone)]
enum Step {
    /// Somebody edits the scene in Stash. Values of Stash begin with an `s`; a rating has no letters.
    Stash(Field, Value),
    /// Somebody edits the item in Plex, which locks the field. Values made by hand begin with an `h`.
    Hand(Field, Value),
    /// Plex loads what its agent knows, `agent` in each field that has no lock.
    Refresh,
    Unlock(Field),
    /// Somebody wants the last write of a field taken back.
    Undo(Field),
    Run(Option<Crash>),
}

/// A write that was begun and not recorded.
#[derive(Debug, Clone)]
struct Intent {
    edits: Vec<Edit>,
    before: BTreeMap<Field, Value>,
    is_undo: bool,
}

/// Stash, an item in Plex, and what is on the disk of the service.
struct House {
    scene: Scene,
    /// What Plex should show for it.
    wish: Wanted,
    item: PlexItem,
    replaces: bool,
    policy: EditPolicy,
    written: BTreeMap<Field, Value>,
    declined: BTreeMap<Field, Value>,
    intent: Option<Intent>,
    history: Vec<(Field, Value, Value)>,
    /// The place in the history of the write that is to be taken back.
    undo: Option<usize>,
    /// The fields of which something was ever taken back.
    undone: BTreeSet<Field>,
    /// Elements that somebody else than the service has put into the list.
    foreign: BTreeSet<String>,
}

impl House {
    fn new(replaces: bool) -> Self {
        let identity = SceneIdentity { created_at: String::new(), oshash: String::new() };
        let scene = Scene::departed(SceneId::try_from(1).unwrap(), &identity);
        let scene = Scene { title: "s".to_owned(), ..scene };
        let policy = EditPolicy { fields: FIELDS.to_vec(), ..policy() };
        Self {
            wish: wanted(&scene, &policy),
            scene,
            item: PlexItem {
                values: BTreeMap::from([(Field::Title, "file name".into())]),
                ..item("", false)
            },
            replaces,
            policy,
            written: BTreeMap::new(),
            declined: BTreeMap::new(),
            intent: None,
            history: Vec::new(),
            undo: None,
            undone: BTreeSet::new(),
            foreign: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Stash(field, value) => self.edit_in_stash(*field, value),
            Step::Hand(field, value) => self.edit_by_hand(*field, value.clone(), field.has_lock()),
            Step::Refresh => {
                for field in [Field::Title, Field::Summary, Field::Genres] {
                    let agent = if field == Field::Genres { Value::names(["agent"]) } else { "agent".into() };
                    if !self.item.locked.contains(&field) {
                        self.edit_by_hand(field, agent, false);
                    }
                }
            }
            Step::Unlock(field) => drop(self.item.locked.remove(field)),
            Step::Undo(field) => self.undo = self.history.iter().rposition(|write| write.0 == *field),
            Step::Run(crash) => self.run(*crash),
        }
    }

    fn edit_in_stash(&mut self, field: Field, value: &Value) {
        let text = value.text().to_owned();
        if field == Field::Title {
            self.scene.title = text;
        } else if field == Field::Summary {
            self.scene.details = text;
        } else if field == Field::Rating {
            self.scene.rating = text.parse().ok();
        } else {
            self.scene.tags = value.tags().iter().map(|tag| tag.name.clone()).collect();
        }
        self.wish = wanted(&self.scene, &self.policy);
    }

    fn edit_by_hand(&mut self, field: Field, value: Value, locks: bool) {
        let held: BTreeSet<_> = self.item.tags(field).iter().map(|tag| tag.name.clone()).collect();
        let new = value.tags().iter().filter(|tag| !held.contains(&tag.name));
        self.foreign.extend(new.map(|tag| tag.name.clone()));
        self.item.values.insert(field, value);
        if locks {
            self.item.locked.insert(field);
        }
    }

    /// The life of one run, as far as the crash.
    fn run(&mut self, crash: Option<Crash>) {
        if let Some(intent) = self.intent.take() {
            self.settle(intent);
        }
        if let Some((field, before, after)) = self.undo.map(|place| self.history[place].clone())
            && let Ok(edit) =
                plan_undo(PastWrite { field, before: &before, after: &after }, &self.item, &self.policy)
            && !self.write(&[edit], true, crash == Some(Crash::BeforeUndo), crash == Some(Crash::AfterUndo))
        {
            return;
        }
        self.undo = None;
        let edits = self.planned().edits;
        if !edits.is_empty() {
            self.write(&edits, false, crash == Some(Crash::BeforeWrite), crash == Some(Crash::AfterWrite));
        }
    }

    fn planned(&self) -> Plan {
        let mut base: Base = self.written.clone().into_iter().collect();
        self.declined.iter().for_each(|(field, value)| base.decline(*field, value.clone()));
        plan(&self.wish, &self.item, &base, &self.policy)
    }

    /// Returns whether the run got to its end.
    fn write(&mut self, edits: &[Edit], is_undo: bool, before_it: bool, after_it: bool) -> bool {
        let before = edits.iter().map(|edit| (edit.field, self.item.value(edit.field))).collect();
        self.intent = Some(Intent { edits: edits.to_vec(), before, is_undo });
        if before_it {
            return false;
        }
        for edit in edits {
            self.store_in_plex(edit, is_undo);
        }
        if after_it {
            return false;
        }
        let intent = self.intent.take().unwrap();
        self.settle(intent);
        true
    }

    /// What a server makes of an edit.
    fn store_in_plex(&mut self, edit: &Edit, is_undo: bool) {
        match &edit.value {
            Some(Change::Text(text)) => drop(self.item.values.insert(edit.field, text.as_str().into())),
            Some(Change::List(list)) => {
                if is_undo {
                    self.foreign.extend(list.add.iter().map(|tag| tag.name.clone()));
                }
                let whole = self.replaces && list.all().next().is_some();
                let mut tags = if whole { Vec::new() } else { self.item.tags(edit.field).to_vec() };
                tags.extend(list.all().cloned());
                let mut seen = BTreeSet::new();
                tags.retain(|tag| !list.remove.contains(tag) && seen.insert(tag.name.clone()));
                self.item.values.insert(edit.field, Value::List(tags));
            }
            None => {}
        }
        match edit.locked {
            Some(true) => drop(self.item.locked.insert(edit.field)),
            Some(false) => drop(self.item.locked.remove(&edit.field)),
            None => {}
        }
    }

    /// What the database is told once the item was read back.
    fn settle(&mut self, Intent { edits, before, is_undo }: Intent) {
        for edit in edits {
            let old = before[&edit.field].clone();
            if is_undo && edit.is_applied(&self.item) {
                self.decline(&edit, old.clone());
                self.undone.insert(edit.field);
                self.undo = None;
            } else if !is_undo && let Some(base) = edit.base_after(&self.item) {
                if edit.field != Field::Genres {
                    self.declined.remove(&edit.field);
                }
                self.written.insert(edit.field, base);
            }
            self.history.push((edit.field, old, self.item.value(edit.field)));
        }
    }

    fn decline(&mut self, edit: &Edit, old: Value) {
        let value = match &edit.value {
            Some(Change::List(list)) => {
                let known = self.declined.get(&edit.field).map(|value| value.tags().to_vec());
                let mut all: Vec<_> = known.into_iter().flatten().chain(list.remove.clone()).collect();
                all.retain(|tag| !list.add.contains(tag));
                Value::List(all)
            }
            Some(Change::Text(_)) | None => old,
        };
        self.declined.insert(edit.field, value);
    }

    /// What the item holds, in an order that does not depend on the server.
    fn shown(&self) -> Vec<(Field, BTreeSet<String>, bool)> {
        let values = |field| match self.item.value(field) {
            Value::Text(text) => BTreeSet::from([text]),
            Value::List(tags) => tags.into_iter().map(|tag| tag.name).collect(),
        };
        FIELDS.map(|field| (field, values(field), self.item.locked.contains(&field))).to_vec()
    }

    /// What a text has to be, by the table of which value wins.
    fn text_by_the_rule(&self, field: Field) -> String {
        let wanted = self.wish.values[&field].text().to_owned();
        let present = self.item.text(field).to_owned();
        let base = self.written.get(&field).map(Value::text);
        let held = !field.has_lock() || self.item.locked.contains(&field);
        if self.declined.get(&field).is_some_and(|declined| declined.text() == wanted) {
            return present;
        }
        match (wanted.as_str(), base) {
            ("", Some(base)) if base == present && field != Field::Title => String::new(),
            ("", _) => present,
            (wanted, Some(base)) if base == wanted && held && !present.is_empty() => present,
            (wanted, _) => wanted.to_owned(),
        }
    }
}

fn text(field: Field, prefix: &'static str) -> BoxedStrategy<Value> {
    let texts: Vec<Value> = match (field, prefix) {
        (Field::Rating, "s") => vec!["".into(), "20".into(), "40".into()],
        (Field::Rating, _) => vec!["".into(), "7".into(), "2".into()],
        (Field::Title, "s") => vec!["s".into(), "s1".into(), "s2".into()],
        (_, "s") => vec!["".into(), "s1".into(), "s2".into()],
        (_, _) => vec!["".into(), "h1".into(), "h2".into()],
    };
    prop::sample::select(texts).boxed()
}

fn names(all: Vec<&'static str>) -> BoxedStrategy<Value> {
    let most = all.len();
    prop::sample::subsequence(all, 0..=most).prop_map(Value::names).boxed()
}

fn value(field: Field, prefix: &'static str) -> BoxedStrategy<Value> {
    match (field, prefix) {
        (Field::Genres, "s") => names(vec!["s1", "s2", "s3"]),
        (Field::Genres, _) => names(vec!["h1", "s1", "s2"]),
        (field, prefix) => text(field, prefix),
    }
}

fn step(crash: BoxedStrategy<Option<Crash>>) -> impl Strategy<Value = Step> {
    let field = || prop::sample::select(FIELDS.to_vec());
    let edited = |prefix| field().prop_flat_map(move |field| (Just(field), value(field, prefix)));
    prop_oneof![
        3 => edited("s").prop_map(|(field, value)| Step::Stash(field, value)),
        2 => edited("h").prop_map(|(field, value)| Step::Hand(field, value)),
        1 => Just(Step::Refresh),
        1 => field().prop_map(Step::Unlock),
        2 => field().prop_map(Step::Undo),
        4 => crash.prop_map(Step::Run),
    ]
}

fn crash() -> BoxedStrategy<Option<Crash>> {
    let all = [Crash::BeforeUndo, Crash::AfterUndo, Crash::BeforeWrite, Crash::AfterWrite];
    prop::option::of(prop::sample::select(all.to_vec())).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(SEQUENCES))]

    #[test]
    fn the_item_ends_as_the_rules_say(steps in prop::collection::vec(step(crash()), 1..10)) {
        let mut houses = [House::new(false), House::new(true)];
        for step in &steps {
            for house in &mut houses {
                house.take(step);
            }
            prop_assert_eq!(houses[0].shown(), houses[1].shown(), "servers differ after {:?}", step);
        }
        for house in &mut houses {
            house.run(None);
            let by_the_rule: Vec<_> =
                FIELDS[..3].iter().map(|field| house.text_by_the_rule(*field)).collect();
            house.run(None);
            let shown: Vec<_> = FIELDS[..3].iter().map(|field| house.item.text(*field)).collect();
            prop_assert_eq!(shown, by_the_rule);
            prop_assert_eq!(house.planned().edits, [], "a further run has nothing to write");
            let summary = house.item.text(Field::Summary);
            let orphan = house.scene.details.is_empty()
                && summary.starts_with('s')
                && !house.undone.contains(&Field::Summary);
            prop_assert!(!orphan, "{summary} was written by us, and Stash has dropped it");
            for tag in house.item.tags(Field::Genres) {
                let ours = house.scene.tags.contains(&tag.name) || house.foreign.contains(&tag.name);
                prop_assert!(ours, "{tag} was added by us, and Stash has dropped it");
            }
        }
    }

    #[test]
    fn a_run_that_is_cut_short_and_taken_up_leaves_no_trace(
        steps in prop::collection::vec(step(Just(None).boxed()), 1..10),
        crashes in prop::collection::vec(crash(), 10),
    ) {
        for replaces in [false, true] {
            let [mut whole, mut cut] = [House::new(replaces), House::new(replaces)];
            for (step, crash) in steps.iter().zip(&crashes) {
                if matches!(step, Step::Run(_)) {
                    cut.take(&Step::Run(*crash));
                }
                whole.take(step);
                cut.take(step);
            }
            prop_assert_eq!(whole.shown(), cut.shown());
            prop_assert_eq!((&whole.written, &whole.declined), (&cut.written, &cut.declined));
        }
    }
}
