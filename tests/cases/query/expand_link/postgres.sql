SELECT "t"."id", "j1"."id", "j1"."name"
FROM "e_deal" AS "t"
LEFT JOIN "e_account" AS "j1" ON "j1"."id" = "t"."account" AND "j1"."deleted_at" IS NULL
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 51;

