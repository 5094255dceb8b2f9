SELECT "t"."id", "t"."close_on"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."close_on" ASC NULLS LAST, "t"."id" ASC
LIMIT 51;

