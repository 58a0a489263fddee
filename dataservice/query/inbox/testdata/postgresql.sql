CREATE TABLE IF NOT EXISTS app.belfry_inbox (
  fire_id varchar(255) COLLATE "C" NOT NULL PRIMARY KEY, claimed_at bigint NOT NULL, executed_at bigint NOT NULL,
  service text, request text, state varchar(8) NOT NULL, row_count bigint NOT NULL DEFAULT 0,
  answer bytea, hits bytea, fault text);
CREATE INDEX IF NOT EXISTS belfry_inbox_claimed ON app.belfry_inbox (claimed_at);
INSERT INTO app.belfry_inbox (fire_id, claimed_at, executed_at, service, request, state) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;
SELECT claimed_at FROM app.belfry_inbox WHERE fire_id = '!horizon' FOR SHARE;
UPDATE app.belfry_inbox SET state = $1, row_count = $2, answer = $3, hits = $4, fault = $5 WHERE fire_id = $6;
SELECT state, row_count, answer, hits, fault FROM app.belfry_inbox WHERE fire_id = $1;
UPDATE app.belfry_inbox SET claimed_at = $1, executed_at = $2 WHERE fire_id = '!horizon' AND claimed_at < $3;
INSERT INTO app.belfry_inbox (fire_id, claimed_at, executed_at, state) VALUES ('!horizon', $1, $2, 'done') ON CONFLICT DO NOTHING;
DELETE FROM app.belfry_inbox WHERE fire_id IN (SELECT fire_id FROM app.belfry_inbox WHERE claimed_at < $1 AND fire_id <> '!horizon' LIMIT 1000);
