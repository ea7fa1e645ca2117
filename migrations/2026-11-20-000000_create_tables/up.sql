-- Times are milliseconds since the epoch in UTC, truth values 0 or 1, unless a column says otherwise.
-- There are no down migrations: a backup is the way back.

-- "PlSy": tells this database from any other SQLite file that a path may point at.
PRAGMA application_id = 1349276537;

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row. `received` is also the sequence from which events get their generation.
CREATE TABLE tallies (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    received INTEGER NOT NULL,
    coalesced INTEGER NOT NULL,
    ignored INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    done INTEGER NOT NULL,
    dropped INTEGER NOT NULL
) STRICT;
INSERT INTO tallies VALUES (1, 0, 0, 0, 0, 0, 0);

CREATE TABLE jobs (
    kind TEXT NOT NULL CHECK (kind IN ('scene')),
    id INTEGER NOT NULL CHECK (id > 0),
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'waiting', 'parked', 'dead', 'done')),
    generation INTEGER NOT NULL,
    synced INTEGER NOT NULL,
    claimed INTEGER,
    token INTEGER,
    due_at INTEGER,
    wait_ms INTEGER NOT NULL,
    first_event_at INTEGER NOT NULL,
    last_event_at INTEGER NOT NULL,
    created INTEGER NOT NULL CHECK (created IN (0, 1)),
    attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    streak INTEGER NOT NULL,
    class TEXT,
    code TEXT,
    detail TEXT,
    failing_since INTEGER,
    correlation_id TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id),
    CHECK ((state = 'running') = (token IS NOT NULL))
) STRICT, WITHOUT ROWID;
-- The state stands in the index instead of its WHERE: SQLite proves `due_at IS NOT NULL` from a comparison with a
-- bound value, but not a condition on the state, and a statement with literals could not be cached.
CREATE INDEX jobs_due ON jobs (due_at, state) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_unfinished ON jobs (state, id) WHERE state <> 'done';

CREATE TABLE attempts (
    attempt_id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    next TEXT NOT NULL,
    correlation_id TEXT NOT NULL
) STRICT;
CREATE INDEX attempts_of_job ON attempts (kind, id, attempt_id);

CREATE TABLE dead_letters (
    letter_id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    answer TEXT,
    attempts INTEGER NOT NULL,
    buried_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_as TEXT,
    correlation_id TEXT NOT NULL,
    CHECK ((closed_at IS NULL) = (closed_as IS NULL))
) STRICT;
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (kind, id) WHERE closed_at IS NULL;
CREATE INDEX dead_letters_closed ON dead_letters (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX dead_letters_of_job ON dead_letters (kind, id, letter_id);

-- Which scene holds an item, and what that scene was when it was matched.
CREATE TABLE links (
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    section_key TEXT NOT NULL,
    part_path TEXT NOT NULL,
    created_at TEXT NOT NULL, -- as Stash prints it
    oshash TEXT NOT NULL,
    evidence TEXT NOT NULL,
    confidence REAL NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (machine_id, rating_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_of_scene ON links (scene_id);

-- What was last written and seen applied.
CREATE TABLE ledger (
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    PRIMARY KEY (machine_id, rating_key, scene_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_of_scene ON ledger (scene_id);

-- Writes that were begun and whose end is not recorded yet.
CREATE TABLE intents (
    intent_id INTEGER NOT NULL PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    edits TEXT NOT NULL CHECK (json_valid(edits)),
    before TEXT NOT NULL CHECK (json_valid(before)),
    run_token INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    correlation_id TEXT NOT NULL,
    UNIQUE (machine_id, rating_key, scene_id)
) STRICT;
CREATE INDEX intents_of_scene ON intents (scene_id);

-- The history: one row per field and write.
CREATE TABLE writes (
    write_id INTEGER NOT NULL PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    field TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'not_applied', 'unverified')),
    note TEXT,
    written_at INTEGER NOT NULL,
    correlation_id TEXT NOT NULL
) STRICT;
CREATE INDEX writes_of_scene ON writes (scene_id, write_id);

CREATE TABLE plex_sections (
    section_key TEXT NOT NULL PRIMARY KEY,
    machine_id TEXT NOT NULL,
    title TEXT NOT NULL,
    walk INTEGER NOT NULL, -- the number of the last walk that was begun
    walked_at INTEGER, -- the end of the last walk that was finished
    newest_added_at INTEGER, -- seconds, by Plex's clock
    content_changed_at INTEGER -- counts up; not a time
) STRICT, WITHOUT ROWID;

CREATE TABLE plex_parts (
    section_key TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    part_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    path_hash INTEGER NOT NULL,
    name_hash INTEGER NOT NULL,
    size INTEGER, -- bytes
    duration_ms INTEGER,
    title TEXT NOT NULL,
    added_at INTEGER NOT NULL, -- seconds, by Plex's clock
    updated_at INTEGER NOT NULL, -- seconds, by Plex's clock
    walk INTEGER NOT NULL, -- the walk that saw it last
    PRIMARY KEY (section_key, rating_key, part_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX plex_parts_path ON plex_parts (path_hash);
CREATE INDEX plex_parts_name ON plex_parts (name_hash, size);
