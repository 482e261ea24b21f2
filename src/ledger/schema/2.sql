-- Which of the mails to one recipient, when files are split over several; 1 is the first.
ALTER TABLE delivery ADD COLUMN volume INTEGER NOT NULL DEFAULT 1;
