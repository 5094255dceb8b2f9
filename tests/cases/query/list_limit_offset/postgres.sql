SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL
ORDER BY "t"."id" DESC
LIMIT 21 OFFSET $1;
-- Int Int(40)

