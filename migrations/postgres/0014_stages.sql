-- Through which stages records went: one row a move (src/store/stages.rs).
create table sys_stage (
    record bigint not null,
    version bigint not null,
    field text collate "C" not null,
    pipeline text collate "C" not null,
    from_stage text collate "C",
    to_stage text collate "C",
    at timestamptz not null,
    actor bigint not null,
    reason text collate "C",
    primary key (record, version, field)
);
