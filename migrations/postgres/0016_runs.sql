-- Runs of automations, what each of their steps did, and automations that are paused (src/store/runs.rs).
create table sys_run (
    id bigint primary key,
    automation text collate "C" not null,
    name text collate "C" not null,
    entity text collate "C" not null,
    record bigint not null,
    event text collate "C" not null,
    state text collate "C" not null,
    reason text collate "C",
    step text collate "C",
    chain text collate "C" not null,
    actor bigint not null,
    began_at timestamptz not null,
    ended_at timestamptz
);
create index ix_sys_run_automation on sys_run (automation, id);
create index ix_sys_run_record on sys_run (record, id);
create index ix_sys_run_began on sys_run (began_at);

create table sys_run_step (
    run bigint not null,
    seq bigint not null,
    step text collate "C" not null,
    act text collate "C" not null,
    state text collate "C" not null,
    input text collate "C" not null,
    output text collate "C" not null,
    reason text collate "C",
    at timestamptz not null,
    primary key (run, seq)
);

create table sys_automation (
    uid text collate "C" primary key,
    minute bigint not null,
    runs bigint not null,
    paused_at timestamptz,
    reason text collate "C",
    passed bigint not null
);
