-- What was read and written of each path, by all processes. By upsert, which takes half the time
-- of a GROUP BY: that would sort all that they used.
CREATE TEMP TABLE used(path_id INTEGER PRIMARY KEY, written_bytes INTEGER, read_bytes INTEGER, opens INTEGER);
INSERT INTO temp.used SELECT path_id, written_bytes, read_bytes, opens FROM files
WHERE :all OR process_id IN temp.chosen
ON CONFLICT DO UPDATE SET written_bytes = written_bytes + excluded.written_bytes,
	read_bytes = read_bytes + excluded.read_bytes, opens = opens + excluded.opens;
