-- Who did what: rows are only ever added, each signed together with the one before it (src/store/audit.rs).

create table sys_audit (
    seq bigint primary key,
    at timestamptz not null,
    actor bigint not null,
    actor_kind text collate "C" not null,
    action text collate "C" not null,
    entity text collate "C",
    record bigint,
    field text collate "C",
    origin text collate "C" not null,
    request text collate "C" not null,
    detail text collate "C" not null,
    mac text collate "C" not null
);
create index ix_sys_audit_actor on sys_audit (actor, seq);
create index ix_sys_audit_action on sys_audit (action, seq);
create index ix_sys_audit_record on sys_audit (record, seq) where record is not null;

CREATE FUNCTION rl_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only';
END
$$;
CREATE TRIGGER tr_sys_audit_change BEFORE UPDATE OR DELETE ON sys_audit FOR EACH ROW EXECUTE FUNCTION rl_audit_is_append_only();
CREATE TRIGGER tr_sys_audit_truncate BEFORE TRUNCATE ON sys_audit FOR EACH STATEMENT EXECUTE FUNCTION rl_audit_is_append_only();
