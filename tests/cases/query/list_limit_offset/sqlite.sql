SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 21 OFFSET ?;
-- Int Int(40)

