-- The first form of a store: events, the ledger over them, the index of running duties.
-- Text is ordered by its bytes, whatever the database's locale is: so the order of streams is the same everywhere and for ever.

CREATE TABLE stored_events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    trigger_name text COLLATE "C",
    from_state text COLLATE "C",
    to_state text COLLATE "C",
    at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    CONSTRAINT stored_events_version PRIMARY KEY (originator_id, originator_version)
);

-- A leaf a commit and stream. Its number comes from ledger_head and not from a sequence: there are no gaps.
CREATE TABLE ledger_leaves (
    number bigint PRIMARY KEY,
    originator_id text COLLATE "C" NOT NULL,
    first_version bigint NOT NULL,
    last_version bigint NOT NULL,
    leaf bytea NOT NULL
);
CREATE INDEX ledger_by_stream ON ledger_leaves (originator_id, number);

CREATE TABLE ledger_nodes (
    level bigint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, number)
);

CREATE TABLE ledger_meta (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

-- One row: how many leaves, the peaks of the tree from left to right, and the signed note of both. It is what writers wait for.
CREATE TABLE ledger_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL,
    peaks bytea NOT NULL,
    note text
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE duties (
    case_id text COLLATE "C" NOT NULL,
    duty text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    owes text COLLATE "C" NOT NULL,
    due bigint NOT NULL,
    provisional bigint NOT NULL,
    PRIMARY KEY (case_id, duty)
);
CREATE INDEX duties_by_due ON duties (due);
CREATE INDEX duties_provisional ON duties (due) WHERE provisional = 1;
