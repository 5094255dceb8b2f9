SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."amount__base" >= ?
ORDER BY "t"."id" DESC
LIMIT 51;
-- Int Int(100050)

