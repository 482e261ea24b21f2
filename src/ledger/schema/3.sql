-- A digest of the files that come in volumes, and of where they are cut: volumes of different cuts cannot be put together.
ALTER TABLE delivery ADD COLUMN cut INTEGER;
