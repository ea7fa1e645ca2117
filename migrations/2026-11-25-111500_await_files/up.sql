-- The keys of the files that would make a scene be looked for again, while it has no item.
CREATE TABLE awaited (
    key INTEGER NOT NULL,
    scene_id INTEGER NOT NULL,
    PRIMARY KEY (key, scene_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_of_scene ON awaited (scene_id);
