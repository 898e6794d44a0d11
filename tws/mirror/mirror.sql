-- The SQL of the mirror: each statement treats all objects of a poll at once. `statements.py` reads each part by its
-- name. `tws_staged` is the temporary table with what the poll read. A colon marks a parameter: `engine`, `at` (when it
-- was read), `whole` (the kinds that were read completely), `revision` (the number of this change), and the columns of
-- `tws_plans`.

-- name: stage
DROP TABLE IF EXISTS pg_temp.tws_staged;
CREATE TEMPORARY TABLE tws_staged (
    position bigint GENERATED ALWAYS AS IDENTITY, kind text, id text, selection text, status text,
    substatus text, priority integer, canceled boolean, content jsonb);

-- name: prepare
ANALYZE tws_staged;
DELETE FROM tws_staged AS older USING tws_staged AS newer
WHERE older.kind = newer.kind AND older.id = newer.id AND older.position < newer.position;

-- name: plan
SELECT began_at, run_number, revision, base_revision FROM tws_plans
WHERE engine = :engine ORDER BY began_at DESC LIMIT 1;

-- name: remove
WITH gone AS (
    DELETE FROM tws_objects AS old WHERE engine = :engine AND kind = ANY(:whole)
        AND NOT EXISTS (SELECT FROM tws_staged AS new WHERE new.kind = old.kind AND new.id = old.id)
    RETURNING *)
INSERT INTO tws_changes
    (engine, kind, object_id, selection, status, substatus, priority, canceled, valid_from, valid_to)
SELECT engine, kind, id, selection, status, substatus, priority, canceled, since, greatest(since, :at) FROM gone;

-- name: sieve
DELETE FROM tws_staged AS new USING tws_objects AS old
WHERE old.engine = :engine AND old.kind = new.kind AND old.id = new.id AND old.content = new.content;

-- name: remember
INSERT INTO tws_changes
    (engine, kind, object_id, selection, status, substatus, priority, canceled, valid_from, valid_to)
SELECT engine, kind, id, old.selection, old.status, old.substatus, old.priority, old.canceled, since,
    greatest(since, :at)
FROM tws_objects AS old JOIN tws_staged AS new USING (kind, id)
WHERE engine = :engine AND (old.status, old.substatus, old.priority, old.canceled)
    IS DISTINCT FROM (new.status, new.substatus, new.priority, new.canceled);

-- name: write
INSERT INTO tws_objects AS old
    (engine, kind, id, selection, status, substatus, priority, canceled, since, revision, content)
SELECT :engine, kind, id, selection, status, substatus, priority, canceled, :at, :revision, content
FROM tws_staged
ON CONFLICT (engine, kind, id) DO UPDATE SET
    (selection, status, substatus, priority, canceled, revision, content) = (excluded.selection,
        excluded.status, excluded.substatus, excluded.priority, excluded.canceled, excluded.revision,
        excluded.content),
    since = CASE WHEN (old.status, old.substatus, old.priority, old.canceled)
        IS DISTINCT FROM (excluded.status, excluded.substatus, excluded.priority, excluded.canceled)
        THEN excluded.since ELSE old.since END;

-- name: runs
-- A run's status still changes after its end when somebody confirms it.
INSERT INTO tws_runs AS old
    (engine, run_id, selection, status, return_code, workstation, started_at, ended_at)
SELECT DISTINCT ON (run.id)
    :engine, run.id, selection, run.status, return_code, workstation, started_at, ended_at
FROM tws_staged, jsonb_to_recordset(content -> 'runs') AS run (
    id text, status text, return_code integer, workstation text, started_at timestamptz, ended_at timestamptz)
WHERE kind = 'job' AND started_at IS NOT NULL AND ended_at IS NOT NULL
ON CONFLICT (engine, run_id) DO UPDATE SET (status, return_code, ended_at)
    = (excluded.status, excluded.return_code, excluded.ended_at)
WHERE (old.status, old.return_code, old.ended_at)
    IS DISTINCT FROM (excluded.status, excluded.return_code, excluded.ended_at);

-- name: statistics
INSERT INTO tws_statistics AS old (engine, selection, runs, median, p95, last_success_at, revision)
SELECT engine, selection, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY ended_at - started_at),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY ended_at - started_at), max(ended_at), :revision
FROM tws_runs
WHERE engine = :engine AND status = 'SUCC' AND selection IN (SELECT selection FROM tws_staged WHERE kind = 'job')
GROUP BY engine, selection
ON CONFLICT (engine, selection) DO UPDATE SET (runs, median, p95, last_success_at, revision)
    = (excluded.runs, excluded.median, excluded.p95, excluded.last_success_at, excluded.revision)
WHERE (old.runs, old.last_success_at) IS DISTINCT FROM (excluded.runs, excluded.last_success_at);

-- name: store_plan
INSERT INTO tws_plans (engine, began_at, run_number, starts_at, ends_at, read_at, revision, base_revision)
VALUES (:engine, :began_at, :run_number, :starts_at, :ends_at, :at, :revision, :base_revision)
ON CONFLICT (engine, began_at) DO UPDATE SET (starts_at, ends_at, read_at, revision, base_revision)
    = (excluded.starts_at, excluded.ends_at, excluded.read_at, excluded.revision, excluded.base_revision);

-- name: recover
UPDATE tws_leases SET failing_since = NULL, failure = '' WHERE engine = :engine AND failing_since IS NOT NULL;

-- name: prune
DELETE FROM tws_runs WHERE engine = :engine AND ended_at < :oldest_run;
DELETE FROM tws_plans AS past WHERE engine = :engine AND read_at < :oldest_change
    AND EXISTS (SELECT FROM tws_plans AS next WHERE next.engine = :engine AND next.began_at > past.began_at);

-- name: nodes
SELECT DISTINCT kind, selection FROM tws_objects
WHERE engine = :engine AND kind IN ('job', 'job_stream', 'workstation', 'resource');

-- name: edges
-- Between names and not instances, since what is known of a job by name holds for each of its instances.
WITH owners AS (
    SELECT kind, selection, content FROM tws_objects WHERE engine = :engine AND kind IN ('job', 'job_stream')
), direct AS (
    SELECT kind, selection, dependency FROM owners, jsonb_array_elements(content -> 'dependencies') AS dependency
), dependencies AS (
    SELECT * FROM direct UNION ALL
    SELECT kind, selection, member FROM direct, jsonb_array_elements(dependency -> 'members') AS member)
SELECT kind, selection, relation, target_kind, dependency ->> 'target' FROM dependencies JOIN (VALUES
    ('INTERNAL', 'follows', 'job'), ('EXTERNAL_JOB', 'follows', 'job'),
    ('EXTERNAL_JOBSTREAM', 'follows', 'job_stream'), ('INTERNETWORK', 'follows', 'internetwork'),
    ('RESOURCE', 'needs', 'resource'), ('FILE', 'opens', 'file'), ('PROMPT', 'asks', 'prompt')
) AS known (type, relation, target_kind) ON type = dependency ->> 'type'
UNION SELECT kind, selection, 'runs_on', 'workstation', content ->> 'workstation' FROM owners
UNION SELECT kind, selection, 'belongs_to', 'job_stream',
    (content ->> 'job_stream_workstation') || '#' || (content ->> 'job_stream')
FROM owners WHERE kind = 'job';
