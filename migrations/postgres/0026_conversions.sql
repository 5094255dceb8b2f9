-- Records that were converted, and what they became (src/store/conversions.rs).
create table sys_conversion (
    record bigint primary key,
    entity text collate "C" not null,
    conversion text collate "C" not null,
    at timestamptz not null,
    actor bigint not null,
    targets text collate "C" not null
);
