SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."close_on" IS NULL)
ORDER BY "t"."id" DESC
LIMIT 51;

