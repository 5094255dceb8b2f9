-- Who holds which record of a public pool, how many each person holds, and who held what before (src/store/holds.rs).
create table sys_hold (
    record bigint primary key,
    entity text collate "C" not null,
    pool text collate "C" not null,
    person bigint not null,
    since timestamptz not null,
    active_at timestamptz not null,
    kept_until timestamptz not null,
    warned boolean not null
);
create index ix_sys_hold_active on sys_hold (entity, pool, active_at);
create index ix_sys_hold_warned on sys_hold (entity, pool, active_at) where not warned;
create index ix_sys_hold_person on sys_hold (person, entity, pool, active_at);

create table sys_hold_count (
    entity text collate "C" not null,
    pool text collate "C" not null,
    person bigint not null,
    held bigint not null,
    day text collate "C" not null,
    claimed bigint not null,
    given_at timestamptz,
    primary key (entity, pool, person)
);

create table sys_hold_past (
    id bigint primary key,
    record bigint not null,
    entity text collate "C" not null,
    pool text collate "C" not null,
    person bigint not null,
    from_at timestamptz not null,
    got text collate "C" not null,
    got_by bigint not null,
    until_at timestamptz,
    lost text collate "C",
    lost_by bigint,
    reason text collate "C"
);
create index ix_sys_hold_past_record on sys_hold_past (record, id);
