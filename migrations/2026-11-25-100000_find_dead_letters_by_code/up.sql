-- Open letters are listed and retried by their code.
CREATE INDEX dead_letters_open_by_code ON dead_letters (code, letter_id) WHERE closed_at IS NULL;
