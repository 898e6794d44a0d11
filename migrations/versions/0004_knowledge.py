"""Documents with readers, validity and parents; vectors by text; a graph with evidence; answers and feedback."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DOCUMENTS = (
    """
    ALTER TABLE kb_documents
        ADD kind text NOT NULL DEFAULT 'document'
            CONSTRAINT kb_documents_kind CHECK (kind IN ('document', 'case', 'correction')),
        ADD language text NOT NULL DEFAULT 'en',
        ADD readers text[] NOT NULL DEFAULT '{}'::text[],
        ADD valid_from date,
        ADD valid_to date,
        ADD link text,
        ADD weight double precision NOT NULL DEFAULT 1
    """,
    "ALTER TABLE kb_chunks ADD section integer, ADD page integer, ADD digest text",
    """
    UPDATE kb_chunks AS chunk SET section = counted.section, digest = counted.digest FROM (
        SELECT kb_chunks.id,
            dense_rank() OVER (PARTITION BY document_id ORDER BY first_position) - 1 AS section,
            encode(sha256(convert_to(concat(title, '. ', location, '. ', text), 'UTF8')), 'hex') AS digest
        FROM (
            SELECT *, min(position) OVER (PARTITION BY document_id, location) AS first_position FROM kb_chunks
        ) AS kb_chunks JOIN kb_documents ON kb_documents.id = document_id
    ) AS counted WHERE counted.id = chunk.id
    """,
    "ALTER TABLE kb_chunks ALTER section SET NOT NULL, ALTER digest SET NOT NULL",
    "CREATE INDEX kb_chunks_digest ON kb_chunks (digest)",
    """
    CREATE TABLE kb_vectors (
        digest text NOT NULL, model text NOT NULL, embedding halfvec NOT NULL, PRIMARY KEY (digest, model)
    )
    """,
    """
    INSERT INTO kb_vectors
    SELECT DISTINCT ON (digest, model) digest, model, embedding::halfvec FROM kb_chunks WHERE model IS NOT NULL
    """,
    "ALTER TABLE kb_chunks DROP embedding, DROP model",
    """
    CREATE TABLE kb_models (
        name text PRIMARY KEY,
        dimensions integer NOT NULL,
        state text NOT NULL CONSTRAINT kb_models_state CHECK (state IN ('active', 'retired'))
    )
    """,
    """
    INSERT INTO kb_models
    SELECT model, min(vector_dims(embedding)), 'active' FROM kb_vectors GROUP BY model
    """,
    """
    CREATE TABLE kb_ingests (
        id uuid PRIMARY KEY,
        source text NOT NULL,
        media_type text,
        data bytea,
        properties jsonb NOT NULL,
        requested_by text NOT NULL,
        state text NOT NULL DEFAULT 'queued'
            CONSTRAINT kb_ingests_state CHECK (state IN ('queued', 'running', 'done', 'failed')),
        reports jsonb NOT NULL DEFAULT '[]'::jsonb,
        attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
    )
    """,
    "CREATE INDEX kb_ingests_unfinished ON kb_ingests (created_at) WHERE finished_at IS NULL",
)
_ANSWERS = (
    """
    CREATE TABLE kb_answers (
        id uuid PRIMARY KEY,
        question text NOT NULL,
        signature text NOT NULL,
        readers text[] NOT NULL,
        locale text NOT NULL,
        model text NOT NULL,
        embedding halfvec NOT NULL,
        answer jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX kb_answers_signature ON kb_answers (signature)",
    """
    CREATE TABLE kb_feedback (
        id uuid PRIMARY KEY,
        turn_id text NOT NULL,
        actor_id text NOT NULL,
        verdict text NOT NULL CONSTRAINT kb_feedback_verdict CHECK (verdict IN ('good', 'bad')),
        question text NOT NULL,
        correction text NOT NULL DEFAULT '',
        sources text[] NOT NULL DEFAULT '{}'::text[],
        state text NOT NULL DEFAULT 'open'
            CONSTRAINT kb_feedback_state CHECK (state IN ('open', 'accepted', 'rejected')),
        decided_by text,
        decided_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (turn_id, actor_id)
    )
    """,
    """
    CREATE TABLE kb_glossary (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        notion text NOT NULL UNIQUE,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE kb_thresholds (
        name text PRIMARY KEY,
        value double precision NOT NULL,
        set_by text NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)
_GRAPH = (
    "ALTER TABLE kg_nodes ADD document_id uuid REFERENCES kb_documents ON DELETE CASCADE",
    """
    ALTER TABLE kg_edges
        ADD document_id uuid REFERENCES kb_documents ON DELETE CASCADE,
        ADD evidence text NOT NULL DEFAULT ''
    """,
    """
    ALTER TABLE kg_nodes ADD short text GENERATED ALWAYS AS (
        CASE WHEN kind IN ('job', 'job_stream', 'resource', 'name')
            THEN regexp_replace(name, '^.*[#./]', '') ELSE name END
    ) STORED
    """,
    "DROP INDEX kg_nodes_name",
    "CREATE INDEX kg_nodes_short ON kg_nodes (short)",
    "CREATE INDEX kg_nodes_document ON kg_nodes (document_id)",
    "CREATE INDEX kg_edges_document ON kg_edges (document_id)",
    """
    CREATE FUNCTION kg_is_same(one text, other text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        one = other OR right(one, length(other) + 1) IN ('#' || other, '.' || other, '/' || other)
            OR right(other, length(one) + 1) IN ('#' || one, '.' || one, '/' || one)
    """,
    "ALTER TABLE users ADD groups text[] NOT NULL DEFAULT '{}'::text[]",
)


def upgrade() -> None:
    for statement in (*_DOCUMENTS, *_ANSWERS, *_GRAPH):
        op.execute(statement)
