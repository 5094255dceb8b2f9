-- Pairs of records that a look through an entity found alike, those that somebody said are not the same, and the looks
-- themselves (src/store/alike.rs).
create table sys_alike (
    one integer not null,
    other integer not null,
    entity text not null,
    likeness integer not null,
    primary key (one, other)
) strict, without rowid;
create index sys_alike_entity on sys_alike (entity, likeness, one, other);
create table sys_unlike (
    one integer not null,
    other integer not null,
    at integer not null,
    actor integer not null,
    primary key (one, other)
) strict, without rowid;
create index sys_unlike_other on sys_unlike (other);
create table sys_alike_look (
    entity text primary key,
    begun_at integer not null,
    ended_at integer,
    actor integer not null
) strict, without rowid;
