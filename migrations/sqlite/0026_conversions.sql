-- Records that were converted, and what they became (src/store/conversions.rs).
create table sys_conversion (
    record integer primary key,
    entity text not null,
    conversion text not null,
    at integer not null,
    actor integer not null,
    targets text not null
) strict;
