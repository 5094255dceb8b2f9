-- The keys of records' encrypted values, each wrapped by a master key that is not in the database (src/store/vault.rs).
create table sys_data_key (
    record bigint primary key,
    master bigint not null,
    wrapped text collate "C" not null,
    made_at timestamptz not null
);
create index ix_sys_data_key_master on sys_data_key (master);
