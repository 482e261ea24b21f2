-- Never mail again, in all campaigns (`list` is '') or in those of one list (its identifier of List-ID). Where
-- `address_key` begins with `@`, a pattern of addresses follows; see `mail::suppression`.
CREATE TABLE suppressed (
    address_key TEXT NOT NULL,
    list        TEXT NOT NULL,
    reason      TEXT NOT NULL,             -- a name of `mail::Reason`
    note        TEXT NOT NULL,             -- in the words of whoever said so
    source      TEXT NOT NULL,             -- where it came from
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (address_key, list)
) STRICT, WITHOUT ROWID;

INSERT INTO suppressed
SELECT address_key, '',
       CASE WHEN reason LIKE 'refused:%' THEN 'hard_bounce'
            WHEN reason IN ('unsubscribe', 'complaint') THEN reason
            WHEN reason = 'hard bounce' THEN 'hard_bounce'
            WHEN source LIKE 'import of%' THEN 'import'
            ELSE 'manual' END,
       CASE WHEN reason IN ('manual', 'import', 'unsubscribe', 'complaint', 'hard bounce') THEN '' ELSE reason END, source, at_ms
FROM suppression;

DROP TABLE suppression;
ALTER TABLE suppressed RENAME TO suppression;

-- Suppressions that were lifted, and why.
CREATE TABLE suppression_lifted (
    id           INTEGER PRIMARY KEY,
    address_key  TEXT NOT NULL,
    list         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    note         TEXT NOT NULL,
    source       TEXT NOT NULL,
    at_ms        INTEGER NOT NULL,
    lifted_at_ms INTEGER NOT NULL,
    lifted_why   TEXT NOT NULL
) STRICT;

CREATE INDEX suppression_lifted_by_address ON suppression_lifted (address_key);

-- What came back. Never deleted; the same report twice changes nothing, told by its `evidence`.
CREATE TABLE feedback (
    id          INTEGER PRIMARY KEY,
    evidence    TEXT NOT NULL UNIQUE,      -- a digest of the mail, or the name of the event
    kind        TEXT NOT NULL,             -- bounce, complaint, unsubscribe, delivered
    severity    TEXT,                      -- of a bounce: hard, soft; NULL when it is only delayed
    class       TEXT,                      -- a name of `mail::Class`
    address_key TEXT NOT NULL,
    delivery_id INTEGER REFERENCES delivery (id),   -- NULL: of no mail that we know
    at_ms       INTEGER NOT NULL,
    source      TEXT NOT NULL,             -- where it came from
    said        TEXT NOT NULL              -- what it says
) STRICT;

CREATE INDEX feedback_by_address ON feedback (address_key, at_ms);
CREATE INDEX feedback_by_delivery ON feedback (delivery_id) WHERE delivery_id IS NOT NULL;

-- By which a delivery is found from outside: eight octets each of its tag (Message-ID, unsubscribe token) and of a digest
-- of its address's key. Filled when something comes back, not when mails are sent.
CREATE TABLE delivery_handle (
    delivery_id INTEGER PRIMARY KEY REFERENCES delivery (id),
    tag         INTEGER NOT NULL,
    address     INTEGER NOT NULL
) STRICT;

CREATE INDEX delivery_handle_by_tag ON delivery_handle (tag);
CREATE INDEX delivery_handle_by_address ON delivery_handle (address);

-- Why nobody of the campaign is mailed at present, beside what its runs say: complaints or bounces over the limit.
ALTER TABLE campaign ADD COLUMN held TEXT;
