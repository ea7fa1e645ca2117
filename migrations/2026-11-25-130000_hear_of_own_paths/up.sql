-- Where in Plex the files of a scene are that is done: another item that comes there is the scene as well.
CREATE TABLE own_paths (
    path_hash INTEGER NOT NULL,
    scene_id INTEGER NOT NULL,
    PRIMARY KEY (path_hash, scene_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX own_paths_of_scene ON own_paths (scene_id);
