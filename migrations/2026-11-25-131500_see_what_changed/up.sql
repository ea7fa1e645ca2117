-- Unix seconds by Plex's clock: the known ground of a look for what has changed. Where it is not known, the next refresh
-- reads the library whole.
ALTER TABLE plex_sections ADD COLUMN newest_updated_at INTEGER;
UPDATE plex_sections SET walked_at = 0 WHERE walked_at IS NOT NULL;
