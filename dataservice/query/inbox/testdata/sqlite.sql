CREATE TABLE IF NOT EXISTS app.belfry_inbox (
  fire_id TEXT NOT NULL PRIMARY KEY, claimed_at INTEGER NOT NULL, executed_at INTEGER NOT NULL,
  service TEXT, request TEXT, state TEXT NOT NULL, row_count INTEGER NOT NULL DEFAULT 0,
  answer BLOB, hits BLOB, fault TEXT);
CREATE INDEX IF NOT EXISTS belfry_inbox_claimed ON app.belfry_inbox (claimed_at);
INSERT INTO app.belfry_inbox (fire_id, claimed_at, executed_at, service, request, state) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;
SELECT claimed_at FROM app.belfry_inbox WHERE fire_id = '!horizon';
UPDATE app.belfry_inbox SET state = ?, row_count = ?, answer = ?, hits = ?, fault = ? WHERE fire_id = ?;
SELECT state, row_count, answer, hits, fault FROM app.belfry_inbox WHERE fire_id = ?;
UPDATE app.belfry_inbox SET claimed_at = ?, executed_at = ? WHERE fire_id = '!horizon' AND claimed_at < ?;
INSERT INTO app.belfry_inbox (fire_id, claimed_at, executed_at, state) VALUES ('!horizon', ?, ?, 'done') ON CONFLICT DO NOTHING;
DELETE FROM app.belfry_inbox WHERE fire_id IN (SELECT fire_id FROM app.belfry_inbox WHERE claimed_at < ? AND fire_id <> '!horizon' LIMIT 1000);
