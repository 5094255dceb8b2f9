-- Runs of automations, what each of their steps did, and automations that are paused (src/store/runs.rs).
create table sys_run (
    id integer primary key,
    automation text not null,
    name text not null,
    entity text not null,
    record integer not null,
    event text not null,
    state text not null,
    reason text,
    step text,
    chain text not null,
    actor integer not null,
    began_at integer not null,
    ended_at integer
) strict;
create index ix_sys_run_automation on sys_run (automation, id);
create index ix_sys_run_record on sys_run (record, id);
create index ix_sys_run_began on sys_run (began_at);

create table sys_run_step (
    run integer not null,
    seq integer not null,
    step text not null,
    act text not null,
    state text not null,
    input text not null,
    output text not null,
    reason text,
    at integer not null,
    primary key (run, seq)
) strict;

create table sys_automation (
    uid text primary key,
    minute integer not null,
    runs integer not null,
    paused_at integer,
    reason text,
    passed integer not null
) strict;
