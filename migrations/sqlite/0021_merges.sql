-- Records that were merged into others, and what was moved for it (src/store/merges.rs).
create table sys_merge (
    id integer primary key,
    entity text not null,
    survivor integer not null,
    loser integer not null,
    at integer not null,
    actor integer not null,
    taken text not null,
    undone_at integer
) strict;
create index sys_merge_survivor on sys_merge (survivor);
create index sys_merge_loser on sys_merge (loser);
create table sys_merge_moved (
    merge integer not null,
    field text not null,
    record integer not null,
    primary key (merge, field, record)
) strict, without rowid;
