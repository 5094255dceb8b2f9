SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."stage" IS DISTINCT FROM $1)
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("won")

