SELECT "t"."id", "t"."number", "t"."name", "t"."created_at"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."created_at" DESC, "t"."id" DESC
LIMIT 51;

