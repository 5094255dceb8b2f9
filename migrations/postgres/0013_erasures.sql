-- Records whose personal values were removed; also noted in a file beside the keys (src/store/erasures.rs).
create table sys_erasure (
    record bigint primary key,
    entity text collate "C" not null,
    at timestamptz not null
);
