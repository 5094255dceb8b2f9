SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."id" <= $1 AND ("t"."id" < $2 OR FALSE)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Int Int(77)
-- Int Int(77)

