-- The processes of --run and --agent. Empty when neither is given: then :all is 1, and a
-- report asks (:all OR process_id IN temp.chosen).
CREATE TEMP TABLE chosen(process_id INTEGER PRIMARY KEY);
INSERT INTO temp.chosen SELECT p.id FROM processes p
WHERE NOT :all AND (:run IS NULL OR p.run_id = :run) AND (:agent IS NULL OR p.agent_id IN (
	SELECT t.member_id FROM agent_trees t JOIN agents a ON a.process_id = t.agent_id JOIN processes r ON r.id = t.agent_id
	WHERE :agent IN (a.name, CAST(r.comm AS TEXT), CAST(r.pid AS TEXT))
		OR EXISTS (SELECT 1 FROM model_calls c WHERE c.process_id = t.agent_id AND c.agent = :agent)));
