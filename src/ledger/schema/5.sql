-- What an account has learned about how much is taken from it, and about the destinations of its mails: JSON, the fields of
-- `campaign::pace::Learned`. The account itself is the destination ''.
CREATE TABLE pace (
    account     TEXT NOT NULL,
    destination TEXT NOT NULL,
    learned     TEXT NOT NULL,
    PRIMARY KEY (account, destination)
) STRICT, WITHOUT ROWID;

-- The family of destinations, where the account has a limit of its own for it.
ALTER TABLE attempt ADD COLUMN destination TEXT;

CREATE INDEX attempt_by_destination ON attempt (account, destination, found_at_ms) WHERE destination IS NOT NULL;
