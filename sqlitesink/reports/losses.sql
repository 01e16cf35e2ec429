-- What is missing, and why: nothing, when a run is whole
--
-- run       its number
-- stage     the tool that lost it, or that did not come to its end
-- reason    of lost events, as in docs/losses.md
-- events    how many
-- bytes     as far as they are known
-- follows   1: only the consequence of another row, not to be added to it
-- missing   what, in words
-- helps     what helps
-- leave first: run, bytes, follows
-- wrap: missing, helps
SELECT g.run_id AS run, g.stage, g.reason, g.events, g.bytes, g.follows, g.what AS missing, g.helps
FROM run_gaps g JOIN runs r ON r.id = g.run_id
WHERE (:run IS NULL OR r.id = :run) AND coalesce(r.first_ns, :until) <= :until AND coalesce(r.last_ns, :since) >= :since
ORDER BY g.run_id, g.follows, g.place, g.events DESC LIMIT :limit;
