SELECT "t"."id", "t"."version", "t"."created_at", "t"."created_by", "t"."updated_at", "t"."updated_by", "t"."owner", "t"."deleted_at", "t"."name__given", "t"."name__family", "t"."name__middle", "t"."name__prefix", "t"."name__suffix", "t"."account", "t"."birthday"
FROM "e_contact" AS "t"
WHERE "t"."id" = ? AND "t"."deleted_at" IS NULL;
-- Int Int(101)

