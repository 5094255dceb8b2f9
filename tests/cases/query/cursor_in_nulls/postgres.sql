SELECT "t"."id", "t"."close_on"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."close_on" IS NULL AND "t"."id" < $1)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Int Int(77)

