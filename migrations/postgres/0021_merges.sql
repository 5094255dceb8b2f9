-- Records that were merged into others, and what was moved for it (src/store/merges.rs).
create table sys_merge (
    id bigint primary key,
    entity text collate "C" not null,
    survivor bigint not null,
    loser bigint not null,
    at timestamptz not null,
    actor bigint not null,
    taken text collate "C" not null,
    undone_at timestamptz
);
create index sys_merge_survivor on sys_merge (survivor);
create index sys_merge_loser on sys_merge (loser);
create table sys_merge_moved (
    merge bigint not null,
    field text collate "C" not null,
    record bigint not null,
    primary key (merge, field, record)
);
