-- The view call_work as a table: whose each call of a model is, and for which prompt.
CREATE TEMP TABLE work(call_id INTEGER PRIMARY KEY, kind TEXT, tool_use_id INTEGER, depth INTEGER,
	prompt_id INTEGER, run_id INTEGER, chain_id TEXT);
INSERT INTO temp.work SELECT call_id, kind, tool_use_id, depth, prompt_id, run_id, chain_id FROM call_work ORDER BY call_id;
CREATE INDEX temp.work_prompt ON work(prompt_id);
