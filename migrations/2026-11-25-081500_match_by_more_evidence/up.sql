-- The index of Plex's files is a copy of what Plex says, so it is made anew and filled by the next walk.
DROP TABLE plex_parts;
DELETE FROM plex_sections;

CREATE TABLE plex_parts (
    part INTEGER NOT NULL PRIMARY KEY, -- ours; short, since every index carries it
    section_key TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    part_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    path_hash INTEGER NOT NULL,
    name_hash INTEGER NOT NULL,
    tail_hash INTEGER, -- of the path from the nearest folder on that tells something
    size INTEGER, -- bytes
    duration_ms INTEGER,
    title TEXT NOT NULL,
    date TEXT NOT NULL, -- YYYY-MM-DD, or empty
    studio TEXT NOT NULL,
    content_hash TEXT, -- empty: the server was asked and shows none
    added_at INTEGER NOT NULL, -- seconds, by Plex's clock
    updated_at INTEGER NOT NULL, -- seconds, by Plex's clock
    walk INTEGER NOT NULL -- the walk that saw it last
) STRICT;
CREATE UNIQUE INDEX plex_parts_item ON plex_parts (section_key, rating_key, part_id);
CREATE INDEX plex_parts_path ON plex_parts (path_hash);
CREATE INDEX plex_parts_name ON plex_parts (name_hash, size);
CREATE INDEX plex_parts_tail ON plex_parts (tail_hash);
CREATE INDEX plex_parts_size ON plex_parts (size);

-- Names that are alike have some of these keys in common.
CREATE TABLE plex_bands (
    band INTEGER NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (band, part)
) STRICT, WITHOUT ROWID;
