CREATE TABLE "e_user" (
    "id" integer PRIMARY KEY,
    "version" integer NOT NULL DEFAULT 1,
    "created_at" integer NOT NULL,
    "created_by" integer,
    "updated_at" integer NOT NULL,
    "updated_by" integer,
    "deleted_at" integer,
    "name" text,
    "name_k" text,
    "email" text,
    "email_k" text
) STRICT;
CREATE INDEX "ix_ac350c66_deleted_at" ON "e_user" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "e_account" (
    "id" integer PRIMARY KEY,
    "version" integer NOT NULL DEFAULT 1,
    "created_at" integer NOT NULL,
    "created_by" integer,
    "updated_at" integer NOT NULL,
    "updated_by" integer,
    "deleted_at" integer,
    "name" text,
    "name_k" text,
    "industry" text,
    "main_deal" integer REFERENCES "e_deal" ("id")
) STRICT;
CREATE INDEX "ix_d754a622_deleted_at" ON "e_account" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "e_deal" (
    "id" integer PRIMARY KEY,
    "version" integer NOT NULL DEFAULT 1,
    "created_at" integer NOT NULL,
    "created_by" integer,
    "updated_at" integer NOT NULL,
    "updated_by" integer,
    "deleted_at" integer,
    "number" text,
    "number__seq" integer,
    "number_k" text,
    "name" text,
    "name_k" text,
    "account" integer REFERENCES "e_account" ("id"),
    "origin__account" integer REFERENCES "e_account" ("id"),
    "origin__deal" integer REFERENCES "e_deal" ("id"),
    "amount" integer,
    "amount__currency" text,
    "amount__base" integer,
    "close_on" text,
    "is_hot" integer,
    "info" text,
    "place__lat" integer,
    "place__lon" integer
) STRICT;
CREATE INDEX "ix_fa749403_deleted_at" ON "e_deal" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE TABLE "j_deal_segments" (
    "rec" integer NOT NULL REFERENCES "e_deal" ("id") ON DELETE CASCADE,
    "opt" text NOT NULL,
    "pos" integer NOT NULL,
    PRIMARY KEY ("rec", "opt")
) STRICT, WITHOUT ROWID;
CREATE INDEX "ix_25b250b4_opt" ON "j_deal_segments" ("opt", "rec");
CREATE TABLE "j_deal_papers" (
    "rec" integer NOT NULL REFERENCES "e_deal" ("id") ON DELETE CASCADE,
    "opt" integer NOT NULL REFERENCES "sys_file" ("id"),
    "pos" integer NOT NULL,
    PRIMARY KEY ("rec", "opt")
) STRICT, WITHOUT ROWID;
CREATE INDEX "ix_e82f4db8_opt" ON "j_deal_papers" ("opt", "rec");
CREATE UNIQUE INDEX "ux_df4e3115_email" ON "e_user" ("email_k") WHERE "deleted_at" IS NULL;
DROP VIEW IF EXISTS "v_user";
CREATE VIEW "v_user" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "name" AS "name", "email" AS "email" FROM "e_user" WHERE "deleted_at" IS NULL;
CREATE UNIQUE INDEX "ux_5960504b_name" ON "e_account" ("name_k") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_f6e2cefd_industry" ON "e_account" ("industry") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_f6a564df_main_deal" ON "e_account" ("main_deal", "deleted_at");
DROP VIEW IF EXISTS "v_account";
CREATE VIEW "v_account" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "name" AS "name", "industry" AS "industry", "main_deal" AS "main_deal" FROM "e_account" WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_81241823_origin__deal" ON "e_deal" ("origin__deal");
CREATE UNIQUE INDEX "ux_62b2d336_account_name" ON "e_deal" ("account", "name_k") WHERE "deleted_at" IS NULL;
CREATE INDEX "ix_94fc0fbf_account" ON "e_deal" ("account", "deleted_at");
CREATE INDEX "ix_c11059a0_origin" ON "e_deal" ("origin__account", "deleted_at");
CREATE INDEX "ix_a170ce90_account_close_on" ON "e_deal" ("account", "close_on") WHERE "deleted_at" IS NULL;
DROP VIEW IF EXISTS "v_deal";
CREATE VIEW "v_deal" AS SELECT "id" AS "id", "version" AS "version", "created_at" AS "created_at", "created_by" AS "created_by", "updated_at" AS "updated_at", "updated_by" AS "updated_by", "deleted_at" AS "deleted_at", "number" AS "number", "number__seq" AS "number_seq", "name" AS "name", "account" AS "account", "origin__account" AS "origin", "origin__deal" AS "origin__deal", "amount" AS "amount", "amount__currency" AS "amount_currency", "amount__base" AS "amount_base", "close_on" AS "close_on", "is_hot" AS "is_hot", "info" AS "info", "place__lat" AS "place_lat", "place__lon" AS "place_lon" FROM "e_deal" WHERE "deleted_at" IS NULL;
