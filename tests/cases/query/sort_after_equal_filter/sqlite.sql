SELECT "t"."id", "t"."score"
FROM "e_deal" AS "t"
WHERE "t"."deleted_at" IS NULL AND "t"."stage" = ?
ORDER BY "t"."score" DESC NULLS LAST, "t"."id" DESC
LIMIT 51;
-- Text Text("won")

