-- epoch is the greatest that a lease of the run was given; pruned is 1 from the first slice of a pruning on. Both are
-- under the checksum, where they are not 0. ended is the time of the last event of a run that has ended, and NULL once
-- nothing is left to prune: an index's column, which the summary repeats.

ALTER TABLE runs ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN ended INTEGER;

UPDATE runs SET ended = CAST(round(unixepoch(json_extract(CAST(summary AS TEXT), '$.updated_at'), 'subsec') * 1000) AS INTEGER)
	WHERE state IN ('succeeded', 'refused', 'failed', 'cancelled', 'exhausted');

CREATE INDEX runs_by_end ON runs (ended) WHERE ended IS NOT NULL;

-- Who carries a run out, until expires, in milliseconds by the store's clock; ttl is what it was given, in
-- milliseconds. A lease that is dropped or lost leaves its epoch in runs.
CREATE TABLE leases (
	run     TEXT    NOT NULL PRIMARY KEY,
	holder  TEXT    NOT NULL,
	epoch   INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	ttl     INTEGER NOT NULL,
	sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
