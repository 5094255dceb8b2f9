SELECT "t"."id", "t"."created_at"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."created_at", "t"."id") < ($1, $2)
ORDER BY "t"."created_at" DESC, "t"."id" DESC
LIMIT 51;
-- DateTime Int(1700000000000000)
-- Int Int(77)

