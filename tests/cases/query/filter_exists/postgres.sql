SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "e_line" AS "t_1" WHERE "t_1"."deal" = "t"."id" AND "t_1"."deleted_at" IS NULL AND "t_1"."qty" > $1)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Int Int(10000)

