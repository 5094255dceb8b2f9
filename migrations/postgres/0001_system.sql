-- System tables. Ids are 64-bit, JSON is text that the program wrote itself. Text orders by code point.

create table sys_schema (
    id bigint primary key check (id = 1),
    version bigint not null
);
insert into sys_schema (id, version) values (1, 0);

create table sys_def_version (
    version bigint primary key,
    base bigint not null,
    digest text collate "C" not null,
    bundle_json text collate "C" not null,
    plan_json text collate "C" not null,
    by_user bigint not null,
    at timestamptz not null
);

-- Which table and columns each definition is bound to; rows are retired, never deleted.
create table sys_catalog (
    uid text collate "C" primary key,
    kind text collate "C" not null,
    parent_uid text collate "C",
    name text collate "C" not null,
    table_name text collate "C",
    column_names text collate "C" not null,
    prefix text collate "C",
    state text collate "C" not null,
    shape text collate "C" not null
);

-- One row a save: {field uid: [old, new]}. Ids are unique in the workspace, so the entity is no part of the key.
create table sys_history (
    record bigint not null,
    version bigint not null,
    entity text collate "C" not null,
    action text collate "C" not null,
    at timestamptz not null,
    actor bigint not null,
    actor_kind text collate "C" not null,
    changes text collate "C" not null,
    primary key (record, version)
);

-- `tx` stands first: the transaction number is taken before the sequence number, so that no row appears behind a reader.
create table sys_outbox (
    tx xid8 not null default pg_current_xact_id(),
    seq bigint generated always as identity primary key,
    entity text collate "C" not null,
    record bigint not null,
    version bigint not null,
    event text collate "C" not null,
    changed text collate "C" not null,
    actor bigint not null,
    chain text collate "C" not null,
    schema_version bigint not null,
    at timestamptz not null
);

-- How far each reader of the outbox has come.
create table sys_cursor (
    name text collate "C" primary key,
    seq bigint not null
);

create table sys_idempotency (
    actor bigint not null,
    key text collate "C" not null,
    digest text collate "C" not null,
    status bigint,
    body text collate "C",
    at timestamptz not null,
    primary key (actor, key)
);
create index ix_sys_idempotency_at on sys_idempotency (at);

create table sys_job (
    id bigint primary key,
    handler text collate "C" not null,
    payload text collate "C" not null,
    key text collate "C",
    lane text collate "C",
    state text collate "C" not null,
    run_at timestamptz not null,
    attempts bigint not null,
    max_attempts bigint not null,
    fence bigint not null,
    lease_until timestamptz,
    last_error text collate "C",
    created_at timestamptz not null
);
create unique index ux_sys_job_key on sys_job (key) where key is not null;
create index ix_sys_job_due on sys_job (state, run_at, id);
create index ix_sys_job_lane on sys_job (lane, id) where lane is not null;

create table sys_schedule (
    id text collate "C" primary key,
    spec text collate "C" not null,
    next_at timestamptz not null,
    last_at timestamptz,
    last_error text collate "C"
);

create table sys_sequence (
    name text collate "C" primary key,
    value bigint not null
);

-- Tokens are cut by the program.
create table sys_search (
    id bigint primary key,
    tokens tsvector not null
);
create index ix_sys_search_tokens on sys_search using gin (tokens) with (fastupdate = off);

create table sys_file (
    id bigint primary key,
    sha256 text collate "C" not null,
    name text collate "C" not null,
    media_type text collate "C" not null,
    size_bytes bigint not null,
    width bigint,
    height bigint,
    entity text collate "C" not null,
    created_at timestamptz not null,
    created_by bigint not null,
    deleted_at timestamptz
);
create index ix_sys_file_sha256 on sys_file (sha256);

create table sys_credential (
    user_id bigint primary key,
    password_hash text collate "C",
    epoch bigint not null,
    changed_at timestamptz not null
);

create table sys_session (
    hash text collate "C" primary key,
    user_id bigint not null,
    epoch bigint not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    stepped_up_at timestamptz not null,
    expires_at timestamptz not null,
    ip text collate "C" not null,
    agent text collate "C" not null
);
create index ix_sys_session_user on sys_session (user_id);
create index ix_sys_session_expires on sys_session (expires_at);

create table sys_token (
    id bigint primary key,
    hash text collate "C" not null,
    user_id bigint not null,
    name text collate "C" not null,
    hint text collate "C" not null,
    scopes text collate "C" not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
create unique index ux_sys_token_hash on sys_token (hash);
create index ix_sys_token_user on sys_token (user_id);

create table sys_setup (
    hash text collate "C" primary key,
    purpose text collate "C" not null,
    user_id bigint,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table sys_throttle (
    key text collate "C" primary key,
    failures bigint not null,
    since timestamptz not null,
    blocked_until timestamptz
);

create table sys_rate (
    currency text collate "C" not null,
    from_date date not null,
    rate bigint not null,
    primary key (currency, from_date)
);

create table sys_node (
    node bigint primary key,
    holder text collate "C" not null,
    catalog_version bigint not null,
    started_at timestamptz not null,
    leased_until timestamptz not null
);

create table sys_lock (
    name text collate "C" primary key,
    holder text collate "C" not null,
    fence bigint not null,
    leased_until timestamptz not null
);

create table sys_seed (
    package text collate "C" not null,
    key text collate "C" not null,
    entity text collate "C" not null,
    record bigint not null,
    hash text collate "C" not null,
    is_sample boolean not null,
    primary key (package, key)
);

create table sys_import (
    id bigint primary key,
    entity text collate "C" not null,
    name text collate "C" not null,
    digest text collate "C" not null,
    state text collate "C" not null,
    total bigint not null,
    created bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    failed bigint not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    by_user bigint not null
);

-- Computed values that wait for their computation.
create table sys_recalc (
    field text collate "C" not null,
    record bigint not null,
    primary key (field, record)
);

create table sys_setting (
    key text collate "C" primary key,
    value text collate "C" not null
);
