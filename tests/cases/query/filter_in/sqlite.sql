SELECT "t"."id"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND ("t"."stage" IN (?, ?))
ORDER BY "t"."id" DESC
LIMIT 51;
-- Text Text("won")
-- Text Text("lost")

