-- What a person is asked: the items that a parked scene could be. Counts only while the job is parked.
CREATE TABLE reviews (
    scene_id INTEGER NOT NULL PRIMARY KEY,
    machine_id TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    title TEXT NOT NULL,
    path TEXT NOT NULL, -- of the scene's first file, as Stash sees it
    created_at TEXT NOT NULL, -- which scene this is, with oshash
    oshash TEXT NOT NULL,
    candidates TEXT NOT NULL, -- JSON, best first
    opened_at INTEGER NOT NULL,
    correlation_id TEXT NOT NULL
) STRICT;

-- What the person said, for as long as the scene is the same.
CREATE TABLE reviewed_pairs (
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    answer TEXT NOT NULL, -- accepted or rejected
    section_key TEXT NOT NULL,
    part_path TEXT NOT NULL,
    created_at TEXT NOT NULL,
    oshash TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (machine_id, rating_key, scene_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reviewed_pairs_scene ON reviewed_pairs (scene_id);
