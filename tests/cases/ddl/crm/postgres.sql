CREATE TABLE "e_user" (
    "id" bigint PRIMARY KEY,
    "version" bigint NOT NULL DEFAULT 1,
    "created_at" timestamptz NOT NULL,
    "created_by" bigint,
    "updated_at" timestamptz NOT NULL,
    "updated_by" bigint,
    "deleted_at" timestamptz,
    "name" text collate "C",
    "name_k" text collate "C",
    "email" text collate "C",
    "email_k" text collate "C"
);
CREATE INDEX "ix_ac350c66_deleted_at" ON "e_user" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "e_account" (
    "id" bigint PRIMARY KEY,
    "version" bigint NOT NULL DEFAULT 1,
    "created_at" timestamptz NOT NULL,
    "created_by" bigint,
    "updated_at" timestamptz NOT NULL,
    "updated_by" bigint,
    "deleted_at" timestamptz,
    "name" text collate "C",
    "name_k" text collate "C",
    "industry" text collate "C",
    "main_deal" bigint
);
CREATE INDEX "ix_d754a622_deleted_at" ON "e_account" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "e_deal" (
    "id" bigint PRIMARY KEY,
    "version" bigint NOT NULL DEFAULT 1,
    "created_at" timestamptz NOT NULL,
    "created_by" bigint,
    "updated_at" timestamptz NOT NULL,
    "updated_by" bigint,
    "deleted_at" timestamptz,
    "number" text collate "C",
    "number__seq" bigint,
    "number_k" text collate "C",
    "name" text collate "C",
    "name_k" text collate "C",
    "account" bigint,
    "origin__account" bigint,
    "origin__deal" bigint,
    "amount" bigint,
    "amount__currency" text collate "C",
    "amount__base" bigint,
    "close_on" date,
    "is_hot" boolean,
    "info" jsonb,
    "place__lat" bigint,
    "place__lon" bigint
);
CREATE INDEX "ix_fa749403_deleted_at" ON "e_deal" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "j_deal_segments" (
    "rec" bigint NOT NULL REFERENCES "e_deal" ("id") ON DELETE CASCADE,
    "opt" text collate "C" NOT NULL,
    "pos" bigint NOT NULL,
    PRIMARY KEY ("rec", "opt")
);
CREATE INDEX "ix_25b250b4_opt" ON "j_deal_segments" ("opt", "rec");
CREATE TABLE "j_deal_papers" (
    "rec" bigint NOT NULL REFERENCES "e_deal" ("id") ON DELETE CASCADE,
    "opt" bigint NOT NULL REFERENCES "sys_file" ("id"),
    "pos" bigint NOT NULL,
    PRIMARY KEY ("rec", "opt")
);
CREATE INDEX "ix_e82f4db8_opt" ON "j_deal_papers" ("opt", "rec");
CREATE UNIQUE INDEX "ux_df4e3115_email" ON "e_user" ("email_k") WHERE "deleted_at" IS NULL;
DROP VIEW IF EXISTS "v_user";
CREATE VIEW "v_user" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "name" AS "name", "email" AS "email" FROM "e_user" WHERE "deleted_at" IS NULL;
ALTER TABLE "e_account" ADD CONSTRAINT "fk_8abced70_main_deal" FOREIGN KEY ("main_deal") REFERENCES "e_deal" ("id");
CREATE UNIQUE INDEX "ux_5960504b_name" ON "e_account" ("name_k") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_f6e2cefd_industry" ON "e_account" ("industry", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_f6a564df_main_deal" ON "e_account" ("main_deal", "id");
DROP VIEW IF EXISTS "v_account";
CREATE VIEW "v_account" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "name" AS "name", "industry" AS "industry", "main_deal" AS "main_deal" FROM "e_account" WHERE "deleted_at" IS NULL;
ALTER TABLE "e_deal" ADD CONSTRAINT "fk_38b0c07d_account" FOREIGN KEY ("account") REFERENCES "e_account" ("id");
ALTER TABLE "e_deal" ADD CONSTRAINT "fk_81241823_origin__account" FOREIGN KEY ("origin__account") REFERENCES "e_account" ("id");
ALTER TABLE "e_deal" ADD CONSTRAINT "fk_81241823_origin__deal" FOREIGN KEY ("origin__deal") REFERENCES "e_deal" ("id");
CREATE INDEX "ix_81241823_origin__deal" ON "e_deal" ("origin__deal");
CREATE UNIQUE INDEX "ux_62b2d336_account_name" ON "e_deal" ("account", "name_k") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_94fc0fbf_account" ON "e_deal" ("account", "id");
CREATE INDEX "ix_c11059a0_origin" ON "e_deal" ("origin__account", "id");
CREATE INDEX "ix_a170ce90_account_close_on" ON "e_deal" ("account", "close_on", "id") WHERE "deleted_at" IS NULL;
DROP VIEW IF EXISTS "v_deal";
CREATE VIEW "v_deal" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "number" AS "number", "number__seq" AS "number_seq", "name" AS "name", "account" AS "account", "origin__account" AS "origin", "origin__deal" AS "origin__deal", "amount" AS "amount", "amount__currency" AS "amount_currency", "amount__base" AS "amount_base", "close_on" AS "close_on", "is_hot" AS "is_hot", "info" AS "info", "place__lat" AS "place_lat", "place__lon" AS "place_lon" FROM "e_deal" WHERE "deleted_at" IS NULL;
