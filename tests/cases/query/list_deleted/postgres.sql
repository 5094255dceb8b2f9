SELECT "t"."id", "t"."deleted_at"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NOT NULL
ORDER BY "t"."id" DESC
LIMIT 51;

