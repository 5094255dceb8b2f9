-- Records whose personal values were removed; also noted in a file beside the keys (src/store/erasures.rs).
create table sys_erasure (
    record integer primary key,
    entity text not null,
    at integer not null
) strict;
