-- Pairs of records that a look through an entity found alike, those that somebody said are not the same, and the looks
-- themselves (src/store/alike.rs).
create table sys_alike (
    one bigint not null,
    other bigint not null,
    entity text collate "C" not null,
    likeness bigint not null,
    primary key (one, other)
);
create index sys_alike_entity on sys_alike (entity, likeness, one, other);
create table sys_unlike (
    one bigint not null,
    other bigint not null,
    at timestamptz not null,
    actor bigint not null,
    primary key (one, other)
);
create index sys_unlike_other on sys_unlike (other);
create table sys_alike_look (
    entity text collate "C" primary key,
    begun_at timestamptz not null,
    ended_at timestamptz,
    actor bigint not null
);
