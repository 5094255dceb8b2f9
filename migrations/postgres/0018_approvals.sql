-- Decisions that were asked for, who was asked, and who stands in for whom (src/store/approvals.rs).
create table sys_approval (
    id bigint primary key,
    approval text collate "C" not null,
    entity text collate "C" not null,
    record bigint not null,
    state text collate "C" not null,
    step text collate "C" not null,
    level bigint not null,
    need bigint not null,
    asked_by bigint not null,
    asked_at timestamptz not null,
    comment text collate "C",
    seen text collate "C" not null,
    due_at timestamptz,
    ended_at timestamptz,
    ended_by bigint not null,
    reason text collate "C",
    run bigint
);
create index ix_sys_approval_record on sys_approval (record, id);
create index ix_sys_approval_asked on sys_approval (asked_by, id);
create index ix_sys_approval_running on sys_approval (id) where state = 'running';
create unique index ux_sys_approval_running on sys_approval (record, approval) where state = 'running';

create table sys_approval_part (
    id bigint primary key,
    request bigint not null,
    step text collate "C" not null,
    person bigint not null,
    state text collate "C" not null,
    why text collate "C" not null,
    origin bigint not null,
    decided_by bigint not null,
    comment text collate "C",
    asked_at timestamptz not null,
    decided_at timestamptz
);
create index ix_sys_approval_part_request on sys_approval_part (request, id);
create index ix_sys_approval_part_person on sys_approval_part (person, request) where state = 'waiting';
create index ix_sys_approval_part_decided on sys_approval_part (decided_by, request) where decided_by <> 0;

create table sys_stand_in (
    id bigint primary key,
    person bigint not null,
    stand_in bigint not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    made_by bigint not null,
    made_at timestamptz not null
);
create index ix_sys_stand_in_person on sys_stand_in (person, until_at);
create index ix_sys_stand_in_other on sys_stand_in (stand_in, until_at);
