-- What was not seen
--
-- run       its number
-- stage     the tool that lost it
-- reason    as in docs/losses.md, which says what helps
-- events    how many
-- bytes     as far as they are known
-- leave first: run, bytes
SELECT run_id AS run, stage, reason, sum(events) AS events, sum(bytes) AS bytes
FROM losses WHERE (:run IS NULL OR run_id = :run) AND coalesce(timestamp_ns, :since) BETWEEN :since AND :until GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC LIMIT :limit;
