-- The SQL of the knowledge graph. A colon marks a parameter; `statements.py` reads each part by its name.

-- name: stage
CREATE TEMPORARY TABLE kg_new_nodes (kind text, name text) ON COMMIT DROP;

CREATE TEMPORARY TABLE kg_new_edges
    (from_kind text, from_name text, relation text, to_kind text, to_name text) ON COMMIT DROP;

-- name: sync
-- Opens what is new and closes what the source no longer says.
INSERT INTO kg_new_nodes
SELECT from_kind, from_name FROM kg_new_edges UNION SELECT to_kind, to_name FROM kg_new_edges;

ANALYZE kg_new_nodes, kg_new_edges;

INSERT INTO kg_nodes (source, kind, name, valid_from)
SELECT DISTINCT CAST(:source AS text), kind, name, CAST(:at AS timestamptz) FROM kg_new_nodes AS new
WHERE NOT EXISTS (
    SELECT FROM kg_nodes AS old WHERE old.source = :source AND old.kind = new.kind AND old.name = new.name
        AND valid_to IS NULL
);

CREATE TEMPORARY TABLE kg_wanted_edges ON COMMIT DROP AS
SELECT DISTINCT start.id AS from_node, relation, target.id AS to_node FROM kg_new_edges
JOIN kg_nodes AS start
    ON start.source = :source AND start.kind = from_kind AND start.name = from_name AND start.valid_to IS NULL
JOIN kg_nodes AS target
    ON target.source = :source AND target.kind = to_kind AND target.name = to_name AND target.valid_to IS NULL;

ANALYZE kg_wanted_edges;

UPDATE kg_edges AS old SET valid_to = greatest(valid_from, :at)
WHERE source = :source AND valid_to IS NULL AND NOT EXISTS (
    SELECT FROM kg_wanted_edges AS new WHERE new.from_node = old.from_node
        AND new.relation = old.relation AND new.to_node = old.to_node
);

INSERT INTO kg_edges (source, from_node, relation, to_node, valid_from)
SELECT CAST(:source AS text), from_node, relation, to_node, CAST(:at AS timestamptz) FROM kg_wanted_edges AS new
WHERE NOT EXISTS (
    SELECT FROM kg_edges AS old WHERE old.source = :source AND old.from_node = new.from_node
        AND old.relation = new.relation AND old.to_node = new.to_node AND valid_to IS NULL
);

UPDATE kg_nodes AS old SET valid_to = greatest(valid_from, :at)
WHERE source = :source AND valid_to IS NULL AND NOT EXISTS (
    SELECT FROM kg_new_nodes AS new WHERE new.kind = old.kind AND new.name = old.name
);

DELETE FROM kg_edges WHERE source = :source AND valid_to < :oldest;

DELETE FROM kg_nodes WHERE source = :source AND valid_to < :oldest;

-- name: link
-- What a document says holds from its first day to its last, also before somebody brought it.
DELETE FROM kg_nodes WHERE document_id = :document_id;

INSERT INTO kg_nodes (source, kind, name, document_id, valid_from, valid_to)
SELECT DISTINCT :source, node ->> 0, node ->> 1, id,
    coalesce(valid_from::timestamp, '-infinity') AT TIME ZONE 'UTC', (valid_to + 1)::timestamp AT TIME ZONE 'UTC'
FROM kb_documents, jsonb_array_elements(CAST(:facts AS jsonb)) AS fact,
    LATERAL (VALUES (fact -> 'start'), (fact -> 'target')) AS said (node)
WHERE id = :document_id;

INSERT INTO kg_edges (source, from_node, relation, to_node, document_id, evidence, valid_from, valid_to)
SELECT :source, start.id, fact ->> 'relation', target.id, :document_id, fact ->> 'evidence',
    start.valid_from, start.valid_to
FROM jsonb_array_elements(CAST(:facts AS jsonb)) AS fact
JOIN kg_nodes AS start ON start.document_id = :document_id
    AND start.kind = fact -> 'start' ->> 0 AND start.name = fact -> 'start' ->> 1
JOIN kg_nodes AS target ON target.document_id = :document_id
    AND target.kind = fact -> 'target' ->> 0 AND target.name = fact -> 'target' ->> 1;

-- name: facts
SELECT DISTINCT asked.name AS asked, start.kind, start.name, relation, target.kind, target.name, evidence,
    document.id::text, title, document.kind, link, document.valid_from
FROM unnest(CAST(:names AS text[]), CAST(:shorts AS text[])) AS asked (name, short)
JOIN kg_nodes AS node ON node.short = asked.short AND kg_is_same(node.name, asked.name)
JOIN kg_edges AS edge ON node.id IN (from_node, to_node)
JOIN kg_nodes AS start ON start.id = from_node
JOIN kg_nodes AS target ON target.id = to_node
LEFT JOIN kb_documents AS document ON document.id = edge.document_id
WHERE edge.valid_from <= :at AND (edge.valid_to IS NULL OR edge.valid_to > :at)
    AND (CAST(:relations AS text[]) = '{}' OR relation = ANY(CAST(:relations AS text[])))
    AND CASE WHEN document.id IS NULL THEN edge.source = :plan ELSE CAST(:tokens AS text[]) IS NULL
        OR readers = '{}' OR readers && CAST(:tokens AS text[]) END
ORDER BY asked.name, document.valid_from DESC NULLS FIRST, title NULLS FIRST, relation, start.name, target.name
LIMIT :most;

-- name: impact
-- A job that cannot run keeps its job stream from ending, which what follows the stream waits for. It does not keep
-- the other jobs of the stream from running, as a stream does that cannot start itself.
WITH RECURSIVE reached (node, is_unended, depth) AS (
    SELECT id, false, 0 FROM kg_nodes
    WHERE source = :plan AND valid_from <= :at AND (valid_to IS NULL OR valid_to > :at) AND EXISTS (
        SELECT FROM unnest(CAST(:names AS text[]), CAST(:shorts AS text[])) AS asked (name, short)
        WHERE asked.short = kg_nodes.short AND kg_is_same(kg_nodes.name, asked.name))
    UNION SELECT next.node, next.is_unended, depth + 1 FROM reached, LATERAL (
        SELECT from_node AS node, false AS is_unended FROM kg_edges JOIN kg_nodes AS start ON start.id = from_node
        WHERE to_node = reached.node AND kg_edges.source = :plan
            AND kg_edges.valid_from <= :at AND (kg_edges.valid_to IS NULL OR kg_edges.valid_to > :at)
            AND CASE relation WHEN 'belongs_to' THEN NOT reached.is_unended
                WHEN 'runs_on' THEN start.kind = 'job' ELSE true END
        UNION ALL SELECT to_node, true FROM kg_edges
        WHERE from_node = reached.node AND relation = 'belongs_to' AND source = :plan
            AND valid_from <= :at AND (valid_to IS NULL OR valid_to > :at)
    ) AS next WHERE depth < :depth)
SELECT kind, name, min(depth) AS depth, sum(count(*)) OVER () AS steps
FROM (SELECT * FROM reached LIMIT :reached) AS first JOIN kg_nodes ON id = node
GROUP BY kind, name ORDER BY depth, kind, name;

-- name: drift
-- Of a bare name only a plan can tell that it is one, because it was in one once.
SELECT DISTINCT ON (title, name) name AS asked, 'document', title, relation, node.kind, name, evidence,
    document.id::text, title, document.kind, link, document.valid_from
FROM kb_documents AS document
JOIN kg_nodes AS node ON node.document_id = document.id
JOIN kg_edges ON to_node = node.id AND relation IN ('about', 'names')
WHERE document.kind <> 'case' AND node.kind IN ('job', 'job_stream', 'workstation', 'resource', 'name')
    AND (CAST(:tokens AS text[]) IS NULL OR readers = '{}' OR readers && CAST(:tokens AS text[]))
    AND EXISTS (SELECT FROM kg_edges AS says WHERE says.document_id = document.id
        AND says.relation IN ('handled_by', 'owned_by', 'escalates_to'))
    AND EXISTS (SELECT FROM kg_nodes AS any_of WHERE any_of.source = :plan)
    AND (node.kind <> 'name' OR EXISTS (SELECT FROM kg_nodes AS past
        WHERE past.source = :plan AND past.short = node.short AND kg_is_same(past.name, node.name)))
    AND NOT EXISTS (SELECT FROM kg_nodes AS recent
        WHERE recent.source = :plan AND recent.short = node.short AND kg_is_same(recent.name, node.name)
            AND recent.valid_from <= :at AND (recent.valid_to IS NULL OR recent.valid_to > :since))
ORDER BY title, name LIMIT :most;
