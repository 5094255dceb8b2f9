SELECT "t"."id", "t"."close_on"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."close_on" DESC NULLS LAST, "t"."id" DESC
LIMIT 51;

