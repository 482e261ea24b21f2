-- Which of the account's mails of the time it was like, where the provider counts mails that are alike: the sketch of the
-- first of them; see `mail::likeness`.
ALTER TABLE attempt ADD COLUMN likeness INTEGER;

-- What kind of refusal it was: a name of `mail::Class`.
ALTER TABLE account_event ADD COLUMN class TEXT;
