-- What was last seen of the images of an item, so that nothing that is unchanged is fetched or listed again.
CREATE TABLE covers (
    machine_id TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('poster', 'background')),
    tag TEXT NOT NULL, -- the ETag of what Stash sent; empty when it sent none
    wanted TEXT NOT NULL, -- what Plex calls that image; empty when it was none that Plex takes
    address TEXT NOT NULL, -- under which Plex showed an image
    shown TEXT NOT NULL, -- what Plex called that one
    PRIMARY KEY (machine_id, rating_key, scene_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX covers_of_scene ON covers (scene_id);
