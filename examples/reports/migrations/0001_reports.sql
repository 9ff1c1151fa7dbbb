CREATE TABLE reports (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL DEFAULT 'waiting',
  made INTEGER NOT NULL
);
