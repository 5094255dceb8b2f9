SELECT "t"."id", "j1"."id", "j1"."name", "t"."created_at", "s2"."name"
FROM "e_deal" AS "t"
LEFT JOIN "e_account" AS "j1" ON "j1"."id" = "t"."account" AND "j1"."deleted_at" IS NULL LEFT JOIN "e_account" AS "s2" ON "s2"."id" = "t"."account" AND "s2"."deleted_at" IS NULL
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."created_at" DESC, "s2"."name" ASC NULLS LAST, "t"."id" ASC
LIMIT 51;

