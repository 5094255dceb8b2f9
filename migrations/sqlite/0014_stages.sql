-- Through which stages records went: one row a move (src/store/stages.rs).
create table sys_stage (
    record integer not null,
    version integer not null,
    field text not null,
    pipeline text not null,
    from_stage text,
    to_stage text,
    at integer not null,
    actor integer not null,
    reason text,
    primary key (record, version, field)
) strict, without rowid;
