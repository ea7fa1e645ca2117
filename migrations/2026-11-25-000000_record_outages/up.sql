-- Times in which a way to a peer was not used, because it did not work or the peer asked for it.
CREATE TABLE outages (
    outage_id INTEGER NOT NULL PRIMARY KEY,
    circuit TEXT NOT NULL CHECK (circuit IN ('stash', 'plex_read', 'plex_write')),
    cause TEXT NOT NULL CHECK (cause IN ('outage', 'throttled', 'unauthorized', 'incompatible')),
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    started_at INTEGER NOT NULL, -- of the first failure that led to it
    ended_at INTEGER,
    held_jobs INTEGER -- jobs that were due when it ended
) STRICT;
CREATE UNIQUE INDEX outages_open ON outages (circuit) WHERE ended_at IS NULL;
CREATE INDEX outages_ended ON outages (ended_at);

-- Who failed; none for what was recorded before this column was there, and for runs that did not fail.
ALTER TABLE attempts ADD COLUMN peer TEXT;
