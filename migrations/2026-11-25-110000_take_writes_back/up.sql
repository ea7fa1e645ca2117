-- Writes that a person wants taken back, and what came of it.
CREATE TABLE undos (
    write_id INTEGER NOT NULL PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('undone', 'refused')),
    detail TEXT, -- why it was refused
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX undos_open ON undos (scene_id) WHERE ended_at IS NULL;
CREATE INDEX undos_ended ON undos (ended_at) WHERE ended_at IS NOT NULL;

-- What Stash says and is not to be written until it says something else, because a person took it back.
CREATE TABLE declined (
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (machine_id, rating_key, scene_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX declined_of_scene ON declined (scene_id);

-- The write that this one takes back.
ALTER TABLE intents ADD COLUMN undoes INTEGER;
