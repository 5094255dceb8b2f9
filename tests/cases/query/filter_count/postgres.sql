SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND (SELECT COUNT(*) FROM "e_line" AS "t_1" WHERE "t_1"."deal" = "t"."id" AND "t_1"."deleted_at" IS NULL) >= $1
ORDER BY "t"."id" DESC
LIMIT 51;
-- Int Int(3)

