-- What kind of answer it was: the classes of src/replies/classes.toml.
ALTER TABLE attempt ADD COLUMN class TEXT;
