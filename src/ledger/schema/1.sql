-- Times are milliseconds since 1970-01-01T00:00:00Z.

-- Facts about the file itself: schema_version.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A mailing. `uid` is drawn once: Message-IDs derive from it, so that two campaigns never share one.
CREATE TABLE campaign (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    uid            TEXT NOT NULL,
    account        TEXT NOT NULL,
    inputs         TEXT NOT NULL,          -- JSON: what it was checked with (list, templates, settings)
    created_at_ms  INTEGER NOT NULL,
    enrolled_at_ms INTEGER,                -- NULL: enrolment was cut short and begins anew
    run_state      TEXT NOT NULL DEFAULT 'draft',   -- draft, running, paused, stopped, finished
    run_until_ms   INTEGER,                -- when it goes on, if it waits for a time
    run_note       TEXT NOT NULL DEFAULT '',
    is_content_refused INTEGER NOT NULL DEFAULT 0   -- 1: the same content is not offered again
) STRICT;

-- A list as it was enrolled: a copy named by its content, so that rows can be read again by their place.
CREATE TABLE list (
    id      INTEGER PRIMARY KEY,
    digest  TEXT NOT NULL UNIQUE,
    path    TEXT NOT NULL                  -- where the user keeps it
) STRICT;

-- One recipient of one campaign.
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    campaign_id  INTEGER NOT NULL REFERENCES campaign (id),
    list_id      INTEGER NOT NULL REFERENCES list (id),
    line         INTEGER NOT NULL,
    offset       INTEGER NOT NULL,
    length       INTEGER NOT NULL,
    address      TEXT NOT NULL,
    state        TEXT NOT NULL,            -- pending, sending, sent, failed, in_doubt, suppressed
    due_at_ms    INTEGER NOT NULL DEFAULT 0,
    tries        INTEGER NOT NULL DEFAULT 0,
    first_try_ms INTEGER,
    reason       TEXT                      -- why it is failed, in doubt or suppressed
) STRICT;

-- Serves `next` (what is due), and counts the states without reading the rows.
CREATE INDEX delivery_by_state ON delivery (campaign_id, state, due_at_ms, id);

-- One try. Written before the mail leaves; completed once, when its outcome is known. Never deleted.
CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id),
    account     TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    message_id  TEXT NOT NULL,
    digest      BLOB NOT NULL,             -- SHA-256 of the mail
    outcome     TEXT,                      -- accepted, deferred, refused, in-doubt
    stage       TEXT,
    scope       TEXT,
    code        INTEGER,
    enhanced    TEXT,
    reply       TEXT
) STRICT;

CREATE INDEX attempt_by_delivery ON attempt (delivery_id);
-- Quotas are counted from here, never from a counter that could drift.
CREATE INDEX attempt_by_account ON attempt (account, ended_at_ms);

-- Never mail again.
CREATE TABLE suppression (
    address_key TEXT PRIMARY KEY,
    reason      TEXT NOT NULL,
    source      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Refused logins and other account-wide refusals; until `until_ms` nobody connects.
CREATE TABLE account_event (
    id       INTEGER PRIMARY KEY,
    account  TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    stage    TEXT NOT NULL,
    reply    TEXT NOT NULL
) STRICT;

CREATE INDEX account_event_by_account ON account_event (account, until_ms);
