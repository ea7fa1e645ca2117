-- Times are milliseconds since 1970-01-01 UTC, unless a column says otherwise. Rating keys and library keys are texts of
-- digits. There are no down migrations: the way back is the backup.

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row. `received` is also the sequence by which events are ordered.
CREATE TABLE tallies (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    received BIGINT NOT NULL DEFAULT 0,
    coalesced BIGINT NOT NULL DEFAULT 0,
    ignored BIGINT NOT NULL DEFAULT 0,
    opened BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    dropped BIGINT NOT NULL DEFAULT 0
);
INSERT INTO tallies (id) VALUES (1);

CREATE TABLE jobs (
    kind TEXT NOT NULL,
    id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'waiting', 'parked', 'dead', 'done')),
    generation BIGINT NOT NULL,
    synced BIGINT NOT NULL,
    claimed BIGINT,
    token BIGINT,
    due_at BIGINT,
    wait_ms BIGINT NOT NULL,
    first_event_at BIGINT NOT NULL,
    last_event_at BIGINT NOT NULL,
    created BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    streak INTEGER NOT NULL,
    class TEXT,
    code TEXT,
    detail TEXT,
    failing_since BIGINT,
    correlation_id TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
-- What is due is found here and nowhere else; a job in hand is not due, whatever its due time says.
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL AND state IN ('ready', 'waiting', 'parked');
CREATE INDEX jobs_unfinished ON jobs (state, updated_at) WHERE state <> 'done';

CREATE TABLE attempts (
    attempt_id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    id BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    next TEXT NOT NULL,
    correlation_id TEXT NOT NULL
);
CREATE INDEX attempts_of_job ON attempts (kind, id, attempt_id);
CREATE INDEX attempts_by_age ON attempts (ended_at);

CREATE TABLE dead_letters (
    letter_id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    id BIGINT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    answer TEXT,
    attempts INTEGER NOT NULL,
    buried_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_as TEXT,
    correlation_id TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (kind, id) WHERE closed_at IS NULL;
CREATE INDEX dead_letters_closed ON dead_letters (closed_at) WHERE closed_at IS NOT NULL;

-- Which scene holds an item of Plex, and by what evidence.
CREATE TABLE links (
    machine TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id BIGINT NOT NULL,
    section_key TEXT NOT NULL,
    path TEXT NOT NULL,
    confidence DOUBLE NOT NULL,
    evidence TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (machine, rating_key)
) WITHOUT ROWID;
CREATE INDEX links_of_scene ON links (scene_id);

-- What was last written into an item for a scene and seen applied. `created_at` and `oshash` bind it to the scene itself.
CREATE TABLE ledger (
    machine TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id BIGINT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at TEXT NOT NULL,
    oshash TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (machine, rating_key, scene_id, field)
) WITHOUT ROWID;

-- What is about to be written, or may have been when the process ended. `edits` and `before` are JSON.
CREATE TABLE intents (
    intent_id INTEGER NOT NULL PRIMARY KEY,
    machine TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id BIGINT NOT NULL,
    edits TEXT NOT NULL,
    before TEXT NOT NULL,
    created_at TEXT NOT NULL,
    oshash TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    correlation_id TEXT NOT NULL,
    UNIQUE (machine, rating_key, scene_id)
);

-- The history: every field that was sent to Plex.
CREATE TABLE writes (
    write_id INTEGER NOT NULL PRIMARY KEY,
    machine TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id BIGINT NOT NULL,
    field TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT,
    locked BOOLEAN,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'not_applied', 'refused', 'unverified')),
    written_at BIGINT NOT NULL,
    correlation_id TEXT NOT NULL
);
CREATE INDEX writes_of_scene ON writes (scene_id, write_id);
CREATE INDEX writes_by_age ON writes (written_at);

CREATE TABLE plex_sections (
    section_key TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    walked_at BIGINT,
    -- Unix seconds, as Plex gives it.
    newest_added_at BIGINT NOT NULL
) WITHOUT ROWID;

-- The path index. `added_at` and `updated_at` are Unix seconds, as Plex gives them.
CREATE TABLE plex_parts (
    section_key TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    part_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    path_hash BIGINT NOT NULL,
    name_hash BIGINT NOT NULL,
    size BIGINT,
    duration_ms BIGINT,
    title TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    walk BIGINT NOT NULL,
    PRIMARY KEY (section_key, rating_key, part_id)
) WITHOUT ROWID;
CREATE INDEX plex_parts_by_path ON plex_parts (path_hash);
CREATE INDEX plex_parts_by_name ON plex_parts (name_hash);
