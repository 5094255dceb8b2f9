-- System tables. Times are microseconds since 1970, ids are 64-bit, JSON is text that the program wrote itself.

create table sys_schema (
    id integer primary key check (id = 1),
    version integer not null
) strict;
insert into sys_schema (id, version) values (1, 0);

create table sys_def_version (
    version integer primary key,
    base integer not null,
    digest text not null,
    bundle_json text not null,
    plan_json text not null,
    by_user integer not null,
    at integer not null
) strict;

-- Which table and columns each definition is bound to; rows are retired, never deleted.
create table sys_catalog (
    uid text primary key,
    kind text not null,
    parent_uid text,
    name text not null,
    table_name text,
    column_names text not null,
    prefix text,
    state text not null,
    shape text not null
) strict, without rowid;

-- One row a save: {field uid: [old, new]}. Ids are unique in the workspace, so the entity is no part of the key.
create table sys_history (
    record integer not null,
    version integer not null,
    entity text not null,
    action text not null,
    at integer not null,
    actor integer not null,
    actor_kind text not null,
    changes text not null,
    primary key (record, version)
) strict, without rowid;

create table sys_outbox (
    tx integer not null default 0,
    seq integer primary key,
    entity text not null,
    record integer not null,
    version integer not null,
    event text not null,
    changed text not null,
    actor integer not null,
    chain text not null,
    schema_version integer not null,
    at integer not null
) strict;

-- How far each reader of the outbox has come.
create table sys_cursor (
    name text primary key,
    seq integer not null
) strict, without rowid;

create table sys_idempotency (
    actor integer not null,
    key text not null,
    digest text not null,
    status integer,
    body text,
    at integer not null,
    primary key (actor, key)
) strict, without rowid;
create index ix_sys_idempotency_at on sys_idempotency (at);

create table sys_job (
    id integer primary key,
    handler text not null,
    payload text not null,
    key text,
    lane text,
    state text not null,
    run_at integer not null,
    attempts integer not null,
    max_attempts integer not null,
    fence integer not null,
    lease_until integer,
    last_error text,
    created_at integer not null
) strict;
create unique index ux_sys_job_key on sys_job (key) where key is not null;
create index ix_sys_job_due on sys_job (state, run_at, id);
create index ix_sys_job_lane on sys_job (lane, id) where lane is not null;

create table sys_schedule (
    id text primary key,
    spec text not null,
    next_at integer not null,
    last_at integer,
    last_error text
) strict, without rowid;

create table sys_sequence (
    name text primary key,
    value integer not null
) strict, without rowid;

-- Tokens are cut by the program; the rowid is the record's id. Without positions: tokens are only ever AND-ed.
create virtual table sys_search using fts5 (tokens, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

create table sys_file (
    id integer primary key,
    sha256 text not null,
    name text not null,
    media_type text not null,
    size_bytes integer not null,
    width integer,
    height integer,
    entity text not null,
    created_at integer not null,
    created_by integer not null,
    deleted_at integer
) strict;
create index ix_sys_file_sha256 on sys_file (sha256);

create table sys_credential (
    user_id integer primary key,
    password_hash text,
    epoch integer not null,
    changed_at integer not null
) strict;

create table sys_session (
    hash text primary key,
    user_id integer not null,
    epoch integer not null,
    created_at integer not null,
    seen_at integer not null,
    stepped_up_at integer not null,
    expires_at integer not null,
    ip text not null,
    agent text not null
) strict, without rowid;
create index ix_sys_session_user on sys_session (user_id);
create index ix_sys_session_expires on sys_session (expires_at);

create table sys_token (
    id integer primary key,
    hash text not null,
    user_id integer not null,
    name text not null,
    hint text not null,
    scopes text not null,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    revoked_at integer
) strict;
create unique index ux_sys_token_hash on sys_token (hash);
create index ix_sys_token_user on sys_token (user_id);

create table sys_setup (
    hash text primary key,
    purpose text not null,
    user_id integer,
    created_at integer not null,
    expires_at integer not null,
    used_at integer
) strict, without rowid;

create table sys_throttle (
    key text primary key,
    failures integer not null,
    since integer not null,
    blocked_until integer
) strict, without rowid;

create table sys_rate (
    currency text not null,
    from_date text not null,
    rate integer not null,
    primary key (currency, from_date)
) strict, without rowid;

create table sys_node (
    node integer primary key,
    holder text not null,
    catalog_version integer not null,
    started_at integer not null,
    leased_until integer not null
) strict;

create table sys_lock (
    name text primary key,
    holder text not null,
    fence integer not null,
    leased_until integer not null
) strict, without rowid;

create table sys_seed (
    package text not null,
    key text not null,
    entity text not null,
    record integer not null,
    hash text not null,
    is_sample integer not null,
    primary key (package, key)
) strict, without rowid;

create table sys_import (
    id integer primary key,
    entity text not null,
    name text not null,
    digest text not null,
    state text not null,
    total integer not null,
    created integer not null,
    updated integer not null,
    unchanged integer not null,
    failed integer not null,
    started_at integer not null,
    finished_at integer,
    by_user integer not null
) strict;

-- Computed values that wait for their computation.
create table sys_recalc (
    field text not null,
    record integer not null,
    primary key (field, record)
) strict, without rowid;

create table sys_setting (
    key text primary key,
    value text not null
) strict, without rowid;
