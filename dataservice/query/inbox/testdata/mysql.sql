CREATE TABLE IF NOT EXISTS app.belfry_inbox (
  fire_id VARBINARY(255) NOT NULL PRIMARY KEY, claimed_at BIGINT NOT NULL, executed_at BIGINT NOT NULL,
  service VARCHAR(255), request VARCHAR(255), state VARCHAR(8) NOT NULL, row_count BIGINT NOT NULL DEFAULT 0,
  answer LONGBLOB, hits LONGBLOB, fault TEXT, INDEX belfry_inbox_claimed (claimed_at))
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO app.belfry_inbox (fire_id, claimed_at, executed_at, service, request, state) VALUES (?, ?, ?, ?, ?, ?);
SELECT claimed_at FROM app.belfry_inbox WHERE fire_id = '!horizon';
UPDATE app.belfry_inbox SET state = ?, row_count = ?, answer = ?, hits = ?, fault = ? WHERE fire_id = ?;
SELECT state, row_count, answer, hits, fault FROM app.belfry_inbox WHERE fire_id = ?;
UPDATE app.belfry_inbox SET claimed_at = ?, executed_at = ? WHERE fire_id = '!horizon' AND claimed_at < ?;
INSERT IGNORE INTO app.belfry_inbox (fire_id, claimed_at, executed_at, state) VALUES ('!horizon', ?, ?, 'done');
DELETE FROM app.belfry_inbox WHERE claimed_at < ? AND fire_id <> '!horizon' LIMIT 1000;
