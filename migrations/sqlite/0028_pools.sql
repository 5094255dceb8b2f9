-- Who holds which record of a public pool, how many each person holds, and who held what before (src/store/holds.rs).
create table sys_hold (
    record integer primary key,
    entity text not null,
    pool text not null,
    person integer not null,
    since integer not null,
    active_at integer not null,
    kept_until integer not null,
    warned integer not null
) strict;
create index ix_sys_hold_active on sys_hold (entity, pool, active_at);
create index ix_sys_hold_warned on sys_hold (entity, pool, active_at) where not warned;
create index ix_sys_hold_person on sys_hold (person, entity, pool, active_at);

create table sys_hold_count (
    entity text not null,
    pool text not null,
    person integer not null,
    held integer not null,
    day text not null,
    claimed integer not null,
    given_at integer,
    primary key (entity, pool, person)
) strict;

create table sys_hold_past (
    id integer primary key,
    record integer not null,
    entity text not null,
    pool text not null,
    person integer not null,
    from_at integer not null,
    got text not null,
    got_by integer not null,
    until_at integer,
    lost text,
    lost_by integer,
    reason text
) strict;
create index ix_sys_hold_past_record on sys_hold_past (record, id);
