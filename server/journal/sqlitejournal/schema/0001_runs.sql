-- What is stored once, when a run is created, lies in tasks; what every append replaces lies in runs. sum is
-- the CRC-32C that checksum.go computes over everything else that the row says.

CREATE TABLE runs (
	n       INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused, so that no run can meet the chunks of another
	id      TEXT    NOT NULL UNIQUE,
	created INTEGER NOT NULL,                  -- milliseconds; from the first summary, as goal
	goal    TEXT    NOT NULL,
	state   TEXT    NOT NULL,                  -- from the last summary
	last    INTEGER NOT NULL,                  -- seq of the last event
	summary BLOB    NOT NULL,                  -- JSON
	sum     INTEGER NOT NULL
) STRICT;

CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_created ON runs (created);

CREATE TABLE tasks (
	n      INTEGER PRIMARY KEY,
	run    TEXT NOT NULL UNIQUE,               -- runs.id once more: a run that lost its other index is still known
	key    TEXT UNIQUE,                        -- idempotency key, or NULL
	digest TEXT NOT NULL,
	body   BLOB NOT NULL,
	sum    INTEGER NOT NULL
) STRICT;

-- One row an append. place is runs.n << 32 | first seq: the chunks of a run lie side by side in seq order, and
-- neither storing nor reading them needs a second index.
CREATE TABLE chunks (
	place         INTEGER PRIMARY KEY,
	last          INTEGER NOT NULL,
	origin_after  INTEGER,
	origin_digest TEXT,
	sum           INTEGER NOT NULL,
	body          BLOB NOT NULL                -- each event behind its length as an unsigned varint
) STRICT;

CREATE INDEX chunks_by_origin ON chunks (place >> 32, origin_after) WHERE origin_after IS NOT NULL;

CREATE TABLE labels (
	name  TEXT NOT NULL,
	value TEXT NOT NULL,
	run   TEXT NOT NULL,
	PRIMARY KEY (name, value, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE tools (
	name    TEXT NOT NULL,
	version TEXT NOT NULL,
	digest  TEXT NOT NULL,
	spec    BLOB NOT NULL,
	sum     INTEGER NOT NULL,
	PRIMARY KEY (name, version)
) STRICT;
