SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."close_on" >= ? AND "t"."close_on" <= ?)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Date Int(20778)
-- Date Int(20818)

