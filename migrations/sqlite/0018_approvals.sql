-- Decisions that were asked for, who was asked, and who stands in for whom (src/store/approvals.rs).
create table sys_approval (
    id integer primary key,
    approval text not null,
    entity text not null,
    record integer not null,
    state text not null,
    step text not null,
    level integer not null,
    need integer not null,
    asked_by integer not null,
    asked_at integer not null,
    comment text,
    seen text not null,
    due_at integer,
    ended_at integer,
    ended_by integer not null,
    reason text,
    run integer
) strict;
create index ix_sys_approval_record on sys_approval (record, id);
create index ix_sys_approval_asked on sys_approval (asked_by, id);
create index ix_sys_approval_running on sys_approval (id) where state = 'running';
create unique index ux_sys_approval_running on sys_approval (record, approval) where state = 'running';

create table sys_approval_part (
    id integer primary key,
    request integer not null,
    step text not null,
    person integer not null,
    state text not null,
    why text not null,
    origin integer not null,
    decided_by integer not null,
    comment text,
    asked_at integer not null,
    decided_at integer
) strict;
create index ix_sys_approval_part_request on sys_approval_part (request, id);
create index ix_sys_approval_part_person on sys_approval_part (person, request) where state = 'waiting';
create index ix_sys_approval_part_decided on sys_approval_part (decided_by, request) where decided_by <> 0;

create table sys_stand_in (
    id integer primary key,
    person integer not null,
    stand_in integer not null,
    from_at integer not null,
    until_at integer not null,
    made_by integer not null,
    made_at integer not null
) strict;
create index ix_sys_stand_in_person on sys_stand_in (person, until_at);
create index ix_sys_stand_in_other on sys_stand_in (stand_in, until_at);
