-- One row a commit: the appends that it made durable, before they are moved into chunks and runs, many of a run at
-- once. The rows are read again only when a file is opened that was not closed.
CREATE TABLE log (
	k    INTEGER PRIMARY KEY,
	sum  INTEGER NOT NULL,
	body BLOB    NOT NULL
) STRICT;

-- Which rows of log there must be, those from first to last, on a page of its own: a row that is lost leaves a trace.
CREATE TABLE log_span (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	first INTEGER NOT NULL,
	last  INTEGER NOT NULL
) STRICT;

INSERT INTO log_span VALUES (1, 1, 0);
