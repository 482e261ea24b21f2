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

-- One recipient of one campaign. `id` is the campaign's in the upper 32 bits and the order of enrolment in the lower, so
-- that a campaign's recipients lie beside one another and no index is needed to find them.
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    campaign_id  INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,
    list_id      INTEGER NOT NULL REFERENCES list (id),
    line         INTEGER NOT NULL,
    offset       INTEGER NOT NULL,
    length       INTEGER NOT NULL,
    address      TEXT NOT NULL,
    state        TEXT NOT NULL,            -- pending, sending, sent, failed, in_doubt, suppressed
    due_at_ms    INTEGER,                  -- pending again: since or from then; NULL: when its turn comes, or never
    attempts     INTEGER NOT NULL DEFAULT 0,   -- all of them
    tries        INTEGER NOT NULL DEFAULT 0,   -- those that were about this mail
    first_try_ms INTEGER,
    reason       TEXT                      -- why it is failed, in doubt or suppressed
) STRICT;

-- Those that wait for another try. Most recipients never do: they cost no index.
CREATE INDEX delivery_due ON delivery (campaign_id, due_at_ms) WHERE due_at_ms IS NOT NULL;

-- One try. Written before the mail leaves; completed once, when its outcome is known. Never deleted.
CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id),
    number      INTEGER NOT NULL,          -- 1 is the first of its delivery
    account     TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    -- By when quotas find it: its beginning, or its end when that came more than an hour later (a machine that slept);
    -- 0 when nothing was said of the mail, so that it costs no quota.
    found_at_ms INTEGER NOT NULL,
    message_id  TEXT NOT NULL,
    digest      BLOB NOT NULL,             -- SHA-256 of the mail
    outcome     TEXT,                      -- accepted, deferred, refused, in-doubt
    stage       TEXT,
    scope       TEXT,
    code        INTEGER,
    enhanced    TEXT,
    reply       TEXT,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

-- Quotas are counted from here, never from a counter that could drift.
CREATE INDEX attempt_by_account ON attempt (account, found_at_ms);

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
